"""One connection: what arrives goes through the stages that it needs, one after the other.

    octets -> [header of a balancer] -> [TLS] -> frames -> messages

The first two are over when the sender is known and the handshake is done; until then a connection
is *opening*. What arrives is read into one buffer that all connections share, and handled before
anything else is read, so that nothing piles up: a sender that is too fast waits.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from exporters.errors import WireError
from exporters.events.sources import Source
from exporters.syslog.tls import ServerTls, TlsFailure, TlsStream
from exporters.wire.proxy_protocol import decode_proxy_header
from exporters.wire.syslog_framing import FramingCounts, StreamFramer

_MOST_UNSENT_BYTES: Final = 65_536
"""Of handshakes and the like; who makes us say so much and does not listen means no good."""


class Keeper(Protocol):
    """What a connection needs of what keeps all of them."""

    @property
    def read_buffer(self) -> memoryview:
        """Where to read into."""

    def now(self) -> float:
        """The time for deadlines."""

    def new_framer(self, counts: FramingCounts) -> StreamFramer:
        """Give a framer as it is configured."""

    def name_sender(self, connection: Connection, address: str) -> str:
        """Take up a sender that a balancer names; say why not, or nothing."""

    def take(self, connection: Connection, messages: list[bytes], counts: FramingCounts) -> None:
        """Take what a connection has brought, and count what its framer has come across."""

    def set_opened(self, connection: Connection) -> None:
        """Learn that a connection is opening no more."""

    def set_held(self, connection: Connection, size: int) -> None:
        """Learn how much a connection holds of an unfinished message."""

    def tell_failure(self, connection: Connection, failure: TlsFailure) -> None:
        """Count a failure of TLS."""

    def tell_proxy_fault(self, connection: Connection, fault: str) -> None:
        """Learn that a balancer has not said whose a connection is."""

    def forget(self, connection: Connection, reason: str) -> None:
        """Let go of a connection that has ended."""


class Connection(asyncio.BufferedProtocol):
    """One connection.

    Attributes:
        transport_name: What it came over: tcp, tls, unix-stream.
        source: Whose it is; of a balancer's, the balancer until its header has come.
        opened_at: When it was accepted.
        heard_at: When something has arrived last.
        frame_began_at: When the frame that has not ended began; None if there is none.
        held_bytes: How much of that frame is kept.
        is_opening: Whether something has to come before messages may.
    """

    def __init__(
        self,
        keeper: Keeper,
        transport_name: str,
        source: Source,
        *,
        is_balanced: bool = False,
        tls: ServerTls | None = None,
    ) -> None:
        self.transport_name = transport_name
        self.source = source
        self.opened_at = self.heard_at = keeper.now()
        self.frame_began_at: float | None = None
        self.held_bytes = 0
        self.is_opening = is_balanced or tls is not None
        self.framer: StreamFramer | None = None
        self._keeper = keeper
        self._counts = FramingCounts()
        self._is_balanced = is_balanced
        self._tls = None if tls is None else TlsStream(tls, self._send)
        self._header = b""
        self._transport: asyncio.Transport | None = None
        self._reason = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.framer = self._keeper.new_framer(self._counts)
        if self._reason:
            self.end(self._reason)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the buffer that all connections share: it is read at once."""
        return self._keeper.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has arrived."""
        if self._reason:
            return
        self.heard_at = self._keeper.now()
        data = bytes(self._keeper.read_buffer[:nbytes])
        if self._is_balanced:
            data = self._take_header(data)
        if data and self._tls is not None:
            data = self._take_encrypted(self._tls, data)
        if data:
            self._take_frames(data)
        if self._tls is not None and not self._reason:
            self._look_at_tls(self._tls)

    def eof_received(self) -> bool:
        """Have the connection closed: nothing is said to senders."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Take what is left, and say why it ended."""
        reason = self._reason or ("sender" if exc is None else "error")
        if self._tls is not None and self.is_opening and not self._is_balanced:
            if not self._reason:
                self._keeper.tell_failure(self, TlsFailure("abandoned"))
            reason = "tls" if reason in ("sender", "error") else reason
        elif self._is_balanced and self._header and reason == "sender":
            self._keeper.tell_proxy_fault(self, "it ended within its header")
            reason = "proxy"
        elif self.framer is not None:
            self._keeper.take(self, self.framer.close(), self._counts)
            self.framer = None
        self._reason = reason
        self._keeper.set_held(self, 0)
        self._keeper.forget(self, reason)

    def end(self, reason: str) -> None:
        """End it, for one of the reasons that there are; the first one counts."""
        self._reason = self._reason or reason
        transport = self._transport
        if transport is None or transport.is_closing():
            return  # it is not there yet, and will look; or it is being closed
        if self._tls is not None:
            self._tls.close()
        if transport.get_write_buffer_size():
            transport.abort()  # who does not listen is not waited for
        else:
            transport.close()

    def pause(self) -> bool:
        """Read no more for now, so that its sender waits; whether it has begun to read at all."""
        if self._transport is None:
            return False
        self._transport.pause_reading()
        return True

    def resume(self) -> None:
        """Read again; that nothing has come meanwhile is no fault of its sender."""
        self.heard_at = self._keeper.now()
        if self.frame_began_at is not None:
            self.frame_began_at = self.heard_at
        if self._transport is not None:
            self._transport.resume_reading()

    def time_out(self) -> None:
        """End what has been opening for too long."""
        if self._is_balanced:
            self._keeper.tell_proxy_fault(self, "it took too long")
            self.end("proxy")
        else:
            self._keeper.tell_failure(self, TlsFailure("timeout"))
            self.end("tls")

    def _take_header(self, data: bytes) -> bytes:
        """Take the header of a balancer, and give what comes behind it."""
        self._header += data
        try:
            header = decode_proxy_header(self._header)
        except WireError as error:
            self._keeper.tell_proxy_fault(self, str(error))
            self.end("proxy")
            return b""
        if header is None:
            return b""
        rest, self._header = self._header[header.size :], b""
        self._is_balanced = False
        if refusal := self._keeper.name_sender(self, header.source):
            self.end(refusal)
            return b""
        if self._tls is None:
            self._set_opened()
        return rest

    def _take_encrypted(self, tls: TlsStream, data: bytes) -> bytes:
        said = tls.feed(data)
        if tls.is_established and self.is_opening:
            self._set_opened()
        return said

    def _look_at_tls(self, tls: TlsStream) -> None:
        """End the connection if TLS says so, after what was said before."""
        if tls.failure is not None:
            self._keeper.tell_failure(self, tls.failure)
            self.end("tls")
        elif tls.has_ended:
            self.end("sender")

    def _set_opened(self) -> None:
        self.is_opening = False
        self._keeper.set_opened(self)

    def _take_frames(self, data: bytes) -> None:
        framer = self.framer
        if framer is None:
            return
        messages = framer.feed(data)
        if not framer.is_within_frame:
            self.frame_began_at = None
        elif messages or self.frame_began_at is None:
            self.frame_began_at = self.heard_at
        self._keeper.take(self, messages, self._counts)
        if framer.is_broken:
            self.end("framing_fault")
        self._keeper.set_held(self, framer.held_bytes)

    def _send(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            if not self._reason:
                self._keeper.tell_failure(self, TlsFailure("protocol", "it does not read"))
                self._reason = "tls"
            transport.abort()
