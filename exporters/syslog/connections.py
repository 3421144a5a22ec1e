"""All connections: how many there may be, how long they may take, how much they may hold.

No sender can take the place of others: each address has a limit of its own, for connections and for
handshakes. What connections hold of unfinished messages is added up, and when it is too much, the
one that holds most is ended. A connection that says nothing, or whose message does not end, is
ended too; once a second all are looked at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, Final

from exporters import open_files
from exporters.config.syslog_config import ConnectionSettings
from exporters.events.sources import Source
from exporters.logs import fields
from exporters.syslog.accepting import Acceptor
from exporters.syslog.connection import Connection
from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.tls import TLS_FAILURES, ServerTls, TlsFailure
from exporters.syslog.transports import LOCAL_ADDRESS, TRANSPORTS
from exporters.wire.syslog_framing import FramingCounts, StreamFramer

logger = logging.getLogger(__name__)

CLOSED: Final = {
    "sender": "by its sender",
    "error": "the network lost it",
    "idle": "it was silent for too long",
    "slow_frame": "a message took longer than frame_timeout",
    "buffers": "all connections held more than buffer_bytes, and it most of all",
    "framing_fault": "no message could be found in it",
    "proxy": "a balancer did not begin it with a right PROXY header",
    "tls": "TLS failed",
    "source_denied": "its sender is not in allowed_networks",
    "limit": "there are as many as there may be",
    "sender_limit": "its sender has as many as it may have",
    "handshake_limit": "as many as may be had not yet said who they are",
    "shutdown": "this program ended",
}
"""Why connections end, and what it means."""

_READ_BYTES: Final = 256 * 1024
_RESUMED_AT_ONCE: Final = 8
"""All at once would bring more than other processes have room for."""
_LOOK_SECONDS: Final = 1.0
_LOG_SECONDS: Final = 60.0


class Connections:
    """All connections, and what they have in common."""

    def __init__(
        self,
        receiver: SyslogReceiver,
        settings: ConnectionSettings,
        tls: ServerTls | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.framing = FramingCounts()
        self.truncated = dict.fromkeys(TRANSPORTS, 0)
        """Messages that were cut, by transport."""
        self.closed = dict.fromkeys(CLOSED, 0)
        self.strains: Callable[[], int] = lambda: 0
        """How often more was handed over to other processes than they take."""
        self.tls_failures = dict.fromkeys(TLS_FAILURES, 0)
        self.held_bytes = 0
        """What is kept of unfinished messages."""
        self.read_buffer = memoryview(bytearray(_READ_BYTES))
        self.settings = settings
        self.tls = tls
        self._receiver = receiver
        self._monotonic = monotonic
        self._open = _Places()
        self._opening = _Places()
        self._acceptors: list[Acceptor] = []
        self._logged_at: dict[str, float] = {}
        self._waiting: dict[Connection, None] = {}
        """Those that are not read for now, in their order."""
        self._next_turn: asyncio.Handle | None = None

    def __len__(self) -> int:
        return len(self._open)

    @property
    def opening(self) -> int:
        """How many have not yet said who they are."""
        return len(self._opening)

    @property
    def limit(self) -> int:
        """How many there may be: as configured, and as the limit of open files allows."""
        return min(self.settings.limit, open_files.device_sockets())

    @property
    def is_full(self) -> bool:
        """Whether there may be no more."""
        return len(self._open) >= self.limit

    def has_expired(self, now: float) -> bool:
        """Whether the certificate that is served is not valid any more at *now* (Unix time)."""
        return self.tls is not None and self.tls.expires_at <= now

    @property
    def accept_failures(self) -> int:
        """How often the system had no connection to give."""
        return sum(acceptor.failures for acceptor in self._acceptors)

    def replace(self, settings: ConnectionSettings, tls: ServerTls | None) -> None:
        """Go by other settings from now on; connections that are open stay."""
        self.settings = settings
        self.tls = tls
        for connection in self._open:
            if connection.framer is not None:
                self._configure(connection.framer)

    def accept(self, listener: socket.socket, transport: str) -> None:
        """Accept connections on a socket that listens, until all is closed."""
        acceptor = Acceptor(listener, lambda peer: self.admit(peer, transport))
        self._acceptors.append(acceptor)
        acceptor.start()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look after connections; in the end, close all, and take what has arrived whole."""
        if self.limit < self.settings.limit:
            logger.warning(
                "open files allow fewer connections than are configured: raise LimitNOFILE",
                extra=fields(limit=self.limit, configured=self.settings.limit),
            )
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            for acceptor in self._acceptors:
                acceptor.close()
            for connection in list(self._open):
                connection.end("shutdown")
            await asyncio.sleep(0)  # the loop tells connections of their end in its next turn

    # --- how a connection begins ---------------------------------------------------------------

    def admit(self, peer: Any, transport: str) -> Connection | None:
        """Take up a connection from *peer*; ``None``, and counted, if it may not be."""
        is_local = transport == "unix-stream"
        source = self._source(LOCAL_ADDRESS if is_local else str(peer[0]), transport)
        is_balanced = not is_local and self._is_balancer(source.address)
        tls = self.tls if transport == "tls" else None
        # A balancer has the connections of many, and its own address need not be allowed.
        address = "" if is_local or is_balanced else source.address
        is_opening = is_balanced or tls is not None
        refusal = self._refusal(source, address, is_opening=is_opening, is_checked=not is_balanced)
        if refusal:
            self.closed[refusal] += 1
            return None
        connection = Connection(self, transport, source, is_balanced=is_balanced, tls=tls)
        self._open.take(connection, address)
        if is_opening:
            self._opening.take(connection, address)
        return connection

    def name_sender(self, connection: Connection, address: str) -> str:
        """Take up a sender that a balancer names; say why not, or nothing."""
        if address:
            connection.source = self._source(address, connection.transport_name)
            address = connection.source.address
        self._open.leave(connection)
        self._opening.leave(connection)
        refusal = self._refusal(connection.source, address, is_opening=connection.is_opening)
        self._open.take(connection, address)
        if connection.is_opening:
            self._opening.take(connection, address)
        return refusal

    def new_framer(self, counts: FramingCounts) -> StreamFramer:
        """Give a framer as it is configured."""
        framer = StreamFramer(counts)
        self._configure(framer)
        return framer

    def set_opened(self, connection: Connection) -> None:
        """Learn that a connection is opening no more."""
        self._opening.leave(connection)

    def _configure(self, framer: StreamFramer) -> None:
        framer.max_message_bytes = self._receiver.policy.max_message_bytes
        framer.resynchronise = self.settings.framing_fault == "resynchronise"

    def _source(self, address: str, transport: str) -> Source:
        source = self._receiver.policy.sources.source(address)
        if transport == "unix-stream":
            return source._replace(is_allowed=True)  # the file's permissions say who may send
        return source

    def _is_balancer(self, address: str) -> bool:
        networks = self.settings.trusted_balancers
        if not networks:
            return False
        ip = ipaddress.ip_address(address.partition("%")[0])
        return any(ip in network for network in networks)

    def _refusal(
        self, source: Source, address: str, *, is_opening: bool, is_checked: bool = True
    ) -> str:
        """Say why there may not be one more connection; nothing if there may.

        *address* is the one to count it under, if any.
        """
        settings = self.settings
        if is_checked and not source.is_allowed:
            return "source_denied"
        if self.is_full:
            return "limit"
        if address and self._open.of(address) >= settings.sender_limit:
            return "sender_limit"
        share = max(1, settings.handshake_limit // 4)
        if is_opening and (
            len(self._opening) >= settings.handshake_limit
            or (address and self._opening.of(address) >= share)
        ):
            return "handshake_limit"
        return ""

    # --- while it lasts ------------------------------------------------------------------------

    def now(self) -> float:
        """The time for deadlines."""
        return self._monotonic()

    def take(self, connection: Connection, messages: list[bytes], counts: FramingCounts) -> None:
        """Take what a connection has brought, and count what its framer has come across."""
        receiver, transport = self._receiver, connection.transport_name
        source = self._source(connection.source.address, transport)  # a reload may rename it
        if messages:
            strains = self.strains()
            receiver.take_frames(messages, source, transport)
            if self.strains() > strains:
                self._have_wait()
        if counts.truncated:
            self.truncated[transport] += counts.truncated
            receiver.count_truncated(counts.truncated, source)
            counts.truncated = 0
        if counts.partial:
            self.framing.partial += counts.partial
            counts.partial = 0
        for fault, count in counts.faults.items():
            if count:
                self.framing.faults[fault] += count
                counts.faults[fault] = 0
                receiver.count_framing_faults(count, source, transport)

    def go_on(self) -> None:
        """Read again from connections that had to wait for other processes, some at a time."""
        if self._next_turn is not None:
            self._next_turn.cancel()
        self._go_on()

    def _have_wait(self) -> None:
        """Read no more, not even what is there, from senders of what others may have to take."""
        if self._next_turn is not None:
            self._next_turn.cancel()
        for connection in self._open:
            source = self._source(connection.source.address, connection.transport_name)
            may_be_others = source.is_relay or source.owner is not None
            if may_be_others and connection not in self._waiting and connection.pause():
                self._waiting[connection] = None

    def _go_on(self) -> None:
        for connection in list(islice(self._waiting, _RESUMED_AT_ONCE)):
            del self._waiting[connection]
            connection.resume()
        if self._waiting:
            self._next_turn = asyncio.get_running_loop().call_soon(self._go_on)

    def set_held(self, connection: Connection, size: int) -> None:
        """Learn how much a connection holds of an unfinished message; it may be too much in all."""
        self.held_bytes += size - connection.held_bytes
        connection.held_bytes = size
        while self.held_bytes > self.settings.buffer_bytes:
            most = max(self._open, key=_held_bytes)
            most.end("buffers")
            self.held_bytes -= most.held_bytes
            most.held_bytes = 0

    def look(self) -> None:
        """End what has taken too long."""
        now, settings = self.now(), self.settings
        for connection in [one for one in self._open if one not in self._waiting]:
            began_at = connection.frame_began_at
            if connection.is_opening:
                if now - connection.opened_at >= settings.handshake_timeout:
                    connection.time_out()
            elif began_at is not None and now - began_at >= settings.frame_timeout:
                connection.end("slow_frame")
            elif now - connection.heard_at >= settings.idle_timeout:
                connection.end("idle")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look()

    # --- how it ends ---------------------------------------------------------------------------

    def tell_failure(self, connection: Connection, failure: TlsFailure) -> None:
        """Count a failure of TLS."""
        self.tls_failures[failure.reason] += 1
        self._log("TLS failed", connection, failure.reason, failure)

    def tell_proxy_fault(self, connection: Connection, fault: str) -> None:
        """Learn that a balancer has not said whose a connection is."""
        self._log("a connection of a balancer is of no use", connection, "proxy", fault)

    def forget(self, connection: Connection, reason: str) -> None:
        """Let go of a connection that has ended."""
        self._open.leave(connection)
        self._opening.leave(connection)
        self._waiting.pop(connection, None)
        self.closed[reason] += 1

    def _log(self, what: str, connection: Connection, reason: str, fault: object) -> None:
        """Tell of a sender's fault, each kind once a minute: there may be many."""
        now, kind = self.now(), f"{what} {reason}"
        level = logging.DEBUG
        if now - self._logged_at.get(kind, now - _LOG_SECONDS) >= _LOG_SECONDS:
            self._logged_at[kind] = now
            level = logging.WARNING
        values = fields(address=connection.source.address, reason=reason, err=fault)
        logger.log(level, what, extra=values)


class _Places:
    """Connections, each counted under an address, or under none."""

    def __init__(self) -> None:
        self._addresses: dict[Connection, str] = {}
        self._by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._addresses)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._addresses)

    def of(self, address: str) -> int:
        return self._by_address[address]

    def take(self, connection: Connection, address: str) -> None:
        self._addresses[connection] = address
        self._by_address[address] += 1

    def leave(self, connection: Connection) -> None:
        """Give a place back; once more does nothing."""
        address = self._addresses.pop(connection, None)
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


def _held_bytes(connection: Connection) -> int:
    return connection.held_bytes
