"""The error queue of a Linux socket: what the kernel says with each ICMP error it kept for us.

Layout of the control message (``struct sock_extended_err`` of linux/errqueue.h, then a sockaddr)::

    errno u32 | origin u8 | type u8 | code u8 | pad u8 | info u32 | data u32 | reporter's sockaddr

The message itself is our own packet as the error quoted it, and its address is where it was sent.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from struct import Struct
from typing import Final

ORIGIN_LOCAL: Final = 1
"""The kernel itself says so, before a packet left: its message quotes nothing."""
_ORIGINS_ICMP: Final = frozenset((2, 3))

_EXTENDED_ERROR: Final = Struct("@IBBBBII")
_FAMILY: Final = Struct("@H")
_IPV6_ADDRESS: Final = Struct("@HHI16sI")


@dataclass(frozen=True, slots=True)
class KernelError:
    """One entry of the error queue; *info* is the MTU where the error is about one."""

    errno: int
    origin: int
    type: int
    code: int
    info: int
    reporter: str

    @property
    def is_icmp(self) -> bool:
        """Whether an ICMP error caused it."""
        return self.origin in _ORIGINS_ICMP


def decode_kernel_error(data: bytes) -> KernelError:
    """Decode the control message ``IP_RECVERR`` or ``IPV6_RECVERR``."""
    errno, origin, kind, code, _, info, _ = _EXTENDED_ERROR.unpack_from(data)
    return KernelError(errno, origin, kind, code, info, _reporter(data[_EXTENDED_ERROR.size :]))


def address_text(address: str, scope: int) -> str:
    """Write an address as replies, errors and targets are compared: with a scope's number."""
    return f"{address}%{scope}" if scope else address


def _reporter(data: bytes) -> str:
    """Read the sockaddr behind the error; "" where the kernel names nobody."""
    if len(data) < _FAMILY.size:
        return ""
    (family,) = _FAMILY.unpack_from(data)
    if family == socket.AF_INET and len(data) >= 8:
        return str(ipaddress.IPv4Address(data[4:8]))
    if family == socket.AF_INET6 and len(data) >= _IPV6_ADDRESS.size:
        _, _, _, address, scope = _IPV6_ADDRESS.unpack_from(data)
        return address_text(str(ipaddress.IPv6Address(address)), scope)
    return ""
