"""The token bucket."""

from __future__ import annotations

from exporters.web.rate_limit import TokenBucket


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_burst_is_let_through_then_one_for_each_interval():
    clock = Clock()
    bucket = TokenBucket(2.0, 3, clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 1.5
    assert not bucket.take()
    clock.now += 0.5
    assert [bucket.take(), bucket.take()] == [True, False]


def test_no_more_than_the_burst_is_saved_up():
    clock = Clock()
    bucket = TokenBucket(1.0, 2, clock)
    clock.now += 1000
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_interval_of_zero_is_no_limit():
    bucket = TokenBucket(0.0, 0, Clock())
    assert all(bucket.take() for _ in range(1000))
