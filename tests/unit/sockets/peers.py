"""Agents of a test's own making, on free ports of the loopback, and how to talk to them.

``udp_peer`` and ``tcp_peer`` do with each message what the test says; ``agent_rows`` is something
to answer with. They live in the test's loop and go by its clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.recording import Recording
from exporters.demo.snmprec import read_recording
from exporters.sockets.device_queue import DeviceQueue, SendLimiter
from exporters.sockets.resolution import Endpoint, resolve
from exporters.sockets.rtt import RttEstimator
from exporters.sockets.snmp_security import CommunitySecurity, Security
from exporters.sockets.snmp_session import SessionSettings, SnmpSession, Traffic
from exporters.sockets.target_address import parse_target
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import VarBind, Version

SYS_NAME = encode_oid("1.3.6.1.2.1.1.5.0")
IF_INDEX = encode_oid("1.3.6.1.2.1.2.2.1.1")
ROWS = 60


def has_ipv6() -> bool:
    """Whether this machine has the loopback address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback address")
HOSTS = pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])

Late = tuple[float, bytes]
Answer = bytes | None | Iterable[bytes | Late]
Handle = Callable[[bytes], Answer]


def agent_rows() -> Recording:
    """A system name and sixty interfaces."""
    lines = ["1.3.6.1.2.1.1.5.0|4|switch"]
    lines += [f"1.3.6.1.2.1.2.2.1.1.{row}|2|{row}" for row in range(1, ROWS + 1)]
    return read_recording([line.encode() for line in lines])


def simulated_agent(**settings: Any) -> SimulatedAgent:
    return SimulatedAgent(
        agent_rows(), AgentSettings(**settings), clock=asyncio.get_running_loop().time
    )


@dataclass
class Peer:
    """What a peer has heard: each message, and when."""

    address: tuple[str, int]
    heard: list[bytes] = field(default_factory=list)
    heard_at: list[float] = field(default_factory=list)
    connections: int = 0
    hung_up: int = 0


@contextlib.asynccontextmanager
async def udp_peer(
    handle: Handle, host: str = "127.0.0.1", *, port: int = 0, answers_from: str | None = None
) -> AsyncIterator[Peer]:
    """Answer datagrams as *handle* says, where *answers_from* is given from that address."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as udp,
        socket.socket(family, socket.SOCK_DGRAM) as other,
    ):
        udp.setblocking(False)
        udp.bind(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4])
        other.bind((answers_from or "", 0))
        source = udp if answers_from is None else other
        peer = Peer(udp.getsockname()[:2])

        def receive() -> None:
            data, client = udp.recvfrom(65535)
            peer.heard.append(data)
            peer.heard_at.append(loop.time())
            for answer in _answers(handle(data)):
                delay, message = answer if isinstance(answer, tuple) else (0.0, answer)
                if delay:
                    loop.call_later(delay, send, message, client)
                else:
                    send(message, client)

        def send(message: bytes, client: Any) -> None:
            if source.fileno() >= 0:
                source.sendto(message, client)

        loop.add_reader(udp, receive)
        try:
            yield peer
        finally:
            loop.remove_reader(udp)


class _Stream(asyncio.Protocol):
    def __init__(self, peer: Peer, handle: Handle) -> None:
        self._peer, self._handle = peer, handle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._peer.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer.hung_up += 1

    def data_received(self, data: bytes) -> None:
        self._peer.heard.append(data)
        self._peer.heard_at.append(asyncio.get_running_loop().time())
        answer = self._handle(data)
        if answer is None:
            return
        for part in _answers(answer):
            assert isinstance(part, bytes)
            if part:
                self._transport.write(part)
            else:
                self._transport.close()


HANG_UP = b""
"""An answer over TCP that is no bytes closes the connection."""


@contextlib.asynccontextmanager
async def tcp_peer(handle: Handle, host: str = "127.0.0.1") -> AsyncIterator[Peer]:
    """Answer what comes over a connection as *handle* says; requests are assumed to come whole."""
    loop = asyncio.get_running_loop()
    peer = Peer((host, 0))
    streams: list[_Stream] = []

    def connect() -> _Stream:
        streams.append(_Stream(peer, handle))
        return streams[-1]

    server = await loop.create_server(connect, host, 0)
    peer.address = server.sockets[0].getsockname()[:2]
    try:
        yield peer
    finally:
        server.close()
        for stream in streams:
            stream._transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)


def open_descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def closed_port(host: str = "127.0.0.1", kind: int = socket.SOCK_DGRAM) -> tuple[str, int]:
    """An address that nobody listens on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[:2]


async def endpoint_of(address: tuple[str, int], transport: str = "udp") -> Endpoint:
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    target = parse_target(f"{transport}://{host}:{address[1]}")
    return await resolve(target, asyncio.get_running_loop().time() + 5)


@dataclass
class Opened:
    """A session, and what it was given to keep."""

    session: SnmpSession
    traffic: Traffic
    rtt: RttEstimator
    lines: list[str]

    async def sys_name(self) -> bytes:
        pdu, _ = await self.session.get([SYS_NAME])
        return pdu.varbinds[0][2]

    async def rows(self, repetitions: int) -> list[VarBind]:
        pdu, _ = await self.session.get_bulk([IF_INDEX], repetitions)
        return list(pdu.varbinds)


@contextlib.asynccontextmanager
async def open_session(
    address: tuple[str, int],
    security: Security | None = None,
    *,
    transport: str = "udp",
    timeout: float = 5.0,
    retries: int = 3,
    seconds: float = 100.0,
    source: tuple[str, int] | None = None,
    connected: bool = True,
    rtt: RttEstimator | None = None,
    queues: Sequence[DeviceQueue] = (),
) -> AsyncIterator[Opened]:
    """A session of version 2c, unless said otherwise."""
    loop = asyncio.get_running_loop()
    lines: list[str] = []
    endpoint = await endpoint_of(address, transport)
    session = SnmpSession(
        endpoint,
        security or CommunitySecurity(Version.V2C, b"public"),
        SessionSettings(timeout, retries, source, connected),
        deadline_at=loop.time() + seconds,
        request_ids=itertools.count(1000),
        rtt=rtt or RttEstimator(),
        traffic=Traffic(),
        trace=lines.append,
        limiter=SendLimiter(queues, endpoint) if queues else None,
    )
    async with session:
        yield Opened(session, session.traffic, session._rtt, lines)


def _answers(answer: Answer) -> Iterable[bytes | Late]:
    if answer is None:
        return ()
    return (answer,) if isinstance(answer, bytes) else answer
