"""One row of historyControlTable over time: its newest bucket, and all its buckets added up. Pure.

Buckets come in as they were read; a sample index that goes back, or that has another start than it
had, begins a new epoch, in which every bucket is new.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from exporters.rmon.buckets import COUNTS, Bucket

_MOST_RECENT: Final = 4096


@dataclass(slots=True)
class ControlHistory:
    """What is known of one control row."""

    identity: tuple[bytes, int]
    """Data source and interval: another one is another row."""
    last: Bucket | None = None
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    octets: int = 0
    octets_trusted: bool = True
    """Whether no bucket was in doubt: a counter with holes would be worse than none."""
    columns: frozenset[str] = frozenset()
    """Columns that a complete bucket of this row has."""
    buckets: int = 0
    missed: int = 0
    restarts: int = 0
    recent: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST_RECENT))
    """When the latest buckets ended, and their utilization."""

    def continues(self, samples: Sequence[tuple[int, int]], *, restarted: bool) -> bool:
        """Whether *samples*, sample index and start of each, go on from the last bucket.

        They were asked for from that bucket on. It may have gone; the ones behind it start later.
        """
        last = self.last
        if last is None or not samples:
            return last is None
        sample, start = samples[0]
        if sample == last.sample:
            tolerance = max(100, self.identity[1] * 100 // 2)
            return abs(start - last.start_ticks) <= tolerance
        return not restarted and sample > last.sample

    def begin_epoch(self) -> None:
        """The device counts its buckets anew."""
        self.last = None
        self.restarts += 1

    def add(self, bucket: Bucket, *, trusted: bool) -> None:
        """Add a bucket that was not seen before, and is complete."""
        if self.last is not None:
            self.missed += bucket.sample - self.last.sample - 1
        self.last = bucket
        self.buckets += 1
        for name in COUNTS:
            self.totals[name] += bucket.counts.get(name, 0)
        if trusted:
            self.octets += bucket.octets
        else:
            self.octets_trusted = False

    def peak(self, not_before: float) -> float | None:
        """The highest utilization of the buckets that ended at or after *not_before*."""
        return max((ratio for ended, ratio in self.recent if ended >= not_before), default=None)
