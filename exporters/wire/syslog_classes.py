"""Classes of messages: all that is counted by, worked out once for each shape.

``Classifier.classify_batch`` takes a microsecond for a message, because what is done for each is
done by one pattern and one look into a dictionary (``exporters.wire.syslog_shape``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exporters.wire.syslog_faults import PRIORITY_FAULTS, MessageFault
from exporters.wire.syslog_priority import Priority, decode_priority, priority_of
from exporters.wire.syslog_shape import Found, Shape, shape_behind_priority, shape_of, shapes_of
from exporters.wire.syslog_text import strip_trailer
from exporters.wire.syslog_vendors import firewalls, juniper, mnemonics, others
from exporters.wire.syslog_vendors.signature import Signature, text_of

_FAMILIES: Final[Sequence[Callable[[Shape], Signature | None]]] = (
    mnemonics.recognise,
    juniper.recognise,
    firewalls.recognise,
    others.recognise,
)
_NIL: Final = b"-"
_VERSION: Final = b"1"
"""Of RFC 5424; there is no other."""
_HUAWEI_REPEATS: Final = "/SUPPRESS_LOG"
_NEVER_COUNTED: Final = ("ASA-", "FTD-", "PIX-", "FWSM-")
"""How events of Cisco's firewalls begin."""
_IS_APP: Final = re.compile(rb"[\w./-]{1,100}").fullmatch
_IS_MNEMONIC: Final = re.compile(rb"%{1,2}[\w/-]{1,100}").fullmatch
"""Words that are whole, and that overlap with nothing that may stand before them."""
_MOST_REMEMBERED: Final = 16_384
_LONGEST_REMEMBERED: Final = 512
"""Octets of all words of a shape."""


class MessageFormat(StrEnum):
    """How a message was read: a closed set, so that it may be a label."""

    RFC5424 = "rfc5424"
    RFC3164 = "rfc3164"
    VENDOR = "vendor"
    """A vendor's own form, behind PRI or nothing."""
    UNPARSED = "unparsed"
    """A text, and perhaps PRI."""
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, eq=False)
class MessageClass:
    """What messages of one shape have in common. Told apart by identity, to be counted quickly.

    Attributes:
        format: How they are read.
        facility: By name; empty where PRI does not say.
        severity: By name: the vendor's where its form says it, else that of PRI; empty if neither.
        priority_severity: That of PRI.
        vendor: Whose form it is; empty where nothing tells.
        event: The vendor's name of the event; empty where it has none.
        app: The application or process that wrote it; empty where it does not say.
        is_counted: Whether the sender may number its messages, so that missing ones can be told.
        is_structured: Whether they have structured data, whole or not.
        is_repeat: Whether it says that the one before it came again.
        faults: What is wrong with them, as far as their shape tells.
        text_mark: A word of theirs that the text begins with or follows, whatever is before it;
            empty where that takes a closer look.
        has_fields: Whether PRI is plain and the header whole, as in RFC 5424: each field is one
            word, but that some write a time apart from its date.
    """

    format: MessageFormat
    facility: str = ""
    severity: str = ""
    priority_severity: str = ""
    vendor: str = ""
    event: str = ""
    app: str = ""
    is_counted: bool = False
    is_structured: bool = False
    is_repeat: bool = False
    faults: frozenset[MessageFault] = frozenset()
    text_mark: bytes = b""
    has_fields: bool = False


EMPTY: Final = MessageClass(MessageFormat.EMPTY)


class Classifier:
    """Classifies messages, and remembers the classes of shapes that it has seen.

    Whoever sends ever new shapes gains nothing: what is remembered is bounded, and begun anew when
    it is full. Classes that are equal may then be several, so add up what they count, and let go
    of those that counted nothing of late.
    """

    def __init__(self) -> None:
        self._by_found: dict[Found, MessageClass] = {}
        self._by_meaning: dict[tuple[Priority, Shape], MessageClass] = {}

    def classify(self, data: bytes) -> MessageClass:
        """Give the class of one message, as it came in a datagram or frame."""
        data = strip_trailer(data)
        priority, position = decode_priority(data)
        line = data[position:].partition(b"\n")[0]
        if not data[position:].strip() and priority.fault == "missing":
            return EMPTY
        return self._class_of(priority, shape_behind_priority(line + b"\n"))

    def classify_batch(self, messages: Sequence[bytes]) -> list[MessageClass]:
        """Give the classes of many messages; the same as of each alone."""
        if not messages:
            return []
        octets = b"".join(messages)
        lines: Iterable[bytes] = messages
        if b"\n" in octets or b"\r" in octets or b"\0" in octets:
            lines = (strip_trailer(message).partition(b"\n")[0] for message in messages)
        found = shapes_of(b"\n".join(lines) + b"\n")
        classes = list(map(self._by_found.get, found))
        if None in classes:
            return [
                known or self._learn(words, message)
                for known, words, message in zip(classes, found, messages, strict=True)
            ]
        return classes  # type: ignore[return-value]  # none of them is None

    def _learn(self, found: Found, message: bytes) -> MessageClass:
        number, *words = found
        if not number:
            return self.classify(message)
        learnt = self._class_of(priority_of(number), shape_of(words))
        if sum(map(len, words)) <= _LONGEST_REMEMBERED:
            if len(self._by_found) >= _MOST_REMEMBERED:
                self._by_found.clear()
            self._by_found[found] = learnt
        return learnt

    def _class_of(self, priority: Priority, shape: Shape) -> MessageClass:
        key = (priority, shape)
        known = self._by_meaning.get(key)
        if known is None:
            known = describe(priority, shape)
            if len(self._by_meaning) >= _MOST_REMEMBERED:
                self._by_meaning.clear()
            self._by_meaning[key] = known
        return known


def recognise(shape: Shape) -> Signature | None:
    """Give the vendor's signature of a shape; None where no vendor's form is known by it."""
    for recognise_family in _FAMILIES:
        if signature := recognise_family(shape):
            return signature
    return None


def describe(priority: Priority, shape: Shape) -> MessageClass:
    """Work out the class of a shape."""
    signature = recognise(shape) or Signature("")
    app = signature.app or text_of(shape.app or shape.app_5424.removeprefix(_NIL))
    # Check Point writes name:"value" in brackets.
    is_structured = shape.sd_id.startswith(b"[") and signature.vendor != "checkpoint"
    is_repeat = shape.token.endswith(b"message repeated")
    return MessageClass(
        format=_format_of(shape, signature),
        facility=priority.facility,
        severity=signature.severity or priority.severity,
        priority_severity=priority.severity,
        vendor=signature.vendor,
        event="repeated" if is_repeat else signature.event,
        app=app,
        is_counted=is_structured or _is_counted_event(shape, signature),
        is_structured=is_structured,
        is_repeat=is_repeat or signature.event.endswith(_HUAWEI_REPEATS),
        faults=frozenset(_faults_of(priority, shape, signature)),
        text_mark=_text_mark(shape),
        has_fields=bool(shape.sd_id) and not priority.fault,
    )


def _text_mark(shape: Shape) -> bytes:
    """Give the application, behind which the text stands, or else the mnemonic, its beginning."""
    if shape.version:
        return b""
    if shape.app:
        return shape.app if _IS_APP(shape.app) else b""
    return shape.token if _IS_MNEMONIC(shape.token) else b""


def _faults_of(priority: Priority, shape: Shape, signature: Signature) -> Iterator[MessageFault]:
    if priority.fault:
        yield PRIORITY_FAULTS[priority.fault]
    if shape.swallowed or (shape.version and shape.version != _VERSION):
        yield MessageFault.BAD_VERSION
    if shape.version and not shape.sd_id and signature.vendor != "checkpoint":
        yield MessageFault.BAD_STRUCTURED_DATA


def _is_counted_event(shape: Shape, signature: Signature) -> bool:
    is_event = signature.vendor == "cisco" and shape.token.startswith(b"%") and not shape.version
    return is_event and not signature.event.startswith(_NEVER_COUNTED)


def _format_of(shape: Shape, signature: Signature) -> MessageFormat:
    if shape.version:
        return MessageFormat.RFC5424 if shape.version == _VERSION else MessageFormat.UNPARSED
    if shape.dated or shape.app:
        return MessageFormat.RFC3164
    return MessageFormat.VENDOR if signature.vendor else MessageFormat.UNPARSED
