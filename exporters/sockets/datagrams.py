"""UDP sockets for receivers of events: batches in, single answers out, nothing lost unseen.

A batch comes in columns: contents, and the bytes that tell the hosts apart which sent them, so that
a receiver looks thousands of hosts up with one call; ``address_of`` writes the address of a host.
An answer leaves from the address that the datagram was sent to, because a sender that asks one
address does not hear another (several addresses, one socket). Who never answers does not have the
kernel tell that address.

On Linux ``recvmmsg`` reads up to 256 datagrams with one call (``exporters.sockets.recvmmsg``).
Elsewhere they are read one by one.

Sources: ip(7) (IP_PKTINFO), ipv6(7) (IPV6_PKTINFO), udp(7).
"""

from __future__ import annotations

import errno
import mmap
import os
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple, Protocol

from exporters.errors import ConfigError, Problem
from exporters.sockets import receive_buffer
from exporters.sockets.broadcast_copies import OwnReader, Reader
from exporters.sockets.listen_address import ListenAddress, SocketAddress
from exporters.sockets.receive_buffer import QueueState
from exporters.sockets.recvmmsg import BATCH, CONTROL_BYTES, NAME_BYTES, BatchReader
from exporters.sockets.shared_port import share_port
from exporters.wire.source_shares import share_of

LONGEST_DATAGRAM_BYTES: Final = 65535

_IS_LINUX: Final = sys.platform == "linux"
_ENVELOPE_BYTES: Final = NAME_BYTES + CONTROL_BYTES
_PORT: Final = struct.Struct("!H")
_SCOPE: Final = struct.Struct("@I")
_TRUNCATED: Final = int(socket.MSG_TRUNC)
_IP_PKTINFO: Final = 8
_IPV6_RECVPKTINFO: Final = 49
_IPV6_PKTINFO: Final = 50
_HOST: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 28)}
_MAPPED: Final = bytes(10) + b"\xff\xff"
_CMSG_HEADER: Final = struct.Struct("@Nii")


class Datagrams(NamedTuple):
    """What came together, in columns.

    Attributes:
        contents: What was sent.
        hosts: Who sent it, for ``address_of``.
        cut: The places of contents that were cut, because they are longer than a datagram is.
    """

    contents: list[bytes]
    hosts: list[bytes]
    cut: Sequence[int] = ()


class DatagramAnswers(Protocol):
    """What a receiver needs of a socket besides the datagrams."""

    def answer(self, content: bytes, place: int) -> None:
        """Answer the datagram at a place of the last batch, from the address it was sent to.

        Raises:
            OSError: The system does not send it.
        """


class DatagramSocket:
    """One bound socket.

    Args:
        opened: It.
        asked_bytes: The receive buffer that it should have.
        share: Which socket it is, and of how many, where several share its port.
    """

    def __init__(
        self, opened: socket.socket, *, asked_bytes: int, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.address = ListenAddress(*opened.getsockname()[:2])
        self.asked_bytes = asked_bytes
        self.granted_bytes = receive_buffer.grow(opened, asked_bytes)
        self._socket = opened
        # In memory that forks share: the kernel counts for as long as the socket is open, and who
        # reads it in place of a process that ended begins where that one has left off.
        self._drops_seen = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self._drops = 0
        self._reader: Reader = (
            BatchReader(opened, LONGEST_DATAGRAM_BYTES) if _IS_LINUX else _SingleReader(opened)
        )
        self._own_reader: OwnReader | None = None
        number, count = share
        if count > 1:
            self._reader = self._own_reader = OwnReader(
                self._reader, lambda host: share_of(address_of(host), count) == number
            )

    @property
    def copies(self) -> int:
        """How many datagrams came here that another socket has as well, and were left to it."""
        return 0 if self._own_reader is None else self._own_reader.copies

    def fileno(self) -> int:
        """The descriptor, for an event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close it; what lies unread is lost."""
        self._socket.close()

    def receive(self) -> Datagrams:
        """Give what has arrived, at most 256; nothing if nothing has."""
        return Datagrams(*self._reader.read())

    def answer(self, content: bytes, place: int) -> None:
        """Answer the datagram at a place of the last batch, from the address it was sent to.

        Raises:
            OSError: The system does not send it.
        """
        envelope = self._reader.envelope(place)
        address = _decode_name(self._socket.family, envelope)
        self._socket.sendmsg((content,), _answer_control(envelope), 0, address)

    def state(self) -> QueueState:
        """How much lies unread, and how many datagrams were lost since the socket was opened.

        Of a socket that another process has read before: since that one was last asked.
        """
        state = receive_buffer.read_state(self._socket)
        self._drops += (state.drops - self._drops_seen[0]) & 0xFFFFFFFF
        self._drops_seen[0] = state.drops
        return state._replace(drops=self._drops)


def address_of(host: bytes) -> str:
    """Write the address of a host.

    IPv4 in IPv6 is IPv4, and a link-local address has its zone.
    """
    if len(host) == 4:
        return socket.inet_ntop(socket.AF_INET, host)
    address, scope = host[:16], _SCOPE.unpack_from(host, 16)[0]
    if address.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, address[12:])
    text = socket.inet_ntop(socket.AF_INET6, address)
    return f"{text}%{_interface_name(scope)}" if scope else text


def open_datagram_sockets(
    addresses: Sequence[ListenAddress], *, receive_buffer_bytes: int, flag: str, answers: bool
) -> list[DatagramSocket]:
    """Open sockets at all *addresses*, or none; *flag* is where they came from, for errors.

    Only with *answers* can datagrams be answered: it costs a little for each that is received.

    Raises:
        ConfigError: The system refuses one of them.
    """
    with ExitStack() as undo:
        opened = []
        for address in addresses:
            for bound in _bind_all(address, flag, answers=answers):
                undo.callback(bound.close)
                opened.append(DatagramSocket(bound, asked_bytes=receive_buffer_bytes))
        undo.pop_all()
    return opened


def open_shared_datagram_sockets(
    addresses: Sequence[ListenAddress],
    count: int,
    *,
    receive_buffer_bytes: int,
    flag: str,
    answers: bool,
) -> list[list[DatagramSocket]]:
    """Open sockets at all *addresses*, or none, for each of *count* processes.

    Each has its share of the senders (``exporters.sockets.shared_port``).

    Raises:
        ConfigError: The system refuses one of them.
    """
    shares: list[list[DatagramSocket]] = [[] for _ in range(count)]
    with ExitStack() as undo:
        for address in addresses:
            for bound in _bind_all(address, flag, answers=answers):
                for number, one in enumerate(share_port(bound, count)):
                    undo.callback(one.close)
                    shares[number].append(
                        DatagramSocket(one, asked_bytes=receive_buffer_bytes, share=(number, count))
                    )
        undo.pop_all()
    return shares


def _bind_all(address: ListenAddress, flag: str, *, answers: bool) -> list[socket.socket]:
    try:
        if address.host in ("", "::"):
            return [_bind_everywhere(address.port, answers=answers)]
        resolved = address.resolve()
    except OSError as error:
        raise _refused(address, error, flag) from error
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for family, where in resolved:
        try:
            bound.append(_bind(family, where, answers=answers))
        except OSError as error:
            # A name may have addresses that this machine lacks: "localhost" without IPv6.
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                missing = error
                continue
            for one in bound:
                one.close()
            raise _refused(address, error, flag) from error
    if not bound and missing is not None:
        raise _refused(address, missing, flag) from missing
    return bound


def _bind_everywhere(port: int, *, answers: bool) -> socket.socket:
    try:
        return _bind(socket.AF_INET6, ("::", port), answers=answers, dual_stack=True)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        everywhere = ("0.0.0.0", port)  # noqa: S104 - a kernel without IPv6
        return _bind(socket.AF_INET, everywhere, answers=answers)


def _bind(
    family: socket.AddressFamily,
    where: SocketAddress,
    *,
    answers: bool,
    dual_stack: bool = False,
) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual_stack)
            if answers and _IS_LINUX:
                opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        elif answers and _IS_LINUX:
            opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        opened.bind(where)
    except BaseException:
        opened.close()
        raise
    return opened


def _refused(address: ListenAddress, error: OSError, flag: str) -> ConfigError:
    hints = {
        errno.EADDRINUSE: f"stop what listens there, or choose another {flag}",
        errno.EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE "
        f"(systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose another {flag}",
        errno.EADDRNOTAVAIL: "choose an address of this machine",
    }
    number = error.errno or 0  # of names that have no address, a negative one
    reason = os.strerror(number).lower() if number > 0 else str(error.strerror)
    problem = f"cannot listen on UDP {address}: {reason}"
    return ConfigError([Problem(problem, hints.get(number, "check the host name"))])


class _SingleReader:
    """Reads datagrams one by one, and makes the envelopes that ``recvmmsg`` would have written."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._host = _HOST[opened.family]
        self._envelopes: list[bytes] = []

    def read(self) -> tuple[list[bytes], list[bytes], list[int]]:
        contents: list[bytes] = []
        cut: list[int] = []
        self._envelopes.clear()
        while len(contents) < BATCH:
            try:
                content, _, flags, address = self._socket.recvmsg(LONGEST_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:
                    continue  # an answer of ours found nobody
                raise
            if flags & _TRUNCATED:
                cut.append(len(contents))
            contents.append(content)
            self._envelopes.append(_encode_name(self._socket.family, address))
        return contents, [envelope[self._host] for envelope in self._envelopes], cut

    def envelope(self, place: int) -> bytes:
        return self._envelopes[place]


def _encode_name(family: int, address: SocketAddress) -> bytes:
    head = struct.pack("@H", family) + _PORT.pack(address[1])
    if family == socket.AF_INET:
        name = head + socket.inet_pton(family, address[0])
    else:
        host = socket.inet_pton(family, address[0].partition("%")[0])
        name = head + bytes(4) + host + _SCOPE.pack(address[3])
    return name.ljust(_ENVELOPE_BYTES, b"\0")


def _decode_name(family: int, envelope: bytes) -> SocketAddress:
    port = _PORT.unpack_from(envelope, 2)[0]
    if family == socket.AF_INET:
        return socket.inet_ntop(family, envelope[4:8]), port
    scope = _SCOPE.unpack_from(envelope, 24)[0]
    return socket.inet_ntop(family, envelope[8:24]), port, 0, scope


def _answer_control(envelope: bytes) -> list[tuple[int, int, bytes]]:
    """Say which address to send from: the one that the envelope's datagram was sent to."""
    _, level, kind = _CMSG_HEADER.unpack_from(envelope, NAME_BYTES)
    data_at = NAME_BYTES + _CMSG_HEADER.size
    if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
        # struct in_pktinfo: interface, local address, destination in the header
        own = envelope[data_at + 4 : data_at + 8]
        return [(level, kind, bytes(4) + own + bytes(4))]
    if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
        own = envelope[data_at : data_at + 16]
        return [] if own.startswith(b"\xff") else [(level, kind, own + bytes(4))]
    return []


def _interface_name(scope: int) -> str:
    try:
        return socket.if_indextoname(scope)
    except OSError:
        return str(scope)
