"""An ICMP socket towards a pretend network: what is sent is answered as the test says.

It lives in pretended time (``tests/unit/sockets/pretend_time.py``): its stamps are the loop's.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from exporters.sockets.icmp_values import ErrorReport, Reply, SocketAddress, Stamp
from exporters.sockets.kernel_errors import address_text


def stamp() -> Stamp:
    """The loop's time, on both clocks."""
    now = round(asyncio.get_running_loop().time() * 1e9)
    return Stamp(now + 10**18, now)


@dataclass
class Request:
    """An echo request that was sent."""

    destination: str
    sequence: int
    payload: bytes
    hop_limit: int | None
    at: float


@dataclass
class FakeSocket:
    """One socket; *network* hears of every request."""

    network: FakeNetwork
    version: int
    options: dict[str, Any]
    on_reply: Callable[[Reply], None]
    on_error: Callable[[ErrorReport], None]
    is_open: bool = True
    pair: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    def fileno(self) -> int:
        return self.pair[0].fileno()

    def receive(self) -> int:
        raise AssertionError("nothing comes this way")

    def send(
        self,
        destination: SocketAddress,
        sequence: int,
        payload: bytes,
        *,
        hop_limit: int | None = None,
        traffic_class: int | None = None,
    ) -> Stamp:
        assert self.is_open
        scope = destination[3] if len(destination) == 4 else 0
        text = address_text(destination[0], scope)
        now = asyncio.get_running_loop().time()
        request = Request(text, sequence, payload, hop_limit, now)
        self.network.requests.append(request)
        sent = stamp()
        self.network.answer(self, request)
        return sent

    def close(self) -> None:
        assert self.is_open, "closed twice"
        self.is_open = False
        for end in self.pair:
            end.close()

    def reply(self, request: Request, **changed: Any) -> None:
        """Let a reply arrive now."""
        if self.is_open:
            reply = Reply(request.destination, request.sequence, request.payload, stamp(), 64, 0)
            self.on_reply(reply._replace(**changed))


Answer = Callable[[FakeSocket, Request], None]


def replies(after_seconds: float = 0.05, **changed: Any) -> Answer:
    """Answer every request in the same way."""

    def answer(to: FakeSocket, request: Request) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(after_seconds, lambda: to.reply(request, **changed))

    return answer


def silence(to: FakeSocket, request: Request) -> None:
    """Answer nothing."""


@dataclass
class FakeNetwork:
    """What all sockets of a test send into."""

    answer: Answer = field(default_factory=replies)
    requests: list[Request] = field(default_factory=list)
    sockets: list[FakeSocket] = field(default_factory=list)

    def open(
        self,
        version: int,
        *,
        on_reply: Callable[[Reply], None],
        on_error: Callable[[ErrorReport], None],
        **options: Any,
    ) -> FakeSocket:
        """Take the place of ``IcmpSocket.open``."""
        opened = FakeSocket(self, version, options, on_reply, on_error)
        self.sockets.append(opened)
        return opened

    @property
    def open_sockets(self) -> int:
        return sum(opened.is_open for opened in self.sockets)
