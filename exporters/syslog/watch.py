"""What is kept of each device beside the counts of its messages: numbers, clock, repeats, faults.

It is shown what it may need of a batch (``exporters.syslog.observing``), and most messages not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import tzinfo

from exporters.config.event_settings import EventSettings
from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.counters import CounterFamily
from exporters.events.exposition import Family
from exporters.syslog.clocks import Clocks
from exporters.syslog.observing import Arrival
from exporters.syslog.repeats import is_repeat_of, times_repeated
from exporters.syslog.sequences import Sequences
from exporters.wire.syslog_classes import MessageClass
from exporters.wire.syslog_faults import MessageFault
from exporters.wire.syslog_message import decode_message
from exporters.wire.syslog_sequence import find_numbers


class Watch:
    """The ``Observer`` of the receiver."""

    def __init__(
        self,
        settings: EventSettings,
        faults: CounterFamily,
        zones: Mapping[str, tzinfo],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with nothing.

        Args:
            settings: How many series there may be.
            faults: Where faults of messages are counted, by device and ``MessageFault``.
            zones: Time zones of devices, by their names.
            clock: Unix time.
        """
        self.sequences = Sequences(settings)
        self.clocks = Clocks(zones)
        self._faults = faults
        self._repeated = CounterFamily(
            "syslog_repeated_total",
            "Messages that were not sent: another one said how many they are.",
            ("device",),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )
        self._clock = clock

    @property
    def counters(self) -> tuple[CounterFamily, ...]:
        """The families of counters, for ``Intake.add_family``."""
        return *self.sequences.families, self._repeated

    def gauges(self) -> Sequence[Family]:
        """Give the families that read when they are scraped."""
        return self.clocks.families()

    def settle(self) -> None:
        """Let the counters tell of all that is known by now."""
        self.sequences.settle(self._clock())

    def replace(self, devices: Collection[str], zones: Mapping[str, tzinfo]) -> None:
        """Keep what is known of these devices alone."""
        self.sequences.keep_only(devices)
        self.clocks.keep_only(devices)
        self.clocks.zones = zones

    def take_counted(
        self,
        devices: Sequence[str],
        contents: Sequence[bytes],
        classes: Sequence[MessageClass],
        received_at: float,
    ) -> None:
        """Look at numbers, and at structured data on the way."""
        found = find_numbers(contents)
        self.sequences.take(devices, found, received_at)
        for device, message_class, (_, whole, _, _) in zip(devices, classes, found, strict=True):
            if message_class.is_structured and not whole:
                self._faults.inc((device, MessageFault.BAD_STRUCTURED_DATA.value))

    def take_repeat(self, device: str, content: bytes, previous: Arrival | None) -> int:
        """Give how often the message before is to be counted once more."""
        message = decode_message(content)
        times = times_repeated(message)
        self._repeated.inc((device,), times)
        if previous is None or device == UNKNOWN:
            return 0
        is_meant = is_repeat_of(message, previous.content, previous.message_class)
        return times if is_meant else 0

    def take_newest(self, device: str, newest: Arrival) -> None:
        """Keep the newest message, to read its time stamp."""
        self.clocks.take(device, newest.content, newest.message_class, newest.received_at)

    def take_beyond_ascii(self, devices: Sequence[str], contents: Sequence[bytes]) -> None:
        """Look whether messages that are not ASCII are UTF-8."""
        for device, content in zip(devices, contents, strict=True):
            try:
                content.decode()
            except UnicodeDecodeError:
                self._faults.inc((device, MessageFault.INVALID_UTF8.value))
