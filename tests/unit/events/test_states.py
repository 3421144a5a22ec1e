"""States: raised, cleared, ended by time and restarts, never more than there may be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exporters.events.event import Change
from exporters.events.states import StateKey, States, decode_state, encode_state

KEY = StateKey("a", "link", "1")


def make(**settings: Any) -> States:
    return States(**{"limit": 100, "device_limit": 50, "cleared_for_seconds": 900.0, **settings})


def raised(key: str = "1", ttl: float = 0.0, **parts: Any) -> Change:
    return Change(True, "link", key, parts.pop("instance", f"eth{key}"), ttl, **parts)


def cleared(key: str = "1") -> Change:
    return Change(False, "link", key, f"eth{key}")


def test_state_is_raised_and_cleared():
    states = make()

    assert states.apply("a", raised(), 100.0) == "raised"
    assert states.apply("a", raised(), 110.0) == "confirmed"
    assert states.apply("a", cleared(), 120.0) == "cleared"
    state = states.get(KEY)
    assert state is not None
    assert (state.active, state.since, state.changed_at, state.transitions) == (False, 120, 120, 2)


def test_since_stays_while_a_state_is_confirmed():
    states = make()
    states.apply("a", raised(), 100.0)
    states.apply("a", raised(), 150.0)

    state = states.get(KEY)
    assert state is not None
    assert (state.since, state.changed_at, state.transitions) == (100.0, 150.0, 1)


def test_state_is_shown_at_0_before_it_vanishes():
    states = make()
    states.apply("a", raised(), 0.0)
    states.apply("a", cleared(), 10.0)

    states.tick(909.0)
    assert states.get(KEY) is not None
    states.tick(911.0)
    assert states.get(KEY) is None
    assert len(states) == 0


def test_state_that_nothing_confirms_ends_by_itself():
    states = make()
    states.apply("a", raised(ttl=60.0), 0.0)
    states.apply("a", raised(ttl=60.0), 30.0)

    states.tick(61.0)
    assert states.get(KEY).active
    states.tick(91.0)
    assert not states.get(KEY).active
    assert states.expired == 1


def test_state_raised_anew_with_a_shorter_life_ends_by_that():
    states = make()
    states.apply("a", raised(ttl=1000.0), 0.0)
    states.apply("a", raised(ttl=10.0), 1.0)

    states.tick(12.0)

    assert not states.get(KEY).active


def test_clear_that_overtakes_its_raise_wins():
    states = make()

    assert states.apply("a", cleared(), 10.0, 1010) == "cleared"
    assert states.apply("a", raised(), 10.001, 1000) == "overtaken"
    assert not states.get(KEY).active


def test_raise_after_a_restart_counts_though_its_uptime_is_less():
    states = make()
    states.apply("a", cleared(), 10.0, 100_000)

    assert states.apply("a", raised(), 40.0, 500) == "raised"


def test_messages_of_the_same_tick_count_as_they_come():
    states = make()
    states.apply("a", raised(), 10.0, 1000)

    assert states.apply("a", cleared(), 10.001, 1000) == "cleared"


def test_state_raised_again_for_longer_ends_later_and_no_sooner():
    states = make()
    states.apply("a", raised(ttl=10.0), 0.0)
    states.apply("a", raised(ttl=100.0), 5.0)
    states.apply("a", raised(ttl=10.0), 6.0)

    states.tick(15.0)
    assert states.get(KEY).active
    states.tick(16.0)
    assert not states.get(KEY).active


def test_state_that_flaps_is_looked_at_no_more_often_for_that():
    states = make()
    for second in range(10_000):
        states.apply("a", raised(ttl=60.0) if second % 2 else cleared(), float(second))

    assert len(states.take_changed()) == 1
    assert len(states._ends) <= 2


def test_restart_ends_the_states_of_its_device_but_those_that_survive():
    states = make()
    states.apply("a", raised("1"), 0.0)
    states.apply("a", raised("2", survives_restart=True), 0.0)
    states.apply("b", raised("1"), 0.0)

    assert states.restarted("a", 5.0) == 1

    active = {state.key for state in states if state.active}
    assert active == {StateKey("a", "link", "2"), StateKey("b", "link", "1")}


def test_full_table_refuses_and_counts():
    states = make(limit=2)
    states.apply("a", raised("1"), 0.0)
    states.apply("b", raised("1"), 0.0)

    assert states.apply("c", raised("1"), 0.0) == "refused"
    assert states.outcomes["refused"] == 1
    assert len(states) == 2


def test_device_has_no_more_than_its_share_and_what_is_over_makes_room():
    states = make(device_limit=2)
    states.apply("a", raised("1"), 0.0)
    states.apply("a", raised("2"), 0.0)
    assert states.apply("a", raised("3"), 0.0) == "refused"

    states.apply("a", cleared("1"), 1.0)

    assert states.apply("a", raised("3"), 2.0) == "raised"
    assert states.get(StateKey("a", "link", "1")) is None


def test_two_states_never_have_the_same_instance():
    """They would be one series twice, and Prometheus would refuse the whole scrape."""
    states = make()
    for key in "123":
        states.apply("a", raised(key, instance="uplink"), 0.0)

    instances = {state.instance for state in states}
    assert instances == {"uplink", "uplink (2)", "uplink (3)"}


def test_states_are_kept_and_restored_as_they_were():
    states = make()
    states.apply("a", raised("1", ttl=60.0), 0.0, 77)
    states.apply("a", raised("2"), 0.0)
    states.apply("a", cleared("2"), 1.0)

    saved: dict[str, Any] = {}
    for key, state in states.take_changed():
        assert state is not None
        saved["\t".join(key)] = json.loads(json.dumps(encode_state(state)))
    again = make()
    again.restore([decode_state(key, value) for key, value in saved.items()], 30.0)

    assert again.get(KEY) == states.get(KEY)
    again.tick(61.0)
    assert not again.get(KEY).active
    assert again.get(StateKey("a", "link", "2")) is not None


def test_state_that_is_confirmed_again_and_again_is_kept_every_minute():
    states = make()
    for now in range(0, 600, 20):
        states.apply("a", raised(ttl=300.0), float(now))
        kept = dict(states.take_changed())
        assert (KEY in kept) is (now % 60 == 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a\tlink", [1, "e", 0, 0, 1, 0, None, 0]),
        ("a\tlnk\t1", [1, "e", 0, 0, 1, 0, None, 0]),
        ("a\tlink\t1", [1, "e"]),
        ("a\tlink\t1", {"active": 1}),
        ("a\tlink\t1", [1, 5, 0, 0, 1, 0, None, 0]),
        ("a\tlink\t1", [1, "e", "x", 0, 1, 0, None, 0]),
        ("a\tlink\t1", [1, "e", 0, 0, 1, 0, [], 0]),
    ],
)
def test_saved_state_that_is_none_is_refused(key, value):
    with pytest.raises(ValueError, match="not a state"):
        decode_state(key, value)
