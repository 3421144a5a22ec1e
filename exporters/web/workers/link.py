"""A worker's side of the channel: what it asks the parent for, and what the parent orders."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import product
from typing import Any

from exporters.errors import ConfigError, Problem
from exporters.metrics.merging import snapshot
from exporters.metrics.negotiation import TextFormat
from exporters.web.reloading import Reloader
from exporters.web.service import Service
from exporters.web.turns import BodyWriter
from exporters.web.whole import OthersSilentError, PartialReloadError
from exporters.web.workers.channel import Channel, SharedQuestion
from exporters.web.workers.questions import (
    EVERYBODY_SECONDS,
    METRICS_SECONDS,
    RELOAD_SECONDS,
    ReloadOutcome,
    ToParent,
    ToWorker,
)

logger = logging.getLogger(__name__)

_SILENT = "The parent of the workers does not answer."


class ParentLink:
    """All workers, as one of them sees them through its parent."""

    def __init__(self, service: Service, reloader: Reloader) -> None:
        self._service = service
        self._reloader = reloader
        self._channel: Channel | None = None
        self._metrics = {
            (text_format, gzipped): SharedQuestion[bytes](
                partial(self._ask, ToParent.METRICS, (text_format.name, gzipped))
            )
            for text_format, gzipped in product(TextFormat, (False, True))
        }

    def connect(self, end: socket.socket) -> None:
        """Take *end* of a pair of sockets, whose other end the parent has."""
        self._channel = Channel(end)

    async def metrics(self, text_format: TextFormat, *, gzipped: bool) -> bytes:
        """Return the metrics of all workers, which the parent collects."""
        try:
            return await self._metrics[text_format, gzipped].answer(METRICS_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise OthersSilentError(_SILENT) from error

    async def ask_all(self, question: str, argument: object) -> Sequence[Any]:
        """Let the parent ask all workers, this one among them."""
        try:
            async with asyncio.timeout(EVERYBODY_SECONDS):
                answers: list[Any] = await self._ask(ToParent.EVERYBODY, (question, argument))
        except (TimeoutError, ConnectionError) as error:
            raise OthersSilentError(_SILENT) from error
        return answers

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

    async def _ask(self, what: ToParent, of: object = None) -> Any:
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
        async def answer(what: str, of: Any) -> object:
            match ToWorker(what):
                case ToWorker.TELEMETRY:
                    return snapshot(self._service.registry)
                case ToWorker.SAMPLES:
                    return await self._samples()
                case ToWorker.QUESTION:
                    name, argument = of
                    return self._service.questions[name](argument)
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

    async def _samples(self) -> bytes:
        writer = BodyWriter(gzipped=False)
        if self._service.samples is not None:
            await writer.write_in_turns(self._service.samples(TextFormat.PROMETHEUS))
        return writer.finish()

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
