"""Numbers of messages, and what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.event_settings import EventSettings
from exporters.syslog.sequences import LATE_SECONDS, MOST_LOST, Counter, Sequences
from exporters.wire.syslog_sequence import find_numbers

CISCO = b"<189>%d: *Mar 15 10:05:53.044: %%SYS-5-CONFIG_I: x"
LAST_META = 2**31 - 1
LATER = 1000.0
"""When nothing can be late any more."""


def counted(numbers: list[int], modulus: int = 2**32, seconds: float = 0.0) -> dict[str, int]:
    """Give the counts of a counter, with *seconds* between its messages."""
    counter = Counter(numbers[0], modulus, 0.0)
    now = 0.0
    for number in numbers[1:]:
        now += seconds
        counter.settle(now)
        counter.take(number, now)
    for _ in range(3):
        now += LATER
        counter.settle(now)
    names = ("received", "lost", "duplicates", "resets")
    return {name: count for name, count in zip(names, counter.counts(), strict=True) if count}


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param([5, 6, 7], {}, id="in order"),
        pytest.param([5, 9], {"lost": 3}, id="three missing"),
        pytest.param([5, 7, 6, 8], {}, id="overtaken"),
        pytest.param([5, 8, 6, 9], {"lost": 1}, id="one of two overtaken"),
        pytest.param([5, 9, 7, 10], {"lost": 2}, id="middle of a gap overtaken"),
        pytest.param([5, 6, 6, 7], {"duplicates": 1}, id="twice"),
        pytest.param([5, 7, 6, 6, 8], {"duplicates": 1}, id="overtaken and twice"),
        pytest.param([5, 5 + MOST_LOST + 1], {"lost": MOST_LOST}, id="as many as can be lost"),
        pytest.param([5, 10**6, 10**6 + 1], {"resets": 1}, id="set further on"),
        pytest.param([5, 10**6, 6, 7], {}, id="a number from somewhere else"),
        pytest.param([2**32 - 2, 2**32 - 1, 0, 1], {}, id="wrapped"),
        pytest.param([2**32 - 2, 1], {"lost": 2}, id="missing where it wraps"),
    ],
)
def test_counter_tells_what_numbers_mean(numbers: list[int], expected: dict[str, int]) -> None:
    assert counted(numbers) == {"received": len(numbers), **expected}


def test_sequence_id_wraps_from_its_last_number_to_one() -> None:
    numbers = [LAST_META - 1, LAST_META, 1, 2, 4]

    assert counted(numbers, LAST_META) == {"received": 5, "lost": 1}


@pytest.mark.parametrize(
    ("after", "lost"),
    [([1, 2, 3], 0), ([0, 1, 2], 0), ([7, 8], 0), ([1, 3], 1)],
    ids=["from 1", "from 0", "first ones lost", "one lost"],
)
def test_restart_of_a_device_loses_nothing(after: list[int], lost: int) -> None:
    before = list(range(100, 110))
    counts = counted([*before, *after], seconds=LATE_SECONDS)

    assert counts.get("resets") == 1
    assert counts.get("lost", 0) == lost


def test_straggler_of_long_ago_is_no_restart() -> None:
    counts = counted([5, 6, 7, 8, 9, 10, 6, 11, 7, 12], seconds=LATE_SECONDS)

    assert counts == {"received": 10}


def test_message_that_is_too_late_was_lost() -> None:
    counter = Counter(1, 2**32, 0.0)
    counter.take(3, 0.0)
    counter.settle(LATE_SECONDS - 0.1)
    assert counter.lost == 0
    counter.settle(LATE_SECONDS)
    assert counter.lost == 1


def test_many_gaps_take_bounded_memory() -> None:
    counter = Counter(0, 2**32, 0.0)
    for number in range(2, 10_000, 2):
        counter.take(number, 0.0)
    assert len(counter._gaps) <= 64
    counter.settle(LATE_SECONDS)
    assert counter.lost == 4_999


@given(st.lists(st.booleans(), max_size=80), st.integers(0, 2**32 - 1))
def test_lost_are_those_that_did_not_come(arrives: list[bool], first: int) -> None:
    came = [place for place, is_there in enumerate([True, *arrives, True]) if is_there]
    numbers = [(first + place) % 2**32 for place in came]

    assert counted(numbers).get("lost", 0) == len(arrives) - (len(came) - 2)


@given(st.permutations(range(1, 30)))
def test_order_within_the_time_of_grace_does_not_matter(order: list[int]) -> None:
    assert counted([0, *order]) == {"received": 30}


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40), st.floats(0, 30))
def test_any_numbers_are_counted(numbers: list[int], seconds: float) -> None:
    counts = counted(numbers, seconds=seconds)

    assert counts["received"] == len(numbers)
    assert sum(counts.values()) - counts.get("lost", 0) <= 2 * len(numbers)


class Numbered:
    """Messages of devices."""

    def __init__(self) -> None:
        self.sequences = Sequences(EventSettings())

    def take(self, *messages: bytes, device: str = "core-1", now: float = 0.0) -> None:
        self.sequences.take([device] * len(messages), find_numbers(messages), now)

    def values(self) -> dict[str, int]:
        """Give the samples that are not 0, long after."""
        self.sequences.settle(LATER)
        lines: dict[str, int] = {}
        for moment in (0.0, 3600.0):
            for family in self.sequences.families:
                family.scraped(moment)
                for line in family.lines():
                    name, _, value = line.rpartition(" ")
                    lines[name.removeprefix("syslog_sequence_")] = int(value)
        return {name: value for name, value in lines.items() if value}


def test_loss_is_counted_by_device_and_counter() -> None:
    numbered = Numbered()
    numbered.take(CISCO % 1, CISCO % 4)
    numbered.take(CISCO % 9, CISCO % 10, device="core-2")

    values = numbered.values()
    assert values['lost_total{device="core-1",counter="message"}'] == 2
    assert values['received_total{device="core-2",counter="message"}'] == 2
    assert 'lost_total{device="core-2",counter="message"}' not in values


def test_counters_of_one_device_do_not_mix() -> None:
    numbered = Numbered()
    both = b"<189>%d: HOST: %06d: Mar 15 10:05:53.044 CDT: %%PARSER-5-CFGLOG_LOGGEDCMD: x"
    numbered.take(both % (22, 4000), both % (23, 4007), both % (24, 4008))
    numbered.take(
        b'<13>1 - h a - - [meta sequenceId="7"] x', b'<13>1 - h a - - [meta sequenceId="8"]'
    )

    assert {name: value for name, value in numbered.values().items() if "received" not in name} == {
        'lost_total{device="core-1",counter="service"}': 6
    }


def test_sequence_number_goes_on_without_its_leading_zero() -> None:
    numbered = Numbered()
    padded = b"<189>%06d: *Mar 15 10:05:53.044: %%SYS-5-CONFIG_I: x"
    numbered.take(*[padded % number for number in (99_998, 99_999, 100_000, 100_002)])

    assert numbered.values() == {
        'received_total{device="core-1",counter="service"}': 4,
        'lost_total{device="core-1",counter="service"}': 1,
    }


def test_both_numbers_of_a_message_are_counted() -> None:
    sequences = Sequences(EventSettings())
    message = b"<189>%d: sw: %06d: *Mar 15 10:05:53.044: %%SYS-5-CONFIG_I: x"
    sent = [(1, 7), (2, 8), (3, 11), (5, 12), (5, 12), (6, 13)]
    sequences.take(["a"] * len(sent), find_numbers([message % numbers for numbers in sent]), 0.0)
    sequences.settle(LATER)

    counts = {key: counter.counts() for key, counter in sequences._counters.items()}
    assert counts == {("a", "message"): (6, 1, 1, 0), ("a", "service"): (6, 2, 1, 0)}


def test_number_behind_the_last_of_a_counter_is_none() -> None:
    sequences = Sequences(EventSettings())
    numbers = [2**32 - 1, 2**32, 2**32 + 1, 2**32 + 2]
    sequences.take(["a"] * 4, find_numbers([CISCO % number for number in numbers]), 0.0)

    (counter,) = sequences._counters.values()
    assert counter.counts() == (2, 0, 0, 0)


def test_strangers_have_no_counters() -> None:
    numbered = Numbered()
    numbered.take(CISCO % 1, CISCO % 1, CISCO % 900, device="unknown")

    assert numbered.values() == {}


def test_number_beyond_all_counters_is_none() -> None:
    numbered = Numbered()
    numbered.take(CISCO % 10**17, CISCO % 1, CISCO % 2)

    assert numbered.values() == {'received_total{device="core-1",counter="message"}': 2}


def test_device_that_left_the_inventory_is_forgotten() -> None:
    numbered = Numbered()
    numbered.take(CISCO % 5)
    numbered.sequences.settle(1.0)
    numbered.sequences.keep_only(["core-2"])
    numbered.take(CISCO % 900)

    assert numbered.values() == {'received_total{device="core-1",counter="message"}': 2}
