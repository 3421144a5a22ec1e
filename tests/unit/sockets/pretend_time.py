"""Tests of what takes time, without taking any: an event loop whose clock jumps.

    @in_pretend_time
    async def test_...

The clock of such a loop stands still while anything happens and jumps to the next timer when
nothing does, so a test can wait an hour and knows to the bit when things happened. Sockets work:
what was sent on the loopback has arrived by the time the loop looks, or a few milliseconds later,
which it waits in earnest before it jumps. Threads do not: their work takes no pretended time.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

STARTED_AT = 1000.0
_PATIENCE_SECONDS = 0.005
_HANGS_AFTER_SECONDS = 20.0
_HANGS_AFTER_ROUNDS = 100_000

Parameters = ParamSpec("Parameters")


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = STARTED_AT
        self._busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            events = super().select(_HANGS_AFTER_SECONDS)
            if not events:
                raise TimeoutError("the test waits for what never comes, without a deadline")
            return events
        events = super().select(0)
        self._busy += 1
        if not events and timeout > 0:
            events = super().select(_PATIENCE_SECONDS)
            if not events:
                self.now += timeout
                self._busy = 0
        if self._busy > _HANGS_AFTER_ROUNDS:
            raise TimeoutError("the loop goes round and round and no time passes")
        return events


class PretendTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def in_pretend_time(test: Callable[Parameters, Awaitable[None]]) -> Callable[Parameters, None]:
    """Run an asynchronous test on such a loop; what the loop had to complain of fails the test."""

    @functools.wraps(test)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        complaints: list[dict[str, Any]] = []

        async def complaining() -> None:
            asyncio.get_running_loop().set_exception_handler(
                lambda _, context: complaints.append(context)
            )
            await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=PretendTimeLoop) as runner:
            runner.run(complaining())
        assert not complaints

    return run
