"""Messages that came together, in columns, and the events that are made of them when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import overload

from exporters.events.event import Action, Event, Message, Verdict
from exporters.events.sources import Source
from exporters.syslog.details import SyslogDetails
from exporters.wire.syslog_classes import MessageClass


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that came together, in columns.

    Attributes:
        contents: What they are.
        sources: Who sent them.
        devices: Whose they are.
        classes: Of what class.
        received_at: Unix time of their receipt.
        zones: Time zones of devices, by their names.
    """

    contents: Sequence[bytes]
    sources: Sequence[Source]
    devices: Sequence[str]
    classes: Sequence[MessageClass]
    received_at: float
    zones: Mapping[str, tzinfo]

    def message(self, place: int) -> Message:
        """Make one message, in the words of ``exporters.events``."""
        content, message_class = self.contents[place], self.classes[place]
        device = self.devices[place]
        details = SyslogDetails(content, message_class, self.zones.get(device, UTC))
        return Message(
            "syslog", self.received_at, self.sources[place].address, device,
            message_class.event, details, len(content), message_class.severity,
            b"", None, "", b"", None, None, message_class.facility,
            message_class.app, message_class.vendor,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A verdict. Told apart by identity, to be counted quickly.

    Attributes:
        verdict: What the rules say.
        is_plain: Whether it changes no state, and its message is an event that is shown.
    """

    verdict: Verdict
    is_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        verdict = self.verdict
        is_shown = verdict.action is Action.RECORD
        is_plain = is_shown and not (verdict.changes or verdict.restarted)
        object.__setattr__(self, "is_plain", is_plain)


class BatchEvents(Sequence[Event]):
    """The events of a batch, made one by one when somebody looks."""

    __slots__ = ("_batch", "_judged", "_numbers", "_places", "_settled")

    def __init__(
        self,
        batch: Batch,
        places: Sequence[int],
        numbers: Sequence[int],
        settled: Mapping[MessageClass, Verdict],
        judged: Mapping[int, Judgement],
    ) -> None:
        """Say which messages are events.

        Args:
            batch: The messages.
            places: Which of them are shown.
            numbers: Of these.
            settled: The verdicts on all messages of a class.
            judged: The judgements on single messages, by their places.
        """
        self._batch = batch
        self._places = places
        self._numbers = numbers
        self._settled = settled
        self._judged = judged

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        batch, place = self._batch, self._places[index]
        judgement = self._judged.get(place)
        verdict = self._settled[batch.classes[place]] if judgement is None else judgement.verdict
        return Event(self._numbers[index], batch.message(place), verdict)
