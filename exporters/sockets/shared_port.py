"""Several sockets at one address, each of which gets what its share of the sources sends.

A program in the kernel chooses the socket by the source address alone
(``exporters.wire.source_shares``), so that all datagrams and connections of one sender come to one
socket, as long as the same sockets are there: whoever made them keeps them open. What comes while
nobody reads from one waits in it.

Linux alone has this. Source: socket(7), SO_REUSEPORT and SO_ATTACH_REUSEPORT_CBPF.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from contextlib import ExitStack
from typing import Any, Final

from exporters.errors import ConfigError, Problem
from exporters.wire.source_shares import share_program

_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_INSTRUCTION_BYTES: Final = 8
_PROGRAM: Final = struct.Struct("@HP")
"""``struct sock_fprog``: how many instructions, and where they are."""
_BACKLOG: Final = 4096
_IP_PKTINFO: Final = 8
_IPV6_RECVPKTINFO: Final = 49
_KEPT: Final = {
    socket.AF_INET: ((socket.IPPROTO_IP, _IP_PKTINFO),),
    socket.AF_INET6: (
        (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
        (socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO),
    ),
}
"""Options of a socket that those in its place have too."""


def check_can_share(workers: int) -> None:
    """Check that sockets can share a port among *workers*.

    Raises:
        ConfigError: This system is not Linux.
    """
    if sys.platform != "linux":
        problem = f"--workers={workers}: only Linux divides what arrives among workers"
        raise ConfigError([Problem(problem, "run it with one worker")])


def share_port(opened: socket.socket, count: int) -> list[socket.socket]:
    """Close a socket that is bound, or listens, and give *count* in its place.

    That it could be bound alone shows that nobody else has its address: sockets that share a port
    would join those of another process of the same user, and be in the way of both.

    Raises:
        ConfigError: The system refuses.
    """
    name = opened.getsockname()
    try:
        return _open_all(opened, name, count)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = f"{count} workers cannot share {name[0]}, port {name[1]}: {reason}"
        raise ConfigError([Problem(problem, "run it with one worker")]) from error


def _open_all(opened: socket.socket, name: Any, count: int) -> list[socket.socket]:
    family, kind = opened.family, opened.type
    options = [(level, option, opened.getsockopt(level, option)) for level, option in _KEPT[family]]
    opened.close()
    with ExitStack() as undo:
        sharing = []
        for _ in range(count):
            one = undo.enter_context(socket.socket(family, kind))
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if kind == socket.SOCK_STREAM:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for level, option, value in options:
                one.setsockopt(level, option, value)
            one.bind(name)
            sharing.append(one)
        _attach(sharing[0], share_program(count))
        for one in sharing if kind == socket.SOCK_STREAM else ():
            one.listen(_BACKLOG)
        undo.pop_all()
    return sharing


def _attach(one: socket.socket, program: bytes) -> None:
    """Have a program choose among the sockets that share the port of one."""
    instructions = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _INSTRUCTION_BYTES
    told = _PROGRAM.pack(count, ctypes.addressof(instructions))
    one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, told)
