"""From an application to a server that runs until it is told to end.

    start       listen, enter the application's lifespan, accept
    SIGHUP      reload
    SIGTERM,    stop accepting, answer 503 at /-/ready, let running requests finish for a while,
    SIGINT      cancel what is late, leave the lifespan; a second signal ends the process at once

The listening sockets are opened by others and belong to this module from then on. asyncio serves a
duplicate of each: when TLS changes, a new asyncio server takes over on another duplicate, and the
kernel's queue of waiting connections stays, because it belongs to what they all duplicate.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from exporters.errors import ConfigError
from exporters.logs import fields
from exporters.web.listeners import describe_listener, open_listeners, systemd_listeners
from exporters.web.reloading import Reloader
from exporters.web.security import WebSecurity
from exporters.web.service import Service
from exporters.web.settings import WebSettings
from exporters.web.shell import SHELL, build_app

logger = logging.getLogger(__name__)

# Longer than Prometheus' default scrape interval of a minute, so that scrapes share a connection,
# and no longer: it is also how long a client may take to send a request line and headers.
_KEEPALIVE_SECONDS = 90.0
_HEADER_BYTES = 8190
_HANDSHAKE_SECONDS = 10.0
_CLOSE_NOTIFY_SECONDS = 2.0
_LAST_RESPONSE_SECONDS = 1.0
_SHOWN_CHARACTERS = 200
_ENDING = (signal.SIGTERM, signal.SIGINT)


def run(service: Service, settings: WebSettings) -> None:
    """Serve *service* until SIGTERM or SIGINT.

    Raises:
        ConfigError: the web configuration is wrong, or an address cannot be listened on.
    """
    app = check(service, settings)
    if settings.systemd_socket:
        listeners = systemd_listeners(os.environ, os.getpid())
    else:
        listeners = open_listeners(settings.listen_addresses, reuse_port=settings.reuse_port)
    asyncio.run(serve(app, listeners, shutdown_timeout_seconds=settings.shutdown_timeout_seconds))


def check(service: Service, settings: WebSettings) -> web.Application:
    """Build the application that *settings* ask for, without listening.

    Raises:
        ConfigError: the web configuration is wrong.
    """
    security = WebSecurity(settings.config_file)
    return build_app(service, security=security, telemetry_path=settings.telemetry_path)


async def serve(
    app: web.Application,
    listeners: Sequence[socket.socket],
    *,
    shutdown_timeout_seconds: float,
) -> None:
    """Serve *app* on *listeners*, which it closes in the end, until SIGTERM or SIGINT.

    Must run in the main thread, as signals do.
    """
    shell = app[SHELL]
    with _signals() as signals, closing(Acceptor(listeners)) as acceptor:
        async with _server(app) as server:
            await acceptor.start(server, shell.security.ssl_context)
            shell.security.on_adopt = partial(acceptor.start, server)
            async with asyncio.TaskGroup() as tasks:
                background = (
                    tasks.create_task(_reload_on_hangup(shell.reloader, signals.hangup)),
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


class Acceptor:
    """Accepts connections on listening sockets, and can change TLS while it does."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._listeners = listeners
        self._servers: list[asyncio.Server] = []

    async def start(self, protocol_factory: web.Server, ssl_context: ssl.SSLContext | None) -> None:
        """Accept with *ssl_context* from now on; connections that exist stay as they are."""
        former, self._servers = self._servers, []
        for listener in self._listeners:
            server = await asyncio.get_running_loop().create_server(
                protocol_factory,
                sock=listener.dup(),
                ssl=ssl_context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if ssl_context else None,
                ssl_shutdown_timeout=_CLOSE_NOTIFY_SECONDS if ssl_context else None,
            )
            self._servers.append(server)
            logger.info(
                "TLS renewed" if former else "listening",
                extra=fields(address=describe_listener(listener), tls=ssl_context is not None),
            )
        for server in former:
            server.close()

    def close(self) -> None:
        """Stop accepting, and close the listening sockets; once more does nothing."""
        for server in self._servers:
            server.close()
        for listener in self._listeners:
            listener.close()


async def _reload_on_hangup(reloader: Reloader, hangup: asyncio.Event) -> None:
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            await reloader.reload()
        except ConfigError:
            pass  # which the reloader has logged
        except Exception:
            logger.exception("reload failed, the running configuration stays")


@dataclass(frozen=True, slots=True)
class _Signals:
    """What the process was told by signal; a signal sets an event, a task acts on it."""

    end: asyncio.Event = field(default_factory=asyncio.Event)
    hangup: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def _signals() -> Iterator[_Signals]:
    signals = _Signals()
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in (*_ENDING, signal.SIGHUP)}

    def end() -> None:
        # From now on at once: not by the loop, which a fault may have stopped, and not by the
        # default action, which the kernel denies to process 1 of a container.
        for number in _ENDING:
            loop.remove_signal_handler(number)
            signal.signal(number, lambda number, _: os._exit(128 + number))
        signals.end.set()

    for number in _ENDING:
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, signals.hangup.set)
    try:
        yield signals
    finally:
        for number, handler in former.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler or signal.SIG_DFL)


class _ConnectionLog(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's errors with what scanners and wrong clients send told apart from faults."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if isinstance(error := kwargs.get("exc_info"), HttpProcessingError):
            # Its text repeats what was sent, however much that is.
            level, msg, args = logging.DEBUG, "malformed HTTP request", ()
            kwargs = {"extra": fields(code=error.code, err=error.message[:_SHOWN_CHARACTERS])}
        super().log(level, msg, *args, **kwargs)
