from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.strptime import compile_pattern


def test_seconds_of_case(date_patterns_case: dict[str, Any]) -> None:
    parse = compile_pattern(date_patterns_case["pattern"])

    if "error" in date_patterns_case:
        with pytest.raises(ValueError) as caught:
            parse(date_patterns_case["text"])
        assert date_patterns_case["error"] in str(caught.value)
    else:
        assert parse(date_patterns_case["text"]) == date_patterns_case["expected"]


def test_pattern_that_cannot_be_used_is_refused(date_pattern_faults_case: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        compile_pattern(date_pattern_faults_case["pattern"])
    assert date_pattern_faults_case["reason"] in str(caught.value)


def test_long_text_is_not_quoted_whole() -> None:
    with pytest.raises(ValueError) as caught:
        compile_pattern("%Y")("x" * 60_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "pattern",
    [
        "%Y-%m-%d %H:%M:%S",
        "%a %b %d %H:%M:%S %Y",
        "%A, %d %B %Y %I:%M:%S %p",
        "%Y%j%H%M%S",
        "%d/%m/%Y %H.%M.%S %z",
        "%e %b %Y %l:%M:%S%p",
    ],
)
def test_patterns_read_what_strftime_writes(pattern: str) -> None:
    parse = compile_pattern(pattern)

    @given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
    def check(instant: datetime) -> None:
        instant = instant.replace(microsecond=0)
        assert parse(instant.strftime(pattern)) == instant.timestamp()

    check()


@given(st.text(alphabet="%:YymdHMSzZpbjs 0-", max_size=10), st.text(max_size=20))
def test_any_pattern_parses_or_refuses(pattern: str, text: str) -> None:
    try:
        seconds = compile_pattern(pattern)(text)
    except ValueError as reason:
        assert str(reason)
    else:
        assert type(seconds) is int


def test_patterns_of_snmp_exporter_compile(shared_dir: Path) -> None:
    shipped = (shared_dir / "peers" / "snmp_exporter-snmp.yml").read_text()
    patterns = set(re.findall(r"datetime_pattern: '?\"?(.+?)'?\"?$", shipped, re.MULTILINE))

    assert patterns == {"%b %d %Y", "%a %b %d %H:%M:%S %Y"}
    assert all(compile_pattern(pattern) for pattern in patterns)
