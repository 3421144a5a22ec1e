"""Datagrams over a Unix socket, as the C library's syslog(3) writes to ``/dev/log``.

The kernel has senders wait, or refuses them, where a socket is full (net.unix.max_dgram_qlen), so
that nothing is lost here unseen.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.transports import LOCAL_ADDRESS

TRANSPORT: Final = "unix-dgram"
_AT_ONCE: Final = 256
"""Datagrams read before others have a turn."""
_MOST_WAITING: Final = 1024
"""More than net.unix.max_dgram_qlen has a socket hold."""


class LocalDatagrams:
    """Reads one socket, which whoever opened it closes.

    Args:
        opened: The socket.
        receiver: Takes what it brings.
        truncated: Where messages that were cut are counted, by transport.
    """

    def __init__(
        self, opened: socket.socket, receiver: SyslogReceiver, truncated: dict[str, int]
    ) -> None:
        self._truncated = truncated
        self._socket = opened
        self._receiver = receiver

    def start(self) -> None:
        """Read from now on, in the running loop."""
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        """Read no more, but for what has come before."""
        asyncio.get_running_loop().remove_reader(self._socket)
        for _ in range(_MOST_WAITING // _AT_ONCE):
            self._read()

    def _read(self) -> None:
        """Take some messages."""
        policy = self._receiver.policy
        longest = policy.max_message_bytes
        messages: list[bytes] = []
        cut = 0
        try:
            while len(messages) < _AT_ONCE:
                message = self._socket.recv(longest + 1)
                if len(message) > longest:
                    cut += 1
                    message = message[:longest]
                messages.append(message)
        except BlockingIOError:
            pass  # that was all of it
        if messages:
            # The permissions of the socket's file say who may send.
            source = policy.sources.source(LOCAL_ADDRESS)._replace(is_allowed=True)
            self._receiver.take_frames(messages, source, TRANSPORT)
            if cut:
                self._truncated[TRANSPORT] += cut
                self._receiver.count_truncated(cut, source)
