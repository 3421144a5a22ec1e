"""Equal work that is asked for at the same time is done once.

Two Prometheus servers that watch the same devices ask for the same scrape within moments; the
device is walked for one of them, and both get the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


@dataclass(slots=True)
class _Flight(Generic[Result]):
    task: asyncio.Future[Result]
    deadline_at: float
    passengers: int = 0


class SingleFlight(Generic[Key, Result]):
    """Work under way, by what it is."""

    def __init__(self, joined: Callable[[], object]) -> None:
        """*joined* is called whenever somebody joins work that is under way."""
        self._flights: dict[Key, _Flight[Result]] = {}
        self._joined = joined

    async def run(
        self, key: Key, deadline_at: float, work: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Give the result of *work*, done by this call or by an equal one under way.

        One is joined only if it ends before *deadline_at*. Work that nobody waits for any more is
        cancelled.
        """
        flight = self._flights.get(key)
        if flight is None or flight.deadline_at > deadline_at:
            flight = _Flight(asyncio.ensure_future(work()), deadline_at)
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._land(key, flight))
        else:
            self._joined()
        flight.passengers += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.passengers -= 1
            if flight.passengers == 0 and not flight.task.done():
                flight.task.cancel()

    def _land(self, key: Key, flight: _Flight[Result]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
