"""``network_events_total``: what happened, by device, kind of event and severity.

The label ``state`` tells events that began or ended a state, which has metrics of its own, from
those that are all there is to be seen: an alert for each kind needs not look at the other. Senders
outside of the inventory have no states.

Rules may give it further labels. Their values come from messages, so each label has a limited
number of them; what is more becomes ``other``. An event whose rule gives no such label has none.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import Final

from exporters.config.event_settings import EventSettings
from exporters.config.event_taxonomy import OTHER
from exporters.events.counters import CounterFamily
from exporters.events.event import Verdict
from exporters.events.rules import RuleSet

_LABELS: Final = ("device", "event", "severity", "state")
_STATE_PLACE: Final = 3
_NO_STATE: Final = ("",)
_KNOWN_PART: Final = 0.5
"""How much of the limit may be series that are there before their first event."""


class EventCounter:
    """Counts verdicts."""

    def __init__(self, settings: EventSettings) -> None:
        self._values_limit = settings.label_values_limit
        self._label_names: list[str] = []
        self._values: dict[str, set[str]] = {}
        self._devices: frozenset[str] = frozenset()
        self.family = CounterFamily(
            "network_events_total",
            "Events, by what the rules say that happened.",
            _LABELS,
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )

    def count(self, device: str, verdict: Verdict, amount: int = 1) -> None:
        """Count an event, or several that are alike."""
        key: tuple[str, ...] = (device, verdict.event, verdict.severity)
        if (state := verdict.state) and device in self._devices:
            key += (state,)
        if verdict.labels and (values := self._label_values(verdict)):
            key += (*_NO_STATE[len(key) - _STATE_PLACE :], *values)
        self.family.inc(key, amount)

    def replace(self, rules: RuleSet, devices: Collection[str]) -> None:
        """Start the series that the rules let expect of these devices.

        Where these would be too many, none is: each is held back with its first event instead.
        """
        names = [name for name in rules.label_names if name not in self._label_names]
        self._devices = frozenset(devices)
        self._label_names += names
        self.family.add_labels(names)
        if len(devices) * len(rules.outcomes) <= self.family.series.limit * _KNOWN_PART:
            self.family.start(
                (device, *outcome) for device, outcome in product(devices, sorted(rules.outcomes))
            )

    def _label_values(self, verdict: Verdict) -> list[str]:
        given = dict(verdict.labels)
        values = [self._bounded(name, given.get(name, "")) for name in self._label_names]
        while values and not values[-1]:
            values.pop()  # so that one series has one key
        return values

    def _bounded(self, name: str, value: str) -> str:
        if not value:
            return ""
        known = self._values.setdefault(name, set())
        if value not in known:
            if len(known) >= self._values_limit:
                return OTHER
            known.add(value)
        return value
