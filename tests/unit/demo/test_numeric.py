"""Values computed from the time."""

from __future__ import annotations

import re
from random import Random

import pytest

from exporters.demo.numeric import Moment, Numeric
from exporters.wire.tags import COUNTER32, COUNTER64, GAUGE32, INTEGER, OCTET_STRING

RANDOM = Random(1)


def value_at(elapsed: float, text: str, tag: int = COUNTER32) -> float:
    return Numeric.parse(tag, text).value(Moment(elapsed, 1e9 + elapsed), None, RANDOM)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", 10, id="one a second"),
        pytest.param("initial=100,rate=20", 300, id="start and rate"),
        pytest.param("rate=100", 1000, id="as in recordings of uptimes"),
        pytest.param("min=7,rate=0", 7, id="starts at min"),
        pytest.param("rate=1,max=4", 4, id="stays at max"),
        pytest.param("rate=1,max=7,wrap=1,min=1", 5, id="wraps"),
        pytest.param("rate=1,scale=3,offset=2", 32, id="scale, then offset"),
        pytest.param("function=cos,rate=0,scale=95", 95, id="function of the time"),
        pytest.param("function=pow%<time>%2,rate=2", 400, id="function with arguments"),
        pytest.param("function=log,rate=0", 0, id="where a function is not defined"),
        pytest.param("rate=1e308,wrap=1,min=3", 3, id="beyond all numbers"),
        pytest.param("atime,rate=1,max=4000000000", 1_000_000_010, id="time of the epoch"),
    ],
)
def test_value_after_ten_seconds(text: str, value: float) -> None:
    assert value_at(10.0, text) == value


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        pytest.param(COUNTER32, "rate=1e12", 2**32 - 1, id="counter32"),
        pytest.param(COUNTER64, "rate=1e30", 2**64 - 1, id="counter64"),
        pytest.param(INTEGER, "rate=1e12", 2**31 - 1, id="integer"),
        pytest.param(GAUGE32, "rate=-1,min=-5", 0, id="below zero"),
    ],
)
def test_value_stays_within_its_type(tag: int, text: str, value: float) -> None:
    assert value_at(10.0, text, tag) == value


def test_cumulative_adds_to_what_was_served_last() -> None:
    row = Numeric.parse(COUNTER32, "rate=2,initial=5,cumulative=1")
    first = row.value(Moment(1.0, 0.0), None, RANDOM)
    second = row.value(Moment(3.0, 0.0), (first, Moment(1.0, 0.0)), RANDOM)
    assert (first, second) == (7, 13)


def test_cumulative_offset_counts_the_time_since_the_last() -> None:
    row = Numeric.parse(COUNTER32, "function=sin,rate=2,scale=0,offset=10,cumulative=1")
    assert row.value(Moment(5.0, 0.0), (100.0, Moment(2.0, 0.0)), RANDOM) == 160


def test_cumulative_never_falls() -> None:
    row = Numeric.parse(COUNTER32, "function=cos,rate=0,scale=-50,cumulative=1")
    assert row.value(Moment(1.0, 0.0), (100.0, Moment(0.0, 0.0)), RANDOM) == 100


def test_deviation_is_bounded_and_follows_the_seed() -> None:
    row = Numeric.parse(GAUGE32, "initial=100,rate=0,deviation=10")
    values = [
        [row.value(Moment(0, 0), None, random) for _ in range(50)]
        for random in (Random(3), Random(3))
    ]
    assert values[0] == values[1]
    assert len(set(values[0])) > 40
    assert all(90 <= value <= 110 for value in values[0])


@pytest.mark.parametrize(
    ("tag", "text", "problem"),
    [
        pytest.param(OCTET_STRING, "rate=1", "tag 4 is not that of an integer", id="tag"),
        pytest.param(INTEGER, "speed=1", "numeric has no option 'speed'", id="option"),
        pytest.param(INTEGER, "rate=fast", "rate=fast is not a number", id="number"),
        pytest.param(INTEGER, "rate=nan", "rate=nan is not a number", id="nan"),
        pytest.param(INTEGER, "min=3,max=2", "min=3 is above max=2", id="range"),
        pytest.param(INTEGER, "function=system", "'system' is not a function", id="function"),
        pytest.param(
            INTEGER, "function=pow%2", "pow takes another number of arguments than 1", id="arity"
        ),
        pytest.param(INTEGER, "function=pow%2%x", "pow=x is not a number", id="argument"),
    ],
)
def test_wrong_options_are_refused_when_parsed(tag: int, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        Numeric.parse(tag, text)
