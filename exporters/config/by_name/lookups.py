"""The lookups of a module by name: which metrics they are for, and what they add to them.

A lookup is for every metric that has all of its source indexes as labels. Its own label may be a
source of another lookup, which then comes after it; the metric gets that label as a further index,
as the peer's generator has it, although nothing of the OID is left for it. Behind an implied index,
which takes all that is left, it does not: no reader needs that index.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporters.config.by_name.asking import Asking
from exporters.config.by_name.drafts import Draft, LookupShape
from exporters.config.by_name.model import MIB_HINT, NamedLookup
from exporters.config.by_name.places import Places
from exporters.config.rejection import Fault, Rejected
from exporters.smi.generator_rules import (
    IndexShape,
    LabelShape,
    MetricRules,
    NoMetricError,
    sanitize_name,
)
from exporters.smi.mib_objects import MibObject
from exporters.wire.ber import Oid, parent_oid


class Lookups:
    """The lookups of a module, added to one metric after another."""

    def __init__(
        self, lookups: Sequence[NamedLookup], places: Places, rules: MetricRules, asking: Asking
    ) -> None:
        self._lookups = lookups
        self._places = places
        self._rules = rules
        self._asking = asking
        self._sources = [
            tuple(sanitize_name(name) for name in item.source_indexes) for item in lookups
        ]
        self._every_source = {label for labels in self._sources for label in labels}
        self._found: dict[tuple[int, str, Oid], tuple[MibObject, LabelShape] | None] = {}
        self.used: set[int] = set()
        self.faults: list[Fault] = []

    def check_names(self) -> None:
        """Find what lookups name that does not exist, or is no column, whether used or not."""
        for place, item in enumerate(self._lookups):
            try:
                self._places.column(item.lookup)
            except Rejected as error:
                self._refuse(place, error.faults[0])

    def add_to(self, draft: Draft) -> None:
        """Add to a metric all lookups that are for it, and ask for their columns."""
        labels = {index.labelname for index in draft.indexes}
        dropped: list[str] = []
        for place, item in enumerate(self._lookups):
            if not labels.issuperset(self._sources[place]):
                continue
            self.used.add(place)
            found = self._find(place, draft.item)
            if found is None:
                continue
            column, label = found
            name = sanitize_name(column.name)
            hint = column.syntax.display_hint if column.syntax is not None else ""
            draft.lookups.append(
                LookupShape(
                    name,
                    self._sources[place],
                    column.oid,
                    label.type,
                    hint if item.display_hint == MIB_HINT else item.display_hint,
                    label.enum_values,
                )
            )
            if name in self._every_source:
                labels.add(name)
                if not any(index.implied for index in draft.indexes):
                    draft.indexes.append(IndexShape(name, label.type))
            self._ask_for(column, draft)
            if item.drop_source_indexes:
                dropped += self._sources[place]
        draft.lookups += [LookupShape(label) for label in dropped]

    def _ask_for(self, column: MibObject, draft: Draft) -> None:
        subtype = self._rules.subtype_of(column)
        if subtype is not None:
            self._asking.need(subtype.oid, draft.instances)
        self._asking.need(column.oid, draft.instances)
        self._asking.filter_with(draft.item.oid, column.oid)

    def _find(self, place: int, metric: MibObject) -> tuple[MibObject, LabelShape] | None:
        """The column that a lookup means for a metric; None where that was refused."""
        key = (place, metric.module, parent_oid(metric.oid))
        if key not in self._found:
            self._found[key] = None
            try:
                column = self._places.column_near(self._lookups[place].lookup, metric)
                self._found[key] = column, self._rules.label_of(column)
            except Rejected:
                pass  # check_names has told it
            except NoMetricError as error:
                self._refuse(place, Fault(f"cannot be a label: {error}"))
        return self._found[key]

    def _refuse(self, place: int, fault: Fault) -> None:
        at = ("lookups", place, "lookup")
        fault = Fault(fault.problem, fault.hint, at)
        if fault not in self.faults:
            self.faults.append(fault)
