"""One conversation with one agent: requests, answers, retransmissions and deadlines.

A session is opened for one scrape and closed with it. Several requests may be in flight at once
on its one socket; an answer finds its request by the request-id (the message id in version 3).
What outlives the scrape (round-trip times, the SNMPv3 engine, what was learnt of the agent's
limits) is handed in. Not a walker: which objects to ask for is decided in ``exporters.polling``.

Every try of a request is a message of its own, with a new request-id, and an answer to any of them
ends the request:

* It tells which try was answered, and so how long the agent really takes. With one id for all, an
  agent slower than the first wait would look quick or unknown, and be asked all things twice.
* An agent, or a box on the way, may take two messages with one id for one that the network has
  doubled, and drop the second (RFC 3416 s3 offers the id for just that). In version 3 it should be
  new (RFC 3412 s6.2).
* A try carries what is known by then: the engine's present time, its new boots after a restart.
* It may ask for less: a GetBulk halves its repetitions from the third try on, since a large answer
  that is cut into fragments is what a bad path loses first. Two tries are lost by chance too often
  for that: on a path that loses a fifth of all datagrams, one request in eight.

The price is one encoding a try.

``retries`` bounds the packets of a session, not of each request alone: while the last wait of a
request runs, it is sent again with retries that answered requests have not used. A request to an
agent that answers nothing gets its own ones and no more. Without this, one request in sixty is
given up at a fifth lost each way, and half of all scrapes of forty packets with it.

Nothing is sent twice over TCP, which loses nothing; there a new try is a new connection, after the
agent has closed the last one.

Sources: RFC 3416 s4.2 (the request operations), RFC 3414 s4 (discovery and time), knowledge of
agents that answer twice, late, with wrong ids or from another address.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Final, Self

from exporters.errors import FailureReason, TargetError, WireError
from exporters.sockets.device_queue import SendLimiter
from exporters.sockets.resolution import Endpoint
from exporters.sockets.rtt import RttEstimator
from exporters.sockets.snmp_exchange import Exchange, Outcome, PendingExchanges
from exporters.sockets.snmp_security import RejectedAnswerError, Security
from exporters.sockets.snmp_transport import Transport, open_transport
from exporters.wire.ber import Oid, format_oid
from exporters.wire.snmp_message import Pdu, encode_names, encode_pdu
from exporters.wire.tags import (
    GET_BULK_REQUEST,
    GET_NEXT_REQUEST,
    GET_REQUEST,
    RESPONSE,
)

Trace = Callable[[str], None]
Encode = Callable[[int, int], bytes]
"""Makes the message of a try, from its request-id and its number, counted from 0."""

_REPORTS_PER_REQUEST: Final = 2
"""One for another engine, one for its time; more would be an agent that has nothing else."""

_ROUND_TRIPS: Final = 100_000
"""How many are kept: more than a scrape has, less than an hour of walking."""

_FINAL: Final = frozenset({FailureReason.REFUSED, FailureReason.DECODE})
"""Errors of a transport that end the requests under way; others are hints (RFC 1122 s4.1.3.3)."""

_OPERATIONS: Final = {
    GET_REQUEST: "get",
    GET_NEXT_REQUEST: "getnext",
    GET_BULK_REQUEST: "getbulk",
}


@dataclass(slots=True)
class Traffic:
    """What a session has sent and heard; plain counts, read by whoever made it."""

    packets_sent: int = 0
    packets_retried: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    answers_unmatched: int = 0
    answers_rejected: int = 0
    decode_seconds: float = 0.0
    """Time that opening messages took: BER, and in version 3 digest and cipher."""
    limit_wait_seconds: float = 0.0
    """Time in which packets waited for their turn."""
    round_trips: deque[float] = field(default_factory=lambda: deque(maxlen=_ROUND_TRIPS))
    """Seconds from sending to the answer, one entry an answered request, of the latest of them."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How a session behaves towards one agent."""

    timeout_seconds: float = 5.0
    retries: int = 3
    source: tuple[str, int] | None = None
    connected: bool = True
    patience_seconds: float = math.inf
    """The longest that one request may take with all its tries, if they would take longer."""


class SnmpSession:
    """A socket towards one agent, with credentials.

    Use as an async context manager. Every method that sends raises ``TargetError`` when the agent
    does not answer in time, refuses, or answers nonsense.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        security: Security,
        settings: SessionSettings,
        *,
        deadline_at: float,
        request_ids: Iterator[int],
        rtt: RttEstimator,
        traffic: Traffic,
        trace: Trace | None = None,
        limiter: SendLimiter | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.traffic = traffic
        self.deadline_at = deadline_at
        self._security = security
        self._settings = settings
        self._request_ids = request_ids
        self._rtt = rtt
        self._trace = trace
        self._limiter = limiter
        self._waited_until = 0.0
        self._loop = asyncio.get_running_loop()
        self._pending = PendingExchanges(self._loop)
        self._heard = False
        self._spare_retries = 0
        self._ended = False
        self._transport: Transport | None = None
        self._opening = asyncio.Lock()
        self._discovering = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open the socket."""
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the socket; requests still waiting end, if their own tasks have not ended them."""
        self._ended = True
        self._pending.close()
        if self._transport is not None:
            self._transport.close()

    @property
    def version(self) -> int:
        """The SNMP version spoken."""
        return self._security.version

    async def get(self, oids: Sequence[Oid]) -> tuple[Pdu, int]:
        """Ask for exactly these instances; gives the answer and its size in bytes."""
        return await self.request(GET_REQUEST, oids)

    async def get_next(self, oids: Sequence[Oid]) -> tuple[Pdu, int]:
        """Ask for what follows each of these."""
        return await self.request(GET_NEXT_REQUEST, oids)

    async def get_bulk(self, oids: Sequence[Oid], repetitions: int) -> tuple[Pdu, int]:
        """Ask for the next *repetitions* instances after each of these, or fewer on a bad path."""
        return await self.request(GET_BULK_REQUEST, oids, repetitions)

    async def request(
        self, pdu_type: int, oids: Sequence[Oid], repetitions: int = 0
    ) -> tuple[Pdu, int]:
        """Send one request until it is answered or time is up.

        Returns:
            The response PDU, whatever its error-status, and the size of its message in bytes.

        Raises:
            TargetError: No acceptable answer; the reason says why.
        """
        names = encode_names(oids)
        reason = FailureReason.AUTH_UNKNOWN_ENGINE

        def encode(request_id: int, attempt: int) -> bytes:
            asked = max(1, repetitions >> max(0, attempt - 1)) if repetitions else 0
            message = self._security.seal(
                request_id, encode_pdu(pdu_type, request_id, 0, asked, names)
            )
            if self._trace is not None:
                self._trace(
                    f"send {_OPERATIONS[pdu_type]} id={request_id} repetitions={asked} "
                    f"bytes={len(message)} oids={','.join(map(oid_text, oids))}"
                )
            return message

        for _ in range(_REPORTS_PER_REQUEST + 1):
            if self._security.must_discover:
                await self._discover()
            pdu, answer = await self._exchange(encode)
            if pdu.type == RESPONSE:
                self._heard = True
                return pdu, len(answer)
            reason = self._security.accept_report(pdu, answer)
        raise TargetError(
            reason, f"{self.endpoint} has nothing but reports that its engine or time is another"
        )

    async def _discover(self) -> None:
        """Learn the agent's engine (RFC 3414 s4); one request at a time does so."""

        def encode(message_id: int, attempt: int) -> bytes:
            message = self._security.discovery(message_id)
            if self._trace is not None:
                self._trace(f"send discovery id={message_id} bytes={len(message)}")
            return message

        async with self._discovering:
            if not self._security.must_discover:
                return
            _, answer = await self._exchange(encode)
            self._security.accept_discovery(answer)

    async def _exchange(self, encode: Encode) -> tuple[Pdu, bytes]:
        """Send until there is an answer, within the limits of the device if it has any."""
        limiter = self._limiter
        if limiter is None:
            return await self._try(encode)
        started_at = self._loop.time()
        # A turn that leaves no time for the answer is none.
        turns = await limiter.begin(self.deadline_at - 2 * (self._rtt.smoothed_seconds or 0.0))
        try:
            self._note_wait(started_at, limiter)
            return await self._try(encode)
        finally:
            limiter.end(turns)

    async def _try(self, encode: Encode) -> tuple[Pdu, bytes]:
        """Try until there is an answer; each wait ends by the deadline."""
        retries = self._settings.retries
        give_up_at = self._give_up_at()
        exchange = Exchange()
        try:
            for attempt in count():
                now = self._loop.time()
                if now >= give_up_at:
                    break
                if attempt == retries and not self.endpoint.stream:
                    give_up_at = min(give_up_at, now + self._settings.timeout_seconds)
                self._spare_retries -= attempt > retries
                last = attempt >= retries and self._spare_retries <= 0
                transport = self._transport
                if transport is None or transport.closed:
                    transport = await self._open()
                await self._send(
                    transport, exchange, encode, attempt, last=last, give_up_at=give_up_at
                )
                exchange.give_up_at = math.inf
                outcome = exchange.outcome
                if outcome is None and last:
                    break
                if outcome is None and self._limiter is not None:
                    outcome = await self._wait_to_retry(self._limiter, exchange, give_up_at)
                if isinstance(outcome, tuple):
                    if outcome[0].type == RESPONSE:
                        self._spare_retries += max(0, retries - attempt)
                    return outcome
                if outcome is None:
                    continue
                hung_up = self.endpoint.stream and outcome.reason is FailureReason.REFUSED
                if not hung_up or attempt >= retries:
                    raise TargetError(outcome.reason, outcome.detail) from outcome
                exchange.outcome = None
                if self._limiter is not None:
                    await self._wait_to_retry(self._limiter, exchange, give_up_at)
        finally:
            self._pending.remove(exchange)
        raise self._no_answer(exchange)

    async def _wait_to_retry(
        self, limiter: SendLimiter, exchange: Exchange, give_up_at: float
    ) -> Outcome:
        """Wait until the next try may be sent; an earlier one may be answered meanwhile."""

        def new_wake() -> asyncio.Future[None] | None:
            exchange.wake = self._loop.create_future() if exchange.outcome is None else None
            return exchange.wake

        started_at = self._loop.time()
        await limiter.retry(give_up_at, new_wake)
        self._note_wait(started_at, limiter)
        return exchange.outcome

    def _note_wait(self, started_at: float, limiter: SendLimiter) -> None:
        """Count the time that a packet waited; what others waited meanwhile, once."""
        now = self._loop.time()
        self.traffic.limit_wait_seconds += now - max(started_at, self._waited_until)
        self._waited_until = now
        if now > started_at and self._trace is not None:
            self._trace(f"waited {now - started_at:.4f} s for a turn, within {limiter}")

    def _send(
        self,
        transport: Transport,
        exchange: Exchange,
        encode: Encode,
        attempt: int,
        *,
        last: bool,
        give_up_at: float,
    ) -> asyncio.Future[None]:
        """Send a try; gives what is done with an outcome, or when the try has waited enough."""
        traffic = self.traffic
        request_id = next(self._request_ids)
        message = encode(request_id, attempt)
        now = self._loop.time()
        wake = self._pending.add_try(exchange, request_id, now)
        traffic.packets_sent += 1
        traffic.packets_retried += attempt > 0
        traffic.bytes_sent += len(message)
        transport.send(message)
        if not self.endpoint.stream:
            longest = self._settings.timeout_seconds
            wait = self._rtt.wait_seconds(attempt, longest=longest, last=last)
            give_up_at = min(give_up_at, now + wait)
        self._pending.give_up_at(exchange, give_up_at)
        return wake

    async def _open(self) -> Transport:
        """Open the socket; one that the agent has closed, again."""
        if self._ended:
            raise RuntimeError("the session is over")
        async with self._opening:
            if self._transport is None or self._transport.closed:
                self._transport = await open_transport(
                    self.endpoint,
                    self._receive,
                    self._fail,
                    source=self._settings.source,
                    connected=self._settings.connected,
                    deadline_at=self._give_up_at(),
                )
            return self._transport

    def _give_up_at(self) -> float:
        settings = self._settings
        tries_seconds = settings.timeout_seconds * (settings.retries + 1)
        patience_seconds = min(tries_seconds, settings.patience_seconds)
        return min(self.deadline_at, self._loop.time() + patience_seconds)

    def _no_answer(self, exchange: Exchange) -> TargetError:
        """Say why there was none, by the best that is known."""
        silence = self._security.after_silence()
        rejected, hint = exchange.rejected, exchange.hint
        if rejected is not None:
            reason = FailureReason.DECODE
            if isinstance(rejected, RejectedAnswerError):
                reason = rejected.reason
            return TargetError(reason, f"{self.endpoint} answers, but {rejected}")
        tries = len(exchange.sent_at)
        if not tries:
            detail = f"the scrape's deadline came before {self.endpoint} could be asked"
            return TargetError(FailureReason.TIMEOUT, f"request timeout: {detail}")
        silent = f"silent after {tries} {'try' if tries == 1 else 'tries'}"
        if hint is not None:
            return TargetError(hint.reason, f"{hint.detail}; {silent}")
        if self._limiter is not None:
            silent += f", within {self._limiter}"
        if self._loop.time() >= self.deadline_at:
            silent += ", when the scrape's deadline came"
        if not self._heard:
            silent += silence
        return TargetError(FailureReason.TIMEOUT, f"request timeout: {self.endpoint} is {silent}")

    def _receive(self, message: bytes) -> None:
        """Take in what the transport heard; garbage is counted and not answered."""
        traffic = self.traffic
        traffic.bytes_received += len(message)
        received_at = self._loop.time()
        try:
            request_id, pdu = self._security.open(message)
        except WireError as error:
            traffic.answers_rejected += 1
            for waiting in self._pending.all():
                waiting.rejected = error
            if self._trace is not None:
                self._trace(f"reject bytes={len(message)}: {error}")
            return
        traffic.decode_seconds += self._loop.time() - received_at
        exchange = self._pending.find(request_id)
        if (
            exchange is None
            or exchange.outcome is not None
            or (pdu.type == RESPONSE and pdu.request_id != request_id)
        ):
            traffic.answers_unmatched += 1
            if self._trace is not None:
                self._trace(f"ignore id={request_id}: no request waits for it")
            return
        if self._trace is not None:
            self._trace(
                f"receive id={request_id} bytes={len(message)} varbinds={len(pdu.varbinds)} "
                f"error-status={pdu.error_status}"
            )
        elapsed = received_at - exchange.sent_at[request_id]
        traffic.round_trips.append(elapsed)
        self._rtt.observe(elapsed)
        exchange.settle((pdu, message))

    def _fail(self, error: TargetError) -> None:
        """Take in what the system says of the agent."""
        if self._trace is not None:
            self._trace(f"error: {error.detail}")
        for exchange in set(self._pending.all()):
            if error.reason in _FINAL:
                exchange.settle(error)
            else:
                exchange.hint = error


def oid_text(oid: Oid) -> str:
    """Write an OID for people; one that an agent made up of impossible numbers, in hex."""
    try:
        return format_oid(oid)
    except WireError:
        return oid.hex()
