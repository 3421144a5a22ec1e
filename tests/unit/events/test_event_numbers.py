"""Numbers of events: in one process, and of several in the order of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exporters.events.event_numbers import EventNumbers


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def workers(count: int, clock: Clock) -> list[EventNumbers]:
    """As forks of one parent have them."""
    found = []
    for place in range(count):
        numbers = EventNumbers(clock)
        numbers.become(place, count)
        found.append(numbers)
    return found


def test_one_process_counts_whatever_time_it_is():
    clock = Clock()
    numbers = EventNumbers(clock)
    clock.now += 5.0
    assert numbers.take_one() == 1
    assert list(numbers.take(3)) == [2, 3, 4]
    assert list(numbers.take(0)) == []
    assert numbers.least_to_come() == 5


def test_number_of_a_worker_is_the_moment():
    clock = Clock()
    numbers = workers(4, clock)[1]
    clock.now += 2.5
    assert list(numbers.take(3)) == [10_000_001, 10_000_005, 10_000_009]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.floats(0.00001, 10.0)), max_size=30)
)
def test_numbers_of_workers_are_unique_and_in_the_order_of_time(steps):
    clock = Clock()
    numbers = workers(3, clock)
    given_numbers = []
    for place, count, seconds in steps:
        clock.now += seconds
        given_numbers += numbers[place].take(count)
        assert all(number % 3 == place for number in given_numbers[len(given_numbers) - count :])
    assert given_numbers == sorted(set(given_numbers))


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 0.0001)), min_size=1, max_size=30))
def test_burst_has_numbers_that_increase_and_none_comes_below_what_was_said(steps):
    clock = Clock()
    (_, numbers) = workers(2, clock)
    last = 0
    for count, seconds in steps:
        clock.now += seconds
        least = numbers.least_to_come()
        taken = numbers.take(count)
        assert last < least == taken[0]
        last = taken[-1]


def test_successor_has_greater_numbers():
    clock = Clock()
    parents = EventNumbers(clock)
    clock.now += 10.0
    first = EventNumbers(clock)
    first.__dict__.update(parents.__dict__)
    first.become(0, 2)
    ended_with = first.take(100)[-1]
    clock.now += 0.5
    successor = EventNumbers(clock)
    successor.__dict__.update(parents.__dict__)
    successor.become(0, 2)
    assert successor.take_one() > ended_with
