"""Messages lost on the way, by the senders' own count of them.

A number that is missing may still come, as datagrams overtake each other: what has not come within
ten seconds is lost. A message that comes again is no news, and a counter that begins anew loses
nothing. That it has begun anew is believed of two messages in a row: one alone may be a straggler.

A device has up to three counters, which know nothing of each other (``exporters.wire.
syslog_sequence``). Strangers have none: many may be behind ``unknown``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from exporters.config.event_settings import EventSettings
from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.counters import CounterFamily
from exporters.wire.syslog_sequence import Found, read_numbers

LATE_SECONDS: Final = 10.0
"""How long a message may be late."""
MOST_LOST: Final = 100_000
"""Missing at once; a counter that jumps further has been set."""

_ZERO: Final = ord("0")
_MESSAGE: Final = "message"
_SERVICE: Final = "service"
_META: Final = "meta"
_MODULI: Final = {_MESSAGE: 2**32, _SERVICE: 2**32, _META: 2**31 - 1}
"""How many numbers there are; the last of sequenceId is 2147483647, and 1 follows."""
_MOST_GAPS: Final = 64
_NO_COUNTERS: Final = (None, None)
_UNPADDED: Final = 100_000
"""From here on a sequence number of six digits has no leading zero."""


class _Gap(NamedTuple):
    """Places that are missing, from the first to the last, and since when."""

    first: int
    last: int
    noticed_at: float


class _Begun(NamedTuple):
    """A number that says that its counter has begun anew, if the next one says so, too."""

    next_number: int
    expected: int
    """What was expected when it came."""


class Counter:
    """One counter of one device. A *place* is a number that goes on growing when numbers wrap."""

    __slots__ = (
        "_begun", "_gaps", "_modulus", "_old_place", "_recent_place", "_turn", "_turned_at",
        "duplicates", "expected", "lost", "received", "resets", "told",
    )  # fmt: skip

    def __init__(self, number: int, modulus: int, now: float) -> None:
        self.expected = number + 1
        """The number that comes next, if none is missing."""
        self.received = 1
        self.lost = 0
        self.duplicates = 0
        self.resets = 0
        self.told = (0, 0, 0, 0)
        """What of ``counts`` is in metrics."""
        self._modulus = modulus
        self._gaps: list[_Gap] = []
        """In their order, as places only grow."""
        self._begun: _Begun | None = None
        self._turn = 0
        """What a number lacks of its place."""
        self._old_place = self._recent_place = number - 1
        """Places before and up to which all is longer ago than a message may be late."""
        self._turned_at = now

    def take(self, number: int, now: float) -> None:
        """Take a number; one that is too large for the counter is none."""
        if number == self.expected <= self._modulus:
            self.expected += 1
            self.received += 1
            return
        if number > self._modulus:
            return
        self.received += 1
        ahead = (number - self.expected) % self._modulus
        place = self.expected + self._turn + ahead
        if ahead <= MOST_LOST:
            if ahead:
                self._miss(place - ahead, place - 1, now)
            self._go_on(number, place)
            return
        place -= self._modulus
        if self._is_late(place):
            return
        if self._has_begun_anew(number):
            self._begin_anew_at(number, now)
        elif place > self._old_place:
            self.duplicates += 1
        else:
            self._begun = _Begun(number + 1, self.expected)

    def settle(self, now: float) -> None:
        """Give up what has been missing for too long."""
        if now - self._turned_at >= LATE_SECONDS:
            place = self.expected + self._turn - 1
            is_recent = now - self._turned_at < 2 * LATE_SECONDS
            self._old_place = self._recent_place if is_recent else place
            self._recent_place = place
            self._turned_at = now
        while self._gaps and now - self._gaps[0].noticed_at >= LATE_SECONDS:
            self._give_up()

    def counts(self) -> tuple[int, int, int, int]:
        """Give what ``Sequences.families`` show, in their order."""
        return self.received, self.lost, self.duplicates, self.resets

    def _go_on(self, number: int, place: int) -> None:
        self.expected = number + 1
        self._turn = place - number

    def _has_begun_anew(self, number: int) -> bool:
        """Whether a number follows one that was as far from what was expected."""
        begun = self._begun
        if begun is None or begun.expected != self.expected:
            return False
        return 0 <= number - begun.next_number <= MOST_LOST

    def _begin_anew_at(self, number: int, now: float) -> None:
        """Go on behind the number that was the first sign of it; places grow on."""
        first = number if self._begun is None else self._begun.next_number - 1
        self._turn += self.expected - first
        if number - first > 1:
            self._miss(first + 1 + self._turn, number - 1 + self._turn, now)
        self.expected = number + 1
        self.resets += 1

    def _miss(self, first: int, last: int, now: float) -> None:
        self._gaps.append(_Gap(first, last, now))
        if len(self._gaps) > _MOST_GAPS:
            self._give_up()

    def _give_up(self) -> None:
        gap = self._gaps.pop(0)
        self.lost += gap.last - gap.first + 1

    def _is_late(self, place: int) -> bool:
        """Whether a message was missing until now."""
        gaps = self._gaps
        if not gaps or not gaps[0].first <= place <= gaps[-1].last:
            return False
        position = bisect_right(gaps, _Gap(place, place + MOST_LOST, 0.0)) - 1
        if place > gaps[position].last:
            return False
        first, last, noticed_at = gaps[position]
        rest = _Gap(first, place - 1, noticed_at), _Gap(place + 1, last, noticed_at)
        gaps[position : position + 1] = (gap for gap in rest if gap.first <= gap.last)
        return True


class Sequences:
    """The counters of all devices, and what they tell as metrics."""

    def __init__(self, settings: EventSettings) -> None:
        def family(name: str, help_text: str) -> CounterFamily:
            return CounterFamily(
                f"syslog_sequence_{name}_total",
                help_text,
                ("device", "counter"),
                limit=settings.series_limit,
                scrape_interval_seconds=settings.scrape_interval,
            )

        self._received = family("received", "Messages that their sender had numbered.")
        self._lost = family("lost", "Messages that did not come, by the numbers of others.")
        self._duplicates = family("duplicates", "Numbered messages that came again.")
        self._resets = family("resets", "How often a counter began anew.")
        self._counters: dict[tuple[str, str], Counter] = {}
        self._of_cisco: dict[str, tuple[Counter | None, Counter | None]] = {}
        """Of devices that have any: that of messages, and that of all that is written."""
        self._settled_at = 0.0

    @property
    def families(self) -> tuple[CounterFamily, ...]:
        """All of them."""
        return self._received, self._lost, self._duplicates, self._resets

    def take(self, devices: Sequence[str], found: Iterable[Found], now: float) -> None:
        """Take the numbers of messages, in the order in which they came."""
        if now - self._settled_at >= LATE_SECONDS:
            self.settle(now)
        known = self._of_cisco
        for device, numbers in zip(devices, found, strict=True):
            meta, _, number, sequence = numbers
            # Nearly all that are numbered take no detour; a lone number that begins with 0 may be
            # a sequence number.
            if number and number[0] != _ZERO:
                message, service = known.get(device, _NO_COUNTERS)
                if message is not None and (not sequence or service is not None):
                    message.take(int(number), now)
                    if service is not None and sequence:
                        service.take(int(sequence), now)
                    continue
            if (number or sequence or meta) and device != UNKNOWN:
                self._take_numbers(device, numbers, now)

    def settle(self, now: float) -> None:
        """Bring the metrics up to *now*."""
        self._settled_at = now
        for key, counter in self._counters.items():
            counter.settle(now)
            counts, told = counter.counts(), counter.told
            if counts != told:
                for family, count, old in zip(self.families, counts, told, strict=True):
                    family.inc(key, count - old)
                counter.told = counts

    def keep_only(self, devices: Collection[str]) -> None:
        """Forget the counters of devices that are not in the inventory any more."""
        self._counters = {
            key: counter for key, counter in self._counters.items() if key[0] in devices
        }
        for device in self._of_cisco.keys() - devices:
            del self._of_cisco[device]

    def _take_numbers(self, device: str, found: Found, now: float) -> None:
        numbers = read_numbers(found)
        message, service = numbers.message, numbers.service
        if message is not None and service is None and self._is_unpadded(device, message):
            message, service = None, message
        for kind, number in ((_MESSAGE, message), (_SERVICE, service), (_META, numbers.meta)):
            if number is None:
                continue
            counter = self._counters.get((device, kind))
            if counter is not None:
                counter.take(number, now)
            elif number <= _MODULI[kind]:
                self._begin(device, kind, Counter(number, _MODULI[kind], now))

    def _begin(self, device: str, kind: str, counter: Counter) -> None:
        self._counters[device, kind] = counter
        counters = self._counters
        self._of_cisco[device] = counters.get((device, _MESSAGE)), counters.get((device, _SERVICE))

    def _is_unpadded(self, device: str, number: int) -> bool:
        """Whether a lone number continues one that had leading zeros while it was smaller."""
        counters = self._counters
        return (
            number >= _UNPADDED
            and (device, _SERVICE) in counters
            and (device, _MESSAGE) not in counters
        )
