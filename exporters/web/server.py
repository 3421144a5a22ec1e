"""From an application to a server that runs until it is told to end.

    start       listen, enter the application's lifespan, accept
    SIGHUP      reload
    SIGTERM,    stop accepting, answer 503 at /-/ready, let running requests finish for a while,
    SIGINT      cancel what is late, leave the lifespan; a second signal ends the process at once

This is one process; ``exporters.web.workers`` runs several of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from exporters.errors import ConfigError, NetexportersError
from exporters.logs import fields
from exporters.web.accepting import Acceptor
from exporters.web.shell import SHELL
from exporters.web.signals import handled_signals

logger = logging.getLogger(__name__)

# Longer than Prometheus' default scrape interval of a minute, so that scrapes share a connection,
# and no longer: it is also how long a client may take to send a request line and headers.
_KEEPALIVE_SECONDS = 90.0
_HEADER_BYTES = 8190
_LAST_RESPONSE_SECONDS = 1.0
_SHOWN_CHARACTERS = 200

Companion = Callable[[asyncio.Event], AbstractAsyncContextManager[None]]
"""What lives from the first accepted connection to the last answer, and may set the event to end
the server."""


def _no_companion(_: asyncio.Event) -> AbstractAsyncContextManager[None]:
    return nullcontext()


async def serve(
    app: web.Application,
    acceptor: Acceptor,
    *,
    shutdown_timeout_seconds: float,
    companion: Companion = _no_companion,
) -> None:
    """Serve *app* on what *acceptor* accepts, and close it, until told to end.

    Must run in the main thread, as signals do.
    """
    shell = app[SHELL]
    with handled_signals() as signals, closing(acceptor):
        async with _server(app) as server:
            await acceptor.start(server, shell.security.ssl_context)
            shell.security.on_adopt = partial(acceptor.start, server)
            async with companion(signals.end):
                async with asyncio.TaskGroup() as tasks:
                    background = (
                        tasks.create_task(reload_on_hangup(shell.whole.reload, signals.hangup)),
                        tasks.create_task(shell.security.watch()),
                    )
                    await signals.end.wait()
                    for task in background:
                        task.cancel()
                acceptor.close()
                logger.info("shutting down", extra=fields(timeout_seconds=shutdown_timeout_seconds))
                if late := await shell.in_flight.drain(shutdown_timeout_seconds):
                    logger.warning("requests cancelled", extra=fields(requests=late))
    logger.info("ended")


@asynccontextmanager
async def _server(app: web.Application) -> AsyncIterator[web.Server]:
    """Run the application's lifespan around the server that speaks HTTP on its connections."""
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_ConnectionLog(logger),
        handler_cancellation=True,  # a Prometheus that gave up need not have its devices polled
        keepalive_timeout=_KEEPALIVE_SECONDS,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
        shutdown_timeout=_LAST_RESPONSE_SECONDS,
    )
    try:
        await runner.setup()
        if runner.server is None:
            raise RuntimeError("aiohttp set up no server")
        yield runner.server
    finally:
        await runner.cleanup()


async def reload_on_hangup(reload: Callable[[], Awaitable[object]], hangup: asyncio.Event) -> None:
    """Call *reload* whenever *hangup* is set, without end."""
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            await reload()
        except ConfigError:
            pass  # which the reloader has logged
        except NetexportersError as error:
            logger.error("reload failed", extra=fields(err=error))  # noqa: TRY400 - not our fault
        except Exception:
            logger.exception("reload failed, the running configuration stays")


class _ConnectionLog(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's errors with what scanners and wrong clients send told apart from faults."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if isinstance(error := kwargs.get("exc_info"), HttpProcessingError):
            # Its text repeats what was sent, however much that is.
            level, msg, args = logging.DEBUG, "malformed HTTP request", ()
            kwargs = {"extra": fields(code=error.code, err=error.message[:_SHOWN_CHARACTERS])}
        super().log(level, msg, *args, **kwargs)
