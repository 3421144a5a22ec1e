"""A bound on the scrapes under way: those beyond it wait in line, until their deadlines.

Each has sockets open. Without a bound, thousands of targets that are asked for at once, as after a
start or by many servers, take all files that a process may have open, and what they share of the
CPU is so little that all end late; with one, those who came first are done first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from exporters.errors import FailureReason, TargetError


class ScrapePlaces:
    """So many places for scrapes; *dropped* is called for each that got none in time."""

    def __init__(self, most: int, dropped: Callable[[], object]) -> None:
        self.most = most
        self.waiting = 0
        self._free = asyncio.Semaphore(most)
        self._dropped = dropped

    @asynccontextmanager
    async def take(self, deadline_at: float) -> AsyncIterator[None]:
        """Hold a place, as soon as one is free.

        Raises:
            TargetError: None was before *deadline_at*, on the running loop's clock.
        """
        if self._free.locked():
            await self._wait(deadline_at)
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self, deadline_at: float) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout_at(deadline_at):
                await self._free.acquire()
        except TimeoutError as error:
            self._dropped()
            detail = f"{self.most} scrapes were under way, and none ended before the deadline"
            raise TargetError(FailureReason.OVERLOAD, detail) from error
        finally:
            self.waiting -= 1
