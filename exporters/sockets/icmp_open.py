"""How an ICMP socket is had: without privileges where the system allows it, raw otherwise.

Linux gives datagram ICMP sockets, which can send and hear echoes and nothing else, to the groups in
``net.ipv4.ping_group_range`` (IPv6 too). Raw sockets need ``CAP_NET_RAW``. Who has neither is told
the exact remedy.

icmplib opens the sockets; it knows what other systems want of them. Of its constructor only the
opening is used: the interface has to be set before the source address is bound (VRF).
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import icmplib

from exporters.errors import FailureReason, Problem, SocketDenied, TargetError
from exporters.wire.icmp import IpVersion

SocketMode = Literal["datagram", "raw"]

_OPENERS: Final = {4: icmplib.ICMPv4Socket, 6: icmplib.ICMPv6Socket}
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ping_group_range")
_SO_BINDTODEVICE: Final = 25


@dataclass(frozen=True, slots=True)
class OpenedSocket:
    """An open socket.

    Attributes:
        owner: icmplib's object, which closes the socket when nobody holds it.
        interface_number: the kernel's, of the interface that it is bound to; 0 for none.
    """

    socket: socket.socket
    owner: Any
    mode: SocketMode
    identifier: int
    interface_number: int


def open_icmp_socket(version: IpVersion, source: str, interface: str) -> OpenedSocket:
    """Open a non-blocking socket for echoes, bound to what is given ("" is free).

    Raises:
        SocketDenied: This user may have neither kind of socket.
        TargetError: The system has no such address, interface or protocol (reason LOCAL).
    """
    mode: SocketMode = "datagram"
    try:
        owner = _OPENERS[version](privileged=False)
    except icmplib.ICMPSocketError:
        mode = "raw"
        owner = _open_raw(version)
    opened = owner.sock
    try:
        opened.setblocking(False)
        interface_number = 0
        if interface:
            opened.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode())
            interface_number = socket.if_nametoindex(interface)
        if source or mode == "datagram":
            opened.bind(_bind_address(version, source))
        identifier = secrets.randbelow(0xFFFF) + 1
        if mode == "datagram":
            # Else a later socket could bind our identifier as well, and get our replies.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            identifier = opened.getsockname()[1]
    except OSError as error:
        owner.close()
        raise TargetError(FailureReason.LOCAL, _local_detail(error, source, interface)) from error
    return OpenedSocket(opened, owner, mode, identifier, interface_number)


def _open_raw(version: IpVersion) -> Any:
    try:
        return _OPENERS[version](privileged=True)
    except icmplib.SocketPermissionError as error:
        raise SocketDenied([_remedy()]) from error
    except icmplib.ICMPSocketError as error:
        detail = f"this system opens no socket for ICMPv{version}: {error}"
        raise TargetError(FailureReason.LOCAL, detail) from error


def _bind_address(version: IpVersion, source: str) -> tuple[Any, ...]:
    """Where to bind: the kernel picks the identifier, which stands in the place of a port."""
    if not source:
        return ("", 0)
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    found = socket.getaddrinfo(source, 0, family, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)
    return found[0][4]


def _local_detail(error: OSError, source: str, interface: str) -> str:
    text = os.strerror(error.errno) if isinstance(error.errno, int) and error.errno > 0 else error
    match error.errno:
        case errno.ENODEV:
            return f"there is no interface {interface}"
        case errno.EPERM:
            return f"sending from the interface {interface} needs CAP_NET_RAW before Linux 5.7"
        case errno.EADDRNOTAVAIL | errno.EINVAL:
            return f"{source} is no address of this machine"
    where = " ".join(filter(None, (source, interface))) or "any address"
    return f"cannot send ICMP from {where}: {text}"


def _remedy() -> Problem:
    """Say what this system's administrator would have to do, with the numbers of this process."""
    group = os.getegid()
    allowed = ""
    with suppress(OSError, ValueError):
        low, high = map(int, _RANGE_FILE.read_text(encoding="ascii").split())
        allowed = f" (net.ipv4.ping_group_range is {low} {high}, this process has group {group})"
    return Problem(
        f"the system denies this process both kinds of ICMP socket{allowed}",
        "any one of these helps: `sysctl -w net.ipv4.ping_group_range='0 2147483647'` "
        f"('{group} {group}' for this group alone; in /etc/sysctl.d to keep it); "
        "in a systemd unit `AmbientCapabilities=CAP_NET_RAW`; "
        "in a Kubernetes pod `securityContext: {sysctls: [{name: net.ipv4.ping_group_range, "
        "value: '0 2147483647'}]}`",
    )
