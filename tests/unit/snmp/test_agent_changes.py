"""When an agent is taken to have started again, or to have changed its tables."""

from __future__ import annotations

import pytest

from exporters.polling.cursor import Value
from exporters.snmp.agent_changes import Sighting, watched_with
from exporters.wire.ber import encode_integer_content, encode_oid, format_oid
from exporters.wire.tags import OCTET_STRING, TIME_TICKS

DAY = 8_640_000
WRAP = 1 << 32


def sighting(ticks: int | None, at: float, took: float = 0.1, *marks: Value | None) -> Sighting:
    return Sighting(ticks, marks, at, at + took)


@pytest.mark.parametrize(
    ("before", "now", "seconds", "restarted"),
    [
        pytest.param(1000, 7000, 60, False, id="goes on"),
        pytest.param(0, 6000, 60, False, id="goes on from zero"),
        pytest.param(DAY, 6000, 60, True, id="starts again"),
        pytest.param(500, 5600, 60, True, id="starts again soon after it started"),
        pytest.param(DAY, DAY - 100, 60, True, id="goes back a second"),
        pytest.param(WRAP - 3000, 3000, 60, False, id="wraps"),
        pytest.param(WRAP - 3000, 0, 60, True, id="starts again half a minute before it wraps"),
        pytest.param(WRAP - 30 * DAY, 3000, 60, True, id="starts again a month before it wraps"),
        pytest.param(DAY, 90 * DAY, 60, True, id="another device answers"),
        pytest.param(DAY, DAY + 6300, 60, False, id="clock is three seconds fast"),
        pytest.param(DAY, DAY + 100 * 36_300, 36_000, False, id="clock is a little fast for hours"),
        pytest.param(DAY, DAY, 60, False, id="clock stands still"),
        pytest.param(None, None, 60, False, id="has no clock"),
        pytest.param(DAY, None, 60, True, id="clock is gone"),
        pytest.param(None, DAY, 60, True, id="clock has come"),
    ],
)
def test_restart_shows_in_the_uptime(
    before: int | None, now: int | None, seconds: float, restarted: bool
) -> None:
    assert sighting(now, seconds).restarted_since(sighting(before, 0)) is restarted


@pytest.mark.parametrize("ticks", [6000, 9000, 12_000])
def test_answer_may_be_from_any_time_of_a_long_scrape(ticks: int) -> None:
    first, second = sighting(0, 0, 30), sighting(ticks, 90, 30)
    assert not second.restarted_since(first)


def test_table_that_tells_its_last_change_has_changed() -> None:
    then, later = (TIME_TICKS, b"\x05"), (TIME_TICKS, b"\x06")
    assert not sighting(0, 0, 1, then).changed_since(sighting(0, 0, 1, then))
    assert sighting(0, 0, 1, later).changed_since(sighting(0, 0, 1, then))
    assert sighting(0, 0, 1, None).changed_since(sighting(0, 0, 1, then))


def test_values_are_read_from_what_was_asked_for() -> None:
    watched = watched_with([encode_oid("1.3.6.1.2.1.2.2.1.2")])
    uptime, mark = (item.column for item in watched)
    value = (TIME_TICKS, encode_integer_content(WRAP - 1))
    seen = Sighting.read(
        watched, {uptime: {b"\0": value}, mark: {b"\0": value}}, earliest_at=1, latest_at=2
    )
    assert seen == Sighting(WRAP - 1, (value,), 1, 2)


@pytest.mark.parametrize(
    "rows",
    [{}, {b"\0": (OCTET_STRING, b"1 day")}, {b"\x01": (TIME_TICKS, b"\x01")}],
    ids=["nothing", "text", "another instance"],
)
def test_uptime_that_is_none_is_not_known(rows: dict[bytes, Value]) -> None:
    watched = watched_with([])
    seen = Sighting.read(watched, {watched[0].column: rows}, earliest_at=0, latest_at=0)
    assert seen.uptime_ticks is None


@pytest.mark.parametrize(
    ("column", "marks"),
    [
        ("1.3.6.1.2.1.2.2.1.2", ["1.3.6.1.2.1.31.1.5"]),
        ("1.3.6.1.2.1.31.1.1.1.18", ["1.3.6.1.2.1.31.1.5"]),
        ("1.3.6.1.2.1.47.1.1.1.1.7", ["1.3.6.1.2.1.47.1.4.1"]),
        ("1.0.8802.1.1.2.1.4.1.1.9", ["1.0.8802.1.1.2.1.2.1"]),
        ("1.3.6.1.4.1.9.9.1", []),
    ],
)
def test_uptime_is_watched_and_what_tells_of_the_table(column: str, marks: list[str]) -> None:
    watched = watched_with([encode_oid(column)])
    assert [format_oid(item.column) for item in watched] == ["1.3.6.1.2.1.1.3", *marks]
    assert all(item.scalar for item in watched)
