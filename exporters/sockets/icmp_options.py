"""Linux's socket options for ICMP, by number where Python does not name them.

The numbers hold on x86, ARM, RISC-V, POWER and s390; MIPS, SPARC, PA-RISC and Alpha have others for
``SOL_SOCKET``. On other systems only the options that are in the socket module are set.

Sources: ip(7), ipv6(7), raw(7), socket(7), include/uapi/asm-generic/socket.h, Documentation of
classic BPF (Documentation/networking/filter.rst of the kernel).
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from typing import Final

from exporters.wire.icmp import ECHO_REPLY, IpVersion

IS_LINUX: Final = sys.platform == "linux"

SO_TIMESTAMPNS: Final = 35
"""Also the type of the control message: two native longs, seconds and nanoseconds of Unix time."""

_SO_ATTACH_FILTER: Final = 26
_SOL_RAW: Final = 255
_ICMP_FILTER: Final = 1
_ICMP6_FILTER: Final = 1
_PMTUDISC_DONT: Final = 0
_PMTUDISC_PROBE: Final = 3

LEVEL: Final = {4: socket.IPPROTO_IP, 6: socket.IPPROTO_IPV6}
HOP_LIMIT: Final = {4: 2, 6: 52}
"""Control message with the TTL or hop limit, one native int; for sending and for receiving."""
TRAFFIC_CLASS: Final = {4: 1, 6: 67}
"""Control message with TOS or traffic class: one native int, for IPv4 one byte in what arrives."""
RECEIVE_ERRORS: Final = {4: 11, 6: 25}
"""``IP_RECVERR`` and ``IPV6_RECVERR``, as option and as the type of the control message."""

_RECEIVE_HOP_LIMIT: Final = {4: 12, 6: 51}
_RECEIVE_TRAFFIC_CLASS: Final = {4: 13, 6: 66}
_MTU_DISCOVER: Final = {4: 10, 6: 23}

# Errors, of which ICMPv4 has no range: unreachable, source quench, redirect, exceeded, parameter.
_PASSED_TYPES: Final = {4: (0, 3, 4, 5, 11, 12), 6: (129, 1, 2, 3, 4)}


def set_receive_options(opened: socket.socket, version: IpVersion) -> bool:
    """Ask for time stamp, hop limit and traffic class with every message.

    Returns:
        Whether the time stamps will come; systems that imitate Linux do not all have them.
    """
    if not IS_LINUX:
        return False
    with contextlib.suppress(OSError):
        opened.setsockopt(LEVEL[version], _RECEIVE_HOP_LIMIT[version], 1)
        opened.setsockopt(LEVEL[version], _RECEIVE_TRAFFIC_CLASS[version], 1)
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def set_receive_errors(opened: socket.socket, version: IpVersion) -> None:
    """Have the kernel keep ICMP errors for this socket, which it else drops silently."""
    if IS_LINUX:
        opened.setsockopt(LEVEL[version], RECEIVE_ERRORS[version], 1)


def set_dont_fragment(opened: socket.socket, version: IpVersion, *, dont_fragment: bool) -> None:
    """Forbid fragments to everybody, or allow them.

    Linux' own choice is neither: it sends a first large packet whole, loses it, and cuts the rest.
    """
    if IS_LINUX:
        mode = _PMTUDISC_PROBE if dont_fragment else _PMTUDISC_DONT
        opened.setsockopt(LEVEL[version], _MTU_DISCOVER[version], mode)


def filter_raw(opened: socket.socket, version: IpVersion, identifier: int) -> None:
    """Let a raw socket hear errors and the echo replies of one identifier.

    Every raw ICMP socket gets a copy of everything: other programs' replies, requests to us, and in
    IPv6 neighbour discovery.
    """
    if not IS_LINUX:
        return
    if version == 4:
        passed = sum(1 << kind for kind in _PASSED_TYPES[4])
        opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("@I", ~passed & 0xFFFFFFFF))
    else:
        words = [0xFFFFFFFF] * 8
        for kind in _PASSED_TYPES[6]:
            words[kind >> 5] &= ~(1 << (kind & 31))
        opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("@8I", *words))
    _attach_filter(opened, _identifier_program(version, identifier))


def _identifier_program(version: IpVersion, identifier: int) -> list[tuple[int, int, int, int]]:
    """Classic BPF: (operation, jump if true, jump if false, operand)."""
    header = (0xB1, 0, 0, 0) if version == 4 else (0x01, 0, 0, 0)  # X = bytes of the IP header
    return [
        header,
        (0x50, 0, 0, 0),  # A = byte at X: the type
        (0x15, 0, 2, ECHO_REPLY[version]),  # not a reply: pass
        (0x48, 0, 0, 4),  # A = 16 bits at X + 4: the identifier
        (0x15, 0, 1, identifier),  # not ours: drop
        (0x06, 0, 0, 0xFFFFFFFF),
        (0x06, 0, 0, 0),
    ]


def _attach_filter(opened: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = b"".join(struct.pack("@HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    argument = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, argument)
