"""The retransmission timer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.sockets.rtt import INITIAL_WAIT_SECONDS, MINIMUM_WAIT_SECONDS, RttEstimator


def after(*round_trips: float) -> RttEstimator:
    estimator = RttEstimator()
    for seconds in round_trips:
        estimator.observe(seconds)
    return estimator


def waits(estimator: RttEstimator, *, timeout: float, attempts: int) -> list[float]:
    return [
        estimator.wait_seconds(attempt, longest=timeout, last=attempt == attempts - 1)
        for attempt in range(attempts)
    ]


def test_unknown_agent_gets_half_a_second_then_twice_as_long_each_time() -> None:
    assert waits(after(), timeout=5, attempts=4) == [0.5, 1, 2, 5]


def test_quick_agent_gets_the_floor() -> None:
    assert waits(after(0.001), timeout=5, attempts=4) == [0.2, 0.4, 0.8, 5]


def test_known_agent_gets_twice_its_round_trip_and_four_times_its_variation() -> None:
    estimator = after(0.1)
    assert estimator.smoothed_seconds == 0.1
    assert estimator.wait_seconds(0, longest=5, last=False) == pytest.approx(2 * 0.1 + 4 * 0.05)


def test_estimate_moves_by_an_eighth_and_its_variation_by_a_quarter() -> None:
    estimator = after(0.1, 0.3)
    assert estimator.smoothed_seconds == pytest.approx(0.125)
    variation = 0.05 + (0.2 - 0.05) / 4
    expected = 2 * 0.125 + 4 * variation
    assert estimator.wait_seconds(0, longest=5, last=False) == pytest.approx(expected)


def test_steady_agent_is_waited_for_twice_as_long_as_it_takes() -> None:
    assert after(*[0.5] * 60).wait_seconds(0, longest=5, last=False) == pytest.approx(1, rel=0.01)


def test_only_try_waits_for_the_whole_timeout() -> None:
    assert waits(after(0.001), timeout=5, attempts=1) == [5]


def test_wait_is_never_longer_than_the_timeout() -> None:
    assert waits(after(30.0), timeout=0.1, attempts=3) == [0.1, 0.1, 0.1]


def test_waits_grow_to_four_times_the_first_one() -> None:
    assert waits(after(0.001), timeout=5, attempts=6) == [0.2, 0.4, 0.8, 0.8, 0.8, 5]


@given(
    st.lists(st.floats(0, 100), max_size=20),
    st.floats(0.001, 60),
    st.integers(1, 12),
)
def test_waits_grow_from_the_floor_to_the_timeout(
    round_trips: list[float], timeout: float, attempts: int
) -> None:
    found = waits(after(*round_trips), timeout=timeout, attempts=attempts)
    assert found == sorted(found)
    assert found[-1] == timeout
    assert all(min(timeout, MINIMUM_WAIT_SECONDS) <= wait <= timeout for wait in found)
    if not round_trips and attempts > 1:
        assert found[0] == min(timeout, INITIAL_WAIT_SECONDS)
