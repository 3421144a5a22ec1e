"""The sockets of a simulated agent: messages in, answers out, over UDP and TCP.

``listen_udp`` and ``listen_tcp`` call a plain function for each message, in the event loop, and
send what it returns. There are no tasks and nothing is awaited, because an answer takes
microseconds; a UDP answer that shall be late waits on a timer. What is answered is the business of
``exporters.demo.agent``.

Over TCP the messages follow each other without any framing of their own; the length of the
outermost SEQUENCE says where one ends (RFC 3430 s2.1).

Sources: RFC 3417 section 3 (UDP), RFC 3430 section 2 (TCP).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from exporters.demo.faults import Delivery
from exporters.demo.timer_queue import TimerQueue
from exporters.errors import WireError
from exporters.wire.ber import read_header
from exporters.wire.snmp_message import MAX_MESSAGE_BYTES
from exporters.wire.tags import SEQUENCE

Address = tuple[str, int]
Handle = Callable[[bytes], bytes | None]

MAX_WAITING: Final = 100_000
"""How many late answers of one address may wait; more are lost."""

_SOCKET_BUFFER_BYTES: Final = 4 << 20


@dataclass(slots=True)
class AgentCounts:
    """What an agent has received and sent since it was made."""

    requests: int = 0
    """Messages received, whatever they are."""
    ignored: int = 0
    """Of these, the ones without an answer: unknown communities, garbage, silence on purpose."""
    responses: int = 0
    """Messages sent, Reports and duplicates included."""
    unsent: int = 0
    """Messages that the socket did not take or that found no room to wait."""


@contextlib.asynccontextmanager
async def listen_udp(
    host: str, port: int, handle: Handle, delivery: Delivery, counts: AgentCounts
) -> AsyncIterator[Address]:
    """Answer on a UDP address while the context lasts; gives the address.

    Raises:
        OSError: The address cannot be listened on.
    """
    loop = asyncio.get_running_loop()
    with await open_udp_socket(host, port) as udp:
        listener = _UdpListener(udp, handle, delivery, counts, TimerQueue(loop, most=MAX_WAITING))
        loop.add_reader(udp, listener.receive)
        try:
            yield udp.getsockname()[:2]
        finally:
            loop.remove_reader(udp)
            listener.close()


async def open_udp_socket(host: str, port: int) -> socket.socket:
    """Open a non-blocking UDP socket with large buffers, bound to an address.

    Raises:
        OSError: The address cannot be listened on.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, where = found[0]
    udp = socket.socket(family, kind, protocol)
    try:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            udp.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER_BYTES)
        udp.setblocking(False)
        udp.bind(where)
    except OSError:
        udp.close()
        raise
    return udp


class _UdpListener:
    """One UDP socket, and the answers that wait for their time."""

    def __init__(
        self,
        udp: socket.socket,
        handle: Handle,
        delivery: Delivery,
        counts: AgentCounts,
        waiting: TimerQueue,
    ) -> None:
        self._udp = udp
        self._handle = handle
        self._delivery = delivery
        self._counts = counts
        self._waiting = waiting
        # one buffer for all, since a fresh one of this size costs more than the request
        self._buffer = memoryview(bytearray(MAX_MESSAGE_BYTES))

    def receive(self) -> None:
        """Take one datagram; the loop calls again while there are more."""
        try:
            size, source = self._udp.recvfrom_into(self._buffer)
        except OSError:
            return  # nothing there after all, or the ICMP error that an answer of ours met
        self._counts.requests += 1
        answer = self._handle(self._buffer[:size].tobytes())
        if answer is None:
            self._counts.ignored += 1
        elif self._delivery.immediate:
            self._send(answer, source)
        else:
            for delay in self._delivery.delays():
                if not self._waiting.call_later(delay, partial(self._send, answer, source)):
                    self._counts.unsent += 1

    def close(self) -> None:
        """Send no late answers any more."""
        self._waiting.close()

    def _send(self, answer: bytes, source: Any) -> None:
        try:
            self._udp.sendto(answer, source)
        except OSError:
            self._counts.unsent += 1
        else:
            self._counts.responses += 1


@contextlib.asynccontextmanager
async def listen_tcp(
    host: str, port: int, handle: Handle, counts: AgentCounts
) -> AsyncIterator[Address]:
    """Answer on a TCP address while the context lasts; gives the address.

    Raises:
        OSError: The address cannot be listened on.
    """
    loop = asyncio.get_running_loop()
    connections: set[_TcpConnection] = set()
    server = await loop.create_server(
        lambda: _TcpConnection(handle, counts, connections), host, port
    )
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for connection in tuple(connections):
            connection.abort()
        await server.wait_closed()
        await asyncio.sleep(0)  # before Python 3.12, wait_closed leaves connections to the loop


class _TcpConnection(asyncio.Protocol):
    """One client: its bytes are cut into messages; a client that does not read is not read from."""

    def __init__(
        self, handle: Handle, counts: AgentCounts, connections: set[_TcpConnection]
    ) -> None:
        self._handle = handle
        self._counts = counts
        self._connections = connections
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (end := message_end(self._buffer)) is not None:
                message, self._buffer = self._buffer[:end], self._buffer[end:]
                self._answer(message)
        except WireError:
            self._transport.abort()  # no way to find the next message

    def _answer(self, message: bytes) -> None:
        self._counts.requests += 1
        answer = self._handle(message)
        if answer is None:
            self._counts.ignored += 1
        else:
            self._transport.write(answer)
            self._counts.responses += 1


def message_end(buffer: bytes) -> int | None:
    """Find where the first message of a stream ends; None while that has not arrived.

    Raises:
        WireError: It does not start like a message, or claims to be longer than any may be.
    """
    if not buffer:
        return None
    if buffer[0] != SEQUENCE:
        raise WireError(f"a message starts with tag 0x{buffer[0]:02x}, expected 0x30")
    if len(buffer) < 2 or (buffer[1] >= 0x80 and len(buffer) < 2 + min(buffer[1] & 0x7F, 4)):
        return None
    # the frame is as long as any message may be: only what is beyond that is an error here
    _, _, end = read_header(buffer, 0, MAX_MESSAGE_BYTES)
    return end if end <= len(buffer) else None
