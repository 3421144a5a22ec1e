"""Rows as requests see them: standing still, computed, moving."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording, decode_varbind
from exporters.demo.snmprec import read_recording
from exporters.wire.ber import encode_oid

Clock = Callable[[], float]

UPTIME = "1.3.6.1.2.1.1.3.0"
LAST_CHANGE = "1.3.6.1.2.1.2.2.1.9.1"
OCTETS = ["1.3.6.1.2.1.2.2.1.10.1", "1.3.6.1.2.1.2.2.1.10.2"]
ERRORS = "1.3.6.1.2.1.2.2.1.14.1"
WIDE = "1.3.6.1.2.1.31.1.1.1.6.1"

LINES = [
    f"{UPTIME}|67|1000000",  # 10,000 seconds
    f"{LAST_CHANGE}|67|4242",
    f"{OCTETS[0]}|65|4294967290",
    f"{OCTETS[1]}|65|4294967290",
    f"{ERRORS}|65|0",
    f"{WIDE}|70|1000000000000",
    "1.3.6.1.4.1.1.1|2:numeric|initial=5,rate=2",
    "1.3.6.1.4.1.1.2|65:numeric|rate=2,cumulative=1",
]


@pytest.fixture
def recording() -> Recording:
    return read_recording(line.encode() for line in LINES)


def value(view: MibView, oid: str) -> int:
    row = view.row(encode_oid(oid))
    assert row is not None
    return int.from_bytes(decode_varbind(row)[2], "big", signed=True)


def test_without_moving_only_numeric_rows_follow_the_clock(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, clock=clock)
    before = [value(view, oid) for oid in (UPTIME, *OCTETS, WIDE)]
    seconds[0] += 60
    assert [value(view, oid) for oid in (UPTIME, *OCTETS, WIDE)] == before
    assert value(view, "1.3.6.1.4.1.1.1") == 125


def test_uptime_advances_by_hundredths_and_other_times_stand(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, moving=True, clock=clock)
    seconds[0] += 60
    assert value(view, UPTIME) == 1_006_000
    assert value(view, LAST_CHANGE) == 4242


def test_moving_counter_starts_at_its_recorded_value_and_grows_at_its_average_rate(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, moving=True, clock=clock)
    assert value(view, WIDE) == 10**12
    seconds[0] += 100
    rate = (value(view, WIDE) - 10**12) / 100
    average = 10**12 / 10_000
    assert 0.5 * average <= rate <= 1.5 * average


def test_moving_counter32_wraps_at_its_type(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, moving=True, clock=clock)
    seconds[0] += 1
    assert value(view, OCTETS[0]) < 4_294_967_290


def test_counters_grow_each_at_its_own_rate_and_alike_in_every_run(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    views = [MibView(recording, moving=True, clock=clock) for _ in range(2)]
    seconds[0] += 10
    first, second = ([value(view, oid) for oid in OCTETS] for view in views)
    assert first == second
    assert first[0] != first[1]


def test_counter_recorded_at_zero_stays_there(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, moving=True, clock=clock)
    seconds[0] += 1e6
    assert value(view, ERRORS) == 0


def test_rows_after_an_oid_are_those_that_single_look_ups_give(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, moving=True, clock=clock)
    seconds[0] += 10
    rows = view.rows_after(encode_oid("1.3"), 7)
    assert rows == [view.row(decode_varbind(row)[0]) for row in rows]
    assert len(rows) == 7


def test_rows_end_where_the_recording_ends(recording: Recording) -> None:
    view = MibView(recording)
    assert len(view.rows_after(encode_oid("1.3"), 100)) == len(LINES)
    assert view.rows_after(encode_oid("1.4"), 100) == []


def test_cumulative_row_remembers_what_it_served(
    recording: Recording, clock: Clock, seconds: list[float]
) -> None:
    view = MibView(recording, clock=clock)
    oid = "1.3.6.1.4.1.1.2"
    seconds[0] += 1
    assert [value(view, oid) for _ in range(3)] == [2, 4, 6]
