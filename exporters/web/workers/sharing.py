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

import mmap
import socket
import ssl
from collections.abc import Sequence

from aiohttp import web

from exporters.web.accepting import SoleAcceptor

_LEAVE_SECONDS = 0.002
_LEAVE_TIMES = 5
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


class SharingAcceptor(SoleAcceptor):
    """Accepts the share of one worker."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        counts: ConnectionCounts,
        worker: int,
        most: int | None = None,
    ) -> None:
        super().__init__(listeners, most)
        self._counts = counts
        self._worker = worker
        self._left = dict.fromkeys(listeners, 0)

    async def start(self, protocol_factory: web.Server, ssl_context: ssl.SSLContext | None) -> None:
        """Accept with *ssl_context* from now on; connections that exist stay as they are."""
        await super().start(protocol_factory, ssl_context)
        self._counts.set(self._worker, self.connections)

    def close(self) -> None:
        """Stop accepting, and close the listening sockets; once more does nothing."""
        self._counts.set_absent(self._worker)
        super().close()

    def _log(self, listener: socket.socket, *, renewed: bool, tls: bool) -> None:
        if renewed:  # the parent has told what all listen on
            super()._log(listener, renewed=renewed, tls=tls)

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection, or leave it to a worker that has fewer."""
        connections = self.connections
        self._counts.set(self._worker, connections)
        if connections > self._counts.least() and self._left[listener] < _LEAVE_TIMES:
            self._left[listener] += 1
            self._look_away(listener, _LEAVE_SECONDS)
            return
        self._left[listener] = 0
        super()._accept(listener)
        self._counts.set(self._worker, self.connections)
