"""Waiting for one's turn to send to a device that is asked within limits.

There is one queue a device, whoever asks it, and one for each kind of request to it that has limits
of its own. A session has a ``SendLimiter``, which waits in those that its packets must pass. What
decides is ``exporters.sockets.pacing``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import reduce

from exporters.errors import FailureReason, TargetError
from exporters.sockets.pacing import Limits, Turn, TurnQueue
from exporters.sockets.resolution import Endpoint


class DeviceQueue:
    """Packets that wait for one device, with their tasks."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._turns = TurnQueue(limits or Limits())
        self._wakes: dict[Turn, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limits(self) -> Limits:
        """What holds for all packets that pass here."""
        return self._turns.limits

    def change_limits(self, limits: Limits) -> None:
        """Let other limits hold from now on, for those that wait too."""
        self._turns.limits = limits
        if self._wakes:
            self._advance()

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
    """The queues that the packets of one session to *endpoint* pass, in this order."""

    def __init__(self, queues: Sequence[DeviceQueue], endpoint: Endpoint) -> None:
        self._queues = queues
        self._endpoint = endpoint

    def __str__(self) -> str:
        """The limits, in words."""
        return str(reduce(Limits.strictest, (queue.limits for queue in self._queues)))

    async def begin(self, deadline_at: float) -> list[Turn]:
        """Wait until a request may be sent; ``end`` gives back what it holds.

        Raises:
            TargetError: That will not be before *deadline_at*.
        """
        loop = asyncio.get_running_loop()
        turns: list[Turn] = []
        try:
            for queue in self._queues:
                turn = Turn(loop.time())
                in_time = queue.earliest_at(turn.joined_at) < deadline_at
                if not (in_time and await queue.wait(turn, deadline_at, loop.create_future())):
                    detail = f"the limits of {self._endpoint}, {self}, left no turn in time"
                    raise TargetError(FailureReason.RATE_LIMIT, detail)
                turns.append(turn)
        except BaseException:
            self.end(turns)
            raise
        return turns

    def end(self, turns: Sequence[Turn]) -> None:
        """Give back the places of a request that is over."""
        for queue, turn in zip(self._queues, turns, strict=False):
            queue.leave(turn)

    async def retry(
        self, until: float, new_wake: Callable[[], asyncio.Future[None] | None]
    ) -> None:
        """Wait until a request may be sent again, or *until*, or it is answered.

        *new_wake* makes what an answer sets while this waits; None if there is one already.
        """
        now = asyncio.get_running_loop().time()
        for queue in self._queues:
            wake = new_wake()
            if wake is None or not await queue.wait(Turn(now, retransmission=True), until, wake):
                return


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
