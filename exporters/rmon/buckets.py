"""What a bucket of etherHistoryTable says, and what of it can be believed. Pure.

Its values are counts of one interval in 32 bits, which wrap silently in long buckets of fast
interfaces. Octets are in doubt if so many may have gone by at the speed of the interface, unless
the packets were too few for that; and whenever there are fewer than 64 of them to a packet, the
least that an Ethernet frame has.

Source: RFC 2819 (etherHistoryTable), whose utilization takes 160 bit times between frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

IRREGULAR: Final = ("crc_align", "undersize", "oversize", "fragment", "jabber")
COUNTS: Final = (
    "packets",
    "broadcast",
    "multicast",
    *IRREGULAR,
    "collisions",
    "drop_events",
)
_SHORTEST_FRAME_OCTETS: Final = 64
_LONGEST_FRAME_OCTETS: Final = 16_384
"""No jumbo frame is longer."""
_BITS_BETWEEN_FRAMES: Final = 160
_WRAP_BITS: Final = 2**32 * 8


@dataclass(frozen=True, slots=True)
class Bucket:
    """One complete bucket; *octets* are those of its 64-bit column where it has one."""

    sample: int
    start_ticks: int
    octets: int
    octets_are_64_bit: bool
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    reported_hundredths: int | None = None

    def may_have_wrapped(self, interval: int, bits_per_second: int, ways: int) -> bool:
        """Whether the octets are in doubt, for an interface of that speed, 0 if unknown.

        *ways* is 2 where the device counts both directions.
        """
        if self.octets_are_64_bit:
            return False
        packets, bits = self.counts["packets"], interval * bits_per_second * ways
        if self.octets < _SHORTEST_FRAME_OCTETS * packets:
            return True
        shortest = _SHORTEST_FRAME_OCTETS * 8 + _BITS_BETWEEN_FRAMES
        all_counted = bits < 2**32 * shortest  # the packets themselves did not wrap
        too_few = all_counted and packets * _LONGEST_FRAME_OCTETS < 2**32
        return bits >= _WRAP_BITS and not too_few

    def utilization(self, seconds: float, bits_per_second: int) -> float | None:
        """The share of the interface that was in use; None for one of no known speed."""
        if bits_per_second <= 0 or seconds <= 0:
            return None
        bits = self.counts["packets"] * _BITS_BETWEEN_FRAMES + self.octets * 8
        return bits / (seconds * bits_per_second)

    @property
    def reported_ratio(self) -> float | None:
        """The utilization that the device says; None where it says none."""
        return None if self.reported_hundredths is None else self.reported_hundredths / 10_000
