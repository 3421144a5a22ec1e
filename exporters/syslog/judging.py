"""Verdicts on messages that must be judged one by one: remembered, where the text decides.

Devices say the same again and again, the same interfaces go up and down. A rule that looks at
nothing but the text of a message gives one verdict for all messages of one class and one text, so
that finding the text is all that is left to do: half a microsecond instead of 20 where a word
tells where it begins, 2 us elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exporters.events.event import Verdict
from exporters.events.rules import RuleSet
from exporters.syslog.batch import Batch
from exporters.wire.syslog_classes import MessageClass
from exporters.wire.syslog_message import tail_of

_MOST_REMEMBERED: Final = 32_768
_LONGEST_REMEMBERED: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A verdict. Told apart by identity, to be counted quickly."""

    verdict: Verdict


class Judge:
    """Judges by one set of rules."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._remembered: dict[tuple[MessageClass, bool, bytes], Judgement] = {}

    def judge(self, batch: Batch, place: int, *, is_by_text: bool) -> Judgement:
        """Give the verdict on a message; *is_by_text*: as all of its class and text have."""
        if not is_by_text:
            return Judgement(self.rules.judge(batch.message(place)))
        content, message_class = batch.contents[place], batch.classes[place]
        marked = _marked_tail(content, message_class.text_mark)
        tail = marked or tail_of(content)
        if tail is None or len(tail) > _LONGEST_REMEMBERED:
            return Judgement(self.rules.judge(batch.message(place)))
        key = (message_class, bool(marked), tail)
        judgement = self._remembered.get(key)
        if judgement is None:
            judgement = Judgement(self.rules.judge(batch.message(place)))
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()  # texts that are never the same; others are soon back
            self._remembered[key] = judgement
        return judgement


def _marked_tail(content: bytes, mark: bytes) -> bytes:
    """Give what stands behind *mark*, without a process id: the text depends on nothing else.

    Nothing where the mark is not in one place alone, or there are several lines.
    """
    if not mark or b"\n" in content:
        return b""
    tail = content.partition(mark)[2]
    if mark in tail:
        return b""
    if tail.startswith(b"[") and not mark.startswith(b"%"):
        return tail.partition(b"]")[2]
    return tail
