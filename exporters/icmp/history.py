"""The outcomes of a destination's last pings, in a ring of bounded size.

One number for each ping, found by its sequence: a round-trip time in seconds, or one of the marks
below zero. What is shown of a target (its window's minimum, its chart) is read from here, and what
a late reply or a duplicate belongs to.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NOTHING: Final = -1.0
"""Not sent yet, or still in flight."""
UNTIMED: Final = -2.0
"""Replied, in a time that is not known: the clock was set meanwhile."""
_FIRST_LOSS: Final = -10.0


@dataclass(frozen=True, slots=True)
class RttWindow:
    """Round-trip times of the last pings that ended; without any the numbers are None."""

    pings: int
    lost: int
    last: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    """The standard deviation of these very pings, not an estimate for others."""


class History:
    """Outcomes by sequence, the last *size* of them."""

    __slots__ = ("_end", "_ring")

    def __init__(self, size: int) -> None:
        # 32 bits are exact to a microsecond at ten seconds.
        self._ring = array("f", (NOTHING,)) * size
        self._end = 0

    def begin(self, sequence: int) -> None:
        """Make room for a ping that has just been sent; sequences go up by one."""
        self._ring[sequence % len(self._ring)] = NOTHING
        self._end = sequence + 1

    def replied(self, sequence: int, seconds: float) -> None:
        """Note a reply, or ``UNTIMED``."""
        if self.remembers(sequence):
            self._ring[sequence % len(self._ring)] = seconds

    def lost(self, sequence: int, reason: int) -> None:
        """Note a loss, by the number of its reason."""
        if self.remembers(sequence):
            self._ring[sequence % len(self._ring)] = _FIRST_LOSS - reason

    def remembers(self, sequence: int) -> bool:
        """Whether the ping is among the last."""
        return max(self._end - len(self._ring), 0) <= sequence < self._end

    def was_replied(self, sequence: int) -> bool:
        """Whether the ping is among the last, and had a reply in time."""
        if not self.remembers(sequence):
            return False
        value = self._ring[sequence % len(self._ring)]
        return value >= 0 or value == UNTIMED

    def last(self, count: int) -> Sequence[float]:
        """Return the outcomes of the last *count* pings, the oldest first."""
        count = min(count, self._end, len(self._ring))
        end = self._end % len(self._ring)
        if count <= end:
            return self._ring[end - count : end]
        return self._ring[end - count :] + self._ring[:end]

    def window(self, count: int, in_flight: int = 0) -> RttWindow:
        """Summarize the last *count* pings that have ended, while *in_flight* have not."""
        outcomes = [value for value in self.last(count + in_flight) if value != NOTHING][-count:]
        times = [value for value in outcomes if value >= 0]
        lost = sum(value <= _FIRST_LOSS for value in outcomes)
        if not times:
            return RttWindow(len(outcomes), lost)
        mean = math.fsum(times) / len(times)
        # The distance from (mean, mean...): the root of the sum of squares, computed in C.
        deviation = math.dist(times, (mean,) * len(times)) / math.sqrt(len(times))
        return RttWindow(len(outcomes), lost, times[-1], min(times), max(times), mean, deviation)


def loss_reason(outcome: float) -> int | None:
    """Return the number of the reason in an outcome of a history; None where it is no loss."""
    return round(_FIRST_LOSS - outcome) if outcome <= _FIRST_LOSS else None
