"""Accounts of pings: that they close, whatever comes in whatever order, and what they count."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exporters.icmp.accounting import Account, LastError, LossReason
from exporters.icmp.history import History, loss_reason
from exporters.sockets.icmp_values import Reply, Stamp
from exporters.wire.echo_payload import EchoPayload
from exporters.wire.icmp_errors import ErrorKind

MS = 1_000_000
SECOND = 1000 * MS
TIMEOUT_NS = 2 * SECOND
INTERVAL = 1.0
BOUNDS = (0.001, 0.01, 0.1)
PAYLOAD = EchoPayload(0xABCDEF, 56)


@dataclass
class Clock:
    """Both clocks; the first can be set."""

    monotonic_ns: int = 1000 * SECOND
    offset_ns: int = 1_700_000_000 * SECOND

    def now(self) -> Stamp:
        return Stamp(self.monotonic_ns + self.offset_ns, self.monotonic_ns)


@dataclass
class Destination:
    """An account, and what a network would do to its pings."""

    clock: Clock = field(default_factory=Clock)
    account: Account = field(default_factory=lambda: Account(BOUNDS, 300))

    def send(self) -> int:
        sequence = self.account.next_sequence
        self.account.begin(self.clock.now())
        return sequence

    def wait(self, nanoseconds: int) -> None:
        self.clock.monotonic_ns += nanoseconds

    def answer(
        self, sequence: int, payload: bytes | None = None, hop_limit: int | None = 60
    ) -> bool:
        payload = PAYLOAD.encode(sequence) if payload is None else payload
        reply = Reply("", sequence & 0xFFFF, payload, self.clock.now(), hop_limit, 0)
        return self.account.reply(reply, PAYLOAD, TIMEOUT_NS, INTERVAL)

    def expire(self, sequence: int) -> bool:
        return self.account.expire(sequence, self.clock.monotonic_ns, INTERVAL)

    def report(self, sequence: int, kind: ErrorKind = ErrorKind.UNREACHABLE) -> bool:
        error = LastError("192.0.2.1", 3, 1, kind, self.clock.now())
        return self.account.error(sequence & 0xFFFF, error, INTERVAL)


def closes(account: Account) -> bool:
    return account.sent == account.replies + sum(account.lost) + account.in_flight


class AnyInterleaving(RuleBasedStateMachine):
    """Pings, and everything that can happen to them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Destination()
        self.sent: list[int] = []

    @rule(skip=st.sampled_from([0, 0, 0, 1, 65_535, 65_536, 65_537]))
    def send(self, skip: int) -> None:
        # A jump of the sequence stands for as many pings, long ended, in between.
        if not self.it.account.in_flight:
            self.it.account.next_sequence += skip
        self.sent.append(self.it.send())

    @rule(nanoseconds=st.integers(0, 3 * SECOND))
    def wait(self, nanoseconds: int) -> None:
        self.it.wait(nanoseconds)

    @rule(step=st.integers(-10 * SECOND, 10 * SECOND))
    def set_clock(self, step: int) -> None:
        self.it.clock.offset_ns += step

    @rule(reason=st.sampled_from(LossReason))
    def fail(self, reason: LossReason) -> None:
        self.it.account.fail(reason, self.it.clock.now(), INTERVAL)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        self.it.answer(data.draw(st.sampled_from(self.sent)))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), garbage=st.binary(max_size=60))
    def answer_with_garbage(self, data: st.DataObject, garbage: bytes) -> None:
        assert not self.it.answer(data.draw(st.sampled_from(self.sent)), garbage)

    @rule(sequence=st.integers(0, 0xFFFF), claimed=st.integers(0, 2**64 - 1))
    def answer_out_of_nowhere(self, sequence: int, claimed: int) -> None:
        replies = self.it.account.replies
        self.it.answer(sequence, PAYLOAD.encode(claimed))
        assert self.it.account.replies in (replies, replies + (claimed in self.sent))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        self.it.expire(data.draw(st.sampled_from(self.sent)))

    @rule(sequence=st.integers(0, 0xFFFF), kind=st.sampled_from(ErrorKind))
    def report_any(self, sequence: int, kind: ErrorKind) -> None:
        self.it.report(sequence, kind)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), kind=st.sampled_from(ErrorKind))
    def report(self, data: st.DataObject, kind: ErrorKind) -> None:
        self.it.report(data.draw(st.sampled_from(self.sent)), kind)

    @invariant()
    def it_closes(self) -> None:
        assert closes(self.it.account)

    @invariant()
    def every_timed_reply_is_in_one_bucket(self) -> None:
        account = self.it.account
        assert sum(account.bucket_counts) == account.replies - account.untimed

    @invariant()
    def outage_is_what_was_lost(self) -> None:
        assert self.it.account.outage_seconds == sum(self.it.account.lost) * INTERVAL

    @invariant()
    def window_is_within_itself(self) -> None:
        window = self.it.account.history.window(60)
        assert window.lost <= window.pings <= 60
        if window.mean is not None:
            assert window.minimum <= window.mean * (1 + 1e-6)
            assert window.mean <= window.maximum * (1 + 1e-6)


TestAnyInterleaving = AnyInterleaving.TestCase
TestAnyInterleaving.settings = settings(max_examples=150, stateful_step_count=40)


@given(st.permutations(range(12)), st.data())
def test_all_pings_end_once_whatever_order_they_end_in(
    order: list[int], data: st.DataObject
) -> None:
    it = Destination()
    sent = [it.send() for _ in range(12)]
    ended = 0
    for place in order:
        how = data.draw(st.sampled_from((it.answer, it.expire, it.report)))
        ended += how(sent[place])
        assert not it.expire(sent[place])
        assert not it.report(sent[place])
        it.answer(sent[place])
    assert ended == 12
    assert it.account.in_flight == 0
    assert closes(it.account)
    assert it.account.duplicates + it.account.late == 12


# Each kind of event by itself


def test_reply_in_time_is_a_reply_with_its_time() -> None:
    it = Destination()
    sequence = it.send()
    it.wait(5 * MS)
    assert it.answer(sequence)
    assert (it.account.sent, it.account.replies, it.account.in_flight) == (1, 1, 0)
    assert list(it.account.bucket_counts) == [0, 1, 0, 0]
    assert it.account.rtt_sum_seconds == 0.005
    assert it.account.history.window(10).last == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("rtt_ns", "bucket"), [(1 * MS, 0), (1 * MS + 1, 1), (100 * MS, 2), (101 * MS, 3)]
)
def test_bound_of_a_bucket_is_in_it(rtt_ns: int, bucket: int) -> None:
    it = Destination()
    sequence = it.send()
    it.wait(rtt_ns)
    it.answer(sequence)
    assert list(it.account.bucket_counts).index(1) == bucket


def test_second_reply_is_a_duplicate() -> None:
    it = Destination()
    sequence = it.send()
    assert it.answer(sequence)
    assert not it.answer(sequence)
    assert (it.account.replies, it.account.duplicates) == (1, 1)


def test_reply_after_its_timeout_is_late_and_stays_lost() -> None:
    it = Destination()
    sequence = it.send()
    it.wait(TIMEOUT_NS)
    assert it.expire(sequence)
    assert not it.answer(sequence)
    assert (it.account.replies, it.account.late, it.account.lost[LossReason.TIMEOUT]) == (0, 1, 1)


def test_reply_that_arrived_too_late_is_lost_even_if_read_before_the_sweep() -> None:
    it = Destination()
    sequence = it.send()
    it.wait(TIMEOUT_NS + 1)
    assert not it.answer(sequence)
    assert not it.expire(sequence)
    assert (it.account.replies, it.account.late, it.account.lost[LossReason.TIMEOUT]) == (0, 1, 1)


def test_reply_that_arrived_in_time_counts_however_late_it_is_read() -> None:
    it = Destination()
    sequence = it.send()
    it.wait(TIMEOUT_NS)
    arrived = it.clock.now()
    it.wait(60 * SECOND)
    reply = Reply("", sequence, PAYLOAD.encode(sequence), arrived, None, None)
    assert it.account.reply(reply, PAYLOAD, TIMEOUT_NS, INTERVAL)


def test_reply_to_an_earlier_ping_is_reordered() -> None:
    it = Destination()
    first, second, third = it.send(), it.send(), it.send()
    for sequence in (second, first, third):
        assert it.answer(sequence)
    assert (it.account.replies, it.account.reordered) == (3, 1)


@pytest.mark.parametrize("length", [0, 11, 23, 40, 55])
def test_truncated_payload_is_corrupt_and_ends_nothing(length: int) -> None:
    it = Destination()
    sequence = it.send()
    assert not it.answer(sequence, PAYLOAD.encode(sequence)[:length])
    assert (it.account.corrupt, it.account.in_flight) == (1, 1)
    assert it.answer(sequence), "the true reply may still come"


def test_reply_with_the_payload_of_another_ping_is_not_its_reply() -> None:
    it = Destination()
    first, second = it.send(), it.send()
    assert not it.answer(second, PAYLOAD.encode(first))
    assert it.account.in_flight == 2


def test_duplicate_from_before_the_sequence_wrapped_is_late_and_ends_nothing() -> None:
    it = Destination()
    old = it.send()
    it.answer(old)
    it.account.next_sequence += 65_535
    new = it.send()
    assert new & 0xFFFF == old & 0xFFFF
    assert not it.answer(old)
    assert (it.account.late, it.account.in_flight) == (1, 1)
    assert it.answer(new)


def test_sequence_wraps_without_a_mistake() -> None:
    it = Destination()
    it.account.next_sequence = 65_530
    for _ in range(20):
        sequence = it.send()
        it.wait(MS)
        assert it.answer(sequence)
    assert (it.account.replies, it.account.reordered, it.account.duplicates) == (20, 0, 0)


@pytest.mark.parametrize("step_ns", [-SECOND, -2 * MS, 2 * MS, 3600 * SECOND])
def test_reply_across_a_step_of_the_clock_counts_without_a_time(step_ns: int) -> None:
    it = Destination()
    sequence = it.send()
    it.wait(5 * MS)
    it.clock.offset_ns += step_ns
    assert it.answer(sequence)
    assert (it.account.replies, it.account.untimed) == (1, 1)
    assert sum(it.account.bucket_counts) == 0
    assert it.account.history.window(10).last is None
    assert not it.answer(sequence)
    assert it.account.duplicates == 1


def test_time_below_zero_is_no_time() -> None:
    it = Destination()
    sequence = it.send()
    it.wait(MS // 10)
    it.clock.offset_ns -= MS // 2
    assert it.answer(sequence)
    assert (it.account.untimed, it.account.rtt_sum_seconds) == (1, 0.0)


def test_clock_that_is_being_slewed_is_no_step() -> None:
    it = Destination()
    sequence = it.send()
    it.wait(TIMEOUT_NS - 10 * MS)
    it.clock.offset_ns += 500 * TIMEOUT_NS // 1_000_000
    assert it.answer(sequence)
    assert it.account.untimed == 0


# Errors


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ErrorKind.UNREACHABLE, LossReason.UNREACHABLE),
        (ErrorKind.PROHIBITED, LossReason.PROHIBITED),
        (ErrorKind.TTL_EXCEEDED, LossReason.TTL_EXCEEDED),
        (ErrorKind.TOO_BIG, LossReason.TOO_BIG),
        (ErrorKind.NEIGHBOR, LossReason.NEIGHBOR),
    ],
)
def test_error_ends_its_ping_with_its_reason(kind: ErrorKind, reason: LossReason) -> None:
    it = Destination()
    sequence, other = it.send(), it.send()
    assert it.report(sequence, kind)
    assert list(it.account.lost) == [int(each is reason) for each in LossReason]
    assert it.answer(other)


def test_informational_error_ends_nothing() -> None:
    it = Destination()
    sequence = it.send()
    assert not it.report(sequence, ErrorKind.INFORMATIONAL)
    assert it.account.last_error is not None
    assert it.answer(sequence)


def test_error_explains_the_silence_after_it() -> None:
    it = Destination()
    first, second = it.send(), it.send()
    it.report(first, ErrorKind.PROHIBITED)
    it.wait(3 * SECOND)
    it.expire(second)
    assert it.account.lost[LossReason.PROHIBITED] == 2


def test_error_does_not_explain_silence_once_a_reply_has_come() -> None:
    it = Destination()
    first, second, third = it.send(), it.send(), it.send()
    it.report(first, ErrorKind.PROHIBITED)
    it.wait(MS)
    it.answer(second)
    it.expire(third)
    assert it.account.lost[LossReason.TIMEOUT] == 1


def test_error_does_not_explain_silence_for_ever() -> None:
    it = Destination()
    first, second = it.send(), it.send()
    it.report(first, ErrorKind.PROHIBITED)
    it.wait(11 * SECOND)
    it.expire(second)
    assert it.account.lost[LossReason.TIMEOUT] == 1


# What follows from them


def test_consecutive_losses_start_over_with_a_reply() -> None:
    it = Destination()
    for _ in range(3):
        it.expire(it.send())
    assert (it.account.consecutive_losses, it.account.outage_seconds) == (3, 3.0)
    it.answer(it.send())
    assert (it.account.consecutive_losses, it.account.outage_seconds) == (0, 3.0)


def test_hop_limit_changes_are_counted() -> None:
    it = Destination()
    for hop_limit in (60, 60, 59, 60, None):
        it.answer(it.send(), hop_limit=hop_limit)
    assert (it.account.hop_limit, it.account.hop_limit_changes) == (60, 2)


def test_jitter_is_that_of_rfc_3550() -> None:
    it = Destination()
    expected = 0.0
    previous = None
    for rtt_ms in (10, 12, 9, 9, 30, 11):
        sequence = it.send()
        it.wait(rtt_ms * MS)
        it.answer(sequence)
        if previous is not None:
            expected += (abs(rtt_ms - previous) / 1000 - expected) / 16
        previous = rtt_ms
    assert it.account.jitter_seconds == pytest.approx(expected)


def test_jitter_is_unknown_before_the_second_reply() -> None:
    it = Destination()
    it.answer(it.send())
    assert it.account.jitter_seconds is None


# The history


@given(st.lists(st.sampled_from(["reply", "loss", "open"]), max_size=60), st.integers(1, 20))
def test_history_is_what_became_of_the_last_pings(events: list[str], count: int) -> None:
    history = History(16)
    expected: list[float] = []
    for sequence, event in enumerate(events):
        history.begin(sequence)
        if event == "reply":
            history.replied(sequence, 0.5)
        elif event == "loss":
            history.lost(sequence, 3)
        expected.append({"reply": 0.5, "loss": -13.0, "open": -1.0}[event])
    assert list(history.last(count)) == expected[-min(count, 16) :]


def test_outcome_that_comes_after_its_place_was_given_away_changes_nothing() -> None:
    history = History(4)
    for sequence in range(8):
        history.begin(sequence)
    history.replied(3, 0.1)
    history.lost(2, 0)
    assert list(history.last(4)) == [-1.0] * 4
    assert not history.was_replied(3)


def test_reason_can_be_read_back() -> None:
    history = History(8)
    for reason in LossReason:
        history.begin(reason)
        history.lost(reason, reason)
    assert [loss_reason(value) for value in history.last(8)] == list(LossReason)
    assert loss_reason(0.3) is None


@given(st.lists(st.floats(0, 10, width=32), min_size=1, max_size=50))
def test_window_has_the_numbers_of_statistics(times: list[float]) -> None:
    history = History(64)
    for sequence, seconds in enumerate(times):
        history.begin(sequence)
        history.replied(sequence, seconds)
    window = history.window(50)
    mean = math.fsum(times) / len(times)
    variance = math.fsum((seconds - mean) ** 2 for seconds in times) / len(times)
    assert (window.minimum, window.maximum, window.last) == (min(times), max(times), times[-1])
    assert window.mean == pytest.approx(mean)
    assert window.deviation == pytest.approx(math.sqrt(variance), abs=1e-7)


def test_window_without_a_reply_has_no_numbers() -> None:
    history = History(8)
    history.begin(0)
    history.lost(0, 0)
    window = history.window(8)
    assert (window.pings, window.lost, window.last, window.mean) == (1, 1, None, None)


def test_window_leaves_out_what_is_still_in_flight() -> None:
    history = History(8)
    for sequence in range(3):
        history.begin(sequence)
    history.lost(0, 0)
    history.lost(1, 0)
    assert (history.window(8).pings, history.window(8).lost) == (2, 2)
    assert history.window(2, in_flight=1).pings == 2
