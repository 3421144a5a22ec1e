"""One worker, as its parent knows it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field

from exporters.metrics.merging import Snapshot
from exporters.web.workers.channel import Channel, SharedQuestion
from exporters.web.workers.questions import ToWorker


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
    last_seen: Snapshot = field(default_factory=list)
    """Its samples when it was last asked for them."""
    is_gone: bool = False
    exit_code: asyncio.Future[int] = field(init=False)
    """Known when the process has ended; -9 for signal 9."""
    channel: Channel = field(init=False)
    samples: SharedQuestion[None] = field(init=False)
    """Asks it for them, into ``last_seen``."""

    def __post_init__(self) -> None:
        self.exit_code = asyncio.get_running_loop().create_future()
        self.channel = Channel(self.end)
        self.samples = SharedQuestion(self._see)

    async def _see(self) -> None:
        self.last_seen = await self.channel.ask(ToWorker.SAMPLES)
