"""Connections over TCP: how many there may be, how long a silent one lasts, what each brings.

What a connection brings is handled before the next is read, so that nothing piles up: a sender that
is too fast waits, and one that is slow holds no more than a message and a count. No connection can
take the place of those of other senders: each address has a limit of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from exporters.config.syslog_config import ConnectionSettings
from exporters.errors import ConfigError, Problem
from exporters.events.sources import Source
from exporters.logs import fields
from exporters.sockets.listen_address import ListenAddress
from exporters.syslog.receiver import SyslogReceiver
from exporters.wire.syslog_framing import FramingCounts, StreamFramer

logger = logging.getLogger(__name__)

CLOSED: Final = {
    "sender": "by its sender",
    "error": "the network lost it",
    "idle": "it was silent for too long",
    "framing_fault": "no message could be found in it",
    "source_denied": "its sender is not in allowed_networks",
    "limit": "there are as many as there may be",
    "sender_limit": "its sender has as many as it may have",
    "shutdown": "this program ended",
}
"""Why connections end, and what it means."""


class Connections:
    """All connections, and what they have in common."""

    def __init__(self, receiver: SyslogReceiver, settings: ConnectionSettings) -> None:
        self.settings = settings
        self.framing = FramingCounts()
        self.closed = dict.fromkeys(CLOSED, 0)
        self._receiver = receiver
        self._open: set[_Connection] = set()
        self._by_address: Counter[str] = Counter()
        self._servers: list[asyncio.Server] = []

    def __len__(self) -> int:
        return len(self._open)

    @property
    def receiver(self) -> SyslogReceiver:
        """Who takes what they bring."""
        return self._receiver

    async def listen(self, address: ListenAddress, flag: str) -> None:
        """Listen on an address; *flag* is where it came from, for errors.

        Raises:
            ConfigError: The system refuses.
        """
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: _Connection(self), address.host or None, address.port, backlog=1024
            )
        except OSError as error:
            number = error.errno or 0
            reason = os.strerror(number).lower() if number > 0 else str(error.strerror)
            problem = f"cannot listen on TCP {address}: {reason}"
            hint = f"another {flag}, or for ports below 1024 the capability CAP_NET_BIND_SERVICE"
            raise ConfigError([Problem(problem, hint)]) from error
        self._servers.append(server)
        for socket in server.sockets:
            bound = ListenAddress(*socket.getsockname()[:2])
            logger.info("listening for syslog", extra=fields(address=bound, transport="tcp"))

    async def close(self) -> None:
        """Stop listening, and end all connections; what has arrived whole is taken."""
        for server in self._servers:
            server.close()
        for connection in list(self._open):
            connection.end("shutdown")
        await asyncio.sleep(0)  # the loop tells connections of their end in its next turn

    def admit(self, connection: _Connection, source: Source) -> str:
        """Take a connection up, or say why not."""
        if not source.is_allowed:
            return "source_denied"
        if len(self._open) >= self.settings.limit:
            return "limit"
        if self._by_address[source.address] >= self.settings.sender_limit:
            return "sender_limit"
        self._open.add(connection)
        self._by_address[source.address] += 1
        return ""

    def forget(self, connection: _Connection, source: Source) -> None:
        """Let go of a connection that has ended."""
        if connection in self._open:
            self._open.remove(connection)
            self._by_address[source.address] -= 1
            if not self._by_address[source.address]:
                del self._by_address[source.address]


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._source = Source("", "", is_allowed=False, is_relay=False)
        self._transport: asyncio.Transport | None = None
        self._framer: StreamFramer | None = None
        self._reason = ""
        self._counts = FramingCounts()
        """Of its own, so that faults can be told by sender; added up when they happen."""
        self._heard_at = 0.0
        self._cancel_watch: Callable[[], None] = _do_nothing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, if there may be one more."""
        connections = self._connections
        policy = connections.receiver.policy
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername") or ("",)
        self._source = policy.sources.source(str(peer[0]))
        if refusal := connections.admit(self, self._source):
            self.end(refusal)
            return
        self._framer = StreamFramer(
            self._counts,
            max_message_bytes=policy.max_message_bytes,
            resynchronise=connections.settings.framing_fault == "resynchronise",
        )
        self._heard_at = asyncio.get_running_loop().time()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._framer is None or self._reason:
            return
        self._heard_at = asyncio.get_running_loop().time()
        self._take(self._framer.feed(data))
        if self._framer.is_broken:
            self.end("framing_fault")

    def connection_lost(self, exc: Exception | None) -> None:
        """Take what is left, and say why it ended."""
        self._cancel_watch()
        if self._framer is not None:
            self._take(self._framer.close())
            self._framer = None
        self._connections.forget(self, self._source)
        reason = self._reason or ("sender" if exc is None else "error")
        self._connections.closed[reason] += 1

    def end(self, reason: str) -> None:
        """End it."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.close()

    def _take(self, messages: list[bytes]) -> None:
        receiver = self._connections.receiver
        source = receiver.policy.sources.source(self._source.address)  # a reload may rename it
        if messages:
            receiver.take_frames(messages, source, "tcp")
        own, total = self._counts, self._connections.framing
        total.truncated, own.truncated = total.truncated + own.truncated, 0
        total.partial, own.partial = total.partial + own.partial, 0
        for fault, count in own.faults.items():
            if count:
                total.faults[fault] += count
                own.faults[fault] = 0
                receiver.count_framing_faults(count, source, "tcp")

    def _watch(self) -> None:
        """Look when it would be silent for too long, if nothing comes until then."""
        loop = asyncio.get_running_loop()
        left = self._heard_at + self._connections.settings.idle_timeout - loop.time()
        if left <= 0:
            self.end("idle")
        else:
            self._cancel_watch = loop.call_later(left, self._watch).cancel


def _do_nothing() -> None:
    """Stand for a watch that there is not."""
