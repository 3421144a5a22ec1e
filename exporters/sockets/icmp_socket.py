"""One ICMP socket for any number of destinations: echo requests out, replies and errors in.

What makes it exact is the kernel's: every reply carries the time at which it arrived, so that it
may lie in the buffer until it is read, and every ICMP error comes with its reporter and code. The
caller decides when to read (``receive``), for whom a reply is, and what time it allows.

An error that is pending on the socket makes the next send fail, whatever its destination is, and
that packet is not sent. So a send that fails is tried again once the error queue is read.

Sources: ip(7) (IP_RECVERR), net/ipv4/ping.c and raw.c of the kernel.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from struct import Struct
from typing import Final

from exporters.errors import FailureReason, TargetError, WireError
from exporters.sockets import icmp_options, receive_buffer
from exporters.sockets.icmp_open import OpenedSocket, SocketMode, open_icmp_socket
from exporters.sockets.icmp_values import (
    CONGESTED,
    ErrorReport,
    Reply,
    SendError,
    SocketAddress,
    Stamp,
)
from exporters.sockets.kernel_errors import (
    KernelError,
    address_text,
    decode_kernel_error,
)
from exporters.wire.icmp import (
    IpVersion,
    decode_echo_reply,
    decode_error,
    decode_quoted_echo,
    encode_echo_request,
    split_ipv4_header,
)
from exporters.wire.icmp_errors import may_be_neighbor

_LONGEST_MESSAGE_BYTES: Final = 65536
_CONTROL_BYTES: Final = 512
_MESSAGES_PER_RECEIVE: Final = 1024
_ERRORS_PER_DRAIN: Final = 1024
_SEND_ATTEMPTS: Final = 3

_TIMESPEC: Final = Struct("@ll")
_INT: Final = Struct("@i")
_TIMESTAMP: Final = (socket.SOL_SOCKET, icmp_options.SO_TIMESTAMPNS)


OnReply = Callable[[Reply], None]
OnError = Callable[[ErrorReport], None]


class IcmpSocket:
    """An open socket; see the module.

    Attributes:
        identifier: what the kernel, or for a raw socket we, put into the header.
        garbage: how many messages did not decode.
        kernel_stamps: whether replies have the time of their arrival, not that of being read.
        buffer_granted_bytes: how much may lie unread.
    """

    def __init__(
        self,
        version: IpVersion,
        opened: OpenedSocket,
        interface: str,
        on_reply: OnReply,
        on_error: OnError,
    ) -> None:
        self.version = version
        self.mode: SocketMode = opened.mode
        self.identifier = opened.identifier
        self.garbage = 0
        self.kernel_stamps = False
        self.buffer_granted_bytes = 0
        self._opened = opened
        self._interface = interface
        self._socket = opened.socket
        self._on_reply = on_reply
        self._on_error = on_error
        self._error_queue = opened.mode == "datagram" and icmp_options.IS_LINUX
        self._has_ip_header = version == 4 and not self._error_queue
        self._checksummed = version == 4 and opened.mode == "raw"
        self._level = icmp_options.LEVEL[version]
        self._hop_limit_type = icmp_options.HOP_LIMIT[version]
        self._traffic_class_type = icmp_options.TRAFFIC_CLASS[version]
        # Not a new one for each message: the C library would give its memory back each time.
        self._buffer = memoryview(bytearray(_LONGEST_MESSAGE_BYTES))
        self._control: dict[tuple[int | None, int | None], list[tuple[int, int, bytes]]] = {}

    @classmethod
    def open(
        cls,
        version: IpVersion,
        *,
        source: str = "",
        interface: str = "",
        receive_buffer_bytes: int = 0,
        dont_fragment: bool = False,
        on_reply: OnReply,
        on_error: OnError,
    ) -> IcmpSocket:
        """Open a socket; datagram where this user may have it, else raw.

        Args:
            version: 4 or 6.
            source: The address to send from; "" for whichever the route has.
            interface: The interface or VRF to send through; "" for whichever the route has.
            receive_buffer_bytes: How much may lie unread (``buffer_for``); 0 as the system has it.
            dont_fragment: Whether no router may cut the packets, nor this machine.
            on_reply: Called in ``receive`` for every echo reply to this socket's identifier.
            on_error: Called in ``receive`` and ``send`` for every error about one of its packets.

        Raises:
            SocketDenied: This user may have neither kind of socket.
            TargetError: The system has no such address, interface or protocol (reason LOCAL).
        """
        opened = open_icmp_socket(version, source, interface)
        self = cls(version, opened, interface, on_reply, on_error)
        try:
            self._set_options(receive_buffer_bytes, dont_fragment=dont_fragment)
        except OSError as error:
            self.close()
            detail = f"cannot set up a socket for ICMPv{version}: {error.strerror or error}"
            raise TargetError(FailureReason.LOCAL, detail) from error
        return self

    def fileno(self) -> int:
        """The descriptor, for an event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._opened.owner.close()

    def grow_receive_buffer(self, wanted_bytes: int) -> None:
        """Have room for so many bytes that lie unread, or as many as the system grants."""
        self.buffer_granted_bytes = receive_buffer.grow(self._socket, wanted_bytes)

    def drops(self) -> int:
        """Count the messages that were lost because the receive buffer was full."""
        return receive_buffer.read_state(self._socket).drops

    def interface_lost(self) -> bool:
        """Whether the interface that it is bound to is gone, or another of that name is there."""
        if not self._interface:
            return False
        try:
            return socket.if_nametoindex(self._interface) != self._opened.interface_number
        except OSError:
            return True

    def send(
        self,
        destination: SocketAddress,
        sequence: int,
        payload: bytes,
        *,
        hop_limit: int | None = None,
        traffic_class: int | None = None,
    ) -> Stamp:
        """Send one echo request; give the instant just before.

        Args:
            destination: Where to.
            sequence: The lowest 16 bits go into the header.
            payload: What the reply has to bring back.
            hop_limit: TTL or hop limit of this packet; None as the system has it.
            traffic_class: TOS or traffic class of this packet: DSCP times 4.

        Raises:
            SendError: The kernel does not send it, for a reason of its own.
        """
        packet = encode_echo_request(
            self.version,
            self.identifier,
            sequence & 0xFFFF,
            payload,
            checksummed=self._checksummed,
        )
        control = None
        if hop_limit is not None or traffic_class is not None:
            control = self._control_messages(hop_limit, traffic_class)
        try:
            return self._send(packet, control, destination)
        except OSError as error:
            return self._send_again(error, packet, control, destination)

    def receive(self, limit: int = _MESSAGES_PER_RECEIVE) -> int:
        """Read what has arrived, no more than *limit* messages; give how many there were."""
        now = Stamp.now()
        to_monotonic = now.monotonic_ns - now.realtime_ns
        receive, buffer = self._socket.recvmsg_into, self._buffer
        for count in range(limit):
            try:
                size, control, _, address = receive((buffer,), _CONTROL_BYTES)
            except BlockingIOError:
                if count == 0 and self._error_queue:
                    self._drain_errors(to_monotonic)
                return count
            except OSError:
                if self._error_queue:
                    self._drain_errors(to_monotonic)
                continue
            try:
                self._read_message(bytes(buffer[:size]), control, address, now, to_monotonic)
            except WireError:
                self.garbage += 1
        return limit

    def _set_options(self, receive_buffer_bytes: int, *, dont_fragment: bool) -> None:
        self.kernel_stamps = icmp_options.set_receive_options(self._socket, self.version)
        icmp_options.set_dont_fragment(self._socket, self.version, dont_fragment=dont_fragment)
        if self._error_queue:
            icmp_options.set_receive_errors(self._socket, self.version)
        elif self.mode == "raw":
            icmp_options.filter_raw(self._socket, self.version, self.identifier)
        self.grow_receive_buffer(receive_buffer_bytes)

    def _control_messages(
        self, hop_limit: int | None, traffic_class: int | None
    ) -> list[tuple[int, int, bytes]]:
        """Control messages of a packet; few combinations are ever used, so they are kept."""
        key = (hop_limit, traffic_class)
        control = self._control.get(key)
        if control is None:
            kinds = ((self._hop_limit_type, hop_limit), (self._traffic_class_type, traffic_class))
            control = [
                (self._level, kind, _INT.pack(value)) for kind, value in kinds if value is not None
            ]
            self._control[key] = control
        return control

    def _send(
        self,
        packet: bytes,
        control: list[tuple[int, int, bytes]] | None,
        destination: SocketAddress,
    ) -> Stamp:
        if control is None:
            stamp = Stamp.now()
            self._socket.sendto(packet, destination)
            return stamp
        stamp = Stamp.now()
        self._socket.sendmsg((packet,), control, 0, destination)
        return stamp

    def _send_again(
        self,
        error: OSError,
        packet: bytes,
        control: list[tuple[int, int, bytes]] | None,
        destination: SocketAddress,
    ) -> Stamp:
        """Find out whose error it was: read the queue, then try again.

        Raises:
            SendError: It was this packet's.
        """
        mtu = 0
        for _ in range(_SEND_ATTEMPTS - 1):
            if error.errno in CONGESTED or not self._error_queue:
                break
            now = Stamp.now()
            foreign, mtu = self._drain_errors(now.monotonic_ns - now.realtime_ns)
            try:
                return self._send(packet, control, destination)
            except OSError as again:
                error = again
                if not foreign:
                    break
        raise SendError(error.errno or errno.EIO, destination, mtu) from error

    def _read_message(
        self,
        data: bytes,
        control: list[tuple[int, int, bytes]],
        address: SocketAddress,
        now: Stamp,
        to_monotonic: int,
    ) -> None:
        """Hand on a reply or, from a raw socket, an error.

        Raises:
            WireError: It is neither.
        """
        stamp, hop_limit, traffic_class = self._read_control(control, now, to_monotonic)
        message = split_ipv4_header(data) if self._has_ip_header else data
        source = address_text(address[0], address[3]) if self.version == 6 else address[0]
        if not self._error_queue and message[:1] != (b"\x00" if self.version == 4 else b"\x81"):
            self._read_error_message(message, source, stamp)
            return
        reply = decode_echo_reply(self.version, message)
        if reply.identifier != self.identifier:
            return
        self._on_reply(
            Reply(source, reply.sequence, reply.payload, stamp, hop_limit, traffic_class)
        )

    def _read_control(
        self, control: list[tuple[int, int, bytes]], now: Stamp, to_monotonic: int
    ) -> tuple[Stamp, int | None, int | None]:
        """Read when a message arrived, its hop limit and its traffic class."""
        stamp = now
        hop_limit = traffic_class = None
        for level, kind, data in control:
            if kind == icmp_options.SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                realtime = seconds * 1_000_000_000 + nanoseconds
                stamp = Stamp(realtime, realtime + to_monotonic)
            elif kind == self._hop_limit_type:
                hop_limit = _INT.unpack(data)[0]
            elif kind == self._traffic_class_type:
                traffic_class = data[0] if len(data) == 1 else _INT.unpack(data)[0]
        return stamp, hop_limit, traffic_class

    def _read_error_message(self, message: bytes, source: str, stamp: Stamp) -> None:
        """Hand on an error that a raw socket got as a message.

        Raises:
            WireError: It is none, or about something else than an echo request.
        """
        error = decode_error(self.version, message)
        quoted = error.quoted
        if quoted.identifier != self.identifier:
            return  # about another program's ping
        self._on_error(
            ErrorReport(
                destination=quoted.destination,
                reporter=source,
                reported_by_us=source == quoted.source,
                type=error.type,
                code=error.code,
                mtu=error.mtu,
                sequence=quoted.sequence,
                payload=quoted.payload,
                received=stamp,
                extensions=error.extensions,
            )
        )

    def _drain_errors(self, to_monotonic: int) -> tuple[int, int]:
        """Read the error queue; give how many ICMP errors it had, and the MTU of a local one."""
        found = mtu = 0
        now = Stamp.now()
        for _ in range(_ERRORS_PER_DRAIN):
            try:
                size, control, _, address = self._socket.recvmsg_into(
                    (self._buffer,), _CONTROL_BYTES, socket.MSG_ERRQUEUE
                )
            except OSError:
                break
            for level, kind, content in control:
                if level == self._level and kind == icmp_options.RECEIVE_ERRORS[self.version]:
                    error = decode_kernel_error(content)
                    if error.is_icmp:
                        found += 1
                        stamp, _, _ = self._read_control(control, now, to_monotonic)
                        self._report(error, bytes(self._buffer[:size]), address, stamp)
                    else:
                        mtu = error.info
        return found, mtu

    def _report(
        self, error: KernelError, data: bytes, address: SocketAddress, stamp: Stamp
    ) -> None:
        try:
            quoted = decode_quoted_echo(self.version, data)
        except WireError:
            self.garbage += 1
            return
        scope = address[3] if self.version == 6 else 0
        self._on_error(
            ErrorReport(
                destination=address_text(address[0], scope),
                reporter=error.reporter,
                reported_by_us=may_be_neighbor(self.version, error.type, error.code)
                and _is_own_address(self.version, error.reporter),
                type=error.type,
                code=error.code,
                mtu=error.info,
                sequence=quoted.sequence,
                payload=quoted.payload,
                received=stamp,
            )
        )


def buffer_for(replies: int, payload_bytes: int) -> int:
    """Size a receive buffer that holds *replies* of *payload_bytes* at once.

    The kernel counts what a packet takes, not what is in it: 832 bytes for the smallest.
    """
    return replies * (1024 + 2 * payload_bytes)


def _is_own_address(version: IpVersion, address: str) -> bool:
    """Whether *address* is this machine's, which is to say: whether a socket can be bound to it."""
    host, _, scope = address.partition("%")
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    where: SocketAddress = (host, 0) if version == 4 else (host, 0, 0, int(scope or 0))
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(where)
        except OSError:
            return False
    return True
