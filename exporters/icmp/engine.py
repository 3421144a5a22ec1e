"""The engine: sends what is due, reads what has come, ends what is overdue. Nothing else runs.

It works in ticks, a few milliseconds apart, and never per packet: the kernel notes when a reply
arrived, so it may wait for the next tick. In a tick, what has arrived is read before any timeout is
declared. A process that was held up, by whatever, therefore loses no ping that was answered.

Targets do not touch one another: each has its sequence numbers, its signature in the payload and
its account; an error in sending ends one ping; full buffers put off the pings of one origin.
"""

from __future__ import annotations

import asyncio
import errno
from array import array
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from exporters.icmp.accounting import LastError, LossReason
from exporters.icmp.origin import IDENTIFIERS, OpenSocket, Origin, OriginKey
from exporters.icmp.outages import LOSSES as OUTAGE_LOSSES
from exporters.icmp.schedule import Pace, Schedule
from exporters.icmp.target import Target, TargetSettings
from exporters.sockets.icmp_socket import buffer_for
from exporters.sockets.icmp_values import ErrorReport, Reply, SendError, Stamp
from exporters.wire.echo_payload import SIGNATURE_BYTES
from exporters.wire.icmp_errors import error_kind

_NS: Final = 1_000_000_000
TICK_NS: Final = 10_000_000
_READ_AT_LEAST_EVERY_NS: Final = 50_000_000
_LONGEST_SLEEP_NS: Final = _NS
_READ_AT_ONCE: Final = 4096
_SENDS_BETWEEN_READS: Final = 64
"""Replies may come at once, and the smallest receive buffer of Linux holds some 250."""

_HOLD_NS: Final = 250_000_000
_ROTATE_AFTER_LOSSES: Final = 5
_ROTATE_AFTER_NS: Final = 30 * _NS
_OTHERS_LIVE_NS: Final = 10 * _NS

_BUFFERED_SECONDS: Final = 2.0
_LEAST_BUFFERED_REPLIES: Final = 2000

LAG_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Of the histogram of send lags, in seconds."""


class EngineCounters:
    """What the engine tells of itself; counts since it started.

    Attributes:
        lag_counts: pings by how much later than planned they went, with one count above all bounds.
        longest_lag_ns: since whoever reads it set it to 0.
        unmatched: replies and errors that belong to no target.
        send_errors: by the symbol of the error, "EPERM".
        clock_steps: replies whose time is unknown because the clock was set.
        put_off: sends that had to wait because buffers were full.
        rotations: how often a target got another identifier.
    """

    def __init__(self) -> None:
        self.lag_counts = array("Q", bytes(8 * (len(LAG_BOUNDS) + 1)))
        self.lag_sum_seconds = 0.0
        self.longest_lag_ns = 0
        self.unmatched = 0
        self.clock_steps = 0
        self.send_errors: Counter[str] = Counter()
        self.put_off = 0
        self.rotations = 0


class Engine:
    """Pings its targets; see the module."""

    def __init__(
        self,
        open_socket: OpenSocket,
        *,
        max_per_second: float = 0.0,
        clock: Callable[[], Stamp] = Stamp.now,
        on_outage: Callable[[Target], None] = lambda _: None,
    ) -> None:
        """Have no targets yet.

        Args:
            open_socket: How to open a socket.
            max_per_second: How many pings may go at most, all targets together; 0: twice what the
                intervals ask for, which is reached only after the process was held up.
            clock: What time it is.
            on_outage: Called when the outage of a target begins.
        """
        now = clock()
        self.targets: dict[int, Target] = {}
        self.origins: dict[OriginKey, Origin] = {}
        self.counters = EngineCounters()
        self.changes = 0
        """How often targets have come, gone or changed."""
        self._clock = clock
        self._on_outage = on_outage
        self._open_socket = open_socket
        self._max_per_second = max_per_second
        self._schedule = Schedule[Target](now.realtime_ns, now.monotonic_ns)
        self._pace = Pace(0.0, 0, now.monotonic_ns)
        self._per_second = 0.0
        self._dimensions_changed = False
        self._by_signature: dict[bytes, Target] = {}
        self._by_ip: dict[str, list[Target]] = {}
        self._deadlines: dict[int, deque[tuple[int, Target, int]]] = {}
        self._held: deque[tuple[int, Target]] = deque()
        self._closed_drops = 0

    @property
    def skipped(self) -> int:
        """How many rounds nobody could keep because the process was held up."""
        return self._schedule.skipped

    def drops(self) -> int:
        """Count the replies that were lost because a receive buffer was full."""
        return self._closed_drops + sum(origin.drops() for origin in self.origins.values())

    def add(self, target: Target) -> None:
        """Ping *target* from now on."""
        now_ns = self._clock().monotonic_ns
        self.targets[id(target)] = target
        target.rotated_ns = now_ns
        self._by_signature[target.payload.signature] = target
        if target.address is not None:
            self._by_ip.setdefault(target.address.ip, []).append(target)
        self._start(target, now_ns)

    def remove(self, target: Target) -> None:
        """Ping *target* no more, and forget it."""
        del self.targets[id(target)]
        del self._by_signature[target.payload.signature]
        if target.address is not None:
            others = self._by_ip[target.address.ip]
            others.remove(target)
            if not others:
                del self._by_ip[target.address.ip]
        self._end(target)
        self._leave(target.origin, target.settings)
        target.origin = None

    def change(self, target: Target, settings: TargetSettings) -> None:
        """Ping *target* as *settings* say, which it can adopt; its pings in flight go on."""
        left, left_settings = target.origin, target.settings
        self._end(target)
        target.adopt(settings)
        self._start(target, self._clock().monotonic_ns)
        self._leave(left, left_settings)

    async def run(self) -> None:
        """Work until cancelled; then close the sockets."""
        try:
            while True:  # noqa: ASYNC110 - it waits for a time, not for an event
                await asyncio.sleep(self.tick() / _NS)
        finally:
            for origin in self.origins.values():
                origin.close()

    def tick(self) -> int:
        """Read, expire, send; give after how many nanoseconds to come back."""
        if self._dimensions_changed:
            self._set_dimensions()
        # The time is taken before the sockets are read: what had arrived by then has been read.
        now_ns = self._clock().monotonic_ns
        if self._receive():
            self._expire(now_ns)
        self._send_due(self._clock().monotonic_ns)
        return self._pause_ns(now_ns)

    def _start(self, target: Target, now_ns: int) -> None:
        target.origin = self._enter(target)
        self._deadlines.setdefault(target.timeout_ns, deque())
        self._schedule.add(target, target.label_text, target.interval_ns, now_ns)
        self.changes += 1
        self._per_second += 1 / target.interval_seconds
        self._dimensions_changed = True

    def _end(self, target: Target) -> None:
        self._schedule.remove(target)
        self.changes += 1
        self._per_second -= 1 / target.interval_seconds
        self._dimensions_changed = True

    def _enter(self, target: Target) -> Origin | None:
        """Give the origin of *target*, which knows of it from now on."""
        key = target.origin_key
        if key is None:
            return None
        origin = self.origins.get(key)
        if origin is None:
            origin = Origin(key, self._open_socket, self._on_reply, self._on_error)
            self.origins[key] = origin
        origin.targets += 1
        origin.per_second += 1 / target.interval_seconds
        origin.longest_payload_bytes = max(origin.longest_payload_bytes, target.settings.size_bytes)
        return origin

    def _leave(self, origin: Origin | None, settings: TargetSettings) -> None:
        if origin is None:
            return
        origin.targets -= 1
        origin.per_second -= 1 / settings.interval_seconds
        if not origin.targets:
            del self.origins[origin.key]
            origin.close()
            self._closed_drops += origin.drops()

    def _set_dimensions(self) -> None:
        """Size buffers and pace by what the targets ask for."""
        self._dimensions_changed = False
        per_second = self._max_per_second or 2 * self._per_second + 100
        burst = max(round(per_second * 2 * TICK_NS / _NS), 16)
        self._pace = Pace(per_second, burst, self._clock().monotonic_ns)
        for origin in self.origins.values():
            replies = max(round(origin.per_second * _BUFFERED_SECONDS), _LEAST_BUFFERED_REPLIES)
            origin.make_room(buffer_for(replies, origin.longest_payload_bytes))

    def _receive(self) -> bool:
        """Read all sockets; give whether nothing is left in them."""
        complete = True
        for origin in self.origins.values():
            complete &= origin.receive(_READ_AT_ONCE)
        return complete

    def _expire(self, now_ns: int) -> None:
        for queue in self._deadlines.values():
            while queue and queue[0][0] <= now_ns:
                _, target, sequence = queue.popleft()
                account = target.account
                if account.expire(sequence, now_ns, target.interval_seconds):
                    self._rotate_if_pinned(target, now_ns)
                    self._see_loss(target)

    def _send_due(self, now_ns: int) -> None:
        congested: set[Origin] = set()
        for _ in range(len(self._held)):  # their turn has been taken from the pace already
            planned_ns, target = self._held.popleft()
            self._ping(target, planned_ns, now_ns, congested)
        count = 0
        for planned_ns, target in self._schedule.due(now_ns, self._pace.allowance(now_ns)):
            self._ping(target, planned_ns, now_ns, congested)
            count += 1
            if count % _SENDS_BETWEEN_READS == 0:
                self._receive()
        self._pace.spend(count)

    def _ping(self, target: Target, planned_ns: int, now_ns: int, congested: set[Origin]) -> None:
        """Send one ping, or say why not."""
        account = target.account
        origin = target.origin
        if target.address is None or origin is None:
            self._fail(target, LossReason.DNS)
            return
        if origin in congested:
            self._hold(target, planned_ns, now_ns)
            return
        socket = origin.socket(target.identifier_index, now_ns)
        if socket is None:
            self.counters.send_errors["no_socket"] += 1
            self._fail(target, LossReason.SEND_ERROR)
            return
        sequence = account.next_sequence
        settings = target.settings
        try:
            stamp = socket.send(
                target.address.socket_address,
                sequence,
                target.payload.encode(sequence),
                hop_limit=settings.hop_limit,
                traffic_class=settings.traffic_class,
            )
        except SendError as error:
            self._not_sent(error, target, planned_ns, now_ns, congested)
            return
        account.begin(stamp)
        deadline_ns = stamp.monotonic_ns + target.timeout_ns
        self._deadlines[target.timeout_ns].append((deadline_ns, target, sequence))
        self._count_lag(stamp.monotonic_ns - planned_ns)

    def _not_sent(
        self,
        error: SendError,
        target: Target,
        planned_ns: int,
        now_ns: int,
        congested: set[Origin],
    ) -> None:
        origin = target.origin
        assert origin is not None  # noqa: S101 - who sends has one
        self.counters.send_errors[error.name] += 1
        if error.congested:
            congested.add(origin)
            self._hold(target, planned_ns, now_ns)
            return
        origin.drop_if_lost(target.identifier_index, now_ns)
        reason = LossReason.TOO_BIG if error.errno == errno.EMSGSIZE else LossReason.SEND_ERROR
        self._fail(target, reason)

    def _hold(self, target: Target, planned_ns: int, now_ns: int) -> None:
        """Put a ping off to the next tick; give it up when that has gone on for too long."""
        if now_ns - planned_ns >= _HOLD_NS:
            self._fail(target, LossReason.SEND_ERROR)
        else:
            self.counters.put_off += 1
            self._held.append((planned_ns, target))

    def _count_lag(self, lag_ns: int) -> None:
        counters = self.counters
        seconds = lag_ns / _NS
        counters.lag_counts[bisect_left(LAG_BOUNDS, seconds)] += 1
        counters.lag_sum_seconds += seconds
        if lag_ns > counters.longest_lag_ns:
            counters.longest_lag_ns = lag_ns

    def _on_reply(self, reply: Reply) -> None:
        target = self._by_signature.get(reply.payload[:SIGNATURE_BYTES])
        if target is None:
            target = self._pinged(reply.source, reply.sequence)
            if target is None:
                self.counters.unmatched += 1
                return
        elif target.address is None or target.address.ip != reply.source:
            target.account.wrong_source += 1
            return
        account = target.account
        untimed, losses = account.untimed, account.consecutive_losses
        in_time = account.reply(reply, target.payload, target.timeout_ns, target.interval_seconds)
        if account.untimed != untimed:
            self.counters.clock_steps += 1
        if not in_time:
            return
        if target.origin is not None:
            target.origin.last_reply_ns = reply.received.monotonic_ns
        if losses >= OUTAGE_LOSSES:
            target.outages.end(reply.received.realtime_ns / _NS, losses)

    def _on_error(self, report: ErrorReport) -> None:
        target = self._by_signature.get(report.payload[:SIGNATURE_BYTES])
        if target is None:  # many routers quote no more than the header
            target = self._pinged(report.destination, report.sequence)
        if target is None or target.address is None or target.address.ip != report.destination:
            self.counters.unmatched += 1
            return
        kind = error_kind(
            target.address.version, report.type, report.code, reported_by_us=report.reported_by_us
        )
        error = LastError(report.reporter, report.type, report.code, kind, report.received)
        if target.account.error(report.sequence, error, target.interval_seconds):
            self._see_loss(target)

    def _pinged(self, ip: str, sequence: int) -> Target | None:
        """Who has a ping with these 16 bits in flight to *ip*."""
        for target in self._by_ip.get(ip, ()):
            if target.account.has_open(sequence):
                return target
        return None

    def _fail(self, target: Target, reason: LossReason) -> None:
        target.account.fail(reason, self._clock(), target.interval_seconds)
        self._see_loss(target)

    def _see_loss(self, target: Target) -> None:
        """Note where an outage begins: from then on it is worth looking why."""
        if target.account.consecutive_losses == OUTAGE_LOSSES:
            account = target.account
            target.outages.begin(account.losing_since.realtime_ns / _NS, account.last_loss)
            self._on_outage(target)

    def _rotate_if_pinned(self, target: Target, now_ns: int) -> None:
        """Give a target another identifier, if nothing but silence has come for long.

        Not when the others of its origin are silent as well: then it is not about one session.
        """
        account = target.account
        origin = target.origin
        if (
            origin is not None
            and account.consecutive_losses >= _ROTATE_AFTER_LOSSES
            and now_ns - max(target.rotated_ns, account.last_reply_ns) >= _ROTATE_AFTER_NS
            and now_ns - origin.last_reply_ns <= _OTHERS_LIVE_NS
        ):
            target.identifier_index = (target.identifier_index + 1) % IDENTIFIERS
            target.rotated_ns = now_ns
            self.counters.rotations += 1

    def _pause_ns(self, tick_ns: int) -> int:
        """How long nothing needs doing, in steps that let several targets share a tick."""
        now_ns = self._clock().monotonic_ns
        wake_ns = now_ns + _LONGEST_SLEEP_NS
        due_ns = self._schedule.next_due_ns()
        if due_ns is not None:
            wake_ns = min(wake_ns, due_ns)
        if self._held:
            wake_ns = now_ns
        if any(self._deadlines.values()):
            wake_ns = min(wake_ns, now_ns + _READ_AT_LEAST_EVERY_NS)
        return max(wake_ns, tick_ns + TICK_NS, now_ns) - now_ns
