"""``recvmmsg`` through ctypes: up to 256 datagrams with one call, into memory laid out once.

Layout, of each datagram:

    near      its first 2048 octets, close to those of the others, so that a batch of what is usual
              stays in the processor's cache
    far       the rest; memory that is never written takes no place
    name      the sender, ``struct sockaddr_in`` or ``sockaddr_in6``
    control   the address that it was sent to, if the socket asks for it

The kernel writes lengths and flags into an array of ``struct mmsghdr``, which is given to it again
as it is: a later call overwrites all that an earlier one wrote, and no name is longer than the
first was. Sources: recvmmsg(2), recvmsg(2).
"""

from __future__ import annotations

import ctypes
import mmap
import socket
import struct
from typing import Any, Final

BATCH: Final = 256
NAME_BYTES: Final = 32
CONTROL_BYTES: Final = 64

_NEAR_BYTES: Final = 2048
_NEAR_ROW_BYTES: Final = _NEAR_BYTES + 64
"""Rows that are a power of two apart would share few lines of the processor's cache."""

_TRUNCATED: Final = int(socket.MSG_TRUNC)
_DONT_WAIT: Final = int(socket.MSG_DONTWAIT)
_HOSTS: Final = {
    socket.AF_INET: struct.Struct("4x4s24x"),
    socket.AF_INET6: struct.Struct("8x20s4x"),
}


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


class BatchReader:
    """Reads what has arrived at one socket."""

    def __init__(self, opened: socket.socket, longest: int) -> None:
        """Lay the memory out.

        Args:
            opened: The socket.
            longest: Octets of a datagram; what is longer is cut.
        """
        self._descriptor = opened.fileno()
        self._recvmmsg = _load_recvmmsg()
        self._near_bytes = min(longest, _NEAR_BYTES)
        self._far_bytes = longest - self._near_bytes
        self._near = mmap.mmap(-1, BATCH * _NEAR_ROW_BYTES)
        self._far = mmap.mmap(-1, BATCH * max(1, self._far_bytes))
        self._names = memoryview(mmap.mmap(-1, BATCH * NAME_BYTES))
        self._controls = mmap.mmap(-1, BATCH * CONTROL_BYTES)
        self._host = _HOSTS[opened.family]
        self._near_at = range(0, BATCH * _NEAR_ROW_BYTES, _NEAR_ROW_BYTES)
        self._messages = (_Message * BATCH)()
        self._vectors = (_Vector * (2 * BATCH))()
        self._lay_out()
        words = memoryview(self._messages).cast("B").cast("I")
        step = ctypes.sizeof(_Message) // words.itemsize
        self._lengths = words[_Message.length.offset // words.itemsize :: step]
        self._flags = words[_Header.flags.offset // words.itemsize :: step]

    def read(self) -> tuple[list[bytes], list[bytes], list[int]]:
        """Give contents and hosts of what has arrived, and the places of contents that are cut."""
        count = self._recvmmsg(self._descriptor, self._messages, BATCH, _DONT_WAIT, None)
        if count <= 0:
            return [], [], []
        near = self._near
        lengths = self._lengths[:count].tolist()
        contents = [near[at : at + length] for at, length in zip(self._near_at, lengths)]  # noqa: B905
        if max(lengths) > self._near_bytes:
            self._add_far(contents, lengths)
        hosts = [host for (host,) in self._host.iter_unpack(self._names[: count * NAME_BYTES])]
        flags = self._flags[:count].tolist()
        cut = [place for place, flag in enumerate(flags) if flag & _TRUNCATED] if any(flags) else []
        return contents, hosts, cut

    def envelope(self, place: int) -> bytes:
        """Give name and control of a datagram of the last batch."""
        name_at, control_at = place * NAME_BYTES, place * CONTROL_BYTES
        control = self._controls[control_at : control_at + CONTROL_BYTES]
        return bytes(self._names[name_at : name_at + NAME_BYTES]) + control

    def _add_far(self, contents: list[bytes], lengths: list[int]) -> None:
        for place, length in enumerate(lengths):
            if length > self._near_bytes:
                at = place * self._far_bytes
                far = self._far[at : at + length - self._near_bytes]
                contents[place] = contents[place][: self._near_bytes] + far

    def _lay_out(self) -> None:
        near, far = _address(self._near), _address(self._far)
        names, controls = _address(self._names), _address(self._controls)
        for place in range(BATCH):
            first, second = self._vectors[2 * place], self._vectors[2 * place + 1]
            first.base, first.length = near + place * _NEAR_ROW_BYTES, self._near_bytes
            second.base, second.length = far + place * self._far_bytes, self._far_bytes
            header = self._messages[place].header
            header.name = names + place * NAME_BYTES
            header.name_length = NAME_BYTES
            header.vectors = ctypes.addressof(first)
            header.vector_count = 2
            header.control = controls + place * CONTROL_BYTES
            header.control_length = CONTROL_BYTES


def _address(memory: mmap.mmap | memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
