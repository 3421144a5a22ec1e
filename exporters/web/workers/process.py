"""One worker, as its parent knows it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

from exporters.metrics.merging import Snapshot
from exporters.web.workers.channel import Channel, SharedQuestion
from exporters.web.workers.questions import ToWorker


@dataclass(frozen=True, slots=True)
class Seen:
    """What a worker had to tell when it was last asked."""

    telemetry: Snapshot = field(default_factory=list)
    samples: str = ""
    """In Prometheus' text format."""


@dataclass(slots=True, eq=False)
class WorkerProcess:
    """A process that was forked, until nothing is left of it."""

    number: int
    """Its place, from 0; the process that follows it has the same."""
    pid: int
    end: socket.socket
    """The parent's end of their channel."""
    serving_at: float | None = None
    """Since when it serves, or None while it does not yet."""
    last_seen: Seen | None = None
    is_gone: bool = False
    exit_code: asyncio.Future[int] = field(init=False)
    """Known when the process has ended; -9 for signal 9."""
    channel: Channel = field(init=False)
    seeing: SharedQuestion[None] = field(init=False)
    """Asks it what it has to tell, into ``last_seen``."""
    _overdue: set[asyncio.Task[Any]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.exit_code = asyncio.get_running_loop().create_future()
        self.channel = Channel(self.end)
        self.seeing = SharedQuestion(self._see)

    async def ask(self, what: ToWorker, of: object, within_seconds: float) -> Any:
        """Ask it a question; one that still owes an answer is not asked.

        Raises:
            TimeoutError: it does not answer in time, or has not answered an earlier question yet.
            ConnectionError: it is gone, or fails to answer.
        """
        if self._overdue:
            raise TimeoutError
        question = asyncio.create_task(self.channel.ask(what, of))
        answered, _ = await asyncio.wait((question,), timeout=within_seconds)
        if not answered:
            self._overdue.add(question)
            question.add_done_callback(self._answered_late)
            raise TimeoutError
        return question.result()

    def _answered_late(self, question: asyncio.Task[Any]) -> None:
        self._overdue.discard(question)
        if not question.cancelled():
            question.exception()  # which is nobody's concern any more

    async def _see(self) -> None:
        telemetry = await self.channel.ask(ToWorker.TELEMETRY)
        samples: bytes = await self.channel.ask(ToWorker.SAMPLES)
        self.last_seen = Seen(telemetry, samples.decode())
