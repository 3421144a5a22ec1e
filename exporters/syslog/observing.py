"""What looks at messages beyond counting them: numbers, clocks, repeats.

An observer gets no more of a batch than it needs, because most messages are only counted: those
that their senders number, those that stand for others, and of each device the newest now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress, repeat
from operator import attrgetter
from typing import Final, NamedTuple, Protocol

from exporters.syslog.batch import Batch
from exporters.wire.syslog_classes import MessageClass

_IS_COUNTED: Final = attrgetter("is_counted")
_KEPT_BYTES: Final = 2048
"""Of the last message of each device, in case that it is repeated."""


class Arrival(NamedTuple):
    """A message, and when it came (Unix time)."""

    content: bytes
    message_class: MessageClass
    received_at: float


class Observer(Protocol):
    """Looks at messages of devices; ``unknown`` is one, which is many senders.

    What it raises is logged and costs no message.
    """

    def take_counted(
        self,
        devices: Sequence[str],
        contents: Sequence[bytes],
        classes: Sequence[MessageClass],
        received_at: float,
    ) -> None:
        """Take those messages of a batch whose senders number them, in the order of arrival."""

    def take_beyond_ascii(self, devices: Sequence[str], contents: Sequence[bytes]) -> None:
        """Take those messages of a batch that have other octets than those of ASCII."""

    def take_repeat(self, device: str, content: bytes, previous: Arrival | None) -> int:
        """Take a message that says that the one before it came again.

        Args:
            device: Whose message it is.
            content: The message.
            previous: What the device sent before it, if that is known.

        Returns:
            How many times *previous* is to be counted again; 0: it is not.
        """

    def take_newest(self, device: str, newest: Arrival) -> None:
        """Take the newest message of a device that has sent since the last time, now and then."""


class Repeat(NamedTuple):
    """A message that is to be counted again."""

    message: Arrival
    times: int


class Observation:
    """What an observer is shown, and the newest message of each device."""

    def __init__(self, observer: Observer | None, on_error: Callable[[Exception], None]) -> None:
        """Show nothing yet; *on_error* is told of whatever *observer* raises."""
        self._observer = observer
        self._on_error = on_error
        self._newest: dict[str, tuple[bytes, MessageClass, float]] = {}
        self._earlier: dict[str, Arrival] = {}
        self._repeated: dict[str, Arrival] = {}

    def newest_at(self, device: str) -> float:
        """Give when a device has sent the last time, if that was after ``settle``."""
        return self._newest[device][2]

    def repeat(self, batch: Batch, place: int) -> Repeat | None:
        """Say what a message that stands for others asks for, before its batch is taken."""
        if self._observer is None:
            return None
        device = batch.devices[place]
        previous = self._previous(batch, place)
        try:
            times = self._observer.take_repeat(device, batch.contents[place], previous)
        except Exception as error:  # noqa: BLE001 - of any kind, and told
            self._on_error(error)
            return None
        if previous is None:
            return None
        self._repeated[device] = previous
        return Repeat(previous, times) if times > 0 else None

    def take(self, batch: Batch) -> None:
        """Take what has arrived."""
        if self._observer is not None:
            try:
                _show(batch, self._observer)
            except Exception as error:  # noqa: BLE001 - of any kind, and told
                self._on_error(error)
        self._newest.update(_newest(batch))

    def settle(self) -> None:
        """Show the newest message of each device that has sent since the last time."""
        newest, self._newest = self._newest, {}
        if self._observer is None:
            return
        for device, (content, message_class, received_at) in newest.items():
            try:
                self._observer.take_newest(device, Arrival(content, message_class, received_at))
            except Exception as error:  # noqa: BLE001 - of any kind, and told
                self._on_error(error)
            kept = Arrival(content[:_KEPT_BYTES], message_class, received_at)
            self._earlier[device] = kept

    def _previous(self, batch: Batch, place: int) -> Arrival | None:
        """Give what a device sent before a message; if that is a repeat, what it repeats."""
        device = batch.devices[place]
        for before in range(place - 1, -1, -1):
            if batch.devices[before] == device and not batch.classes[before].is_repeat:
                return Arrival(batch.contents[before], batch.classes[before], batch.received_at)
        newest = self._newest.get(device)
        previous = self._earlier.get(device) if newest is None else Arrival(*newest)
        if previous is not None and previous.message_class.is_repeat:
            return self._repeated.get(device)
        return previous


def _newest(batch: Batch) -> Iterable[tuple[str, tuple[bytes, MessageClass, float]]]:
    """Give messages with their devices, the newest of each device last."""
    devices, contents, classes = batch.devices, batch.contents, batch.classes
    if devices and devices[0] == devices[-1] and devices.count(devices[0]) == len(devices):
        # As a connection brings them.
        devices, contents, classes = devices[-1:], contents[-1:], classes[-1:]
    arrivals = zip(contents, classes, repeat(batch.received_at), strict=False)
    return zip(devices, arrivals, strict=True)


def _show(batch: Batch, observer: Observer) -> None:
    """Show of a batch what is not only counted."""
    devices, contents, classes = batch.devices, batch.contents, batch.classes
    is_counted = list(map(_IS_COUNTED, classes))
    if any(is_counted):
        observer.take_counted(
            list(compress(devices, is_counted)),
            list(compress(contents, is_counted)),
            list(compress(classes, is_counted)),
            batch.received_at,
        )
    if not b"".join(contents).isascii():
        is_beyond = [not content.isascii() for content in contents]
        observer.take_beyond_ascii(
            list(compress(devices, is_beyond)), list(compress(contents, is_beyond))
        )
