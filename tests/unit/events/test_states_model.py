"""States beside a model of them that is too simple to be wrong, whatever happens to both.

The model looks at all of its states for each step, and knows no order but that of its list. What is
kept is what ``take_changed`` gives, through JSON; a crash is a process that ends without asking for
it, and one that begins with what was kept before.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exporters.events.boot import is_overtaken
from exporters.events.event import Change
from exporters.events.states import State, StateKey, States, decode_state, encode_state

LIMIT = 7
DEVICE_LIMIT = 4
CLEARED_FOR = 20.0
KEPT_EVERY = 60.0
DEVICES = "abc"


class Model:
    """States as a list: those that are over stand in the order in which they are so."""

    def __init__(self) -> None:
        self.states: list[State] = []

    def find(self, key: tuple[str, ...]) -> State | None:
        return next((state for state in self.states if state.key == key), None)

    def apply(self, device: str, change: Change, now: float, ticks: int | None) -> str:
        key = StateKey(device, change.event, change.key)
        ttl = change.ttl_seconds if change.raised else CLEARED_FOR
        ends_at = now + ttl if ttl else 0.0
        state = self.find(key)
        if state is None:
            own = [state for state in self.states if state.key.device == device]
            if len(self.states) >= LIMIT or len(own) >= DEVICE_LIMIT:
                over = [state for state in own if not state.active]
                if not over:
                    return "refused"
                self.states.remove(over[0])
            instance = self.free_instance(key, change.instance)
            self.states.append(
                State(
                    key,
                    change.raised,
                    instance,
                    now,
                    now,
                    int(change.raised),
                    ends_at,
                    ticks,
                    change.survives_restart,
                )
            )
            return "raised" if change.raised else "cleared"
        if None not in (ticks, state.uptime_ticks) and is_overtaken(
            state.uptime_ticks, state.changed_at, ticks, now
        ):
            return "overtaken"
        if change.raised:
            state.survives_restart = change.survives_restart
        is_news = state.active != change.raised
        if is_news:
            self.turn(state, now)
        state.changed_at, state.uptime_ticks, state.ends_at = now, ticks, ends_at
        if not is_news:
            return "confirmed"
        return "raised" if change.raised else "cleared"

    def restarted(self, device: str, now: float) -> None:
        for state in sorted(self.states, key=lambda state: state.key):
            if state.key.device == device and state.active and not state.survives_restart:
                self.end(state, now)

    def keep_only(self, devices: str, now: float) -> None:
        for state in list(self.states):
            if state.active and state.key.device not in devices:
                self.end(state, now)

    def tick(self, now: float) -> None:
        for state in sorted(self.states, key=lambda state: (state.ends_at, state.key)):
            if state.ends_at and state.ends_at <= now:
                if state.active:
                    self.end(state, now)
                else:
                    self.states.remove(state)

    def end(self, state: State, now: float) -> None:
        self.turn(state, now)
        state.changed_at, state.ends_at = now, now + CLEARED_FOR

    def turn(self, state: State, now: float) -> None:
        state.active = not state.active
        state.since = now
        state.transitions += 1
        self.states.remove(state)
        self.states.append(state)

    def free_instance(self, key: StateKey, wanted: str) -> str:
        taken = {state.instance for state in self.states if state.key[:2] == key[:2]}
        free = [wanted, f"{wanted} ({key.key})"]
        free += [f"{wanted} ({key.key}, {number})" for number in range(2, 9)]
        return next(name for name in free if name not in taken)


CHANGE = st.builds(
    Change,
    st.booleans(),
    st.sampled_from(["link", "bgp"]),
    st.sampled_from("123"),
    st.sampled_from(["eth1", "eth2"]),
    st.sampled_from([0.0, 5.0, 50.0]),
    st.booleans(),
)
STEP = st.one_of(
    st.tuples(
        st.just("change"),
        st.sampled_from(DEVICES),
        CHANGE,
        st.one_of(st.none(), st.integers(0, 2**32 - 1), st.integers(0, 5000)),
    ),
    st.tuples(st.just("wait"), st.one_of(st.floats(0, 40), st.sampled_from([5.0, 20.0, 70.0]))),
    st.tuples(st.just("restart"), st.sampled_from(DEVICES)),
    st.tuples(st.just("inventory"), st.sampled_from(["ab", "abc", "c"])),
    st.tuples(st.just("keep")),
    st.tuples(st.just("crash")),
)


def make() -> States:
    return States(limit=LIMIT, device_limit=DEVICE_LIMIT, cleared_for_seconds=CLEARED_FOR)


def keep(states: States, kept: dict[str, str]) -> None:
    """Do as the intake does, and check what it comes to."""
    for key, state in states.take_changed():
        if state is None:
            kept.pop("\t".join(key), None)
        else:
            kept["\t".join(key)] = json.dumps(encode_state(state))
    read = {state.key: state for state in read_all(kept)}
    assert read.keys() == {state.key for state in states}
    for state in states:
        old = read[state.key]
        assert (old.active, old.instance, old.since) == (state.active, state.instance, state.since)
        assert old.transitions == state.transitions
        assert state.changed_at - old.changed_at < KEPT_EVERY


def read_all(kept: dict[str, str]) -> list[State]:
    return [decode_state(key, json.loads(value)) for key, value in kept.items()]


@given(st.lists(STEP, max_size=80))
def test_states_are_those_of_a_simple_model_whatever_happens(steps: list[Any]) -> None:
    states, model = make(), Model()
    kept: dict[str, str] = {}
    now = 1000.0
    for step in steps:
        match step:
            case ("change", device, change, ticks):
                outcome = states.apply(device, change, now, ticks)
                assert outcome == model.apply(device, change, now, ticks)
            case ("wait", seconds):
                now += seconds
                states.tick(now)
                model.tick(now)
            case ("restart", device):
                states.restarted(device, now)
                model.restarted(device, now)
            case ("inventory", devices):
                states.keep_only(devices, now)
                model.keep_only(devices, now)
            case ("keep",):
                keep(states, kept)
            case ("crash",):
                states, model = make(), Model()
                states.restore(read_all(kept), now)
                model.states = sorted(read_all(kept), key=lambda state: state.since)
                for state in model.states:
                    state.ends_at = state.ends_at if state.active else now + CLEARED_FOR
        by_key = {state.key: state for state in model.states}
        assert {state.key: state for state in states} == by_key
    states.tick(now + 1000.0)
    states.tick(now + 2000.0)
    assert all(state.active and not state.ends_at for state in states)
