"""What is wrong now: states that events raise and clear, ``network_event_active`` 1 or 0.

    absent --raise--> 1 --clear, ttl, restart--> 0 --cleared_for--> absent
                      1 <--------raise---------- 0

A clear of what was never raised makes a state too, at 0, so that the raise before it which came too
late finds it. A state is shown at 0 for a while before it vanishes, so that an alert resolves
because it is over and not because its series is stale. Messages that were overtaken by later ones
change nothing (``exporters.events.boot``).

Pure: time comes in, and what has changed is noted, to be kept by whoever asks for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, Literal, NamedTuple

from exporters.config.event_taxonomy import EVENTS
from exporters.events.boot import is_overtaken
from exporters.events.event import Change

_KEPT_EVERY_SECONDS: Final = 60.0
"""How old what is kept of a state may be that messages confirm again and again."""

_ENDS_A_TICK: Final = 1000
_GIVEN_AT_ONCE: Final = 1000

Outcome = Literal["raised", "cleared", "confirmed", "overtaken", "refused"]
"""What a change came to; ``confirmed``: the state was so already."""

OUTCOMES: Final[tuple[Outcome, ...]] = (
    "raised", "cleared", "confirmed", "overtaken", "refused",
)  # fmt: skip


class StateKey(NamedTuple):
    """What tells states apart."""

    device: str
    event: str
    key: str


@dataclass(slots=True)
class State:
    """One state; times are Unix times.

    Attributes:
        key: What tells it from others.
        active: Whether it is raised.
        instance: What people know it by; of all states of its device and event, it alone has it,
            for as long as it is there, because it is a label.
        since: When it became what it is.
        changed_at: When a message last said so, or time or a restart ended it.
        transitions: How often it changed between raised and cleared.
        ends_at: When it ends by itself if it is raised, when it vanishes if not; 0: never.
        uptime_ticks: sysUpTime of the last message, None if it had none.
        survives_restart: Whether it holds when the device restarts.
        looked_at: When ``States.tick`` will look next whether it ends.
        noted_at: When it was last noted as changed.
    """

    key: StateKey
    active: bool
    instance: str
    since: float
    changed_at: float
    transitions: int
    ends_at: float
    uptime_ticks: int | None
    survives_restart: bool
    looked_at: float = field(default=inf, compare=False, repr=False)
    noted_at: float = field(default=-inf, compare=False, repr=False)


class _DeviceStates:
    """The keys of one device's states: those that are raised, and those that are over."""

    __slots__ = ("over", "raised")

    def __init__(self) -> None:
        self.raised: set[StateKey] = set()
        self.over: dict[StateKey, None] = {}
        """Those first that are so the longest."""


class States:
    """All states, at most *limit*, and *device_limit* of one device."""

    def __init__(self, *, limit: int, device_limit: int, cleared_for_seconds: float) -> None:
        self.limit = limit
        self.outcomes: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        self.expired = 0
        """How many were ended by their time to live."""
        self._device_limit = device_limit
        self._cleared_for_seconds = cleared_for_seconds
        self._states: dict[tuple[str, str, str], State] = {}
        """By their keys; a plain tuple finds them too, and takes a third of the time to make."""
        self._devices: dict[str, _DeviceStates] = {}
        self._instances: set[tuple[str, str, str]] = set()
        self._ends: list[tuple[float, StateKey]] = []
        """A heap. A state is in it no later than it ends: who only prolongs it leaves it there."""
        self._changed: set[StateKey] = set()

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[State]:
        """Give all states that there are now; they may change while they are read."""
        return iter(list(self._states.values()))

    def get(self, key: StateKey) -> State | None:
        """Give one state."""
        return self._states.get(key)

    def apply(
        self, device: str, change: Change, now: float, uptime_ticks: int | None = None
    ) -> Outcome:
        """Change a state as a message says that was received at *now*."""
        raised, event, name, _, ttl_seconds, survives_restart = change
        if not raised:
            ends_at = now + self._cleared_for_seconds
        else:
            ends_at = now + ttl_seconds if ttl_seconds else 0.0
        state = self._states.get((device, event, name))
        if state is None:
            outcome = self._make(device, change, now, ends_at, uptime_ticks)
        elif (
            uptime_ticks is not None
            and state.uptime_ticks is not None
            and is_overtaken(state.uptime_ticks, state.changed_at, uptime_ticks, now)
        ):
            outcome = "overtaken"
        else:
            if raised:
                state.survives_restart = survives_restart
            state.changed_at = now
            state.uptime_ticks = uptime_ticks
            state.ends_at = ends_at
            if state.active != raised:
                self._turn(state, now)
                outcome = "raised" if raised else "cleared"
            else:
                if now - state.noted_at >= _KEPT_EVERY_SECONDS:
                    self._note(state, now)
                outcome = "confirmed"
            if 0.0 < ends_at < state.looked_at:
                self._schedule(state)
        self.outcomes[outcome] += 1
        return outcome

    def restarted(self, device: str, now: float) -> int:
        """Clear what a restart of a device ends, and give how many that were."""
        of_device = self._devices.get(device)
        if of_device is None:
            return 0
        states = [self._states[key] for key in sorted(of_device.raised)]
        ended = [state for state in states if not state.survives_restart]
        for state in ended:
            self._end(state, now)
        return len(ended)

    def keep_only(self, devices: Collection[str], now: float) -> None:
        """Clear the states of all other devices: they have left the inventory."""
        for state in self:
            if state.active and state.key.device not in devices:
                self._end(state, now)

    def tick(self, now: float) -> None:
        """End what has lived its time, and let vanish what was shown at 0 long enough.

        At most a thousand at a time: a whole network may have gone down at once.
        """
        for _ in range(_ENDS_A_TICK):
            if not self._ends or self._ends[0][0] > now:
                return
            looked_at, key = heapq.heappop(self._ends)
            state = self._states.get(key)
            if state is None or state.looked_at != looked_at:
                continue  # it was to end later then, or was another one
            state.looked_at = inf
            if state.ends_at > looked_at:  # it has been prolonged since
                self._schedule(state)
            elif not state.ends_at:
                continue
            elif state.active:
                self.expired += 1
                self._end(state, now)
            else:
                self._forget(state)

    def restore(self, saved: Iterable[State], now: float) -> None:
        """Take over states of an earlier process; what has ended meanwhile ends at the next tick.

        Those that are over are shown for as long again: nobody may have seen their 0 yet.
        """
        for state in sorted(saved, key=lambda state: state.since):
            if self._has_room(state.key.device):
                if not state.active:
                    state.ends_at = now + self._cleared_for_seconds
                state.instance = self._claim(state.key, state.instance)
                self._add(state)

    def take_changed(self) -> list[tuple[StateKey, State | None]]:
        """Give states that have changed and were not given since, to be kept; None: it is gone.

        At most a thousand at a time; nothing when there are no more.
        """
        changed = self._changed
        keys = [changed.pop() for _ in range(min(len(changed), _GIVEN_AT_ONCE))]
        return [(key, self._states.get(key)) for key in keys]

    def _make(
        self, device: str, change: Change, now: float, ends_at: float, uptime_ticks: int | None
    ) -> Outcome:
        if not self._has_room(device) and not self._make_room(device):
            return "refused"
        raised, event, name, instance, _, survives_restart = change
        key = StateKey(device, event, name)
        state = State(
            key, raised, self._claim(key, instance), now, now, int(raised),
            ends_at, uptime_ticks, survives_restart,
        )  # fmt: skip
        self._add(state)
        self._note(state, now)
        return "raised" if raised else "cleared"

    def _add(self, state: State) -> None:
        key = state.key
        self._states[key] = state
        of_device = self._devices.get(key.device)
        if of_device is None:
            of_device = self._devices[key.device] = _DeviceStates()
        if state.active:
            of_device.raised.add(key)
        else:
            of_device.over[key] = None
        if state.ends_at:
            self._schedule(state)

    def _claim(self, key: StateKey, wanted: str) -> str:
        """Give a state the instance that it wants, or one that no other has.

        Rows of two tables, or two interfaces with one description, may want the same.
        """
        device, event, name = key
        claim = (device, event, wanted)
        number = 1
        while claim in self._instances:
            suffix = f"({name})" if number == 1 else f"({name}, {number})"
            claim = (device, event, f"{wanted} {suffix}")
            number += 1
        self._instances.add(claim)
        return claim[2]

    def _end(self, state: State, now: float) -> None:
        state.changed_at = now
        state.ends_at = now + self._cleared_for_seconds
        self._turn(state, now)
        if state.ends_at < state.looked_at:
            self._schedule(state)

    def _turn(self, state: State, now: float) -> None:
        """Let a state be raised that was not, or be over."""
        state.active = not state.active
        state.since = now
        state.transitions += 1
        of_device = self._devices[state.key.device]
        if state.active:
            del of_device.over[state.key]
            of_device.raised.add(state.key)
        else:
            of_device.raised.remove(state.key)
            of_device.over[state.key] = None
        self._note(state, now)

    def _note(self, state: State, now: float) -> None:
        """Note that a state is to be kept."""
        state.noted_at = now
        self._changed.add(state.key)

    def _schedule(self, state: State) -> None:
        """Have ``tick`` look at a state when it ends."""
        state.looked_at = state.ends_at
        heapq.heappush(self._ends, (state.ends_at, state.key))
        if len(self._ends) > 2 * len(self._states) + 1000:
            # An end that comes nearer leaves the later one behind, and so does what is forgotten.
            self._ends = [
                (state.looked_at, state.key)
                for state in self._states.values()
                if state.looked_at != inf
            ]
            heapq.heapify(self._ends)

    def _forget(self, state: State) -> None:
        """Let a state vanish that is over."""
        key = state.key
        del self._states[key]
        self._instances.discard((key.device, key.event, state.instance))
        of_device = self._devices[key.device]
        del of_device.over[key]
        if not of_device.over and not of_device.raised:
            del self._devices[key.device]
        self._changed.add(key)

    def _has_room(self, device: str) -> bool:
        if len(self._states) >= self.limit:
            return False
        of_device = self._devices.get(device)
        if of_device is None:
            return True
        return len(of_device.raised) + len(of_device.over) < self._device_limit

    def _make_room(self, device: str) -> bool:
        """Forget the state of the device that is over longest, if one is."""
        of_device = self._devices.get(device)
        if of_device is None or not of_device.over:
            return False
        self._forget(self._states[next(iter(of_device.over))])
        return True


def encode_state(state: State) -> list[Any]:
    """Give a state as values that JSON can carry."""
    return [
        int(state.active), state.instance, state.since, state.changed_at, state.transitions,
        state.ends_at, state.uptime_ticks, int(state.survives_restart),
    ]  # fmt: skip


def changed_at_of(value: Any) -> float | None:
    """Give when a state changed last, of what ``encode_state`` has given; None if it is no such."""
    moment = value[3] if isinstance(value, list) and len(value) > 3 else None
    return moment if isinstance(moment, int | float) else None


def decode_state(key: str, value: Any) -> State:
    """Give a state of an earlier process.

    Raises:
        ValueError: It is none.
    """
    parts = key.split("\t")
    if len(parts) != 3 or parts[1] not in EVENTS or not isinstance(value, list) or len(value) != 8:
        raise ValueError(f"not a state: {key!r}")
    active, instance, since, changed_at, transitions, ends_at, uptime_ticks, survives = value
    numbers = [active, since, changed_at, transitions, ends_at, survives]
    if uptime_ticks is not None:
        numbers.append(uptime_ticks)
    if not isinstance(instance, str) or not all(isinstance(n, int | float) for n in numbers):
        raise ValueError(f"not a state: {key!r}")
    return State(
        StateKey(*parts), bool(active), instance, float(since), float(changed_at),
        int(transitions), float(ends_at), uptime_ticks, bool(survives),
    )  # fmt: skip
