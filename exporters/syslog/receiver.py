"""From what arrives to events: every message ends in exactly one outcome, told by ``_take``.

Messages come in batches, and nearly nothing is done for each: it gets a class, and a count of its
device and class goes up. What the counts come to is settled later (``exporters.syslog.accounts``),
and events for ``/events`` are made when somebody looks (``exporters.syslog.batch``). What the rules
have not settled for all messages of a class takes the long way, and comes to the same.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from operator import itemgetter
from typing import Final

from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.event import Action, Message
from exporters.events.intake import Intake
from exporters.events.sources import Source
from exporters.sockets.datagrams import Datagrams
from exporters.syslog.accounts import Accounts
from exporters.syslog.batch import Batch, BatchEvents, Judgement
from exporters.syslog.judging import Judge
from exporters.syslog.observing import Observation, Observer, Repeat
from exporters.syslog.outcomes import FRAMING_FAULT, INTERNAL_ERROR
from exporters.syslog.plans import Plans
from exporters.syslog.senders import Policy, Senders
from exporters.syslog.series import SyslogSeries
from exporters.syslog.transports import TRANSPORTS
from exporters.wire.syslog_classes import Classifier
from exporters.wire.syslog_faults import MessageFault
from exporters.wire.syslog_message import decode_hostname

__all__ = ["Policy", "SyslogReceiver"]

logger = logging.getLogger(__name__)

_FAULT_LOG_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 5.0
_DEVICE: Final = itemgetter(Source._fields.index("device"))

KeepOwn = Callable[
    [str, Sequence[bytes], Sequence[Source]], tuple[Sequence[bytes], Sequence[Source]]
]
"""Is told a transport, messages and their senders; gives those that are to be taken here."""


class SyslogReceiver:
    """Takes messages and hands on what they tell; to the families when it settles."""

    def __init__(
        self,
        intake: Intake,
        series: SyslogSeries,
        policy: Policy,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.received = dict.fromkeys(TRANSPORTS, 0)
        """Messages and framing faults, by transport; the sum of all outcomes."""
        self.received_bytes = dict.fromkeys(TRANSPORTS, 0)
        """Octets of messages, by transport."""
        self.truncated_datagrams = 0
        self.refused: dict[tuple[str, str], int] = {}
        """What devices have sent in vain, by device and outcome."""
        self.handling_seconds = 0.0
        self.keep_own: KeepOwn | None = None
        """Hands over what other processes keep, where there are others."""
        self._intake = intake
        self._series = series
        self._clock = clock
        self._monotonic = monotonic
        self._classifier = Classifier()
        self._accounts = Accounts(intake, series)
        self._observation = Observation(observer, self._tell)
        self._plans = Plans(intake.rules)
        self._judge = Judge(intake.rules)
        self._senders = Senders(policy)
        self._fault_logged_at = -_FAULT_LOG_SECONDS

    @property
    def policy(self) -> Policy:
        """What is taken at present."""
        return self._senders.policy

    @property
    def outcomes(self) -> dict[str, int]:
        """What became of all messages that have arrived."""
        self.settle()
        return self._accounts.outcomes

    def replace(self, policy: Policy) -> None:
        """Take by another policy, and by the rules that the intake has now."""
        self.settle()
        self._senders = Senders(policy)
        self._plans = Plans(self._intake.rules)
        self._judge = Judge(self._intake.rules)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Settle now and then, for as long as the context lasts, and at its end."""
        settling = asyncio.create_task(self._keep_settling())
        try:
            yield
        finally:
            settling.cancel()
            with suppress(asyncio.CancelledError):
                await settling
            self.settle()

    def settle(self) -> None:
        """Let the families tell of all that has arrived, as they must before they are read."""
        self._accounts.settle(self._plans, self._observation.newest_at)
        self._observation.settle()
        self._plans.tidy()

    def take_datagrams(self, datagrams: Datagrams) -> None:
        """Take what a socket has received."""
        contents, hosts, cut = datagrams
        longest = self.policy.max_message_bytes
        if cut or (contents and max(map(len, contents)) > longest):
            too_long = {place for place, content in enumerate(contents) if len(content) > longest}
            too_long.update(cut)
            self.truncated_datagrams += len(too_long)
            for source in self._senders.senders([hosts[place] for place in too_long]):
                if source.is_allowed:
                    self.count_truncated(1, source)
            contents = [content[:longest] for content in contents]
        plain = self._senders.plain_senders(hosts)
        if plain is not None:
            self._take("udp", contents, plain)
        else:
            self._take_careful("udp", contents, self._senders.senders(hosts))

    def take_frames(self, messages: Sequence[bytes], source: Source, transport: str) -> None:
        """Take what a connection has brought, or any messages of one sender."""
        take = self._take if self._senders.is_plain(source) else self._take_careful
        take(transport, messages, [source] * len(messages))

    def read(self, content: bytes, source: Source) -> Message:
        """Give a message as rules see it; it is not taken."""
        classes = self._classifier.classify_batch([content])
        devices = self._devices([content], [source])
        zones = self.policy.sources.zones
        return Batch([content], [source], devices, classes, self._clock(), zones).message(0)

    def count_framing_faults(self, number: int, source: Source, transport: str) -> None:
        """Count places of a stream where no message could be found."""
        self.received[transport] += number
        self._refuse(FRAMING_FAULT, source, number)

    def take_handed(
        self, transport: str, contents: Sequence[bytes], sources: Sequence[Source]
    ) -> None:
        """Take what another process has handed over, whose senders may send."""
        self._take(transport, contents, sources)

    def count_refused(self, outcome: str, transport: str, content: bytes, source: Source) -> None:
        """Count a message that is not taken after all."""
        self.received[transport] += 1
        self.received_bytes[transport] += len(content)
        self._refuse(outcome, source)

    def count_truncated(self, number: int, source: Source) -> None:
        """Count messages that were longer than may be, by device."""
        self._series.faults.inc((source.device, MessageFault.TRUNCATED.value), number)

    def _take_careful(
        self, transport: str, contents: Sequence[bytes], sources: Sequence[Source]
    ) -> None:
        """Take messages of whose senders some are not plain."""
        arrived, arrived_bytes = len(contents), sum(map(len, contents))
        taken, senders = self._senders.admit(contents, sources, self._monotonic(), self._refuse)
        self.received[transport] += arrived - len(taken)
        self.received_bytes[transport] += arrived_bytes - sum(map(len, taken))
        if self.keep_own is not None:
            taken, senders = self.keep_own(transport, taken, senders)
        self._take(transport, taken, senders)

    def _take(self, transport: str, contents: Sequence[bytes], sources: Sequence[Source]) -> None:
        """Take messages, each with its sender, who may send it."""
        started_at = self._monotonic()
        size_bytes = sum(map(len, contents))
        self.received[transport] += len(contents)
        self.received_bytes[transport] += size_bytes
        try:
            classes = self._classifier.classify_batch(contents)
            devices = self._devices(contents, sources)
        except Exception as error:  # noqa: BLE001 - logged
            self._fail(sources, error)
        else:
            zones = self.policy.sources.zones
            batch = Batch(contents, sources, devices, classes, self._clock(), zones)
            self._count(batch, size_bytes)
        if self._accounts.is_full:
            self.settle()
        self.handling_seconds += self._monotonic() - started_at

    def _devices(self, contents: Sequence[bytes], sources: Sequence[Source]) -> Sequence[str]:
        """Say whose messages these are: their senders', or whose a relay says that they are."""
        devices = list(map(_DEVICE, sources))
        if self.policy.sources.has_relays:
            for place, source in enumerate(sources):
                if source.is_relay:
                    hostname = decode_hostname(contents[place])
                    devices[place] = self.policy.sources.device_of(source, hostname)
        return devices

    def _count(self, batch: Batch, size_bytes: int) -> None:
        """Count messages, look at those that are not as plain as most, and show them all."""
        plans, classes = self._plans, batch.classes
        self._accounts.count(batch.devices, classes)
        judged, hidden = self._look_at_some(batch)
        self._observation.take(batch)
        places: Sequence[int] = range(len(classes))
        if hidden or not plans.hidden.isdisjoint(classes):
            places = [
                place
                for place, kind in enumerate(classes)
                if kind not in plans.hidden and place not in hidden
            ]
            size_bytes = sum(map(len, map(batch.contents.__getitem__, places)))
        if places:
            numbers = self._intake.numbers.take(len(places))
            events = BatchEvents(batch, places, numbers, plans.settled, judged)
            self._intake.record_batch(events, size_bytes)

    def _look_at_some(self, batch: Batch) -> tuple[dict[int, Judgement], set[int]]:
        """Look at the messages whose class does not say all; the judgements, and what to hide."""
        classes, contents, plain = batch.classes, batch.contents, self._plans.plain
        finders = self._judge.finders
        judged: dict[int, Judgement] = {}
        hidden: set[int] = set()
        for place, kind in enumerate(classes):
            if kind in plain:
                continue
            find = finders.get(kind)
            judgement = find and find(contents[place])
            if judgement is None:
                try:
                    judgement = self._look(batch, place)
                except Exception as error:  # noqa: BLE001 - logged
                    self._give_up(batch, place, error)
                    hidden.add(place)
            if judgement is not None:
                judged[place] = judgement
        for place in [place for place, judgement in judged.items() if not judgement.is_plain]:
            try:
                self._act(batch, place, judged, hidden)
            except Exception as error:  # noqa: BLE001 - logged
                self._give_up(batch, place, error)
                hidden.add(place)
                del judged[place]
        self._accounts.count_judged(map(batch.devices.__getitem__, judged), judged.values())
        return judged, hidden

    def _look(self, batch: Batch, place: int) -> Judgement | None:
        """Give the judgement on a message; None if its class is settled, new or of repeats."""
        message_class = batch.classes[place]
        plan = self._plans.plan(message_class)
        if message_class.is_repeat and (repeat := self._observation.repeat(batch, place)):
            self._count_again(batch, place, repeat)
        if plan.verdict is not None:
            return None
        return self._judge.judge(batch, place, is_by_text=plan.is_by_text)

    def _act(
        self, batch: Batch, place: int, judged: dict[int, Judgement], hidden: set[int]
    ) -> None:
        """Do what a judgement asks for beyond counting."""
        device, verdict = batch.devices[place], judged[place].verdict
        if verdict.action is not Action.RECORD:
            hidden.add(place)
        if verdict.action is Action.DROP:
            self._accounts.drop(device, batch.classes[place])
            del judged[place]
        elif verdict.changes or verdict.restarted:
            self._intake.change_states(device, verdict, batch.received_at)

    def _count_again(self, batch: Batch, place: int, repeat: Repeat) -> None:
        """Count what is said to have come again, and has not arrived."""
        content, message_class, _ = repeat.message
        plan = self._plans.plan(message_class)
        device, source = batch.devices[place], batch.sources[place]
        one = Batch([content], [source], [device], [message_class], batch.received_at, batch.zones)
        verdict = plan.verdict or self._judge.rules.judge(one.message(0))
        if verdict.action is not Action.DROP:
            self._intake.count(device, verdict, repeat.times, batch.received_at)
            self._accounts.add(device, plan, repeat.times, batch.received_at)

    def _refuse(self, outcome: str, source: Source, number: int = 1) -> None:
        self._accounts.outcomes[outcome] += number
        if source.device != UNKNOWN:
            key = (source.device, outcome)
            self.refused[key] = self.refused.get(key, 0) + number

    def _give_up(self, batch: Batch, place: int, error: Exception) -> None:
        """Count a message that could not be handled, and not what it is."""
        self._accounts.forget(batch.devices[place], batch.classes[place])
        self._fail((batch.sources[place],), error)

    def _fail(self, sources: Sequence[Source], error: Exception) -> None:
        """Count messages that could not be handled."""
        for source in sources:
            self._refuse(INTERNAL_ERROR, source)
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Log a fault of ours; seldom, as there may be many."""
        now = self._monotonic()
        if now - self._fault_logged_at >= _FAULT_LOG_SECONDS:
            self._fault_logged_at = now
            logger.error("a message could not be handled", exc_info=error)

    async def _keep_settling(self) -> None:
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                self.settle()
            except Exception as error:  # noqa: BLE001 - logged
                self._tell(error)
