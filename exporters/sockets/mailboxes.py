"""Packets between processes that are forks of one: each has a box that the others post to.

A box is a pair of sockets that is made before the fork and is open in all of them, so that what was
posted to a process that has ended waits for its successor. A packet arrives whole, or not at all;
packets of one process arrive in their order. What finds no room waits in the process that posts
it, up to a bound, beyond which it is refused. Much earlier a box is *strained*: whoever can wait
should post no more until it is eased.

Sources: unix(7), SOCK_SEQPACKET; socket(7), SO_SNDBUF, which bounds what a box holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

MOST_PACKET_BYTES: Final = 2 * 1024 * 1024
"""The longest packet. Where net.core.wmem_max is small, it is twice that, 416 KiB mostly."""

_SO_SNDBUFFORCE: Final = 32
_BOX_BYTES: Final = 4 * 1024 * 1024
_MOST_WAITING_BYTES: Final = 16 * 1024 * 1024
_STRAINED_BYTES: Final = 1024 * 1024
_BYTES_A_TURN: Final = 256 * 1024
"""Taken before others have a turn; some milliseconds' work."""
_LAST_TURNS: Final = 64
_OVERHEAD_BYTES: Final = 1024
_NO_ROOM: Final = (errno.EAGAIN, errno.ENOBUFS)

Take = Callable[[bytes], None]


class Mailboxes:
    """The boxes of *count* processes; make them before the fork, close them when all have ended."""

    def __init__(self, count: int) -> None:
        self.boxes = [_open_box() for _ in range(count)]
        """Where each process reads, and where the others write to it."""

    def close(self) -> None:
        """Close all; what nobody has read is lost."""
        for ends in self.boxes:
            for end in ends:
                end.close()


class Post:
    """What one process, by its number, posts to the others and has posted to it.

    Args:
        mailboxes: Of all processes.
        number: The place of this one.
        take: Takes a packet that has come.
        tell_eased: Is called when those that were strained have taken all that waited for them.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        number: int,
        take: Take,
        tell_eased: Callable[[], None] = lambda: None,
    ) -> None:
        self._box = mailboxes.boxes[number][0]
        self._slots = [_Slot(slot, self._ease) for _, slot in mailboxes.boxes]
        self._tell_eased = tell_eased
        self._take = take
        self._buffer = memoryview(bytearray(MOST_PACKET_BYTES))

    @property
    def waiting_bytes(self) -> int:
        """What waits in this process, because the boxes of others are full."""
        return sum(slot.waiting_bytes for slot in self._slots)

    def is_strained(self, to: int) -> bool:
        """Whether much waits for the process with a number."""
        return self._slots[to].is_strained

    def post(self, to: int, packet: bytes) -> bool:
        """Post a packet to the process with a number; whether it will get there if that one reads.

        In the running loop, where what finds no room waits for some.
        """
        return self._slots[to].post(packet)

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Read what is posted, in the running loop, for as long as the context lasts.

        In its end, post what waits as far as there is room, and take what has come.
        """
        loop = asyncio.get_running_loop()
        loop.add_reader(self._box, self._read)
        try:
            yield
        finally:
            for slot in self._slots:
                slot.close()
            loop.remove_reader(self._box)
            for _ in range(_LAST_TURNS):  # what is left then is for a successor
                if not self._read():
                    break

    def _ease(self) -> None:
        if not any(slot.is_strained for slot in self._slots):
            self._tell_eased()

    def _read(self) -> bool:
        """Take some packets; whether there may be more."""
        taken_bytes = 0
        while taken_bytes < _BYTES_A_TURN:
            try:
                size = self._box.recv_into(self._buffer)
            except BlockingIOError:
                return False
            taken_bytes += size
            self._take(bytes(self._buffer[:size]))
        return True


class _Slot:
    """Where packets go in, and those that wait for room."""

    def __init__(self, slot: socket.socket, tell_eased: Callable[[], None]) -> None:
        self.waiting_bytes = 0
        self.is_strained = False
        self._socket = slot
        self._tell_eased = tell_eased
        granted_bytes = slot.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self._most_bytes = min(MOST_PACKET_BYTES, granted_bytes - _OVERHEAD_BYTES)
        self._waiting: deque[bytes] = deque()

    def post(self, packet: bytes) -> bool:
        if len(packet) > self._most_bytes:
            return False
        if not self._waiting and self._send(packet):
            return True
        if self.waiting_bytes + len(packet) > _MOST_WAITING_BYTES:
            return False
        if not self._waiting:
            asyncio.get_running_loop().add_writer(self._socket, self._go_on)
        self._waiting.append(packet)
        self.waiting_bytes += len(packet)
        self.is_strained = self.is_strained or self.waiting_bytes > _STRAINED_BYTES
        return True

    def close(self) -> None:
        """Post what there is room for."""
        if self._waiting:
            self._go_on()
            asyncio.get_running_loop().remove_writer(self._socket)

    def _go_on(self) -> None:
        while self._waiting and self._send(self._waiting[0]):
            self.waiting_bytes -= len(self._waiting.popleft())
        if not self._waiting:
            asyncio.get_running_loop().remove_writer(self._socket)
            if self.is_strained:
                self.is_strained = False
                self._tell_eased()

    def _send(self, packet: bytes) -> bool:
        try:
            self._socket.send(packet)
        except OSError as error:
            if error.errno in _NO_ROOM:
                return False
            raise
        return True


def _open_box() -> tuple[socket.socket, socket.socket]:
    box, slot = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (box, slot):
        end.setblocking(False)
    try:
        slot.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BOX_BYTES)
    except PermissionError:
        slot.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BOX_BYTES)
    return box, slot
