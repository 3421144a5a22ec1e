"""A worker's side of the channel: what it asks the parent for, and what the parent orders."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry

from exporters.errors import ConfigError, Problem
from exporters.metrics.merging import snapshot
from exporters.metrics.negotiation import TextFormat
from exporters.web.reloading import Reloader
from exporters.web.whole import OthersSilentError, PartialReloadError
from exporters.web.workers.channel import Channel, SharedQuestion
from exporters.web.workers.questions import (
    RELOAD_SECONDS,
    TELEMETRY_SECONDS,
    ReloadOutcome,
    ToParent,
    ToWorker,
)

logger = logging.getLogger(__name__)

_SILENT = "The parent of the workers does not answer."


class ParentLink:
    """All workers, as one of them sees them through its parent."""

    def __init__(self, registry: CollectorRegistry, reloader: Reloader) -> None:
        self._registry = registry
        self._reloader = reloader
        self._channel: Channel | None = None
        self._telemetry = {
            text_format: SharedQuestion[str](
                partial(self._ask, ToParent.TELEMETRY, text_format.name)
            )
            for text_format in TextFormat
        }

    def connect(self, end: socket.socket) -> None:
        """Take *end* of a pair of sockets, whose other end the parent has."""
        self._channel = Channel(end)

    async def telemetry(self, text_format: TextFormat) -> bytes:
        """Return the metrics of all workers, which the parent collects."""
        try:
            text = await self._telemetry[text_format].answer(TELEMETRY_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise OthersSilentError(_SILENT) from error
        return text.encode()

    async def reload(self) -> None:
        """Let the parent and all workers reload."""
        try:
            async with asyncio.timeout(RELOAD_SECONDS):
                outcome = ReloadOutcome(**await self._ask(ToParent.RELOAD))
        except (TimeoutError, ConnectionError) as error:
            raise OthersSilentError(_SILENT) from error
        if outcome.problems:
            raise ConfigError([Problem(problem) for problem in outcome.problems])
        if outcome.failures:
            raise PartialReloadError("\n".join(outcome.failures))

    async def _ask(self, what: ToParent, of: str = "") -> Any:
        if self._channel is None:
            raise ConnectionResetError("not connected")
        return await self._channel.ask(what, of)

    @asynccontextmanager
    async def attached(self, end: asyncio.Event) -> AsyncIterator[None]:
        """Tell the parent that this worker serves, and obey it until the context is left."""
        if self._channel is None:
            raise RuntimeError("a worker without a parent")
        async with asyncio.TaskGroup() as tasks:
            obeying = tasks.create_task(self._obey(self._channel, end))
            telling = tasks.create_task(self._tell_serving())
            yield
            obeying.cancel()
            telling.cancel()

    async def _tell_serving(self) -> None:
        try:
            await self._ask(ToParent.SERVING)
        except ConnectionError:
            logger.debug("no parent to tell that this worker serves")

    async def _obey(self, channel: Channel, end: asyncio.Event) -> None:
        async def answer(what: str, _: str) -> object:
            match ToWorker(what):
                case ToWorker.SAMPLES:
                    return snapshot(self._registry)
                case ToWorker.RELOAD:
                    return await self._reload_this_worker()
                case ToWorker.END:
                    end.set()
            return None

        await channel.run(answer)
        if end.is_set():
            # It goes before its workers only if it was killed, or told twice to end.
            logger.error("the parent is gone, ending at once")
            logging.shutdown()
            os._exit(1)
        logger.error("the parent is gone, ending")
        end.set()

    async def _reload_this_worker(self) -> list[str]:
        """Reload, and return what went wrong."""
        try:
            await self._reloader.reload()
        except ConfigError as error:
            return [str(problem) for problem in error.problems]
        except Exception:
            logger.exception("reload failed, the running configuration stays")
            return ["a fault of this program; its log tells more"]
        return []
