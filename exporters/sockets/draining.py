"""Reads sockets that receive events: a little later than it could, so that it is much at once.

Waking up costs as much as dozens of datagrams. So whoever has sent first is waited for others after
for a few milliseconds, while the socket's buffer holds what comes. What is much is taken in turns
with everything else that the event loop has to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from exporters.sockets.datagrams import Datagrams
from exporters.sockets.recvmmsg import BATCH

_PAUSE_SECONDS: Final = 0.005
_BATCHES_A_TURN: Final = 4


class Listener(Protocol):
    """A socket."""

    def fileno(self) -> int:
        """Its descriptor."""

    def receive(self) -> Datagrams:
        """Give what has arrived; nothing if nothing has."""


@contextmanager
def draining(listener: Listener, take: Callable[[Datagrams], None]) -> Iterator[None]:
    """Hand what arrives at *listener* to *take*, for as long as the context lasts."""
    drain = _Drain(listener, take, asyncio.get_running_loop())
    drain.wait()
    try:
        yield
    finally:
        drain.stop()


class _Drain:
    def __init__(
        self,
        listener: Listener,
        take: Callable[[Datagrams], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._listener = listener
        self._take = take
        self._loop = loop
        self._next_turn: asyncio.Handle | None = None

    def wait(self) -> None:
        """Wait for something to arrive, and then for more."""
        self._loop.add_reader(self._listener.fileno(), self._pause)

    def stop(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._listener.fileno())
        if self._next_turn is not None:
            self._next_turn.cancel()

    def _pause(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._next_turn = self._loop.call_later(_PAUSE_SECONDS, self._turn)

    def _turn(self) -> None:
        """Take some of what there is; even if that fails, the rest has its turn later."""
        is_empty = False
        try:
            is_empty = self._take_some()
        finally:
            if is_empty:
                self.wait()
            else:
                self._next_turn = self._loop.call_soon(self._turn)

    def _take_some(self) -> bool:
        """Take some batches; whether the last one was all there is."""
        for _ in range(_BATCHES_A_TURN):
            datagrams = self._listener.receive()
            if datagrams.contents:
                self._take(datagrams)
            if len(datagrams.contents) < BATCH:
                return True
        return False
