"""Datagrams and TCP frames to one agent, without any idea of what an answer belongs to.

Plain sockets on the event loop's reader interface: one scrape sends dozens of packets, and
asyncio's datagram transports cost more than the system calls. On Linux a UDP socket also asks for
the ICMP errors of what it sends (``IP_RECVERR``): otherwise it never hears that a host or network
cannot be reached, and nothing at all while it is not connected.

Sources: RFC 3417 (UDP), RFC 3430 (TCP: messages follow one another, each delimited by its own BER
length), RFC 1122 s4.1.3.3 (which ICMP errors are final), Linux ip(7) and ipv6(7).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from exporters.errors import FailureReason, TargetError, WireError
from exporters.sockets.resolution import Endpoint
from exporters.wire.ber import read_header
from exporters.wire.snmp_message import MAX_MESSAGE_BYTES
from exporters.wire.tags import SEQUENCE

_RECEIVE_BUFFER_BYTES: Final = 1 << 20
_DATAGRAMS_PER_WAKE: Final = 64
_LONGEST_HEADER_BYTES: Final = 6

# Linux's numbers, which the socket module does not name.
_RECEIVE_ERRORS: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}

_ANY: Final = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - hears answers

_REFUSED: Final = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ENOPROTOOPT})
_UNREACHABLE: Final = frozenset(
    {
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
        errno.ENONET,
        errno.EACCES,
        errno.EPERM,
        errno.EPROTO,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
        errno.EINVAL,
    }
)

OnMessage = Callable[[bytes], None]
OnError = Callable[[TargetError], None]


class Transport(Protocol):
    """Carries whole messages to and from one agent."""

    closed: bool
    """Whether nothing can be sent any more."""

    def send(self, message: bytes) -> None:
        """Send one message; errors arrive at the error callback or raise ``TargetError``."""

    def close(self) -> None:
        """Give the socket back; nothing is called any more afterwards."""


async def open_transport(
    endpoint: Endpoint,
    on_message: OnMessage,
    on_error: OnError,
    *,
    source: tuple[str, int] | None,
    connected: bool,
    deadline_at: float,
) -> Transport:
    """Open a socket towards *endpoint*.

    Args:
        endpoint: The resolved agent.
        on_message: Called with every message that arrives.
        on_error: Called with every error that the system tells. REFUSED and DECODE are final; what
            else a UDP socket hears is a router's opinion, and may be over with the next packet.
        source: Local address and port to send from.
        connected: Whether a UDP socket hears this address alone; False for agents that answer from
            another address.
        deadline_at: When a TCP connection must stand, on the loop's clock.

    Raises:
        TargetError: The agent cannot be reached, or the local side failed.
    """
    if not endpoint.stream:
        return UdpTransport(endpoint, on_message, on_error, source, connected=connected)
    try:
        async with asyncio.timeout_at(deadline_at):
            return await _connect_stream(endpoint, on_message, on_error, source)
    except TimeoutError as error:
        raise TargetError(
            FailureReason.TIMEOUT, f"request timeout: no connection to {endpoint}"
        ) from error
    except OSError as error:
        raise translate_os_error(error, endpoint) from error


async def _connect_stream(
    endpoint: Endpoint, on_message: OnMessage, on_error: OnError, source: tuple[str, int] | None
) -> Transport:
    loop = asyncio.get_running_loop()
    stream = _open_socket(endpoint, socket.SOCK_STREAM, source)
    try:
        # Not create_connection alone: it forgets the zone of a link-local address.
        await loop.sock_connect(stream, endpoint.socket_address)
        _, protocol = await loop.create_connection(
            lambda: TcpTransport(endpoint, on_message, on_error), sock=stream
        )
    except BaseException:
        stream.close()
        raise
    return protocol


def translate_os_error(error: OSError, endpoint: Endpoint) -> TargetError:
    """Name the reason that the system gives for not reaching an agent."""
    # Not its own text: asyncio says "Connect call failed" and a pair of Python's.
    detail = f"{endpoint}: {os.strerror(error.errno) if error.errno else error}"
    if error.errno == errno.EINVAL and endpoint.ip.is_link_local:
        detail = f"{endpoint}: a link-local address needs its interface, as in [fe80::1%eth0]"
    if error.errno in _REFUSED:
        return TargetError(FailureReason.REFUSED, detail)
    if error.errno in _UNREACHABLE:
        return TargetError(FailureReason.UNREACHABLE, detail)
    if error.errno == errno.ETIMEDOUT:
        return TargetError(FailureReason.TIMEOUT, detail)
    return TargetError(FailureReason.LOCAL, detail)


def _open_socket(
    endpoint: Endpoint, kind: socket.SocketKind, source: tuple[str, int] | None
) -> socket.socket:
    """Open a non-blocking socket, bound to *source* where there is one.

    Raises:
        TargetError: The system has no socket, or does not let it have the source address.
    """
    try:
        opened = socket.socket(endpoint.family, kind)
    except OSError as error:
        raise translate_os_error(error, endpoint) from error
    try:
        opened.setblocking(False)
        if source is not None:
            opened.bind(source)
    except OSError as error:
        opened.close()
        where = f"{source[0]} port {source[1]}" if source is not None else "a local address"
        detail = f"cannot send from {where} to {endpoint}: {error.strerror or error}"
        raise TargetError(FailureReason.LOCAL, detail) from error
    return opened


class UdpTransport:
    """One UDP socket to one agent."""

    def __init__(
        self,
        endpoint: Endpoint,
        on_message: OnMessage,
        on_error: OnError,
        source: tuple[str, int] | None,
        *,
        connected: bool,
    ) -> None:
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._endpoint = endpoint
        self._on_message = on_message
        self._on_error = on_error
        self._socket = _open_socket(endpoint, socket.SOCK_DGRAM, source)
        self._destination: tuple[Any, ...] | None = None
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            if sys.platform == "linux":
                with contextlib.suppress(OSError):  # kernels that imitate Linux do not all have it
                    self._socket.setsockopt(*_RECEIVE_ERRORS[endpoint.family], 1)
            if connected:
                self._socket.connect(endpoint.socket_address)
            else:
                self._destination = endpoint.socket_address
                if source is None:
                    self._socket.bind((_ANY[endpoint.family], 0))
            self._loop.add_reader(self._socket.fileno(), self._readable)
        except OSError as error:
            self._socket.close()
            raise translate_os_error(error, endpoint) from error

    def send(self, message: bytes) -> None:
        """Send one datagram; a full send buffer counts as a lost packet.

        Raises:
            TargetError: The system refuses to send there.
        """
        try:
            self._send(message)
        except OSError as error:
            # The system tells an ICMP error of an earlier packet here, and does not send this one.
            self._on_error(translate_os_error(error, self._endpoint))
            try:
                self._send(message)
            except OSError as again:
                raise translate_os_error(again, self._endpoint) from again

    def close(self) -> None:
        """Stop listening and close the socket."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _send(self, message: bytes) -> None:
        try:
            if self._destination is None:
                self._socket.send(message)
            else:
                self._socket.sendto(message, self._destination)
        except BlockingIOError:
            return

    def _readable(self) -> None:
        for count in range(_DATAGRAMS_PER_WAKE):
            try:
                message = self._socket.recv(MAX_MESSAGE_BYTES + 1)
            except BlockingIOError:
                if count == 0:  # woken for an error that send has told already
                    self._forget_errors()
                return
            except OSError as error:
                self._forget_errors()
                self._on_error(translate_os_error(error, self._endpoint))
            else:
                self._on_message(message)

    def _forget_errors(self) -> None:
        """Empty the queue of errors, which keeps the socket readable; the last one is known."""
        if sys.platform != "linux":
            return
        for _ in range(_DATAGRAMS_PER_WAKE):
            try:
                self._socket.recvmsg(1, 0, socket.MSG_ERRQUEUE)
            except OSError:
                return


class TcpTransport(asyncio.Protocol):
    """One TCP connection to one agent; messages are cut out of the stream by their BER length."""

    def __init__(self, endpoint: Endpoint, on_message: OnMessage, on_error: OnError) -> None:
        self.closed = False
        self._endpoint = endpoint
        self._on_message = on_message
        self._on_error = on_error
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the stream (called by asyncio)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows asyncio's type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Cut whole messages out of what has arrived (called by asyncio)."""
        self._buffer += data
        try:
            while not self.closed and (size := message_bytes(self._buffer)) is not None:
                message = bytes(self._buffer[:size])
                del self._buffer[:size]
                self._on_message(message)
        except WireError as error:
            self.close()
            detail = f"{self._endpoint} sends what is no SNMP message: {error}"
            self._on_error(TargetError(FailureReason.DECODE, detail))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the agent hung up, unless we did (called by asyncio)."""
        if not self.closed:
            self.closed = True
            detail = f"{self._endpoint}: the agent closed the connection"
            self._on_error(TargetError(FailureReason.REFUSED, detail))

    def send(self, message: bytes) -> None:
        """Queue one message on the stream."""
        if self._transport is not None and not self.closed:
            self._transport.write(message)

    def close(self) -> None:
        """Drop the connection."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()


def message_bytes(stream: bytearray) -> int | None:
    """Give the size of the whole message that *stream* starts with; None until it is whole.

    Raises:
        WireError: It does not start like a message, or says that it is longer than any may be.
    """
    if not stream:
        return None
    if stream[0] != SEQUENCE:
        raise WireError(f"a message cannot start with tag 0x{stream[0]:02x}")
    if len(stream) < 2 or (stream[1] >= 0x80 and len(stream) < _LONGEST_HEADER_BYTES):
        return None
    head = bytes(stream[:_LONGEST_HEADER_BYTES])
    _, _, size = read_header(head, 0, MAX_MESSAGE_BYTES)
    return size if size <= len(stream) else None
