from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporters.wire.syslog_timestamp import Stamp, resolve, search_stamp, search_uptime

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases/syslog/timestamps.yml").read_text()
)


def stamp_of(text: str) -> Stamp:
    found = search_stamp(text)
    assert found is not None
    assert found[0] is not None
    return found[0]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_stamp_is_read_as_the_case_expects(case: dict[str, Any]) -> None:
    text = case["text"]
    expected = {key: value for key, value in case.items() if key not in ("id", "text", "none")}

    found = search_stamp(f"before {text} after")

    assert found is not None
    stamp, start, end = found
    assert (start, end) == (7, 7 + len(text))
    if case.get("none"):
        assert stamp is None
    else:
        assert stamp is not None
        assert {key: stamp._asdict()[key] for key in expected} == expected


@pytest.mark.parametrize("text", ["", "Oct", "22:14:15", "Oct 11", "1.5", "12345.6", "a1563249630"])
def test_text_without_a_stamp_has_none(text: str) -> None:
    assert search_stamp(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:01:01:", 61), ("100:00:00:", 360_000), ("1d2h:", 93_600), ("1w2d:", 777_600),
     ("1y0w:", 31_536_000), ("7: *3h:", 10_800)],
)  # fmt: skip
def test_uptime_is_read_in_seconds(text: str, seconds: int) -> None:
    found = search_uptime(text)

    assert found is not None
    assert found[0] == seconds
    assert text[found[2]] == ":"


@pytest.mark.parametrize("text", ["", "1d2h", "d:", "521:", "router1d:", "x00:01:01:"])
def test_text_without_an_uptime_has_none(text: str) -> None:
    assert search_uptime(text) is None


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)),
    st.timedeltas(min_value=timedelta(days=-150), max_value=timedelta(days=150)),
)
def test_year_is_the_one_nearest_to_the_receipt(sent: datetime, difference: timedelta) -> None:
    sent = sent.replace(microsecond=0, tzinfo=UTC)
    received_at = (sent + difference).timestamp()

    stamp = stamp_of(f"{sent:%b} {sent.day:2} {sent:%H:%M:%S}")

    assert resolve(stamp, received_at) == sent.timestamp()


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)),
    st.sampled_from(["UTC", "Asia/Seoul", "America/New_York", "Asia/Kathmandu"]),
)
def test_stamp_with_a_year_is_resolved_in_the_zone_of_the_device(sent: datetime, zone: str) -> None:
    local = sent.replace(microsecond=0, tzinfo=ZoneInfo(zone))

    stamp = stamp_of(f"{local:%Y-%m-%dT%H:%M:%S}")

    assert resolve(stamp, 0.0, ZoneInfo(zone)) == local.timestamp()


def test_stamp_that_is_swapped_is_the_day_nearer_to_the_receipt() -> None:
    stamp = stamp_of("09/11/2021:21:13:15 GMT")

    for received in (datetime(2021, 11, 9, 22, tzinfo=UTC), datetime(2021, 9, 11, 22, tzinfo=UTC)):
        resolved = resolve(stamp, received.timestamp())
        assert resolved is not None
        assert abs(resolved - received.timestamp()) < 3600


@pytest.mark.parametrize(
    "received", [datetime(2026, 3, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)]
)
def test_leap_day_that_no_year_near_the_receipt_has_is_none(received: datetime) -> None:
    assert resolve(stamp_of("Feb 29 12:00:00"), received.timestamp()) is None


def test_name_of_the_other_season_is_believed() -> None:
    stamp = stamp_of("2026-07-01 12:00:00 EST")

    resolved = resolve(stamp, 0.0, ZoneInfo("America/New_York"))

    assert resolved == datetime(2026, 7, 1, 17, tzinfo=UTC).timestamp()
