"""What is wrong now: states that events raise and clear, ``network_event_active`` 1 or 0.

    absent --raise--> 1 --clear, ttl, restart--> 0 --cleared_for--> absent
                      1 <--------raise---------- 0

A clear of what was never raised makes a state too, at 0, so that the raise before it which came too
late finds it. A state is shown at 0 for a while before it vanishes, so that an alert resolves
because it is over and not because its series is stale. Messages that were overtaken by later ones
change nothing (``exporters.events.boot``).

Pure: time comes in, and what changed is handed to a journal, to be kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from exporters.config.event_taxonomy import EVENTS
from exporters.events.boot import is_overtaken
from exporters.events.event import Change

_KEPT_EVERY_SECONDS: Final = 60.0
"""How old what is kept of a state may be that messages confirm again and again."""

_ENDS_A_TICK: Final = 1000

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
        active: Whether it is raised.
        instance: What people know it by; of all states of its device and event, it alone has it,
            for as long as it is there, because it is a label.
        since: When it became what it is.
        changed_at: When a message last said so, or time or a restart ended it.
        transitions: How often it changed between raised and cleared.
        ends_at: When it ends by itself if it is raised, when it vanishes if not; 0: never.
        uptime_ticks: sysUpTime of the last message, None if it had none.
        survives_restart: Whether it holds when the device restarts.
    """

    active: bool
    instance: str
    since: float
    changed_at: float
    transitions: int
    ends_at: float
    uptime_ticks: int | None
    survives_restart: bool


Journal = Callable[[StateKey, State | None], None]
"""Is told what a state has become; None: it has vanished."""


def _no_journal(key: StateKey, state: State | None) -> None:
    """Keep nothing."""


class States:
    """All states, at most *limit*, and *device_limit* of one device."""

    def __init__(
        self,
        *,
        limit: int,
        device_limit: int,
        cleared_for_seconds: float,
        journal: Journal = _no_journal,
    ) -> None:
        self.limit = limit
        self.outcomes: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        self.expired = 0
        """How many were ended by their time to live."""
        self._device_limit = device_limit
        self._cleared_for_seconds = cleared_for_seconds
        self._journal = journal
        self._states: dict[StateKey, State] = {}
        self._of_device: dict[str, set[StateKey]] = {}
        self._over: dict[str, dict[StateKey, None]] = {}
        """The states of a device that are over, those first that are so the longest."""
        self._instances: set[tuple[str, str, str]] = set()
        self._ends: list[tuple[float, StateKey]] = []

    def __len__(self) -> int:
        return len(self._states)

    def items(self) -> Iterator[tuple[StateKey, State]]:
        """Give all states as they are now; they may change while they are read."""
        return iter(tuple(self._states.items()))

    def get(self, key: StateKey) -> State | None:
        """Give one state."""
        return self._states.get(key)

    def apply(
        self, device: str, change: Change, now: float, uptime_ticks: int | None = None
    ) -> Outcome:
        """Change a state as a message says that was received at *now*."""
        key = StateKey(device, change.event, change.key)
        state = self._states.get(key)
        if state is None:
            outcome = self._make(key, change, now, uptime_ticks)
        elif (
            uptime_ticks is not None
            and state.uptime_ticks is not None
            and is_overtaken(state.uptime_ticks, state.changed_at, uptime_ticks, now)
        ):
            outcome = "overtaken"
        else:
            outcome = self._change(key, state, change, now, uptime_ticks)
        self.outcomes[outcome] += 1
        return outcome

    def restarted(self, device: str, now: float) -> int:
        """Clear what a restart of a device ends, and give how many that were."""
        ended = 0
        for key in sorted(self._of_device.get(device, ())):
            state = self._states[key]
            if state.active and not state.survives_restart:
                self._end(key, state, now)
                ended += 1
        return ended

    def keep_only(self, devices: Collection[str], now: float) -> None:
        """Clear the states of all other devices: they have left the inventory."""
        for key, state in self.items():
            if state.active and key.device not in devices:
                self._end(key, state, now)

    def tick(self, now: float) -> None:
        """End what has lived its time, and let vanish what was shown at 0 long enough.

        At most a thousand at a time: a whole network may have gone down at once.
        """
        for _ in range(_ENDS_A_TICK):
            if not self._ends or self._ends[0][0] > now:
                return
            _, key = heapq.heappop(self._ends)
            state = self._states.get(key)
            if state is None or not state.ends_at:
                continue
            if state.ends_at > now:  # it has been prolonged since
                heapq.heappush(self._ends, (state.ends_at, key))
            elif state.active:
                self.expired += 1
                self._end(key, state, now)
            else:
                self._forget(key)

    def restore(self, saved: Mapping[StateKey, State], now: float) -> None:
        """Take over states of an earlier process; what has ended meanwhile ends at the next tick.

        Those that are over are shown for as long again: nobody may have seen their 0 yet.
        """
        for key, state in sorted(saved.items(), key=lambda item: item[1].since):
            if self._has_room(key):
                if not state.active:
                    state.ends_at = now + self._cleared_for_seconds
                state.instance = self._claim(key, state.instance)
                self._states[key] = state
                self._of_device.setdefault(key.device, set()).add(key)
                self._file(key, state)
                self._schedule(key, state)

    def _make(self, key: StateKey, change: Change, now: float, uptime_ticks: int | None) -> Outcome:
        if not self._has_room(key) and not self._make_room(key.device):
            return "refused"
        state = State(
            active=change.raised,
            instance=self._claim(key, change.instance),
            since=now,
            changed_at=now,
            transitions=int(change.raised),
            ends_at=self._ends_at(change, now),
            uptime_ticks=uptime_ticks,
            survives_restart=change.survives_restart,
        )
        self._states[key] = state
        self._of_device.setdefault(key.device, set()).add(key)
        self._file(key, state)
        self._schedule(key, state)
        self._journal(key, state)
        return "raised" if change.raised else "cleared"

    def _claim(self, key: StateKey, wanted: str) -> str:
        """Give a state the instance that it wants, or one that no other has.

        Rows of two tables, or two interfaces with one description, may want the same.
        """
        instance = wanted
        number = 1
        while (key.device, key.event, instance) in self._instances:
            instance = f"{wanted} ({key.key})" if number == 1 else f"{wanted} ({key.key}, {number})"
            number += 1
        self._instances.add((key.device, key.event, instance))
        return instance

    def _change(
        self, key: StateKey, state: State, change: Change, now: float, uptime_ticks: int | None
    ) -> Outcome:
        is_news = state.active != change.raised
        must_keep = is_news or now - state.changed_at >= _KEPT_EVERY_SECONDS
        state.changed_at = now
        state.uptime_ticks = uptime_ticks
        ended_at, state.ends_at = state.ends_at, self._ends_at(change, now)
        if change.raised:
            state.survives_restart = change.survives_restart
        if is_news:
            state.active = change.raised
            state.since = now
            state.transitions += 1
            self._file(key, state)
        if is_news or state.ends_at < ended_at or not ended_at:
            self._schedule(key, state)
        if must_keep:
            self._journal(key, state)
        if not is_news:
            return "confirmed"
        return "raised" if change.raised else "cleared"

    def _end(self, key: StateKey, state: State, now: float) -> None:
        state.active = False
        state.since = state.changed_at = now
        state.transitions += 1
        state.ends_at = now + self._cleared_for_seconds
        self._file(key, state)
        self._schedule(key, state)
        self._journal(key, state)

    def _file(self, key: StateKey, state: State) -> None:
        """Note that a state has begun or is over since now."""
        over = self._over.setdefault(key.device, {})
        over.pop(key, None)
        if not state.active:
            over[key] = None

    def _ends_at(self, change: Change, now: float) -> float:
        if not change.raised:
            return now + self._cleared_for_seconds
        return now + change.ttl_seconds if change.ttl_seconds else 0.0

    def _schedule(self, key: StateKey, state: State) -> None:
        if state.ends_at:
            heapq.heappush(self._ends, (state.ends_at, key))
        if len(self._ends) > 2 * len(self._states) + 1000:
            # Each change moves the end, and leaves the earlier one behind.
            self._ends = [(state.ends_at, key) for key, state in self._states.items()]
            self._ends = [entry for entry in self._ends if entry[0]]
            heapq.heapify(self._ends)

    def _forget(self, key: StateKey) -> None:
        state = self._states.pop(key)
        self._instances.discard((key.device, key.event, state.instance))
        self._over[key.device].pop(key, None)
        keys = self._of_device[key.device]
        keys.discard(key)
        if not keys:
            del self._of_device[key.device], self._over[key.device]
        self._journal(key, None)

    def _has_room(self, key: StateKey) -> bool:
        return (
            len(self._states) < self.limit
            and len(self._of_device.get(key.device, ())) < self._device_limit
        )

    def _make_room(self, device: str) -> bool:
        """Forget the state of the device that is over longest, if one is."""
        longest = next(iter(self._over.get(device, ())), None)
        if longest is None:
            return False
        self._forget(longest)
        return True


def encode_state(state: State) -> list[Any]:
    """Give a state as values that JSON can carry."""
    return [
        int(state.active), state.instance, state.since, state.changed_at, state.transitions,
        state.ends_at, state.uptime_ticks, int(state.survives_restart),
    ]  # fmt: skip


def decode_state(key: str, value: Any) -> tuple[StateKey, State]:
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
    return StateKey(*parts), State(
        bool(active), instance, float(since), float(changed_at), int(transitions),
        float(ends_at), uptime_ticks, bool(survives),
    )  # fmt: skip
