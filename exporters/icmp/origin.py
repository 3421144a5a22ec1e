"""Where pings leave from: one IP version, one source address, one interface, and few sockets.

All targets of an origin share a socket, and with it an identifier. Firewalls and NAT keep a session
for each identifier, and some keep a dead one alive for as long as pings come: a target whose pings
are all lost moves to the next identifier. There are four, in turn, so that a session that was left
has had time to end when it is met again.

A socket that cannot be opened, or whose interface is gone, is tried again once a second. That
concerns its targets only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from exporters.errors import NetexportersError
from exporters.logs import fields
from exporters.sockets.icmp_open import SocketMode
from exporters.sockets.icmp_values import ErrorReport, Reply, SocketAddress, Stamp
from exporters.wire.icmp import IpVersion

IDENTIFIERS: Final = 4
_TRY_AGAIN_NS: Final = 1_000_000_000
_LAST_READ: Final = 100_000

logger = logging.getLogger(__name__)


class OriginKey(NamedTuple):
    """What makes two targets share sockets; "" is the system's choice."""

    version: IpVersion
    source: str
    interface: str


class PingSocket(Protocol):
    """What an origin needs of a socket; ``IcmpSocket`` has it."""

    mode: SocketMode
    buffer_granted_bytes: int
    garbage: int
    kernel_stamps: bool

    def send(
        self,
        destination: SocketAddress,
        sequence: int,
        payload: bytes,
        *,
        hop_limit: int | None = None,
        traffic_class: int | None = None,
    ) -> Stamp:
        """Send an echo request."""

    def receive(self, limit: int) -> int:
        """Read what has arrived."""

    def grow_receive_buffer(self, wanted_bytes: int) -> None:
        """Have room for what lies unread."""

    def interface_lost(self) -> bool:
        """Whether its interface is gone."""

    def drops(self) -> int:
        """Count what was lost for want of buffer."""

    def close(self) -> None:
        """Give it back."""


OpenSocket = Callable[
    [OriginKey, int, Callable[[Reply], None], Callable[[ErrorReport], None]], PingSocket
]
"""Opens a socket of an origin with a receive buffer of so many bytes."""


class Origin:
    """The sockets of one origin.

    Attributes:
        buffer_asked_bytes: the receive buffer that each socket is to have.
        targets: how many use it.
        per_second: how many pings they send together.
        longest_payload_bytes: what the largest of their pings carries.
        opened: how many sockets were opened so far.
        last_reply_ns: when a ping of any of its targets was last answered.
    """

    def __init__(
        self,
        key: OriginKey,
        open_socket: OpenSocket,
        on_reply: Callable[[Reply], None],
        on_error: Callable[[ErrorReport], None],
    ) -> None:
        self.key = key
        self.buffer_asked_bytes = 0
        self.targets = 0
        self.per_second = 0.0
        self.longest_payload_bytes = 0
        self.opened = 0
        self.last_reply_ns = 0
        self._open_socket = open_socket
        self._on_reply = on_reply
        self._on_error = on_error
        self._sockets: list[PingSocket | None] = [None] * IDENTIFIERS
        self._try_again_at_ns = 0
        self._closed_drops = 0
        self._closed_garbage = 0
        self._failed = False

    def socket(self, index: int, now_ns: int) -> PingSocket | None:
        """Give the socket of one identifier, opened if need be; None while that fails."""
        found = self._sockets[index]
        if found is not None or now_ns < self._try_again_at_ns:
            return found
        try:
            found = self._open_socket(
                self.key, self.buffer_asked_bytes, self._on_reply, self._on_error
            )
        except NetexportersError as error:
            self._try_again_at_ns = now_ns + _TRY_AGAIN_NS
            if not self._failed:
                self._failed = True
                logger.warning("no socket for pings", extra=fields(**self.key._asdict(), err=error))
            return None
        if self._failed:
            self._failed = False
            logger.info("socket for pings is back", extra=fields(**self.key._asdict()))
        self.opened += 1
        self._sockets[index] = found
        return found

    def drop_if_lost(self, index: int, now_ns: int) -> None:
        """Close a socket whose interface is gone, to open another one a little later."""
        found = self._sockets[index]
        if self.key.interface and found is not None and found.interface_lost():
            self._try_again_at_ns = now_ns + _TRY_AGAIN_NS
            self._close(index)

    def make_room(self, wanted_bytes: int) -> None:
        """Give each socket a receive buffer of so many bytes."""
        self.buffer_asked_bytes = wanted_bytes
        for opened in self.sockets():
            opened.grow_receive_buffer(wanted_bytes)

    def receive(self, limit: int) -> bool:
        """Read what has arrived at all sockets; give whether that was all."""
        complete = True
        for opened in self._sockets:
            if opened is not None and opened.receive(limit) >= limit:
                complete = False
        return complete

    def drops(self) -> int:
        """Count the replies that were lost because a receive buffer was full."""
        return self._closed_drops + sum(opened.drops() for opened in self.sockets())

    def garbage(self) -> int:
        """Count the messages that did not decode."""
        return self._closed_garbage + sum(opened.garbage for opened in self.sockets())

    def sockets(self) -> list[PingSocket]:
        """Return the open sockets."""
        return [opened for opened in self._sockets if opened is not None]

    @property
    def failed(self) -> bool:
        """Whether the last try to open a socket failed."""
        return self._failed

    def close(self) -> None:
        """Close all sockets."""
        for index in range(IDENTIFIERS):
            self._close(index)

    def _close(self, index: int) -> None:
        found = self._sockets[index]
        if found is not None:
            self._sockets[index] = None
            found.receive(_LAST_READ)
            self._closed_drops += found.drops()
            self._closed_garbage += found.garbage
            found.close()
