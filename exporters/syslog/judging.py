"""Verdicts on messages that must be judged one by one: remembered, where the text decides.

Devices say the same again and again, the same interfaces go up and down. A rule that looks at
nothing but the text of a message gives one verdict for all messages of one class and one text, so
that finding the text is all that is left to do: a third of a microsecond instead of 20 where a word
or a number of fields tells where it begins, 2 us elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exporters.events.event import Verdict
from exporters.events.rules import RuleSet
from exporters.syslog.batch import Batch, Judgement
from exporters.wire.syslog_classes import MessageClass
from exporters.wire.syslog_message import tail_of
from exporters.wire.syslog_text import strip_trailer

_MOST_REMEMBERED: Final = 32_768
_LONGEST_REMEMBERED: Final = 512
_BEFORE_AND_BEHIND: Final = 2
"""Parts of a message in which a word comes once."""
_FIELDS: Final = 6
"""Of RFC 5424, before structured data; PRI and VERSION are one here."""


class Judge:
    """Judges by one set of rules.

    Attributes:
        rules: What messages are judged by.
        finders: For classes whose texts decide: what finds the judgement on a message. It gives
            None for a text that is not remembered.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.finders: dict[MessageClass, Callable[[bytes], Judgement | None]] = {}
        self._texts: dict[MessageClass, _Texts] = {}
        self._other_texts: dict[MessageClass, dict[bytes, Judgement]] = {}
        self._judgements: dict[Verdict, Judgement] = {}
        self._remembered = 0

    def judge(self, batch: Batch, place: int, *, is_by_text: bool) -> Judgement:
        """Give the judgement on a message; *is_by_text*: as all of its class and text have."""
        if not is_by_text:
            return self._judge(batch, place)
        known, tail = self._find_texts(batch.classes[place], strip_trailer(batch.contents[place]))
        if tail is None or len(tail) > _LONGEST_REMEMBERED:
            return self._judge(batch, place)
        judgement = known.get(tail)
        if judgement is None:
            judgement = known[tail] = self._judge(batch, place)
            self._count_remembered()
        return judgement

    def _judge(self, batch: Batch, place: int) -> Judgement:
        """Judge; equal verdicts are one judgement, so that few are counted."""
        verdict = self.rules.judge(batch.message(place))
        judgement = self._judgements.get(verdict)
        if judgement is None:
            judgement = self._judgements[verdict] = Judgement(verdict)
            self._count_remembered()
        return judgement

    def _find_texts(
        self, message_class: MessageClass, content: bytes
    ) -> tuple[dict[bytes, Judgement], bytes | None]:
        """Give the texts of a class that are remembered, and what a message would be among them."""
        texts = self._texts.get(message_class)
        if texts is None:
            texts = self._texts[message_class] = _texts_of(message_class)
            self._count_remembered()
            if not message_class.is_repeat:  # which asks for more than a verdict
                self.finders[message_class] = texts.find
        tail = texts.tail(content)
        if tail and b"\n" not in content:
            return texts.judgements, tail
        return self._other_texts.setdefault(message_class, {}), tail_of(content)

    def _count_remembered(self) -> None:
        """Forget all if it is too much: of texts that are never the same. Others are soon back."""
        self._remembered += 1
        if self._remembered > _MOST_REMEMBERED:
            self._remembered = 0
            for known in (self.finders, self._texts, self._other_texts, self._judgements):
                known.clear()


class _Texts:
    """The judgements on messages of one class, by what stands behind their headers.

    Attributes:
        judgements: By tail.
    """

    __slots__ = ("judgements",)

    def __init__(self) -> None:
        self.judgements: dict[bytes, Judgement] = {}

    def find(self, content: bytes) -> Judgement | None:
        """Give the judgement on a message, if it is remembered."""
        return self.judgements.get(self.tail(content))

    def tail(self, content: bytes) -> bytes:
        """Give what decides over a message, be it a little more than the text.

        Nothing where that takes a closer look, as it does here.
        """
        return b""


class _TextsBehindWord(_Texts):
    """Of messages that have a word in common: it stands before the text, or begins it."""

    __slots__ = ("_has_process_id", "_word")

    def __init__(self, word: bytes) -> None:
        super().__init__()
        self._word = word
        self._has_process_id = not word.startswith(b"%")

    def tail(self, content: bytes) -> bytes:
        """Give what stands behind the word and a process id; nothing if the word comes again."""
        parts = content.split(self._word)
        if len(parts) > _BEFORE_AND_BEHIND:
            return b""
        tail = parts[-1]
        if self._has_process_id and tail[:1] == b"[":
            return tail.partition(b"]")[2]
        return tail


class _TextsBehindFields(_Texts):
    """Of messages with the header of RFC 5424: structured data, and the text behind it."""

    __slots__ = ()

    def tail(self, content: bytes) -> bytes:
        """Give what stands behind six fields; nothing if the time is apart from its date."""
        parts = content.split(b" ", _FIELDS)
        if len(parts) <= _FIELDS or not all(parts) or parts[2][2:3] == b":":
            return b""
        return parts[_FIELDS]


def _texts_of(message_class: MessageClass) -> _Texts:
    if message_class.text_mark:
        return _TextsBehindWord(message_class.text_mark)
    if message_class.has_fields:
        return _TextsBehindFields()
    return _Texts()
