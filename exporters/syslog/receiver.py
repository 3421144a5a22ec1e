"""From what arrives to events: every message ends in exactly one outcome, told by ``_take``.

Messages come in batches, and what is alike in a batch is counted at once: messages of one device
and one class share an ``_Account``. Where the rules have settled what they say of a class, no
message of it is judged by itself. What is not settled takes the long way, and comes to the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exporters.config.event_taxonomy import OTHER, UNKNOWN
from exporters.events.event import Action, Message, Verdict
from exporters.events.intake import Intake
from exporters.events.sources import Source, SourceLimiter, Sources
from exporters.sockets.datagrams import Datagram, DatagramAnswers, address_of
from exporters.syslog.details import SyslogDetails
from exporters.syslog.outcomes import (
    FRAMING_FAULT,
    INTERNAL_ERROR,
    OUTCOMES,
    RATE_LIMITED,
    SOURCE_DENIED,
)
from exporters.syslog.series import SyslogSeries
from exporters.syslog.transports import TRANSPORTS
from exporters.wire.syslog_classes import Classifier, MessageClass, MessageFormat
from exporters.wire.syslog_message import decode_message

logger = logging.getLogger(__name__)

_MOST_HOSTS: Final = 50_000
_MOST_ACCOUNTS: Final = 50_000
_FAULT_LOG_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken: all that a reload exchanges at once."""

    sources: Sources
    limiter: SourceLimiter
    max_message_bytes: int


class SyslogReceiver:
    """Takes messages and hands on what they tell."""

    def __init__(
        self,
        intake: Intake,
        series: SyslogSeries,
        policy: Policy,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.received = dict.fromkeys(TRANSPORTS, 0)
        """Messages and framing faults, by transport; the sum of all outcomes."""
        self.received_bytes = dict.fromkeys(TRANSPORTS, 0)
        """Octets of messages, by transport."""
        self.truncated_datagrams = 0
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self.refused: dict[tuple[str, str], int] = {}
        """What devices have sent in vain, by device and outcome."""
        self.handling_seconds = 0.0
        self._intake = intake
        self._series = series
        self._clock = clock
        self._monotonic = monotonic
        self._classifier = Classifier()
        self._accounts: dict[tuple[str, MessageClass], _Account] = {}
        self._hosts: dict[bytes, Source] = {}
        self._fault_logged_at = -_FAULT_LOG_SECONDS
        self._policy = policy

    @property
    def policy(self) -> Policy:
        """What is taken at present."""
        return self._policy

    def replace(self, policy: Policy) -> None:
        """Take by another policy, and by the rules that the intake has now."""
        self._policy = policy
        self._hosts.clear()
        self._accounts.clear()

    def take_datagrams(self, datagrams: Collection[Datagram], line: DatagramAnswers) -> None:
        """Take what a socket has received."""
        hosts, host_of = self._hosts, line.host_of
        longest = self._policy.max_message_bytes
        contents: list[bytes] = []
        sources: list[Source] = []
        for content, envelope, is_cut in datagrams:
            if is_cut or len(content) > longest:
                self.truncated_datagrams += 1
                content = content[:longest]
            contents.append(content)
            sources.append(hosts.get(envelope[host_of]) or self._source(envelope[host_of]))
        self._take("udp", contents, sources)

    def take_frames(self, messages: Sequence[bytes], source: Source, transport: str) -> None:
        """Take what a connection has brought, or any messages of one sender."""
        self._take(transport, messages, [source] * len(messages))

    def count_framing_faults(self, number: int, source: Source, transport: str) -> None:
        """Count places of a stream where no message could be found."""
        self.received[transport] += number
        self._refuse(FRAMING_FAULT, source, number)

    def _take(self, transport: str, messages: Sequence[bytes], sources: Sequence[Source]) -> None:
        """Take messages, each with its sender."""
        started_at = self._monotonic()
        self.received[transport] += len(messages)
        self.received_bytes[transport] += sum(map(len, messages))
        messages, sources = self._admit(messages, sources, started_at)
        try:
            classes = self._classifier.classify_batch(messages)
        except Exception as error:  # noqa: BLE001 - logged
            self._fail(sources, error)
        else:
            self._count(messages, sources, classes)
        self.handling_seconds += self._monotonic() - started_at

    def _admit(
        self, messages: Sequence[bytes], sources: Sequence[Source], now: float
    ) -> tuple[Sequence[bytes], Sequence[Source]]:
        """Give those messages whose senders may send, and may send so much."""
        take = self._policy.limiter.take
        admitted: list[bytes] = []
        senders: list[Source] = []
        for message, source in zip(messages, sources, strict=True):
            if not source.is_allowed:
                self._refuse(SOURCE_DENIED, source)
            elif not take(source.address, now):
                self._refuse(RATE_LIMITED, source)
            else:
                admitted.append(message)
                senders.append(source)
        return admitted, senders

    def _count(
        self,
        messages: Iterable[bytes],
        sources: Iterable[Source],
        classes: Iterable[MessageClass],
    ) -> None:
        """Judge and show one by one what must be, and count what is alike at once."""
        now = self._clock()
        accounts = self._accounts
        touched: list[_Account] = []
        for content, source, message_class in zip(messages, sources, classes, strict=True):
            try:
                device = source.device
                if source.is_relay:
                    device = self._device_of(source, content, message_class)
                account = accounts.get((device, message_class))
                if account is None:
                    account = self._open_account(device, message_class)
                if not account.arrived:
                    touched.append(account)
                self._take_one(content, source, account, now)
                account.arrived += 1
            except Exception as error:  # noqa: BLE001 - logged
                self._fail((source,), error)
        for account in touched:
            self._settle(account, now)

    def _take_one(self, content: bytes, source: Source, account: _Account, now: float) -> None:
        message_class = account.message_class
        verdict = account.verdict
        if verdict is None or account.is_shown:
            message = Message(
                "syslog", now, source.address, account.device, message_class.event,
                SyslogDetails(content, message_class), len(content), message_class.severity, b"",
                None, "", b"", None, None, message_class.facility, message_class.app,
                message_class.vendor,
            )  # fmt: skip
            if verdict is not None:
                self._intake.record(message, verdict)
            elif self._intake.take(message).action is Action.DROP:
                account.dropped += 1

    def _settle(self, account: _Account, now: float) -> None:
        """Count what has come for an account."""
        arrived, dropped = account.arrived, account.dropped
        account.arrived = account.dropped = 0
        self.outcomes[account.message_class.format.value] += arrived
        counted = arrived - dropped
        if not counted or account.is_ignored:
            return
        if account.verdict is not None:
            self._intake.count(account.device, account.verdict, counted, now)
        self._series.messages.inc(account.message_key, counted)
        self._series.vendor_events.inc(account.event_key, counted)
        self._series.last_seen.set((account.device,), now)

    def _open_account(self, device: str, message_class: MessageClass) -> _Account:
        if len(self._accounts) >= _MOST_ACCOUNTS:
            self._accounts.clear()  # of made-up shapes; what is wanted is soon there again
        account = _Account(device, message_class, self._intake)
        self._accounts[device, message_class] = account
        return account

    def _device_of(self, source: Source, content: bytes, message_class: MessageClass) -> str:
        """Believe a relay whose message it is."""
        hostname = decode_message(content, message_class).hostname
        return self._policy.sources.device_of(source, hostname)

    def _source(self, host: bytes) -> Source:
        source = self._policy.sources.source(address_of(host))
        if len(self._hosts) >= _MOST_HOSTS:
            self._hosts.clear()  # forged addresses; those of devices are soon there again
        self._hosts[host] = source
        return source

    def _refuse(self, outcome: str, source: Source, number: int = 1) -> None:
        self.outcomes[outcome] += number
        if source.device != UNKNOWN:
            key = (source.device, outcome)
            self.refused[key] = self.refused.get(key, 0) + number

    def _fail(self, sources: Iterable[Source], error: Exception) -> None:
        """Count messages that could not be handled; seldom told, as there may be many."""
        for source in sources:
            self._refuse(INTERNAL_ERROR, source)
        now = self._monotonic()
        if now - self._fault_logged_at >= _FAULT_LOG_SECONDS:
            self._fault_logged_at = now
            logger.error("a message could not be handled", exc_info=error)


class _Account:
    """What the messages of one device and one class have in common, and how many came."""

    __slots__ = (
        "arrived", "device", "dropped", "event_key", "is_ignored", "is_shown", "message_class",
        "message_key", "verdict",
    )  # fmt: skip

    def __init__(self, device: str, message_class: MessageClass, intake: Intake) -> None:
        example = Message(
            "syslog",
            0.0,
            "",
            device,
            message_class.event,
            SyslogDetails(b"", message_class),
            severity=message_class.severity,
            app=message_class.app,
        )
        rules = intake.rules
        self.arrived = 0
        self.dropped = 0
        self.device = device
        self.message_class = message_class
        self.message_key = (
            device,
            message_class.facility or UNKNOWN,
            message_class.severity or UNKNOWN,
        )
        name = message_class.event if rules.looks_for(example) else OTHER
        self.event_key = (device, message_class.vendor or UNKNOWN, name)
        self.verdict: Verdict | None = rules.settled(example)
        self.is_shown = self.verdict is not None and self.verdict.action is Action.RECORD
        self.is_ignored = False
        if message_class.format is MessageFormat.EMPTY:
            self.verdict = Verdict()
            self.is_ignored, self.is_shown = True, False
        elif self.verdict is not None and self.verdict.action is Action.DROP:
            self.is_ignored = True
