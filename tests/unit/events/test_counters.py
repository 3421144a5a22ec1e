"""Counters: the first event is seen, and there are never more series than there may be."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from exporters.events.counters import CounterFamily, LastSeenFamily

INTERVAL = 60.0


def family(limit: int = 100, open_labels: Collection[str] = ("trap",)) -> CounterFamily:
    return CounterFamily(
        "traps_total",
        "Traps.",
        ("device", "trap"),
        open_labels=open_labels,
        limit=limit,
        scrape_interval_seconds=INTERVAL,
    )


def scrape(counters: CounterFamily | LastSeenFamily, now: float) -> dict[str, float]:
    counters.scraped(now)
    return {name: float(value) for name, value in (line.split() for line in counters.lines())}


A = 'traps_total{device="a",trap="x"}'


def test_series_is_shown_at_0_before_it_counts():
    counters = family()
    scrape(counters, 0)
    counters.inc(("a", "x"))
    counters.inc(("a", "x"))

    assert scrape(counters, 60) == {A: 0}
    assert scrape(counters, 120) == {A: 0}
    counters.inc(("a", "x"))
    assert scrape(counters, 180) == {A: 3}


def test_every_one_of_several_scrapers_sees_the_0():
    """Two that scrape every minute, at their own times: each has seen 0 before it sees 1."""
    counters = family()
    counters.inc(("a", "x"))

    times = sorted([*range(7, 400, 60), *range(55, 400, 60)])
    seen = {7: [], 55: []}
    for now in times:
        seen[7 if (now - 7) % 60 == 0 else 55].append(scrape(counters, now)[A])

    for values in seen.values():
        assert values[0] == 0
        assert values[-1] == 1


def test_series_that_nobody_scrapes_is_held_back_until_somebody_does():
    counters = family()
    counters.inc(("a", "x"))

    assert scrape(counters, 5000) == {A: 0}


def test_series_of_the_start_counts_at_once_after_its_0_was_seen():
    counters = family()
    counters.start([("a", "x")])
    scrape(counters, 0)
    scrape(counters, 90)

    counters.inc(("a", "x"))

    assert scrape(counters, 91) == {A: 1}


def test_event_before_the_first_scrape_is_seen_as_an_increase():
    counters = family()
    counters.start([("a", "x")])
    counters.inc(("a", "x"))

    assert scrape(counters, 0) == {A: 0}
    assert scrape(counters, 90) == {A: 1}


def test_value_beyond_the_limit_is_counted_as_other():
    counters = family(limit=2)
    for trap in ("x", "y", "z", "w", "z"):
        counters.inc(("a", trap))

    assert counters.value(("a", "other")) == 3
    assert counters.value(("a", "z")) == 0
    assert counters.series.overflow == 3
    assert counters.series.count == 2


def test_closed_label_stays_as_it_is_beyond_the_limit():
    counters = family(limit=1, open_labels=("device",))
    counters.series.reserve(["a", "b"])
    for device in ("c", "a", "b"):
        counters.inc((device, "x"))

    assert sum(counters.value((device, "x")) for device in ("unknown", "c", "other")) >= 1
    assert 'trap="other"' not in "".join(counters.lines())


def test_strangers_cannot_take_what_is_set_aside_for_devices():
    counters = family(limit=20)
    counters.series.reserve(["a", "b"])
    for number in range(1000):
        counters.inc((f"stranger{number}", "x"))
    for number in range(5):
        counters.inc(("a", f"t{number}"))

    assert [counters.value(("a", f"t{number}")) for number in range(5)] == [1] * 5
    assert counters.value(("unknown", "other")) == 990


def test_label_that_a_rule_adds_is_missing_where_it_is_empty():
    counters = family()
    counters.inc(("a", "x"))
    counters.add_labels(["peer", "vrf"])
    counters.inc(("a", "x", "", "blue"))

    assert list(scrape(counters, 0)) == [A, 'traps_total{device="a",trap="x",vrf="blue"}']


def test_hostile_value_is_escaped():
    counters = family()
    counters.inc(("a", 'x"} 1\nevil 2\\'))

    counters.scraped(0)
    assert list(counters.lines()) == ['traps_total{device="a",trap="x\\"} 1\\nevil 2\\\\"} 0\n']


def test_last_seen_is_right_at_the_first_event():
    seen = LastSeenFamily("seen", "Seen.", ("device",), limit=10)
    seen.set(("a",), 1234.5)

    assert scrape(seen, 0) == {'seen{device="a"}': 1234.5}


KEYS = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("rstuvwxyz"))
STEPS = st.lists(st.one_of(KEYS, st.floats(0, 200)), max_size=60)


@given(STEPS, st.integers(1, 12), st.sets(st.sampled_from("abcd")))
def test_nothing_is_lost_and_no_counter_falls_or_is_born_above_0(steps, limit, devices):
    counters = family(limit=limit)
    counters.series.reserve(devices)
    now = 0.0
    before: dict[str, float] = {}
    counted = 0
    for step in [*steps, 0.0, 1000.0, 1000.0]:
        if isinstance(step, tuple):
            counters.inc(step)
            counted += 1
            continue
        now += step
        shown = scrape(counters, now)
        assert all(shown[name] >= value for name, value in before.items())
        assert all(value == 0 for name, value in shown.items() if name not in before)
        before = shown
    assert sum(before.values()) == counted
    assert counters.series.count <= max(limit, 1)
    assert len(before) <= limit + len(devices) + 9
