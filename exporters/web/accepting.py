"""Taking connections from listening sockets, with TLS or without, and with TLS that changes.

Not asyncio's server: where the process has no file left for a connection, that one logs a stack
trace a hundred times over, and again each second. Here connections are bounded well below that, and
those beyond wait in the kernel's queue until others end.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from exporters import open_files
from exporters.logs import fields
from exporters.web.listeners import describe_listener

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
CLOSE_NOTIFY_SECONDS = 2.0
_FULL_SECONDS = 0.05
_EXHAUSTED_SECONDS = 1.0


class Acceptor(Protocol):
    """Accepts connections on listening sockets, and can change TLS while it does."""

    async def start(self, protocol_factory: web.Server, ssl_context: ssl.SSLContext | None) -> None:
        """Accept with *ssl_context* from now on; connections that exist stay as they are."""

    def close(self) -> None:
        """Stop accepting, and close the listening sockets; once more does nothing."""


class SoleAcceptor:
    """Accepts for a process that has its listening sockets to itself.

    Args:
        listeners: The sockets; they are closed with this.
        most: Connections at a time; as the limit of open files allows if not given.
    """

    def __init__(self, listeners: Sequence[socket.socket], most: int | None = None) -> None:
        self._listeners = listeners
        self._most = open_files.connections() if most is None else most
        self._server: web.Server | None = None
        self._ssl_context: ssl.SSLContext | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self, protocol_factory: web.Server, ssl_context: ssl.SSLContext | None) -> None:
        """Accept with *ssl_context* from now on; connections that exist stay as they are."""
        renewed = self._server is not None
        self._server = protocol_factory
        self._ssl_context = ssl_context
        for listener in self._listeners:
            listener.setblocking(False)
            self._look_at(listener)
            self._log(listener, renewed=renewed, tls=ssl_context is not None)

    def close(self) -> None:
        """Stop accepting, and close the listening sockets; once more does nothing."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener)
            listener.close()

    @property
    def connections(self) -> int:
        """How many there are, with those that are being opened."""
        established = 0 if self._server is None else len(self._server.connections)
        return established + len(self._opening)

    def _log(self, listener: socket.socket, *, renewed: bool, tls: bool) -> None:
        logger.info(
            "TLS renewed" if renewed else "listening",
            extra=fields(address=describe_listener(listener), tls=tls),
        )

    def _look_at(self, listener: socket.socket) -> None:
        if not self._closed:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _look_away(self, listener: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(seconds, self._look_at, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection, if there may be one more."""
        if self.connections >= self._most:
            self._look_away(listener, _FULL_SECONDS)
            return
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process has it, or nobody any more
        except OSError as error:
            # Most likely too many open files: a limit of the system, and no fault of ours.
            logger.error("cannot accept connections", extra=fields(err=error))  # noqa: TRY400
            self._look_away(listener, _EXHAUSTED_SECONDS)
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        if self._server is None:
            raise RuntimeError("accepted before the start")
        encrypted = self._ssl_context is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._server,
                connection,
                ssl=self._ssl_context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if encrypted else None,
                ssl_shutdown_timeout=CLOSE_NOTIFY_SECONDS if encrypted else None,
            )
        except OSError as error:  # TLS errors and timeouts among them
            logger.debug("connection not opened", extra=fields(err=error))
