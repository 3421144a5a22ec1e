"""When each destination is pinged next: evenly spread, the same after a restart, never in a crowd.

Every destination has a phase, a share of its interval that follows from its name. Its pings are due
where Unix time divided by the interval leaves that phase, so that a restart, or a second exporter,
keeps the rhythm. Within a process the monotonic clock counts: setting the clock moves nothing.

A destination that is due is given out once. When the process was held up for longer than an
interval, the rounds that nobody could keep are skipped and counted, not made up for.

Pure: the time comes in with the calls, in nanoseconds.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_NS: Final = 1_000_000_000

Item = TypeVar("Item")


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item]):
    number: int
    interval_ns: int
    item: Item | None


def phase_ns(name: str, interval_ns: int) -> int:
    """Place a destination within its interval, by its name alone."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % interval_ns


class Schedule(Generic[Item]):
    """Who is due when. Items are told apart by identity."""

    def __init__(self, realtime_ns: int, monotonic_ns: int) -> None:
        """Start; Unix time is only asked for here."""
        self.skipped = 0
        self._offset_ns = realtime_ns - monotonic_ns
        self._heap: list[tuple[int, int, _Entry[Item]]] = []  # tuples are compared in C
        self._entries: dict[int, _Entry[Item]] = {}
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, item: Item, name: str, interval_ns: int, now_ns: int) -> None:
        """Have *item* due once an interval, at the phase of *name*, from now on."""
        phase = phase_ns(name, interval_ns)
        into_ns = (now_ns + self._offset_ns - phase) % interval_ns
        due_ns = now_ns + (interval_ns - into_ns) % interval_ns
        self._numbers += 1
        entry = _Entry(self._numbers, interval_ns, item)
        self._entries[id(item)] = entry
        heapq.heappush(self._heap, (due_ns, entry.number, entry))

    def remove(self, item: Item) -> None:
        """Have *item* due no more."""
        entry = self._entries.pop(id(item))
        entry.item = None  # stays in the heap until it would be due

    def next_due_ns(self) -> int | None:
        """When somebody is due next; None when nobody ever is."""
        while self._heap and self._heap[0][2].item is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now_ns: int, limit: int) -> Iterator[tuple[int, Item]]:
        """Give out at most *limit* items that are due, the longest overdue first, with when.

        The rest stay due.
        """
        heap = self._heap
        while limit > 0 and heap and heap[0][0] <= now_ns:
            due_ns, number, entry = heap[0]
            item = entry.item
            if item is None:
                heapq.heappop(heap)
                continue
            missed = (now_ns - due_ns) // entry.interval_ns
            self.skipped += missed
            next_ns = due_ns + (missed + 1) * entry.interval_ns
            heapq.heapreplace(heap, (next_ns, number, entry))
            limit -= 1
            yield due_ns, item


class Pace:
    """How many may go at once: a bucket that fills at a rate and holds a short burst."""

    def __init__(self, per_second: float, burst: int, now_ns: int) -> None:
        self._per_ns = per_second / _NS
        self._burst = burst
        self._tokens = float(burst)
        self._at_ns = now_ns

    def allowance(self, now_ns: int) -> int:
        """How many may go now."""
        self._tokens = min(self._tokens + (now_ns - self._at_ns) * self._per_ns, self._burst)
        self._at_ns = now_ns
        return int(self._tokens)

    def spend(self, count: int) -> None:
        """Take back what has gone."""
        self._tokens -= count
