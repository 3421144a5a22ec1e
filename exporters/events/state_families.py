"""States as metrics: what is wrong now, since when, and how often it came and went.

``instance`` is what a state is known by, an interface or a peer. Prometheus has a label of that
name for the exporter itself: the job that scrapes this needs ``honor_labels: true``, or the label
becomes ``exported_instance``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exporters.events.exposition import Family, ValueFamily
from exporters.events.states import State, States
from exporters.metrics.text import FamilyType, format_value, label_text


class StateFamily:
    """One value of every state."""

    def __init__(
        self,
        name: str,
        help_text: str,
        kind: FamilyType,
        states: States,
        value: Callable[[State], float],
    ) -> None:
        self.name = name
        self.help = help_text
        self.kind = kind
        self._states = states
        self._value = value

    def scraped(self, now: float) -> None:
        """Begin a scrape."""

    def lines(self) -> Iterator[str]:
        """Give the sample lines, of the states that there are when the first is read."""
        for state in self._states:
            yield f"{self.name}{_labels(state)} {format_value(self._value(state))}\n"


def state_families(states: States) -> list[Family]:
    """Give the families of all states, and of how many there are and may be."""
    return [
        StateFamily(
            "network_event_active",
            "Whether a state that events raise and clear is raised.",
            FamilyType.GAUGE,
            states,
            lambda state: int(state.active),
        ),
        StateFamily(
            "network_event_since_timestamp_seconds",
            "Unix time at which the state became what it is.",
            FamilyType.GAUGE,
            states,
            lambda state: round(state.since, 3),
        ),
        StateFamily(
            "network_event_last_change_timestamp_seconds",
            "Unix time of the last event that raised, confirmed or cleared the state.",
            FamilyType.GAUGE,
            states,
            lambda state: round(state.changed_at, 3),
        ),
        StateFamily(
            "network_event_transitions_total",
            "How often the state was raised or cleared.",
            FamilyType.COUNTER,
            states,
            lambda state: state.transitions,
        ),
        ValueFamily(
            "network_event_states",
            "States that are shown.",
            FamilyType.GAUGE,
            lambda: [("", len(states))],
        ),
        ValueFamily(
            "network_event_states_limit",
            "States that there may be.",
            FamilyType.GAUGE,
            lambda: [("", states.limit)],
        ),
        ValueFamily(
            "network_event_state_changes_total",
            "What messages that raise or clear a state came to.",
            FamilyType.COUNTER,
            lambda: states.outcomes.items(),
            "outcome",
        ),
        ValueFamily(
            "network_event_states_expired_total",
            "States that ended because nothing confirmed them in time.",
            FamilyType.COUNTER,
            lambda: [("", states.expired)],
        ),
    ]


def _labels(state: State) -> str:
    key = state.key
    pairs = (("device", key.device), ("event", key.event), ("instance", state.instance))
    return label_text(pairs)
