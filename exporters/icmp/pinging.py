"""What works all the time: engine, roster, surveys and self check, while the exporter lives.

None is expected to fail. Should one, its fault is logged and counted, and it starts again: the
accounts of all targets go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from time import monotonic_ns, time
from typing import Final

from exporters.icmp.engine import Engine
from exporters.icmp.origin import OriginKey
from exporters.icmp.probe_sockets import ProbeSockets
from exporters.icmp.roster import Roster
from exporters.icmp.self_check import SelfCheck
from exporters.icmp.surveys import Surveys
from exporters.icmp.target import Target, TargetSettings
from exporters.logs import fields
from exporters.sockets.host_resolution import HostResolver
from exporters.sockets.icmp_socket import IcmpSocket, OnError, OnReply

_START_AGAIN_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)


class Pinging:
    """Continuous pings; ``faults`` counts how often a part of it had to start again."""

    def __init__(
        self, resolver: HostResolver, sockets: ProbeSockets, max_per_second: float = 0.0
    ) -> None:
        self.engine = Engine(
            open_socket, max_per_second=max_per_second, on_outage=self._outage_begins
        )
        self.surveys = Surveys(
            sockets,
            targets=lambda: self.engine.targets.values(),
            changes=lambda: self.engine.changes,
            unix_time=time,
        )
        self.roster = Roster(self.engine, resolver.addresses)
        self.check = SelfCheck(self.engine)
        self.faults = 0

    @asynccontextmanager
    async def running(self, wanted: Iterable[TargetSettings]) -> AsyncIterator[None]:
        """Ping *wanted* inside the context, and what ``roster`` is told to later."""
        self.roster.load(wanted)
        parts: Mapping[str, Callable[[], Awaitable[None]]] = {
            "engine": self.engine.run,
            "roster": self.roster.run,
            "surveys": self.surveys.run,
            "self check": self._look,
        }
        tasks = [asyncio.create_task(self._keep_up(name, run)) for name, run in parts.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _outage_begins(self, target: Target) -> None:
        self.surveys.outage_begins(target)

    async def _look(self) -> None:
        while True:
            self.check.look(monotonic_ns())
            await asyncio.sleep(_LOOK_SECONDS)

    async def _keep_up(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
            except Exception:
                self.faults += 1
                logger.exception("pinging has failed and starts again", extra=fields(part=name))
            await asyncio.sleep(_START_AGAIN_SECONDS)


def open_socket(
    key: OriginKey, receive_buffer_bytes: int, on_reply: OnReply, on_error: OnError
) -> IcmpSocket:
    """Open a socket of an origin."""
    return IcmpSocket.open(
        key.version,
        source=key.source,
        interface=key.interface,
        receive_buffer_bytes=receive_buffer_bytes,
        on_reply=on_reply,
        on_error=on_error,
    )
