"""The metrics of a module before its lookups: one for each scalar and column that it asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from exporters.config.by_name.overrides import Overrides
from exporters.config.by_name.places import Place, Places
from exporters.config.rejection import Fault, KeyPath
from exporters.smi.generator_rules import IndexShape, MetricRules, MetricShape, NoMetricError
from exporters.smi.mib_objects import Kind, MibObject
from exporters.wire.ber import Oid

MAX_METRICS = 20_000
"""What no device has; a walk of all enterprises would be ten times as much."""


@dataclass(frozen=True, slots=True)
class LookupShape:
    """A lookup of a metric; without *labels*, a label to drop."""

    labelname: str
    labels: tuple[str, ...] = ()
    oid: Oid = b""
    type: str = ""
    display_hint: str = ""
    enum_values: tuple[tuple[int, str], ...] = ()
    if_empty: bool = False


@dataclass(slots=True)
class Draft:
    """A metric on its way."""

    item: MibObject
    shape: MetricShape
    asked_at: KeyPath
    """Where the module asks for it."""
    instances: list[bytes]
    """The instances that are asked for; empty where all are."""
    indexes: list[IndexShape]
    lookups: list[LookupShape] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An object that is asked for and becomes no metric."""

    item: MibObject
    reason: str


class Drafter:
    """Makes drafts of what lies at the places that a module asks for."""

    def __init__(self, places: Places, rules: MetricRules, overrides: Overrides) -> None:
        self._places = places
        self._rules = rules
        self._overrides = overrides
        self._drafts: dict[Oid, Draft] = {}
        self.skipped: list[Skipped] = []
        self.faults: list[Fault] = []

    def draft(self, asked: Iterable[tuple[KeyPath, Place]]) -> list[Draft]:
        """Give the drafts of all places, of which none lies in another one."""
        for at, place in asked:
            if place.instance and place.oid in self._drafts:
                self._drafts[place.oid].instances.append(place.instance)
                continue
            skipped_before = len(self.skipped)
            found = False
            for items in self._places.leaves(place):
                if self._overrides.of(items[0]).ignore:
                    found = True
                    continue
                found = self._draft_one(items, at, place) or found
                if len(self._drafts) > MAX_METRICS:
                    problem = f"more than {MAX_METRICS:,} columns and scalars are known below"
                    hint = "name the tables that the device has"
                    self.faults.append(Fault(problem, hint, at))
                    return []
            if not found:
                reasons = {skipped.reason for skipped in self.skipped[skipped_before:]}
                reason = reasons.pop() if len(reasons) == 1 else "nothing there has a value"
                self.faults.append(Fault(f"becomes no metric: {reason}", at=at))
        return list(self._drafts.values())

    def _draft_one(self, items: tuple[MibObject, ...], at: KeyPath, place: Place) -> bool:
        """Draft the first object of an OID that can be a metric."""
        skipped: list[Skipped] = []
        for item in items:
            try:
                shape = self._rules.metric_of(item)
            except NoMetricError as error:
                skipped.append(Skipped(item, str(error)))
                continue
            instances = [place.instance] if place.instance and item.kind is Kind.COLUMN else []
            self._drafts[item.oid] = Draft(item, shape, at, instances, list(shape.indexes))
            return True
        self.skipped += skipped[:1]
        return False
