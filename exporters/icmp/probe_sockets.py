"""Sockets for pings that are waited for one by one: those of ``/probe``, paths and path MTUs.

There is one for each family, source, interface and treatment of fragments, opened when it is first
needed, and apart from those that ping all the time. It has an identifier of its own, so that no
reply is ever taken for another's. A ping is known by its sequence number, and its reply must come
from the host that was asked and bring back the payload.

A firewall may keep a session that leads nowhere, and knows it by the identifier. So after a loss
the next probes get a new socket, but not more often than every few seconds.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic_ns
from typing import Final, NamedTuple

from exporters.errors import FailureReason, TargetError
from exporters.logs import fields
from exporters.sockets.icmp_open import SocketMode
from exporters.sockets.icmp_socket import IcmpSocket, buffer_for
from exporters.sockets.icmp_values import ErrorReport, Reply, SocketAddress, Stamp
from exporters.sockets.kernel_errors import address_text
from exporters.wire.echo_payload import EchoPayload
from exporters.wire.icmp import IpVersion
from exporters.wire.icmp_errors import ErrorKind, error_kind

RENEW_SECONDS: Final = 10.0
_VERSIONS: Final[tuple[IpVersion, ...]] = (4, 6)
_SEQUENCES: Final = 1 << 16
_BUFFER_BYTES: Final = buffer_for(4096, 56)
_CLOCK_STEP_NS: Final = 1_000_000

OpenSocket = Callable[..., IcmpSocket]

logger = logging.getLogger(__name__)


class SocketKey(NamedTuple):
    """What makes a socket another one."""

    version: IpVersion
    source: str = ""
    dont_fragment: bool = False
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply that is right in every respect."""

    rtt_seconds: float
    hop_limit: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """An ICMP error after which no reply can come."""

    rtt_seconds: float
    kind: ErrorKind
    report: ErrorReport


Outcome = Answered | Refused


class Ping:
    """An echo request under way; ``outcome`` is done when there is one."""

    def __init__(self, shared: _SharedSocket, host: str, sequence: int, payload: bytes) -> None:
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.host = host
        self.sequence = sequence
        self.payload = payload
        self.sent = Stamp(0, 0)
        self._shared = shared

    def give_up(self, *, lost: bool) -> None:
        """Expect nothing any more; *lost* says that something should have come."""
        self._shared.forget(self.sequence, lost=lost and not self.outcome.done())


class ProbeSockets:
    """All of them, for one event loop."""

    def __init__(
        self, count_rejected: Callable[[], None], open_socket: OpenSocket = IcmpSocket.open
    ) -> None:
        """Make them; none is open yet.

        Args:
            count_rejected: Called for a reply from another host, or with another payload, than a
                ping under way.
            open_socket: Opens one.
        """
        self.count_rejected = count_rejected
        self._open_socket = open_socket
        self._sockets: dict[SocketKey, _SharedSocket] = {}

    def try_out(self) -> None:
        """Open a socket of each family, and log what came of it.

        Raises:
            SocketDenied: This user may have none.
        """
        for version in _VERSIONS:
            try:
                mode = self.prepare(SocketKey(version, "", dont_fragment=False)).mode
            except TargetError as error:
                logger.warning("no socket for probes", extra=fields(version=version, err=error))
            else:
                logger.info("socket for probes", extra=fields(version=version, mode=mode))

    def prepare(self, key: SocketKey) -> _SharedSocket:
        """Open the socket, if it is not, or is worn.

        Raises:
            SocketDenied: This user may have no socket.
            TargetError: The socket cannot be.
        """
        shared = self._sockets.get(key)
        if shared is None or shared.worn:
            if shared is not None:
                shared.retire()
                del self._sockets[key]
            shared = self._sockets[key] = _SharedSocket(self, key)
        return shared

    def send(
        self,
        key: SocketKey,
        destination: SocketAddress,
        size_bytes: int,
        hop_limit: int | None = None,
        *,
        traffic_class: int | None = None,
        nonce: int | None = None,
    ) -> Ping:
        """Send an echo request with *size_bytes* of payload.

        Pings with one *nonce*, by default a new one, look the same to routers that choose among
        parallel paths.

        Raises:
            SocketDenied, TargetError: As ``prepare``.
            SendError: The request cannot be sent.
        """
        if nonce is None:
            nonce = secrets.randbits(64)
        payloads = EchoPayload(nonce, size_bytes)
        return self.prepare(key).send(destination, payloads, hop_limit, traffic_class)

    def open(self, key: SocketKey, shared: _SharedSocket) -> IcmpSocket:
        """Open a socket whose replies and errors go to *shared*."""
        return self._open_socket(
            key.version,
            source=key.source,
            interface=key.interface,
            dont_fragment=key.dont_fragment,
            receive_buffer_bytes=_BUFFER_BYTES,
            on_reply=shared.on_reply,
            on_error=shared.on_error,
        )

    def close(self) -> None:
        """Close all; pings under way get no outcome."""
        for shared in self._sockets.values():
            shared.close()
        self._sockets.clear()


class _SharedSocket:
    """An open socket and the pings that are under way on it."""

    def __init__(self, sockets: ProbeSockets, key: SocketKey) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._socket = sockets.open(key, self)
        self._loop.add_reader(self._socket.fileno(), self._socket.receive)
        self._opened_at = self._loop.time()
        self._pings: dict[int, Ping] = {}
        self._next_sequence = random.SystemRandom().randrange(_SEQUENCES)
        self._lost = False
        self._retired = False
        self._is_open = True

    @property
    def mode(self) -> SocketMode:
        """Which kind of socket the system gave."""
        return self._socket.mode

    @property
    def worn(self) -> bool:
        """Whether a firewall may have taken offence at its identifier."""
        return self._lost and self._loop.time() - self._opened_at >= RENEW_SECONDS

    def send(
        self,
        destination: SocketAddress,
        payloads: EchoPayload,
        hop_limit: int | None,
        traffic_class: int | None,
    ) -> Ping:
        sequence = self._free_sequence()
        payload = payloads.encode(sequence)
        scope = destination[3] if len(destination) == 4 else 0
        ping = Ping(self, address_text(destination[0], scope), sequence, payload)
        self._pings[sequence] = ping
        try:
            ping.sent = self._socket.send(
                destination, sequence, payload, hop_limit=hop_limit, traffic_class=traffic_class
            )
        except TargetError:
            self.forget(sequence, lost=False)
            raise
        return ping

    def on_reply(self, reply: Reply) -> None:
        ping = self._pings.get(reply.sequence)
        if ping is None or ping.outcome.done():
            return
        if reply.source != ping.host or reply.payload != ping.payload:
            self._sockets.count_rejected()
            return
        ping.outcome.set_result(Answered(_rtt_seconds(ping.sent, reply.received), reply.hop_limit))

    def on_error(self, report: ErrorReport) -> None:
        ping = self._pings.get(report.sequence)
        if ping is None or ping.outcome.done() or report.destination != ping.host:
            return
        quoted = min(len(report.payload), len(ping.payload))
        if report.payload[:quoted] != ping.payload[:quoted]:
            return
        version: IpVersion = 6 if ":" in report.destination else 4
        kind = error_kind(version, report.type, report.code, reported_by_us=report.reported_by_us)
        if kind is not ErrorKind.INFORMATIONAL:
            rtt_seconds = _rtt_seconds(ping.sent, report.received)
            ping.outcome.set_result(Refused(rtt_seconds, kind, report))

    def forget(self, sequence: int, *, lost: bool) -> None:
        self._pings.pop(sequence, None)
        self._lost = self._lost or lost
        if self._retired and not self._pings:
            self.close()

    def retire(self) -> None:
        """Close as soon as nothing is under way."""
        self._retired = True
        if not self._pings:
            self.close()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            with suppress(ValueError, OSError):
                self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _free_sequence(self) -> int:
        if len(self._pings) >= _SEQUENCES:
            raise TargetError(FailureReason.LOCAL, "65536 pings are under way already")
        while self._next_sequence in self._pings:
            self._next_sequence = (self._next_sequence + 1) % _SEQUENCES
        sequence = self._next_sequence
        self._next_sequence = (sequence + 1) % _SEQUENCES
        return sequence


def _rtt_seconds(sent: Stamp, received: Stamp) -> float:
    """Time between two instants, by the kernel's stamp unless the clock was set in between."""
    by_monotonic = received.monotonic_ns - sent.monotonic_ns
    by_realtime = received.realtime_ns - sent.realtime_ns
    if abs(by_monotonic - by_realtime) > _CLOCK_STEP_NS:
        by_monotonic = monotonic_ns() - sent.monotonic_ns
    return max(by_monotonic, 0) / 1e9
