"""Taking connections from a listening socket, whatever comes: storms, and no file left for one.

Not asyncio's server: where the process has no file left for a connection, that one logs a stack
trace a hundred times over, and again each second. Here such a socket is left alone for a second,
and the log says so once a minute.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from exporters.logs import fields

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 4
"""Connections taken before others have a turn. A sender may have one for each message: those that
have ended must be seen to, which takes a few turns, before more of its own are beyond its limit."""
_PAUSE_SECONDS: Final = 1.0
_LOG_SECONDS: Final = 60.0
_NOBODY_THERE: Final = (BlockingIOError, InterruptedError, ConnectionAbortedError)


class Acceptor:
    """Accepts on one socket, and closes it in the end.

    Args:
        listener: Listens already.
        admit: Gives what serves a connection from a peer, or None to have it closed.

    Attributes:
        failures: How often the system had no connection to give although one was there.
    """

    def __init__(
        self,
        listener: socket.socket,
        admit: Callable[[Any], asyncio.BufferedProtocol | None],
    ) -> None:
        self.failures = 0
        self._listener = listener
        self._admit = admit
        self._opening: set[asyncio.Task[Any]] = set()
        self._failure_logged_at = -_LOG_SECONDS
        listener.setblocking(False)

    def start(self) -> None:
        """Accept from now on, in the running loop."""
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept no more."""
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, peer = self._listener.accept()
            except _NOBODY_THERE:
                return
            except OSError as error:
                self._pause(error)
                return
            self._open(accepted, peer)

    def _open(self, accepted: socket.socket, peer: Any) -> None:
        protocol = self._admit(peer)
        if protocol is None:
            accepted.close()
            return
        accepted.setblocking(False)
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(lambda: protocol, accepted))
        self._opening.add(task)
        task.add_done_callback(partial(self._opened, protocol))

    def _opened(self, protocol: asyncio.BufferedProtocol, task: asyncio.Task[Any]) -> None:
        """Have a connection forgotten that came to nothing after all."""
        self._opening.discard(task)
        if not task.cancelled() and task.exception() is not None:
            protocol.connection_lost(None)

    def _pause(self, error: OSError) -> None:
        """Leave the socket alone: most likely there are too many open files."""
        loop = asyncio.get_running_loop()
        self.failures += 1
        if loop.time() - self._failure_logged_at >= _LOG_SECONDS:
            self._failure_logged_at = loop.time()
            reason = (error.strerror or str(error)).lower()
            logger.warning("cannot accept connections", extra=fields(err=reason))
        loop.remove_reader(self._listener)
        loop.call_later(_PAUSE_SECONDS, self.start)
