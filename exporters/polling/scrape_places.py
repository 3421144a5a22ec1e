"""A bound on the scrapes under way: those beyond it wait in line, until their deadlines.

Each has a socket open, and a share of this process' CPU. Thousands of targets that are asked for at
once, as after a start, would take all files that a process may have open; and each would get so
little of the CPU that all end too late. So there are so many places and no more, and a scrape
begins only while the event loop keeps up: those who came first are done first.

That the loop keeps up is seen by a timer's lateness. It says what a number of places could not:
a thousand scrapes of silent or far agents cost nothing, fifty of near ones are all a core can do.

Measured with 1,200 targets of 24 ports, asked for at once, with 9 seconds for each, on a core that
reads some 100 to 150 of them a second: when all begin at once, none is read completely; so, 950
are, about as many as with the number of places that suits these targets best, 32.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from exporters.errors import FailureReason, TargetError

TICK_SECONDS: Final = 0.005
LATE_SECONDS: Final = 0.02
"""A loop whose timers are later than this has enough to do."""
BEGIN_AT_ONCE: Final = 8
"""Scrapes that may begin between two looks at the loop."""
ALWAYS: Final = 8
"""Scrapes that may be under way however late the loop is."""


class ScrapePlaces:
    """So many places for scrapes; *dropped* is called for each that got none in time."""

    def __init__(self, most: int, dropped: Callable[[], object]) -> None:
        self.most = most
        self.waiting = 0
        self._dropped = dropped
        self._line: deque[asyncio.Future[None]] = deque()
        self._taken = 0
        self._may_begin = BEGIN_AT_ONCE
        self._ticking = False

    @asynccontextmanager
    async def take(self, deadline_at: float) -> AsyncIterator[None]:
        """Hold a place, as soon as there is one.

        Raises:
            TargetError: There was none before *deadline_at*, on the running loop's clock.
        """
        if self._is_free():
            self._begin()
        else:
            await self._wait(deadline_at)
        try:
            yield
        finally:
            self._end()

    async def _wait(self, deadline_at: float) -> None:
        place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        self.waiting += 1
        try:
            async with asyncio.timeout_at(deadline_at):
                await place
        except BaseException as error:
            if not place.cancelled():  # given in the very moment
                self._end()
            if not isinstance(error, TimeoutError):
                raise
            self._dropped()
            detail = f"{self._taken} scrapes were under way, and it was not this one's turn in time"
            raise TargetError(FailureReason.OVERLOAD, detail) from error
        finally:
            self.waiting -= 1

    def _is_free(self) -> bool:
        return self._taken < self.most and self._may_begin > 0

    def _begin(self) -> None:
        self._taken += 1
        self._may_begin -= 1
        if not self._ticking:
            self._ticking = True
            self._look_later()

    def _end(self) -> None:
        self._taken -= 1
        self._let_in()

    def _let_in(self) -> None:
        """Give places to those who wait for as long as there are any."""
        while self._line and self._is_free():
            place = self._line.popleft()
            if not place.done():  # else its scrape has given up
                self._begin()
                place.set_result(None)

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        due_at = loop.time() + TICK_SECONDS
        loop.call_at(due_at, self._look, due_at)

    def _look(self, due_at: float) -> None:
        """See whether the loop keeps up, and let in as many as it can bear."""
        late_seconds = asyncio.get_running_loop().time() - due_at
        keeps_up = late_seconds < LATE_SECONDS
        self._may_begin = BEGIN_AT_ONCE if keeps_up else max(0, ALWAYS - self._taken)
        self._let_in()
        could_begin = self.waiting > 0 and self._taken < self.most
        if could_begin or self._may_begin < BEGIN_AT_ONCE:
            self._look_later()
        else:
            self._ticking = False
