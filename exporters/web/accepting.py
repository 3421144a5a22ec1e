"""Taking connections from listening sockets, with TLS or without, and with TLS that changes."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from exporters.logs import fields
from exporters.web.listeners import describe_listener

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
CLOSE_NOTIFY_SECONDS = 2.0


class Acceptor(Protocol):
    """Accepts connections on listening sockets, and can change TLS while it does."""

    async def start(self, protocol_factory: web.Server, ssl_context: ssl.SSLContext | None) -> None:
        """Accept with *ssl_context* from now on; connections that exist stay as they are."""

    def close(self) -> None:
        """Stop accepting, and close the listening sockets; once more does nothing."""


class SoleAcceptor:
    """Accepts for a process that has its listening sockets to itself.

    asyncio serves a duplicate of each socket: when TLS changes, a new asyncio server takes over on
    another duplicate, and the kernel's queue of waiting connections stays, because it belongs to
    what they all duplicate.
    """

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
                ssl_handshake_timeout=HANDSHAKE_SECONDS if ssl_context else None,
                ssl_shutdown_timeout=CLOSE_NOTIFY_SECONDS if ssl_context else None,
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
