from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.dates import DATE_TYPES, compile_date
from exporters.wire import tags
from exporters.wire.tags import OCTET_STRING

_OFFSETS = st.integers(-14 * 60, 14 * 60)
_INSTANTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2099, 1, 1))


def test_seconds_of_case(dates_case: dict[str, Any]) -> None:
    read = compile_date(dates_case["type"], dates_case.get("pattern", ""))
    tag = getattr(tags, dates_case["tag"])

    if "error" in dates_case:
        with pytest.raises(ValueError) as caught:
            read(tag, dates_case["raw"])
        assert dates_case["error"] in str(caught.value)
    else:
        assert read(tag, dates_case["raw"]) == dates_case["expected"]


def test_type_that_is_no_date_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid date type 'gauge': expected one of"):
        compile_date("gauge")


@given(_INSTANTS, _OFFSETS)
def test_date_and_time_is_the_same_instant(local: datetime, offset_minutes: int) -> None:
    instant = local.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset_minutes)))
    hours, minutes = divmod(abs(offset_minutes), 60)
    raw = local.year.to_bytes(2) + bytes(
        (local.month, local.day, local.hour, local.minute, local.second, 0)
    )
    zone = bytes((ord("-" if offset_minutes < 0 else "+"), hours, minutes))
    read = compile_date("DateAndTime")

    assert read(OCTET_STRING, raw + zone) == instant.timestamp()
    assert read(OCTET_STRING, raw) == instant.replace(tzinfo=UTC).timestamp()


@given(st.sampled_from(sorted(DATE_TYPES)), st.integers(0, 255), st.binary(max_size=16))
def test_any_value_is_a_date_or_refused_with_a_reason(type_name: str, tag: int, raw: bytes) -> None:
    try:
        seconds = compile_date(type_name, "%Y-%m-%d")(tag, raw)
    except ValueError as reason:
        assert str(reason)
    else:
        assert type(seconds) is int
