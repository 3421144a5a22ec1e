"""The schedule of pings: even, stable, and calm after a stall."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.icmp.schedule import Pace, Schedule, phase_ns

SECOND = 1_000_000_000
MS = 1_000_000
UNIX = 1_700_000_000 * SECOND


def schedule_of(names: list[str], interval_ns: int = SECOND, now_ns: int = 0) -> Schedule[str]:
    schedule = Schedule[str](UNIX, now_ns)
    for name in names:
        schedule.add(name, name, interval_ns, now_ns)
    return schedule


def run(schedule: Schedule[str], start_ns: int, end_ns: int, step_ns: int) -> list[tuple[int, str]]:
    return [
        due
        for now_ns in range(start_ns, end_ns, step_ns)
        for due in schedule.due(now_ns, limit=10**9)
    ]


@given(
    st.lists(st.text(max_size=8), min_size=1, max_size=30, unique=True),
    st.integers(50 * MS, 60 * SECOND),
    st.integers(0, 10**18),
)
def test_everybody_is_due_once_an_interval(
    names: list[str], interval_ns: int, start_ns: int
) -> None:
    schedule = Schedule[str](UNIX, start_ns)
    for name in names:
        schedule.add(name, name, interval_ns, start_ns)
    due = run(schedule, start_ns, start_ns + 3 * interval_ns, interval_ns // 16)
    rest = list(schedule.due(start_ns + 3 * interval_ns - 1, limit=10**9))
    times = Counter(name for _, name in [*due, *rest])
    assert set(times.values()) == {3}
    assert schedule.skipped == 0


def test_destinations_are_spread_evenly_over_the_interval() -> None:
    names = [f"10.0.{number // 256}.{number % 256}" for number in range(10_000)]
    tenths = Counter(phase_ns(name, SECOND) * 10 // SECOND for name in names)
    assert len(tenths) == 10
    assert all(880 < count < 1120 for count in tenths.values())


def test_phase_follows_from_the_name_alone() -> None:
    assert phase_ns("192.0.2.1", SECOND) == phase_ns("192.0.2.1", SECOND) == 234_438_673


def test_restart_keeps_the_rhythm() -> None:
    first = schedule_of(["a", "b", "c"])
    before = {name: due_ns for due_ns, name in run(first, 0, SECOND, MS)}
    # Another process, another uptime, 7.3 s later.
    second = Schedule[str](UNIX + 7_300 * MS, 55 * SECOND)
    for name in ("a", "b", "c"):
        second.add(name, name, SECOND, 55 * SECOND)
    for due_ns, name in run(second, 55 * SECOND, 56 * SECOND, MS):
        unix_ns = due_ns - 55 * SECOND + UNIX + 7_300 * MS
        assert (unix_ns - UNIX - before[name]) % SECOND == 0


def test_nobody_is_due_before_the_time() -> None:
    schedule = schedule_of(["a"])
    due_ns = schedule.next_due_ns()
    assert due_ns is not None
    assert list(schedule.due(due_ns - 1, limit=9)) == []
    assert list(schedule.due(due_ns, limit=9)) == [(due_ns, "a")]
    assert schedule.next_due_ns() == due_ns + SECOND


def test_rounds_that_a_stall_cost_are_skipped_and_counted() -> None:
    schedule = schedule_of(["a", "b"])
    late = list(schedule.due(5 * SECOND - 1, limit=9))
    assert sorted(name for _, name in late) == ["a", "b"]
    assert schedule.skipped == 2 * 4
    next_due_ns = schedule.next_due_ns()
    assert next_due_ns is not None
    assert 5 * SECOND <= next_due_ns < 6 * SECOND


def test_those_above_the_limit_stay_due() -> None:
    schedule = schedule_of([str(number) for number in range(10)])
    first = [name for _, name in schedule.due(SECOND, limit=4)]
    rest = [name for _, name in schedule.due(SECOND, limit=100)]
    assert len(first) == 4
    assert sorted(first + rest) == sorted(str(number) for number in range(10))


def test_longest_overdue_goes_first() -> None:
    schedule = schedule_of([str(number) for number in range(50)])
    times = [due_ns for due_ns, _ in schedule.due(SECOND, limit=100)]
    assert times == sorted(times)


def test_removed_destination_is_never_due_again() -> None:
    schedule = schedule_of(["a", "b"])
    schedule.remove("a")
    assert len(schedule) == 1
    assert {name for _, name in run(schedule, 0, 5 * SECOND, MS)} == {"b"}


def test_empty_schedule_has_nobody_due() -> None:
    schedule = schedule_of(["a"])
    schedule.remove("a")
    assert schedule.next_due_ns() is None
    assert list(schedule.due(10 * SECOND, limit=9)) == []


@pytest.mark.parametrize("rate", [10.0, 1000.0])
def test_pace_gives_no_more_than_its_rate(rate: float) -> None:
    pace = Pace(rate, burst=5, now_ns=0)
    gone = 0
    for now_ns in range(0, 10 * SECOND, 3 * MS):
        count = pace.allowance(now_ns)
        pace.spend(count)
        gone += count
    assert rate * 10 * 0.97 <= gone <= rate * 10 + 5


def test_pace_saves_up_no_more_than_a_burst() -> None:
    pace = Pace(1000.0, burst=5, now_ns=0)
    assert pace.allowance(3600 * SECOND) == 5
