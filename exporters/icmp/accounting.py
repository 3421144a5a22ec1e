"""What became of the pings of one destination: every one ends as a reply or a loss with a reason.

    sent = replies + lost + in flight        always, and after each call below

A reply counts if it comes from the destination, brings back the payload that was sent, and was in
time by the kernel's stamps, however late it is read. Everything else that arrives has a counter of
its own and changes nothing about a ping that has ended.

Pure: instants come in with the calls. Sources: RFC 3550 s6.4.1 (jitter), RFC 4737 (reordering),
fping (outage time: lost pings times interval).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from exporters.icmp.history import UNTIMED, History
from exporters.sockets.icmp_values import Reply, Stamp
from exporters.wire.echo_payload import EchoPayload, read_sequence
from exporters.wire.icmp_errors import ErrorKind

_SEQUENCE_MASK: Final = 0xFFFF
_NS: Final = 1_000_000_000
_CLOCK_TOLERANCE_NS: Final = 1_000_000
_CLOCK_TOLERANCE_PARTS: Final = 1000
"""Clocks that are being slewed differ by 500 millionths at most."""
_ERROR_EXPLAINS_NS: Final = 10 * _NS


class LossReason(IntEnum):
    """Why a ping got no reply; the number is its place in a history."""

    TIMEOUT = 0
    UNREACHABLE = 1
    PROHIBITED = 2
    TTL_EXCEEDED = 3
    TOO_BIG = 4
    NEIGHBOR = 5
    SEND_ERROR = 6
    DNS = 7

    @property
    def label(self) -> str:
        """The value of the label ``reason``."""
        return self.name.lower()


_REASONS: Final = {
    ErrorKind.UNREACHABLE: LossReason.UNREACHABLE,
    ErrorKind.PROHIBITED: LossReason.PROHIBITED,
    ErrorKind.TTL_EXCEEDED: LossReason.TTL_EXCEEDED,
    ErrorKind.TOO_BIG: LossReason.TOO_BIG,
    ErrorKind.NEIGHBOR: LossReason.NEIGHBOR,
}


@dataclass(frozen=True, slots=True)
class LastError:
    """The last ICMP error about a destination."""

    reporter: str
    type: int
    code: int
    kind: ErrorKind
    received: Stamp


class Account:
    """Counters and history of one destination.

    Attributes:
        next_sequence: of the next ping; it does not wrap, the wire has its lowest 16 bits.
        sent: pings that were due and not skipped, those that could not be sent among them.
        lost: by ``LossReason``.
        bucket_counts: replies by round-trip time, one count for each bound and one above all.
        rtt_sum_seconds: of the replies in the buckets.
        reordered: replies in time to a ping before one that has had its reply.
        untimed: replies whose time is unknown because the clock was set meanwhile.
        last_loss: the reason of the last loss.
        losing_since: when the first of the losses in a row was sent.
        last_reply_ns: when the last reply in time arrived, by the monotonic clock.
        jitter_seconds: smoothed difference of the times of two replies in a row; None before.
    """

    __slots__ = (
        "_highest_replied",
        "_last_rtt_ns",
        "_open",
        "bounds",
        "bucket_counts",
        "consecutive_losses",
        "corrupt",
        "duplicates",
        "history",
        "hop_limit",
        "hop_limit_changes",
        "jitter_seconds",
        "last_error",
        "last_loss",
        "last_reply_ns",
        "late",
        "losing_since",
        "lost",
        "next_sequence",
        "outage_seconds",
        "reordered",
        "replies",
        "rtt_sum_seconds",
        "sent",
        "traffic_class",
        "untimed",
        "wrong_source",
    )

    def __init__(self, bounds: tuple[float, ...], history_size: int) -> None:
        """Start from zero.

        Args:
            bounds: Upper bounds of the histogram in seconds, in ascending order.
            history_size: How many pings are remembered one by one.
        """
        self.bounds = bounds
        self.history = History(history_size)
        self.next_sequence = 0
        self.sent = 0
        self.replies = 0
        self.lost = array("Q", bytes(8 * len(LossReason)))
        self.bucket_counts = array("Q", bytes(8 * (len(bounds) + 1)))
        self.rtt_sum_seconds = 0.0
        self.jitter_seconds: float | None = None
        self.duplicates = self.late = self.reordered = self.corrupt = self.wrong_source = 0
        self.untimed = 0
        self.hop_limit: int | None = None
        self.traffic_class: int | None = None
        self.hop_limit_changes = 0
        self.consecutive_losses = 0
        self.outage_seconds = 0.0
        self.last_error: LastError | None = None
        self.last_loss = LossReason.TIMEOUT
        self.losing_since = Stamp(0, 0)
        self._open: dict[int, Stamp] = {}
        self._highest_replied = -1
        self._last_rtt_ns = -1
        self.last_reply_ns = 0

    @property
    def in_flight(self) -> int:
        """How many pings may still be answered."""
        return len(self._open)

    def begin(self, stamp: Stamp) -> None:
        """Note that ping ``next_sequence`` was sent at *stamp*."""
        sequence = self.next_sequence
        self.next_sequence = sequence + 1
        self.sent += 1
        self._open[sequence] = stamp
        self.history.begin(sequence)

    def fail(self, reason: LossReason, stamp: Stamp, interval_seconds: float) -> None:
        """Note that ping ``next_sequence`` was due at *stamp* and could not be sent."""
        sequence = self.next_sequence
        self.next_sequence = sequence + 1
        self.sent += 1
        self.history.begin(sequence)
        self._lose(sequence, reason, stamp, interval_seconds)

    def reply(
        self, reply: Reply, payload: EchoPayload, timeout_ns: int, interval_seconds: float
    ) -> bool:
        """Note a reply that came from the destination; give whether it ended a ping in time."""
        sequence = self.unwrap(reply.sequence)
        sent = self._open.get(sequence)
        if sent is None or reply.payload != payload.encode(sequence):
            self._odd_reply(reply, payload, sequence)
            return False
        rtt_ns = reply.received.realtime_ns - sent.realtime_ns
        monotonic_ns = reply.received.monotonic_ns - sent.monotonic_ns
        step_ns = abs(rtt_ns - monotonic_ns)
        tolerance_ns = _CLOCK_TOLERANCE_NS + monotonic_ns // _CLOCK_TOLERANCE_PARTS
        timed = step_ns <= tolerance_ns and rtt_ns >= 0
        del self._open[sequence]
        if timed and rtt_ns > timeout_ns:  # the sweep for timeouts has not come by yet
            self._lose(sequence, LossReason.TIMEOUT, sent, interval_seconds)
            self.late += 1
            return False
        self.replies += 1
        self.consecutive_losses = 0
        self.last_reply_ns = reply.received.monotonic_ns
        self._see_order(sequence)
        self._see_header(reply)
        if timed:
            self._time(sequence, rtt_ns)
        else:
            self.untimed += 1
            self.history.replied(sequence, UNTIMED)
        return True

    def expire(self, sequence: int, now_ns: int, interval_seconds: float) -> bool:
        """End a ping whose time is up; give whether it was still open.

        A router that reports one of many, and our own machine that looks for a neighbour for three
        seconds, explain the losses about it: the reason is that of an error at most ten seconds
        old, if no reply has come since.
        """
        sent = self._open.pop(sequence, None)
        if sent is None:
            return False
        reason = LossReason.TIMEOUT
        error = self.last_error
        if (
            error is not None
            and error.kind in _REASONS
            and error.received.monotonic_ns > self.last_reply_ns
            and now_ns - error.received.monotonic_ns <= _ERROR_EXPLAINS_NS
        ):
            reason = _REASONS[error.kind]
        self._lose(sequence, reason, sent, interval_seconds)
        return True

    def error(self, sequence: int, error: LastError, interval_seconds: float) -> bool:
        """Note an ICMP error about a ping (its 16 bits); give whether it ended it."""
        self.last_error = error
        reason = _REASONS.get(error.kind)
        unwrapped = self.unwrap(sequence)
        sent = None if reason is None else self._open.pop(unwrapped, None)
        if reason is None or sent is None:
            return False
        self._lose(unwrapped, reason, sent, interval_seconds)
        return True

    def has_open(self, sequence: int) -> bool:
        """Whether a ping with these 16 bits is in flight."""
        return self.unwrap(sequence) in self._open

    def unwrap(self, sequence: int) -> int:
        """Tell which ping has these 16 bits: the newest one that does."""
        newest = self.next_sequence - 1
        return newest - ((newest - sequence) & _SEQUENCE_MASK)

    def _odd_reply(self, reply: Reply, payload: EchoPayload, sequence: int) -> None:
        """Count a reply that ends no ping: altered, twice, or too late."""
        claimed = read_sequence(reply.payload)
        if claimed is not None and reply.payload == payload.encode(claimed):
            # What it says of itself is true, and reaches further back than 16 bits.
            sequence = claimed
        elif reply.payload != payload.encode(sequence & 0xFFFFFFFFFFFFFFFF):
            self.corrupt += 1
            return
        if self.history.was_replied(sequence):
            self.duplicates += 1
        else:
            self.late += 1

    def _lose(
        self, sequence: int, reason: LossReason, sent: Stamp, interval_seconds: float
    ) -> None:
        self.lost[reason] += 1
        self.last_loss = reason
        if not self.consecutive_losses:
            self.losing_since = sent
        self.consecutive_losses += 1
        self.outage_seconds += interval_seconds
        self.history.lost(sequence, reason)

    def _see_order(self, sequence: int) -> None:
        if sequence < self._highest_replied:
            self.reordered += 1
        else:
            self._highest_replied = sequence

    def _see_header(self, reply: Reply) -> None:
        self.traffic_class = reply.traffic_class
        if reply.hop_limit is not None and reply.hop_limit != self.hop_limit:
            if self.hop_limit is not None:
                self.hop_limit_changes += 1
            self.hop_limit = reply.hop_limit

    def _time(self, sequence: int, rtt_ns: int) -> None:
        seconds = rtt_ns / _NS
        self.rtt_sum_seconds += seconds
        self.bucket_counts[bisect_left(self.bounds, seconds)] += 1
        self.history.replied(sequence, seconds)
        if self._last_rtt_ns >= 0:
            difference = abs(rtt_ns - self._last_rtt_ns) / _NS
            jitter = self.jitter_seconds or 0.0
            self.jitter_seconds = jitter + (difference - jitter) / 16
        self._last_rtt_ns = rtt_ns
