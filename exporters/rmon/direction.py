"""Which way a device counts in etherStats: what came in, or both ways.

The RMON MIB means what the probe saw on the wire, and devices differ: most count ingress alone,
some both ways, and some their size classes otherwise than their packets. No table says so. It shows
when the counts of some seconds are compared with those that IF-MIB has for the same port.

Pure: takes counts, gives a verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LEAST_PACKETS: Final = 1000
"""What must have gone each way before a port has a vote."""
MOST_VOTERS: Final = 16
"""How many ports are compared, which costs six varbinds each until the device is known."""
_TOLERANCE: Final = 0.05
IN: Final = "in"
BOTH: Final = "both"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class PortCounts:
    """The counts of one port at one time: RMON's packets and size classes, IF-MIB's packets."""

    packets: int
    sizes: int
    packets_in: int
    packets_out: int


def vote(count: int, came_in: int, went_out: int) -> str:
    """Tell which way *count* packets were counted, of those that came in and went out.

    Where next to nothing went out, *count* fits either way, and says nothing.
    """
    if came_in < LEAST_PACKETS or went_out < LEAST_PACKETS:
        return UNKNOWN
    fitting = [
        verdict
        for verdict, expected in ((IN, came_in), (BOTH, came_in + went_out))
        if abs(count - expected) <= _TOLERANCE * expected
    ]
    return fitting[0] if len(fitting) == 1 else UNKNOWN


def majority(votes: Iterable[str]) -> str:
    """Give what more than half of the ports that know agree on."""
    counts = Counter(verdict for verdict in votes if verdict != UNKNOWN)
    if not counts:
        return UNKNOWN
    verdict, count = counts.most_common(1)[0]
    return verdict if 2 * count > counts.total() else UNKNOWN


class DirectionDetector:
    """Compares the counts of scrapes until enough has gone both ways."""

    def __init__(self) -> None:
        self.packets = UNKNOWN
        self.sizes = UNKNOWN
        self._before: dict[int, PortCounts] = {}

    @property
    def decided(self) -> bool:
        """Whether nothing more needs to be compared."""
        return UNKNOWN not in (self.packets, self.sizes)

    def forget_counts(self) -> None:
        """Compare anew: the device has started again."""
        self._before.clear()

    def note(self, ports: dict[int, PortCounts]) -> None:
        """Take in the counts of one scrape.

        A port is compared with where it began, so that quiet ones have a vote in the end.
        """
        packet_votes: list[str] = []
        size_votes: list[str] = []
        for index, now in ports.items():
            before = self._before.setdefault(index, now)
            came_in = now.packets_in - before.packets_in
            went_out = now.packets_out - before.packets_out
            packets, sizes = now.packets - before.packets, now.sizes - before.sizes
            if min(came_in, went_out, packets, sizes) < 0:
                self._before[index] = now  # a counter has wrapped, or was cleared
                continue
            packet_votes.append(vote(packets, came_in, went_out))
            size_votes.append(vote(sizes, came_in, went_out))
        if self.packets == UNKNOWN:
            self.packets = majority(packet_votes)
        if self.sizes == UNKNOWN:
            self.sizes = majority(size_votes)
