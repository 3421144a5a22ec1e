"""Whether this exporter itself may be the cause of what it measures.

Each reason stays for a minute after it was last seen, so that no scrape misses it:

    drops        the kernel dropped replies for want of buffer: losses may be ours
    lag          a ping went out a quarter of a second late or more: the process was held up
    skipped      pings were left out because the process was held up, or by the cap on the rate
    congestion   pings had to wait because send buffers were full
    socket       an origin has no socket: its pings are all lost
    stamps       the system does not tell when a reply arrived: round-trip times are too long

Pure: counters and the time come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from exporters.icmp.engine import Engine

_NS: Final = 1_000_000_000
_STAYS_NS: Final = 60 * _NS
LAG_LIMIT_NS: Final = 250_000_000


class Degradation(StrEnum):
    """A reason to doubt what is measured."""

    DROPS = "drops"
    LAG = "lag"
    SKIPPED = "skipped"
    CONGESTION = "congestion"
    SOCKET = "socket"
    STAMPS = "stamps"


class SelfCheck:
    """Looks at an engine from time to time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._before = self._counts()
        self._seen_ns: dict[Degradation, int] = {}

    def look(self, now_ns: int) -> None:
        """Compare with what there was the last time."""
        counts = self._counts()
        for reason, count in counts.items():
            if count > self._before.get(reason, 0):
                self._seen_ns[reason] = now_ns
        self._before = counts
        counters = self._engine.counters
        if counters.longest_lag_ns >= LAG_LIMIT_NS:
            self._seen_ns[Degradation.LAG] = now_ns
        counters.longest_lag_ns = 0
        for origin in self._engine.origins.values():
            if origin.failed:
                self._seen_ns[Degradation.SOCKET] = now_ns
            if not all(opened.kernel_stamps for opened in origin.sockets()):
                self._seen_ns[Degradation.STAMPS] = now_ns

    def reasons(self, now_ns: int) -> Mapping[Degradation, bool]:
        """Tell which reasons there are, of all that there could be."""
        return {
            reason: now_ns - self._seen_ns.get(reason, now_ns - _STAYS_NS) < _STAYS_NS
            for reason in Degradation
        }

    def _counts(self) -> dict[Degradation, int]:
        engine = self._engine
        return {
            Degradation.DROPS: engine.drops(),
            Degradation.SKIPPED: engine.skipped,
            Degradation.CONGESTION: engine.counters.put_off,
        }
