"""UDP sockets for receivers of events: batches in, single answers out, nothing lost unseen.

A datagram comes with an *envelope*, the bytes of the sender's address and of the address that it
was sent to, as the kernel wrote them. Receivers look at hosts thousands of times a second and at
what is in an envelope once for each: ``host_of`` slices the bytes that tell hosts apart, and
``address_of`` writes the address. An answer leaves from the address that the datagram was sent to,
because a sender that asks one address does not hear another (several addresses, one socket).

On Linux ``recvmmsg`` reads up to 64 datagrams with one call: 1.5 us for each, measured, where
``recvfrom`` takes 3.1 us. Elsewhere they are read one by one.

Sources: recvmmsg(2), ip(7) (IP_PKTINFO), ipv6(7) (IPV6_PKTINFO), udp(7).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final, Protocol

from exporters.errors import ConfigError, Problem
from exporters.sockets import receive_buffer
from exporters.sockets.listen_address import ListenAddress, SocketAddress
from exporters.sockets.receive_buffer import QueueState

Datagram = tuple[bytes, bytes, bool]
"""Content, envelope, and whether the content was cut because it is longer than a datagram is."""

LONGEST_DATAGRAM_BYTES: Final = 65535

_IS_LINUX: Final = sys.platform == "linux"
_BATCH: Final = 64
_NAME_BYTES: Final = 32
_CONTROL_BYTES: Final = 64
_ENVELOPE_BYTES: Final = _NAME_BYTES + _CONTROL_BYTES
_PORT: Final = struct.Struct("!H")
_SCOPE: Final = struct.Struct("@I")
_TRUNCATED: Final = int(socket.MSG_TRUNC)  # a plain number: 64 times a call, an enum costs more
_DONT_WAIT: Final = int(socket.MSG_DONTWAIT)
_IP_PKTINFO: Final = 8
_IPV6_RECVPKTINFO: Final = 49
_IPV6_PKTINFO: Final = 50
_HOST: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 28)}
_MAPPED: Final = bytes(10) + b"\xff\xff"
_CMSG_HEADER: Final = struct.Struct("@Nii")


class DatagramAnswers(Protocol):
    """What a receiver needs of a socket besides the datagrams."""

    @property
    def host_of(self) -> slice:
        """Where in an envelope the bytes are that tell hosts apart."""

    def answer(self, content: bytes, envelope: bytes) -> None:
        """Send a datagram to the sender of another one, from the address that it was sent to.

        Raises:
            OSError: The system does not send it.
        """


class _Reader(Protocol):
    def read(self) -> list[Datagram]:
        """Give what has arrived, as much as one call takes; nothing if nothing has."""


class DatagramSocket:
    """One bound socket."""

    def __init__(self, opened: socket.socket, *, asked_bytes: int) -> None:
        self.address = ListenAddress(*opened.getsockname()[:2])
        self.asked_bytes = asked_bytes
        self.granted_bytes = receive_buffer.grow(opened, asked_bytes)
        self.host_of: Final = _HOST[opened.family]
        self._socket = opened
        self._drops_seen = 0
        self._drops = 0
        self._reader: _Reader = _BatchReader(opened) if _IS_LINUX else _SingleReader(opened)

    def fileno(self) -> int:
        """The descriptor, for an event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close it; what lies unread is lost."""
        self._socket.close()

    def receive(self) -> list[Datagram]:
        """Give what has arrived, at most 64; nothing if nothing has."""
        return self._reader.read()

    def answer(self, content: bytes, envelope: bytes) -> None:
        """Send a datagram to the sender of another one, from the address that it was sent to.

        Raises:
            OSError: The system does not send it.
        """
        address = _decode_name(self._socket.family, envelope)
        self._socket.sendmsg((content,), _answer_control(envelope), 0, address)

    def state(self) -> QueueState:
        """How much lies unread, and how many datagrams were lost since the socket was opened."""
        state = receive_buffer.read_state(self._socket)
        self._drops += (state.drops - self._drops_seen) & 0xFFFFFFFF
        self._drops_seen = state.drops
        return state._replace(drops=self._drops)


def address_of(host: bytes) -> str:
    """Write the address of a host, as ``host_of`` sliced it from an envelope.

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
    addresses: Sequence[ListenAddress], *, receive_buffer_bytes: int, flag: str
) -> list[DatagramSocket]:
    """Open sockets at all *addresses*, or none; *flag* is where they came from, for errors.

    Raises:
        ConfigError: The system refuses one of them.
    """
    with ExitStack() as undo:
        opened = []
        for address in addresses:
            for bound in _bind_all(address, flag):
                undo.callback(bound.close)
                opened.append(DatagramSocket(bound, asked_bytes=receive_buffer_bytes))
        undo.pop_all()
    return opened


def _bind_all(address: ListenAddress, flag: str) -> list[socket.socket]:
    try:
        if address.host in ("", "::"):
            return [_bind_everywhere(address.port)]
        resolved = address.resolve()
    except OSError as error:
        raise _refused(address, error, flag) from error
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for family, where in resolved:
        try:
            bound.append(_bind(family, where))
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


def _bind_everywhere(port: int) -> socket.socket:
    try:
        return _bind(socket.AF_INET6, ("::", port), dual_stack=True)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        return _bind(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - a kernel without IPv6


def _bind(
    family: socket.AddressFamily, where: SocketAddress, *, dual_stack: bool = False
) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual_stack)
            if _IS_LINUX:
                opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        elif _IS_LINUX:
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


class _BatchReader:
    """Reads with ``recvmmsg`` into memory that is laid out once.

    One slot of it for each datagram: its content, and its envelope. The kernel writes lengths and
    flags into an array of ``struct mmsghdr``, which is given to it again as it is: a later call
    overwrites all that an earlier one wrote, and no envelope is longer than the first was.
    """

    def __init__(self, opened: socket.socket) -> None:
        self._descriptor = opened.fileno()
        self._contents = mmap.mmap(-1, _BATCH * (LONGEST_DATAGRAM_BYTES + 1))
        self._envelopes = mmap.mmap(-1, _BATCH * _ENVELOPE_BYTES)
        self._messages = (_Message * _BATCH)()
        self._vectors = (_Vector * _BATCH)()
        contents = ctypes.addressof(ctypes.c_char.from_buffer(self._contents))
        envelopes = ctypes.addressof(ctypes.c_char.from_buffer(self._envelopes))
        for place in range(_BATCH):
            vector, header = self._vectors[place], self._messages[place].header
            vector.base = contents + place * (LONGEST_DATAGRAM_BYTES + 1)
            vector.length = LONGEST_DATAGRAM_BYTES
            header.name = envelopes + place * _ENVELOPE_BYTES
            header.name_length = _NAME_BYTES
            header.vectors = ctypes.addressof(vector)
            header.vector_count = 1
            header.control = header.name + _NAME_BYTES
            header.control_length = _CONTROL_BYTES
        self._results = memoryview(self._messages).cast("B")
        flags_at, length_at = _Header.flags.offset, _Message.length.offset
        self._read_result = struct.Struct(
            f"@{flags_at}xi{length_at - flags_at - 4}xI{ctypes.sizeof(_Message) - length_at - 4}x"
        )

    def read(self) -> list[Datagram]:
        count = _recvmmsg(self._descriptor, self._messages, _BATCH, _DONT_WAIT, None)
        if count <= 0:
            return []
        contents, envelopes = self._contents, self._envelopes
        datagrams: list[Datagram] = []
        content_at = envelope_at = 0
        size = count * self._read_result.size
        for flags, length in self._read_result.iter_unpack(self._results[:size]):
            datagrams.append(
                (
                    contents[content_at : content_at + length],
                    envelopes[envelope_at : envelope_at + _ENVELOPE_BYTES],
                    flags & _TRUNCATED != 0,
                )
            )
            content_at += LONGEST_DATAGRAM_BYTES + 1
            envelope_at += _ENVELOPE_BYTES
        return datagrams


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_size_t), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """``struct msghdr``."""

    _fields_ = (
        ("name", ctypes.c_size_t),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_size_t),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_size_t),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """``struct mmsghdr``."""

    _fields_ = (("header", _Header), ("length", ctypes.c_uint))


def _load_recvmmsg() -> Any:
    function = ctypes.CDLL(None, use_errno=True).recvmmsg
    function.argtypes = (
        ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p,
    )  # fmt: skip
    return function


_recvmmsg: Final[Any] = _load_recvmmsg() if _IS_LINUX else None


class _SingleReader:
    """Reads datagrams one by one, and makes the envelopes that ``recvmmsg`` would have written."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def read(self) -> list[Datagram]:
        datagrams: list[Datagram] = []
        while len(datagrams) < _BATCH:
            try:
                content, _, flags, address = self._socket.recvmsg(LONGEST_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:
                    continue  # an answer of ours found nobody
                raise
            is_cut = flags & _TRUNCATED != 0
            datagrams.append((content, _encode_name(self._socket.family, address), is_cut))
        return datagrams


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
    _, level, kind = _CMSG_HEADER.unpack_from(envelope, _NAME_BYTES)
    data_at = _NAME_BYTES + _CMSG_HEADER.size
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
