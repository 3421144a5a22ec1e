"""The requests being answered, so that a server that ends can wait for them.

The bound is on the wait, not on the number: a scrape that lasts longer than the drain is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_CANCEL_SECONDS = 1.0


class RequestsInFlight:
    """The tasks that answer requests now, and whether the server is on its way out."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self.draining = False

    @contextmanager
    def track(self) -> Iterator[None]:
        """Count the current task as a request for as long as the context lasts."""
        task = asyncio.current_task()
        if task is None:
            yield
            return
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def drain(self, seconds: float) -> int:
        """Wait for all requests for up to *seconds*, cancel the others and return their number."""
        self.draining = True
        if self._tasks:
            await asyncio.wait(self._tasks.copy(), timeout=seconds)
        late = self._tasks.copy()
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCEL_SECONDS)
        return len(late)
