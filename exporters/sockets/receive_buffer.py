"""How much a socket may hold unread, and what it lost because that was too little.

The numbers hold on x86, ARM, RISC-V, POWER and s390. On other systems than Linux the buffer is what
the system grants, and losses are not known.

Source: socket(7), include/uapi/asm-generic/socket.h.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import Final, NamedTuple

_IS_LINUX: Final = sys.platform == "linux"
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("@9I")
_MOST_BYTES: Final = 0x3FFFFFFF
"""The kernel doubles what it is asked for, in 32 bits."""


class QueueState(NamedTuple):
    """What lies unread in a socket, as the kernel counts it: with its own overhead."""

    waiting_bytes: int
    drops: int
    """Of messages, modulo 2**32, since the socket was opened.

    ICMP errors that found no room are not in it, and kernels about 6.18 count twice what a raw
    socket loses.
    """


def grow(opened: socket.socket, wanted_bytes: int) -> int:
    """Ask for a receive buffer, beyond the system's limit where we may; give what was granted.

    It never gets smaller than the system makes it.
    """
    if wanted_bytes <= granted(opened):
        return granted(opened)
    size = min(wanted_bytes, _MOST_BYTES)
    if _IS_LINUX:
        with contextlib.suppress(PermissionError):
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
            return granted(opened)
    with contextlib.suppress(OSError):  # BSD refuses what Linux cuts
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return granted(opened)


def granted(opened: socket.socket) -> int:
    """Give the size of the receive buffer, as one asks for it."""
    size = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return size // 2 if _IS_LINUX else size


def read_state(opened: socket.socket) -> QueueState:
    """Ask the kernel how full the buffer is and what it had no room for."""
    if not _IS_LINUX:
        return QueueState(0, 0)
    try:
        told = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    except OSError:  # before Linux 4.12
        return QueueState(0, 0)
    info = _MEMINFO.unpack(told)
    return QueueState(info[0], info[8])
