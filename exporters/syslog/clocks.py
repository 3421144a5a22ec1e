"""Clocks of devices, by the newest message of each.

What a device writes as its time is compared with when its message came. A message is read for that
when somebody scrapes, one of each device that has sent since, however many it has sent. What a
message does not say, because it has no time stamp, stays as an earlier one has said it.

Strangers have no clock: many may be behind ``unknown``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final, NamedTuple

from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.exposition import ValueFamily
from exporters.metrics.text import FamilyType
from exporters.wire.syslog_classes import MessageClass
from exporters.wire.syslog_faults import MessageFault
from exporters.wire.syslog_header import Clock
from exporters.wire.syslog_message import SyslogMessage, decode_message

_LOOKS_LIKE_TIME: Final = re.compile(rb"\d\d:\d\d:\d\d|\d{9}\.").search
_STAMP_ENDS: Final = 160
"""Before this place, in all forms but those of firewalls that list values."""
_KEPT_BYTES: Final = 2048
"""Of a message that waits to be read: marks of the clock stand among its first fields."""
_WRONG: Final = (Clock.NEVER_SET, Clock.UNSYNCHRONISED)


class _Newest(NamedTuple):
    """A message that was not read yet."""

    content: bytes
    message_class: MessageClass
    received_at: float


@dataclass(slots=True)
class _Clock:
    """What is known of the clock of one device; None what nothing has said."""

    skew_seconds: float | None = None
    is_unsynchronised: bool | None = None
    is_unreadable: bool | None = None

    def read(self, message: SyslogMessage, received_at: float, zone: tzinfo) -> None:
        """Take what a message says."""
        header = message.header
        time = message.device_time(received_at, zone)
        if time is not None:
            self.skew_seconds = round(time - received_at, 3)
        if header.stamp is not None or header.has_bad_stamp:
            faults = message.faults_at(received_at, zone)
            self.is_unreadable = MessageFault.BAD_TIMESTAMP in faults
        if header.clock in _WRONG or header.uptime_seconds is not None:
            self.is_unsynchronised = True
        elif header.clock is Clock.SYNCHRONISED:
            self.is_unsynchronised = False
        elif header.stamp is not None and self.is_unsynchronised:
            self.is_unsynchronised = False  # it had a mark, which it has no more


class Clocks:
    """The clocks of all devices, and what they tell as metrics."""

    def __init__(self, zones: Mapping[str, tzinfo]) -> None:
        """Begin with nothing; *zones* are those of devices, by their names."""
        self.zones = zones
        self._newest: dict[str, _Newest] = {}
        self._clocks: dict[str, _Clock] = {}

    def take(
        self, device: str, content: bytes, message_class: MessageClass, received_at: float
    ) -> None:
        """Take the newest message of a device, unless it tells no time and an unread one may."""
        if device == UNKNOWN:
            return
        if device not in self._newest or _LOOKS_LIKE_TIME(content, 0, _STAMP_ENDS):
            self._newest[device] = _Newest(content[:_KEPT_BYTES], message_class, received_at)

    def keep_only(self, devices: Collection[str]) -> None:
        """Forget the clocks of devices that are not in the inventory any more."""
        for known in (self._newest, self._clocks):
            for device in known.keys() - devices:
                del known[device]

    def families(self) -> list[ValueFamily]:
        """Give the families, which read what they need."""
        return [
            self._family(
                "syslog_clock_skew_seconds",
                "The time that the newest message tells, less the time when it came.",
                lambda clock: clock.skew_seconds,
            ),
            self._family(
                "syslog_clock_unsynchronised",
                "Whether the device says that its clock is not to be relied on.",
                lambda clock: clock.is_unsynchronised,
            ),
            self._family(
                "syslog_clock_unreadable",
                "Whether the time stamp of the newest message names no possible time.",
                lambda clock: clock.is_unreadable,
            ),
        ]

    def _family(
        self, name: str, help_text: str, value_of: Callable[[_Clock], float | None]
    ) -> ValueFamily:
        def read() -> Iterator[tuple[str, float]]:
            for device in list(self._clocks.keys() | self._newest.keys()):
                value = value_of(self._clock(device))
                if value is not None:
                    yield device, value

        return ValueFamily(name, help_text, FamilyType.GAUGE, read, "device")

    def _clock(self, device: str) -> _Clock:
        """Give the clock of a device, after reading its newest message."""
        clock = self._clocks.setdefault(device, _Clock())
        newest = self._newest.pop(device, None)
        if newest is not None:
            message = decode_message(newest.content, newest.message_class)
            clock.read(message, newest.received_at, self.zones.get(device, UTC))
        return clock
