"""Waiting for one's turn to send to a device that is asked within limits.

There is one queue a device, whoever asks it; each session has a ``SendLimiter`` of its own, which
knows the limits that hold for its packets. What decides is ``exporters.sockets.pacing``.
"""

from __future__ import annotations

import asyncio

from exporters.errors import FailureReason, TargetError
from exporters.sockets.pacing import Limits, Turn, TurnQueue
from exporters.sockets.resolution import Endpoint


class DeviceQueue:
    """The packets that wait for one device, with their tasks."""

    def __init__(self) -> None:
        self._turns = TurnQueue()
        self._wakes: dict[Turn, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def earliest_at(self, now: float) -> float:
        """When a request that comes now could be sent at the soonest."""
        return self._turns.earliest_at(now)

    async def wait(self, turn: Turn, until: float, wake: asyncio.Future[None]) -> bool:
        """Wait for *turn* until it has come, or *until*, or others set *wake*.

        Returns:
            Whether it was granted. A granted request is given back with ``leave``, when it is over.
        """
        self._turns.join(turn)
        if turn in self._advance():
            return True
        self._wakes[turn] = wake
        timer = asyncio.get_running_loop().call_at(until, _set_done, wake)
        try:
            await wake
        except asyncio.CancelledError:
            if turn.granted:
                self.leave(turn)
            raise
        finally:
            timer.cancel()
            del self._wakes[turn]
            if not turn.granted:
                self.leave(turn)
        return turn.granted

    def leave(self, turn: Turn) -> None:
        """Give back the place of a request, or stop waiting for it."""
        self._turns.leave(turn)
        self._advance()

    def _advance(self) -> list[Turn]:
        """Wake and give those whose turn has come, and be woken when the next one's will."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        granted, next_at = self._turns.grant(loop.time())
        for turn in granted:
            if turn in self._wakes:
                _set_done(self._wakes[turn])
        if next_at is not None:
            self._timer = loop.call_at(next_at, self._advance)
        return granted


class SendLimiter:
    """The limits of a device as they hold for one session."""

    def __init__(self, queue: DeviceQueue, limits: Limits, endpoint: Endpoint) -> None:
        self._queue = queue
        self._limits = limits
        self._endpoint = endpoint

    def __str__(self) -> str:
        """The limits, in words."""
        return str(self._limits)

    async def begin(self, deadline_at: float) -> Turn:
        """Wait until a request may be sent; ``end`` gives its place back.

        Raises:
            TargetError: That will not be before *deadline_at*.
        """
        loop = asyncio.get_running_loop()
        turn = Turn(self._limits, loop.time())
        if self._queue.earliest_at(turn.joined_at) < deadline_at:
            wake = loop.create_future()
            if await self._queue.wait(turn, deadline_at, wake):
                return turn
        detail = f"the limits of {self._endpoint}, {self}, left no turn before the deadline"
        raise TargetError(FailureReason.RATE_LIMIT, detail)

    def end(self, turn: Turn) -> None:
        """Give back the place of a request that is over."""
        self._queue.leave(turn)

    async def retry(self, until: float, wake: asyncio.Future[None]) -> bool:
        """Wait until a request may be sent again; False if others set *wake* before, or *until*."""
        turn = Turn(self._limits, asyncio.get_running_loop().time(), retransmission=True)
        return await self._queue.wait(turn, until, wake)


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
