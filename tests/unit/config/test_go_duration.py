from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.go_duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5.0),
        ("1m30s", 90.0),
        ("500ms", 0.5),
        ("1h0m0s", 3600.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("5.s", 5.0),
        ("0", 0.0),
        ("+0", 0.0),
        ("-1m", -60.0),
        ("+2s", 2.0),
        ("100us", 0.0001),
        ("100µs", 0.0001),
        ("100μs", 0.0001),
        ("7ns", 7e-9),
        ("1s1s", 2.0),
    ],
)
def test_duration_is_parsed_as_go_parses_it(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 s",
        "5S",
        "5d",
        "1m 30s",
        "--5s",
        "+-5s",
        "5s ",
        "1e3s",
        ".s",
        "-",
        "0x1s",
        "9" * 30 + "h",
        "1s" * 40,
        "٥s",
    ],
)
def test_other_text_is_no_duration(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (-0.0, "0s"),
        (5.0, "5s"),
        (90.0, "1m30s"),
        (3600.0, "1h0m0s"),
        (5400.5, "1h30m0.5s"),
        (0.5, "500ms"),
        (0.0015, "1.5ms"),
        (0.0001, "100µs"),
        (7e-9, "7ns"),
        (-1.5, "-1.5s"),
        (100.0, "1m40s"),
        (10.0, "10s"),
        (600.0, "10m0s"),
    ],
)
def test_duration_is_written_as_go_writes_it(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_written_duration_is_parsed_to_the_same(nanoseconds):
    seconds = nanoseconds / 1e9
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-9)
