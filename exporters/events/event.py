"""What happened: a message as its exporter read it, what the rules say of it, and both as an event.

A ``Message`` is made for every datagram, forty thousand times a second, and mostly only counted. So
it is a tuple, and whatever is costly to read waits in its ``Details`` until somebody asks: a rule
for one field, a page for the text.

Not here: how messages are decoded (``exporters.trap``, ``exporters.syslog``), which rules there are
(``exporters.events.rules``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, Protocol

from exporters.config.event_taxonomy import OTHER, UNKNOWN

Kind = Literal["trap", "syslog"]
Value = str | int | float
"""What a field holds; enumerations and octets come as their exporter writes them."""

MAX_TEXT_CHARACTERS: Final = 4096


class Details(Protocol):
    """What a message says, read only as far as somebody asks."""

    def field(self, name: str) -> Value | None:
        """Give one field, the first of that name; None where the message has none.

        A trap's fields are its varbinds by the names of their objects (``ifIndex``); NAME.index is
        the index of the row, as text (``bgpPeerState.index`` is ``192.0.2.1``). Those of syslog are
        ``host``, ``process``, ``message_id``, and what its structured data or key-value pairs hold.
        """

    def fields(self) -> Mapping[str, Value]:
        """Give all fields, for people to read. No community and no user is among them."""

    def text(self) -> str:
        """Give the message as text, as the sender wrote it: MSG of syslog, varbinds of a trap."""

    def remarks(self, received_at: float) -> Remarks:
        """Give what a message that came at *received_at* says of itself, for people to read."""


class Remarks(NamedTuple):
    """What a message says of itself. Only syslog has more than nothing to say.

    Attributes:
        device_time: When the device wrote it, by its own clock (Unix time); None if unknown.
        clock: What it says of that clock.
        repeated: How many messages it stands for, that were not sent.
        faults: What is wrong with it.
    """

    device_time: float | None = None
    clock: str = ""
    repeated: int = 0
    faults: tuple[str, ...] = ()


class Message(NamedTuple):
    """What was received, as far as an exporter understood it. Rules match on it.

    Attributes:
        kind: Which exporter received it.
        received_at: Unix time of its receipt.
        source: Address of the peer that sent it.
        device: Name of the device that it is about, of the inventory, or ``unknown``.
        name: What is reported: a trap by its name in the catalogue, a vendor's event
            (``LINK-3-UPDOWN``); empty where it has none.
        details: The rest.
        size_bytes: Of the datagram or frame.
        severity: As the sender says, one of ``SEVERITIES``; empty where it does not.
        oid: Of a trap, snmpTrapOID as content bytes.
        uptime_ticks: Of the sender, in hundredths of a second; None where it does not say.
        version: Of SNMP, ``1``, ``2c`` or ``3``.
        enterprise: Of a version 1 trap, as content bytes.
        generic: Of a version 1 trap; None for others.
        specific: Of a version 1 trap; None for others.
        facility: Of syslog, by name.
        app: Of syslog, the application or process that wrote it.
        vendor: Of syslog, whose form the message has.
    """

    kind: Kind
    received_at: float
    source: str
    device: str
    name: str
    details: Details
    size_bytes: int = 0
    severity: str = ""
    oid: bytes = b""
    uptime_ticks: int | None = None
    version: str = ""
    enterprise: bytes = b""
    generic: int | None = None
    specific: int | None = None
    facility: str = ""
    app: str = ""
    vendor: str = ""


RAISED: Final = "raised"
CLEARED: Final = "cleared"


class Action(Enum):
    """What becomes of a message, beside its outcome, which is counted always."""

    RECORD = "record"
    COUNT_ONLY = "count_only"
    """Counted as an event and seen by states, but not shown among the recent ones or logged."""
    DROP = "drop"
    """No event at all."""


class Change(NamedTuple):
    """A state that a message raises or clears.

    Attributes:
        raised: Whether it is raised, else cleared.
        event: Of the taxonomy.
        key: What tells the states of one device and event apart.
        instance: What people know it by, an interface or a peer; the label ``instance``.
        ttl_seconds: How long a raised state holds without being raised again; 0: until cleared.
        survives_restart: Whether it holds when the device restarts.
    """

    raised: bool
    event: str
    key: str
    instance: str
    ttl_seconds: float = 0.0
    survives_restart: bool = False


class Verdict(NamedTuple):
    """What the rules say of a message.

    Attributes:
        event: Of the taxonomy; ``other`` where no rule says.
        severity: The rule's, else the sender's, else ``unknown``.
        labels: Further labels, by name; values are not bounded yet.
        changes: States that it changes.
        action: What becomes of it.
        restarted: Whether the device has restarted.
        rules: Names of the rules that matched, in their order.
    """

    event: str = OTHER
    severity: str = UNKNOWN
    labels: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    action: Action = Action.RECORD
    restarted: bool = False
    rules: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """What becomes of states by it: ``raised``, ``cleared``, empty where it has none."""
        if not self.changes:
            return ""
        return RAISED if any(change.raised for change in self.changes) else CLEARED


class Event(NamedTuple):
    """A message that was judged, with its number among all events of this process."""

    number: int
    message: Message
    verdict: Verdict

    def text(self) -> str:
        """Give the text for people: of one line, printable, and of bounded length."""
        return printable(self.message.details.text())

    def remarks(self) -> Remarks:
        """Give what the message says of itself."""
        return self.message.details.remarks(self.message.received_at)

    def as_json(self) -> dict[str, Any]:
        """Give all that may be shown, as values that JSON can carry."""
        message, verdict = self.message, self.verdict
        shown: dict[str, Any] = {
            "id": self.number,
            "time": message.received_at,
            "kind": message.kind,
            "device": message.device,
            "source": message.source,
            "event": verdict.event,
            "severity": verdict.severity,
            "name": message.name,
            "text": self.text(),
            "fields": {
                printable(name): printable(value) if isinstance(value, str) else value
                for name, value in message.details.fields().items()
            },
        }
        for part in ("version", "facility", "app", "vendor"):
            if value := getattr(message, part):
                shown[part] = printable(value)
        remarks = self.remarks()._asdict()
        shown |= {name: value for name, value in remarks.items() if value not in (None, "", 0, ())}
        if verdict.labels:
            shown["labels"] = {name: printable(value) for name, value in verdict.labels}
        if verdict.changes:
            shown["states"] = [
                {
                    "event": change.event,
                    "instance": printable(change.instance),
                    "active": change.raised,
                }
                for change in verdict.changes
            ]
        if verdict.rules:
            shown["rules"] = list(verdict.rules)
        return shown


def printable(text: str, longest: int = MAX_TEXT_CHARACTERS) -> str:
    r"""Escape what does not print (``\x1b``, ``\n``, overrides of direction), and cut what is long.

    Example: ``printable("a\x1b[31m")`` is ``a\x1b[31m`` with four characters for the escape.
    """
    if len(text) > longest:
        text = text[:longest] + "..."
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
