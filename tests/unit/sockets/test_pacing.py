"""Who may send when, with the time as a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.sockets.pacing import LATENESS_SECONDS, Limits, Turn, TurnQueue


def paced(rate: float) -> TurnQueue:
    return TurnQueue(Limits(packets_per_second=rate))


def join(queue: TurnQueue, count: int = 1, at: float = 0.0) -> list[Turn]:
    turns = [Turn(at) for _ in range(count)]
    for turn in turns:
        queue.join(turn)
    return turns


def run(queue: TurnQueue, start: float, lateness: float = 0.0) -> list[float]:
    """Grant turns as timers would, each late by so much; the times of all packets."""
    now, times = start, []
    while True:
        granted, next_at = queue.grant(now)
        times += [now] * len(granted)
        if next_at is None:
            return times
        now = next_at + lateness


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Limits(), Limits(), Limits()),
        (Limits(2, 10), Limits(), Limits(2, 10)),
        (Limits(), Limits(2, 10), Limits(2, 10)),
        (Limits(2, 10), Limits(3, 5), Limits(2, 5)),
        (Limits(0, 0.5), Limits(1, 0), Limits(1, 0.5)),
    ],
)
def test_strictest_of_two_limits_is_the_lower_where_there_is_one(
    one: Limits, other: Limits, expected: Limits
) -> None:
    assert one.strictest(other) == expected


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(), "no limits"),
        (Limits(1, 0), "1 request at a time"),
        (Limits(2, 0.5), "2 requests at a time and 0.5 packets a second"),
        (Limits(0, 1), "1 packet a second"),
    ],
)
def test_limits_say_what_they_are(limits: Limits, text: str) -> None:
    assert str(limits) == text
    assert bool(limits) is (limits != Limits())


def test_packets_are_spaced_evenly_from_the_first_on() -> None:
    queue = paced(4)
    join(queue, 4, at=10.0)
    assert run(queue, 10.0) == pytest.approx([10.0, 10.25, 10.5, 10.75])


def test_pause_is_not_saved_up() -> None:
    queue = paced(4)
    join(queue, at=10.0)
    run(queue, 10.0)
    join(queue, 3, at=99.0)
    assert run(queue, 99.0) == pytest.approx([99.0, 99.25, 99.5])


def test_late_timers_do_not_add_up_to_a_lower_rate() -> None:
    queue = paced(100)
    join(queue, 101)
    times = run(queue, 0.0, lateness=0.004)
    assert times[-1] == pytest.approx(1.0, abs=0.005)


def test_what_a_stopped_process_missed_is_not_made_up_for() -> None:
    queue = paced(10)
    join(queue, 50)
    queue.grant(0.0)
    assert len(queue.grant(4.0)[0]) == 1
    assert queue.grant(4.0)[1] == pytest.approx(4.1 - LATENESS_SECONDS)


def test_turns_are_granted_in_the_order_in_which_they_came() -> None:
    queue = paced(1)
    turns = join(queue, 5)
    granted = [queue.grant(float(second))[0] for second in range(5)]
    assert granted == [[turn] for turn in turns]


def test_request_waits_for_a_place() -> None:
    queue = TurnQueue(Limits(concurrency=2))
    first, second, third = join(queue, 3)
    assert queue.grant(0.0) == ([first, second], None)
    assert queue.grant(100.0) == ([], None)
    queue.leave(first)
    assert queue.grant(100.0) == ([third], None)
    assert queue.under_way == 2


def test_retransmission_needs_no_place_and_goes_before_requests() -> None:
    queue = TurnQueue(Limits(concurrency=1, packets_per_second=10))
    first, second = join(queue, 2)
    queue.join(again := Turn(0.0, retransmission=True))
    assert queue.grant(0.0) == ([again], pytest.approx(0.1))
    assert queue.grant(0.1)[0] == [first]
    queue.join(once_more := Turn(0.0, retransmission=True))
    assert queue.grant(5.0)[0] == [once_more]
    queue.leave(once_more)
    assert queue.under_way == 1
    assert not second.granted


def test_turn_that_leaves_makes_room_in_the_queue() -> None:
    queue = paced(1)
    first, second, third = join(queue, 3)
    queue.grant(0.0)
    queue.leave(second)
    assert queue.waiting == 1
    assert queue.under_way == 1
    assert queue.grant(1.0)[0] == [third]
    queue.leave(first)
    assert queue.under_way == 1


def test_earliest_time_counts_all_that_wait() -> None:
    queue = paced(2)
    assert queue.earliest_at(7.0) == 7.0
    join(queue, 3, at=7.0)
    assert queue.earliest_at(7.0) == pytest.approx(8.5)
    queue.grant(7.0)
    assert queue.earliest_at(7.0) == pytest.approx(8.5)
    assert queue.earliest_at(20.0) == pytest.approx(21.0)


def test_new_limits_hold_from_the_latest_packet_on() -> None:
    queue = paced(0.001)
    join(queue, 3)
    assert queue.grant(0.0)[1] == 1000
    queue.limits = Limits(packets_per_second=2)
    assert run(queue, 0.1) == pytest.approx([0.5, 1.0])


@given(
    st.floats(0.1, 1000),
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 20), st.booleans()), max_size=30),
    st.floats(0, 0.05),
)
def test_no_second_has_more_packets_than_the_rate(
    rate: float, arrivals: list[tuple[float, int, bool]], lateness: float
) -> None:
    queue = paced(rate)
    now, times = 0.0, []
    for pause, count, retransmission in arrivals:
        now = max(now, times[-1] if times else 0.0) + pause
        for _ in range(count):
            queue.join(Turn(now, retransmission))
        times += run(queue, now, lateness)
    for index, start in enumerate(times):
        within = sum(start <= at < start + 1 for at in times[index:])
        assert within <= rate * (1 + LATENESS_SECONDS) + 1.001


@given(
    st.integers(1, 4),
    st.lists(st.sampled_from(["request", "retransmission", "ends"]), max_size=60),
    st.data(),
)
def test_places_are_never_more_than_allowed_and_none_is_lost(
    most: int, events: list[str], data: st.DataObject
) -> None:
    queue = TurnQueue(Limits(concurrency=most))
    held: list[Turn] = []
    for event in events:
        if event == "ends" and held:
            queue.leave(held.pop(data.draw(st.integers(0, len(held) - 1))))
        elif event != "ends":
            queue.join(Turn(0.0, retransmission=event == "retransmission"))
        granted, _ = queue.grant(0.0)
        held += [turn for turn in granted if not turn.retransmission]
        assert queue.under_way == len(held) <= most
        assert len(held) == most or not queue.waiting
