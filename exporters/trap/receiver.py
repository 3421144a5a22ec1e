"""From datagrams to events: every datagram ends in exactly one outcome, told by ``_take``.

The way of nearly all traps, version 2c from a known host, is kept short: a datagram costs about as
much here as in the kernel. Whatever is not on it takes the long way and comes to the same.

An inform is answered before it is counted: its sender has no use for what we do with it. One that
is sent again, because the answer was lost, is answered again and not counted again.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from exporters.config.event_taxonomy import UNKNOWN
from exporters.errors import WireError
from exporters.events.event import Message
from exporters.events.intake import Intake
from exporters.events.sources import Source, SourceLimiter, Sources
from exporters.logs import fields
from exporters.sockets.datagrams import DatagramAnswers, Datagrams, address_of
from exporters.trap.catalogue import Catalogue
from exporters.trap.details import TrapDetails
from exporters.trap.objects import Objects
from exporters.trap.outcomes import (
    ACCEPTED,
    BER_ERROR,
    HANDED_OVER,
    INTERNAL_ERROR,
    NOT_HANDED_OVER,
    OUTCOMES,
    TAKEN,
)
from exporters.trap.restarts import Restarts
from exporters.trap.security import Refused, Security
from exporters.trap.seen import Seen
from exporters.trap.series import TrapSeries
from exporters.wire.ber import decode_subids, parent_oid
from exporters.wire.snmp_message import Version, peek_version
from exporters.wire.snmp_trap import (
    SNMP_TRAPS,
    Notification,
    TrapError,
    acknowledge_community_inform,
    decode_community_trap,
)
from exporters.wire.tags import INFORM_REQUEST, TRAP_V1
from exporters.wire.trap_outline import TrapOutline, outline_trap

logger = logging.getLogger(__name__)

_MOST_HOSTS: Final = 50_000
_FAULT_LOG_SECONDS: Final = 60.0
_VERSIONS: Final[dict[int, str]] = {Version.V1: "1", Version.V2C: "2c", Version.V3: "3"}
_VERSION_2C: Final = "2c"
_SPECIFIC: Final = 6


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken, and how it is called: all that a reload exchanges at once."""

    sources: Sources
    limiter: SourceLimiter
    versions: frozenset[str]
    communities: frozenset[bytes]
    security: Security
    catalogue: Catalogue
    objects: Objects


class Others(Protocol):
    """The other processes that traps are received in."""

    def home(self, engine_id: bytes) -> int | None:
        """Give the process that has the clock of an engine; None for this one."""

    def give_datagram(self, to: int, content: bytes, source: Source) -> bool:
        """Hand over a datagram as it came; whether there was room."""

    def give_notification(
        self, to: int, notification: Notification, version: str, source: Source, size_bytes: int
    ) -> bool:
        """Hand over what was decoded, and how long its message was; whether there was room."""


class _NobodyToAnswer:
    """Stands for the socket of a datagram that another process has received."""

    def answer(self, content: bytes, place: int) -> None:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))


class TrapReceiver:
    """Takes datagrams, answers informs, and hands on what was notified."""

    def __init__(
        self,
        intake: Intake,
        series: TrapSeries,
        policy: Policy,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.others: Others | None = None
        """Where there are several."""
        self.notifications = {
            (version, kind): 0 for version in _VERSIONS.values() for kind in ("trap", "inform")
        }
        self.informs_acked = 0
        self.informs_ack_failed = 0
        self.handling_seconds = 0.0
        self._arrived = 0
        self._outcomes = dict.fromkeys((*OUTCOMES, HANDED_OVER), 0)
        self._intake = intake
        self._series = series
        self._clock = clock
        self._monotonic = monotonic
        self._informs = Seen()
        self._restarts = Restarts()
        self._fault_logged_at = -_FAULT_LOG_SECONDS
        self._hosts: dict[bytes, Source] = {}
        self._now = self._at = 0.0
        self._policy = policy
        self.replace(policy)

    @property
    def datagrams(self) -> int:
        """How many have arrived, without those that other processes count."""
        return self._arrived - self._outcomes[HANDED_OVER]

    @property
    def outcomes(self) -> dict[str, int]:
        """What became of them."""
        return {name: self._outcomes[name] for name in OUTCOMES}

    def replace(self, policy: Policy) -> None:
        """Take by another policy from now on."""
        self._policy = policy
        self._hosts.clear()
        self._takes_outlines = _VERSION_2C in policy.versions

    def take(self, datagrams: Datagrams, line: DatagramAnswers) -> None:
        """Take what a socket has received."""
        started_at = self._at = self._monotonic()
        self._now = self._clock()
        contents, hosts, cut = datagrams
        self._arrived += len(contents)
        outcomes, sources = self._outcomes, self._hosts
        for place, (content, host) in enumerate(zip(contents, hosts, strict=True)):
            source = sources.get(host) or self._source(host)
            try:
                outcome = self._take(content, place, place in cut, source, line)
            except Exception as error:  # noqa: BLE001 - logged
                outcome = self._fail(error)
            outcomes[outcome] += 1
            if outcome not in TAKEN and source.device != UNKNOWN:
                self._series.refused.inc((source.device, outcome))
        self.handling_seconds += self._monotonic() - started_at

    def take_handed_datagram(self, content: bytes, address: str) -> None:
        """Take what another process has received from *address*, which may send it."""
        source = self._policy.sources.source(address)
        self._take_handed(partial(self._take_again, content, source), source)

    def take_handed(
        self, notification: Notification, version: str, source: Source, size_bytes: int
    ) -> None:
        """Take what another process has received and decoded."""
        self._take_handed(
            partial(self._count_notification, notification, version, source, size_bytes), source
        )

    def _take_again(self, content: bytes, source: Source) -> str:
        if peek_version(content) != Version.V3:
            # It is handed on no more, whatever the inventory says by now.
            source = source._replace(owner=None)
        return self._take_allowed(content, 0, source, _NobodyToAnswer())

    def _take_handed(self, take: Callable[[], str], source: Source) -> None:
        started_at = self._at = self._monotonic()
        self._now = self._clock()
        self._arrived += 1
        try:
            outcome = take()
        except Exception as error:  # noqa: BLE001 - logged
            outcome = self._fail(error)
        self._outcomes[outcome] += 1
        if outcome not in TAKEN and source.device != UNKNOWN:
            self._series.refused.inc((source.device, outcome))
        self.handling_seconds += self._monotonic() - started_at

    def _fail(self, error: Exception) -> str:
        """Log a fault of ours; seldom: whoever found one datagram for it has more of them."""
        if self._at - self._fault_logged_at >= _FAULT_LOG_SECONDS:
            self._fault_logged_at = self._at
            logger.error("a datagram could not be handled", exc_info=error)
        return INTERNAL_ERROR

    def _take(
        self,
        content: bytes,
        place: int,
        is_cut: bool,
        source: Source,
        line: DatagramAnswers,
    ) -> str:
        """Say what becomes of one datagram."""
        if not source.is_allowed:
            return "source_denied"
        if not self._policy.limiter.take(source.address, self._at):
            return "rate_limited"
        if is_cut:
            return "oversize_or_truncated"
        return self._take_allowed(content, place, source, line)

    def _take_allowed(
        self, content: bytes, place: int, source: Source, line: DatagramAnswers
    ) -> str:
        if self._takes_outlines and not source.is_relay:
            outline = outline_trap(content)
            if outline is not None:
                if source.owner is not None and self.others is not None:
                    return _handed_over(self.others.give_datagram(source.owner, content, source))
                return self._take_outline(outline, content, source)
        try:
            return self._decode(content, place, source, line)
        except TrapError as error:
            return error.outcome
        except Refused as refused:
            if refused.report:
                self._answer(refused.report, place, line)
            return refused.outcome
        except WireError:
            return BER_ERROR

    def _take_outline(self, outline: TrapOutline, content: bytes, source: Source) -> str:
        """Take a trap of version 2c whose varbinds nobody has asked for yet."""
        community, uptime_ticks, oid, objects_at = outline
        policy = self._policy
        if policy.communities and community not in policy.communities:
            return "bad_community"
        self.notifications[_VERSION_2C, "trap"] += 1
        name, known_oid = policy.catalogue.trap(oid, of_stranger=source.device == UNKNOWN)
        details = TrapDetails(policy.objects, name or oid, content, objects_at)
        self._count(
            Message(
                "trap", self._now, source.address, source.device, name, details,
                len(content), "", known_oid, uptime_ticks, _VERSION_2C,
            )
        )  # fmt: skip
        return ACCEPTED

    def _decode(self, content: bytes, place: int, source: Source, line: DatagramAnswers) -> str:
        """Say what becomes of a datagram that has no outline.

        Raises:
            TrapError: It is no notification.
            Refused: It is not to be believed.
            WireError: It is no SNMP message.
        """
        version = _VERSIONS.get(peek_version(content))
        if version is None or version not in self._policy.versions:
            return "bad_version"
        if version == "3":
            return self._decode_v3(content, place, source, line)
        trap = decode_community_trap(content)
        if self._policy.communities and trap.community not in self._policy.communities:
            return "bad_community"
        notification = trap.notification
        if notification.pdu_type == INFORM_REQUEST:
            self._acknowledge(acknowledge_community_inform(content), place, line)
            if self._informs.has_seen(source.address.encode(), content, self._at):
                return "duplicate"
        return self._notify(notification, version, source, len(content))

    def _decode_v3(self, content: bytes, place: int, source: Source, line: DatagramAnswers) -> str:
        if self.others is not None:
            engine_id = self._policy.security.engine_to_ask(content)
            if engine_id and (home := self.others.home(engine_id)) is not None:
                return _handed_over(self.others.give_datagram(home, content, source))
        opened = self._policy.security.open(content, source.address)
        if opened.acknowledgement:
            self._acknowledge(opened.acknowledgement, place, line)
            if self._informs.has_seen(source.address.encode(), opened.identity, self._at):
                return "duplicate"
        return self._notify(opened.notification, "3", source, len(content))

    def _notify(
        self, notification: Notification, version: str, source: Source, size_bytes: int
    ) -> str:
        """Hand on what was notified, to the process that keeps its device."""
        origin = self._policy.sources.origin(source, notification.agent_address)
        if origin.owner is not None and self.others is not None:
            return _handed_over(
                self.others.give_notification(
                    origin.owner, notification, version, origin, size_bytes
                )
            )
        return self._count_notification(notification, version, origin, size_bytes)

    def _count_notification(
        self, notification: Notification, version: str, source: Source, size_bytes: int
    ) -> str:
        """Count a notification, even one that does not say which it is."""
        kind = "inform" if notification.pdu_type == INFORM_REQUEST else "trap"
        self.notifications[version, kind] += 1
        policy = self._policy
        oid = notification.trap_oid
        device = source.device
        name, known_oid = policy.catalogue.trap(oid, of_stranger=device == UNKNOWN)
        generic, specific = _of_version_1(notification)
        self._count(
            Message(
                "trap",
                self._now,
                source.address,
                device,
                name,
                TrapDetails(policy.objects, name or oid, notification.varbinds),
                size_bytes,
                "",
                known_oid,
                notification.uptime_ticks,
                version,
                notification.enterprise,
                generic,
                specific,
            )
        )
        return ACCEPTED if oid else "no_trap_oid"

    def _count(self, message: Message) -> None:
        verdict = self._intake.take(message)
        self._series.count(message, verdict)
        if message.device != UNKNOWN and self._restarts.note(
            message.device, self._now, message.uptime_ticks, says_so=verdict.restarted
        ):
            self._series.restarts.inc((message.device,))

    def _acknowledge(self, answer: bytes, place: int, line: DatagramAnswers) -> None:
        if self._answer(answer, place, line):
            self.informs_acked += 1
        else:
            self.informs_ack_failed += 1

    def _answer(self, answer: bytes, place: int, line: DatagramAnswers) -> bool:
        try:
            line.answer(answer, place)
        except OSError as error:
            logger.debug("answer not sent", extra=fields(err=error.strerror or error))
            return False
        return True

    def _source(self, host: bytes) -> Source:
        source = self._policy.sources.source(address_of(host))
        if len(self._hosts) >= _MOST_HOSTS:
            self._hosts.clear()  # forged addresses; those of devices are soon there again
        self._hosts[host] = source
        return source


def _handed_over(has_room: bool) -> str:
    return HANDED_OVER if has_room else NOT_HANDED_OVER


def _of_version_1(notification: Notification) -> tuple[int | None, int | None]:
    """Give generic and specific number of a version 1 trap (RFC 3584 s3.1, backwards)."""
    if notification.pdu_type != TRAP_V1:
        return None, None
    parent = parent_oid(notification.trap_oid)
    last = decode_subids(notification.trap_oid[len(parent) :])[0]
    return (last - 1, 0) if parent == SNMP_TRAPS else (_SPECIFIC, last)
