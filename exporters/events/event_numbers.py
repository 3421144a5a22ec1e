"""The numbers of events, by which pages are turned and streams go on.

One process counts: 1, 2, 3. Where several serve one exporter, each gives numbers of its own, and
yet of any two events the one that was recorded later has the greater number, whichever process did.
So the numbers are moments, microseconds since the exporter was made in the parent of all, times the
number of processes, plus the place of the one that gives them:

    worker 1 of 4, after 2.5 s: 10000001, 10000005, 10000009

A process that records more than one event in a microsecond is ahead of time, until it has the time
to breathe. A successor goes on where time is. The numbers stay below 2^53, where JSON's end for
many readers, for years of sixty processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_TICKS_A_SECOND: Final = 1_000_000


class EventNumbers:
    """Gives numbers, each once."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began_at = monotonic()
        self._next_tick = 1
        self._processes = 1
        self._place = 0

    def become(self, place: int, processes: int) -> None:
        """Be that of one of several processes; *place* is from 0, and a successor has the same."""
        self._place, self._processes = place, processes

    def take(self, count: int) -> range:
        """Take the next *count* numbers."""
        first = self.least_to_come()
        self._next_tick = (first - self._place) // self._processes + count
        return range(first, first + count * self._processes, self._processes)

    def take_one(self) -> int:
        """Take the next number."""
        if self._processes == 1:  # which is for each trap, and needs no clock
            self._next_tick += 1
            return self._next_tick - 1
        return self.take(1)[0]

    def least_to_come(self) -> int:
        """Return what no number that this process gives from now on is less than."""
        if self._processes == 1:
            return self._next_tick
        moment = int((self._monotonic() - self._began_at) * _TICKS_A_SECOND)
        return max(self._next_tick, moment) * self._processes + self._place
