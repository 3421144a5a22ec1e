"""Something that is done for each of many destinations, again and again, spread over an interval.

    rounds = Rounds(find_path, interval_seconds=10, most_at_once=200)
    rounds.watch(destinations)
    await rounds.run()                    # until it is cancelled

The place of a destination in the interval comes from its address, so that it stays the same over a
restart, and destinations do not move together. Not for pings, of which there are too many for a
task each: those are ``exporters.icmp.schedule``'s.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2s
from typing import Final

from exporters.icmp.probe_sockets import SocketKey
from exporters.sockets.icmp_values import SocketAddress

_FIRST_SECONDS: Final = 30.0
"""Within which a new destination has its first round, however long the interval is."""


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """Where to, from where, and with which marking."""

    address: SocketAddress
    socket: SocketKey
    traffic_class: int = 0

    @property
    def phase(self) -> float:
        """A number from 0 to 1 that is the destination's own."""
        digest = blake2s(repr(self).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64


class Rounds:
    """Does one thing for every destination once in an interval.

    Args:
        do: What is done; an exception of it ends ``run``.
        interval_seconds: From one round of a destination to its next.
        most_at_once: How many may be under way; the others wait for their turn.
    """

    def __init__(
        self,
        do: Callable[[Destination], Awaitable[None]],
        *,
        interval_seconds: float,
        most_at_once: int,
    ) -> None:
        self._do = do
        self._interval_seconds = interval_seconds
        self._room = asyncio.Semaphore(most_at_once)
        self._watched: set[Destination] = set()
        self._under_way: set[Destination] = set()
        self._due: list[tuple[float, Destination, bool]] = []
        """When, for which destination, and whether again after an interval."""
        self._extra: set[Destination] = set()
        """Those that have a round out of turn before them."""
        self._wake = asyncio.Event()

    def watch(self, destinations: Iterable[Destination]) -> None:
        """Go on with exactly these; those that were there keep their place."""
        wanted = set(destinations)
        now = asyncio.get_running_loop().time()
        early_seconds = min(self._interval_seconds, _FIRST_SECONDS)
        self._due = [entry for entry in self._due if entry[1] in wanted]
        self._extra &= wanted
        for destination in wanted - self._watched:
            phase = destination.phase
            first_at = now + phase * early_seconds
            then_at = now + early_seconds + phase * self._interval_seconds
            self._due += [(first_at, destination, False), (then_at, destination, True)]
        heapq.heapify(self._due)
        self._watched = wanted
        self._wake.set()

    def soon(self, destination: Destination, delay_seconds: float = 0.0) -> None:
        """Do it for one of them once more besides its rounds, unless that is to be anyway."""
        if destination in self._watched and destination not in self._extra:
            self._extra.add(destination)
            due_at = asyncio.get_running_loop().time() + delay_seconds
            heapq.heappush(self._due, (due_at, destination, False))
            self._wake.set()

    async def run(self) -> None:
        """Do what is due, until this is cancelled."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                while self._due and self._due[0][0] <= clock():
                    due_at, destination, again = heapq.heappop(self._due)
                    if again:
                        heapq.heappush(self._due, (self._next(due_at, clock()), destination, True))
                    else:
                        self._extra.discard(destination)
                    if destination not in self._under_way:
                        self._under_way.add(destination)
                        group.create_task(self._round(destination))
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self._due[0][0] if self._due else None):
                        await self._wake.wait()

    def _next(self, due_at: float, now: float) -> float:
        """Give the next round's instant; what was missed is not made up for."""
        due_at += self._interval_seconds
        return due_at if due_at > now else now + self._interval_seconds

    async def _round(self, destination: Destination) -> None:
        try:
            async with self._room:
                if destination in self._watched:
                    await self._do(destination)
        finally:
            self._under_way.discard(destination)
