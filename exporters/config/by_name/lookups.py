"""The lookups of a module by name: which metrics they are for, and what they add to them.

A lookup is for every metric that has all of its source indexes as labels. Its own label may be a
source of another lookup, which then comes after it; the metric gets that label as a further index,
as the peer's generator has it, although nothing of the OID is left for it. Behind an implied index,
which takes all that is left, it does not: no reader needs that index.

Ours go further. The columns of ``through`` are looked up into labels that are dropped in the end,
each the source of the next one; of ``first_of``, all but the first fill labels that are empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporters.config.by_name.asking import Asking
from exporters.config.by_name.drafts import Draft, LookupShape
from exporters.config.by_name.model import MIB_HINT, NamedLookup
from exporters.config.by_name.places import Places
from exporters.config.rejection import Fault, KeyPath, Rejected
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
        self._found: dict[tuple[int, str, str, Oid], tuple[MibObject, LabelShape] | None] = {}
        self.used: set[int] = set()
        self.faults: list[Fault] = []

    def check_names(self) -> None:
        """Find what lookups name that does not exist, or is no column, whether used or not."""
        for place, item in enumerate(self._lookups):
            for key, number, name in _names_of(item):
                if _is_index(item, key, name):
                    continue
                try:
                    self._places.column(name)
                except Rejected as error:
                    self._refuse(place, _at(key, number), error.faults[0])

    def add_to(self, draft: Draft) -> None:
        """Add to a metric all lookups that are for it, and ask for their columns."""
        labels = {index.labelname for index in draft.indexes}
        dropped: list[str] = []
        for place, item in enumerate(self._lookups):
            if not labels.issuperset(self._sources[place]):
                continue
            self.used.add(place)
            made = self._add(place, draft, dropped)
            if made is None:
                continue
            name, label = made
            if name in self._every_source:
                labels.add(name)
                if not item.labelname and not any(index.implied for index in draft.indexes):
                    draft.indexes.append(IndexShape(name, label.type))
            if item.drop_source_indexes:
                dropped += self._sources[place]
        draft.lookups += [LookupShape(label) for label in dropped]

    def _add(self, place: int, draft: Draft, dropped: list[str]) -> tuple[str, LabelShape] | None:
        """Add what one lookup adds; give the label, None where a name was refused."""
        item = self._lookups[place]
        columns: dict[tuple[str, str], tuple[MibObject, LabelShape]] = {}
        for key, number, name in _names_of(item):
            if not _is_index(item, key, name):
                found = self._find(place, key, number, name, draft.item)
                if found is None:
                    return None
                columns[key, name] = found
        sources, own_row = self._sources[place], True
        for hop in item.through:
            column, label = columns["through", hop]
            name = f"through_{sanitize_name(column.name)}"
            draft.lookups.append(_lookup(name, sources, column, label))
            self._ask_for(column, draft, own_row=own_row)
            dropped.append(name)
            sources, own_row = (name,), False
        made: tuple[str, LabelShape] | None = None
        for written in item.columns:
            held = columns.get(("first_of" if item.first_of else "lookup", written))
            if held is None:  # an index, which is its own text
                name, label = sanitize_name(item.labelname or written), LabelShape("OctetString")
                copied = (sanitize_name(written),)
                draft.lookups.append(LookupShape(name, copied, if_empty=True))
            else:
                column, label = held
                name = sanitize_name(item.labelname or column.name)
                hint, again = item.display_hint, made is not None
                draft.lookups.append(_lookup(name, sources, column, label, hint, if_empty=again))
                self._ask_for(column, draft, own_row=own_row)
            made = made or (name, label)
        return made

    def _ask_for(self, column: MibObject, draft: Draft, *, own_row: bool) -> None:
        """Ask for a column: the rows that are asked for of the metric, if these are the same."""
        instances = draft.instances if own_row else ()
        subtype = self._rules.subtype_of(column)
        if subtype is not None:
            self._asking.need(subtype.oid, instances)
        self._asking.need(column.oid, instances)
        if own_row:
            self._asking.filter_with(draft.item.oid, column.oid)

    def _find(
        self, place: int, key: str, number: int | None, name: str, metric: MibObject
    ) -> tuple[MibObject, LabelShape] | None:
        """The column that a name means for a metric; None where that was refused."""
        known = (place, name, metric.module, parent_oid(metric.oid))
        if known not in self._found:
            self._found[known] = None
            try:
                column = self._places.column_near(name, metric)
                self._found[known] = column, self._rules.label_of(column)
            except Rejected:
                pass  # check_names has told it
            except NoMetricError as error:
                fault = Fault(f"cannot be a label: {error}")
                self._refuse(place, _at(key, number), fault)
        return self._found[known]

    def _refuse(self, place: int, below: KeyPath, fault: Fault) -> None:
        fault = Fault(fault.problem, fault.hint, ("lookups", place, *below))
        if fault not in self.faults:
            self.faults.append(fault)


def _names_of(item: NamedLookup) -> Iterator[tuple[str, int | None, str]]:
    """All columns that a lookup names: key, place in the list, and name."""
    for number, name in enumerate(item.through):
        yield "through", number, name
    if item.lookup is not None:
        yield "lookup", None, item.lookup
    for number, name in enumerate(item.first_of):
        yield "first_of", number, name


def _is_index(item: NamedLookup, key: str, name: str) -> bool:
    """Whether a name of a lookup is one of its own source indexes, and not a column."""
    return key == "first_of" and name in item.source_indexes


def _at(key: str, number: int | None) -> KeyPath:
    return (key,) if number is None else (key, number)


def _lookup(
    name: str,
    sources: tuple[str, ...],
    column: MibObject,
    label: LabelShape,
    display_hint: str = "",
    *,
    if_empty: bool = False,
) -> LookupShape:
    hint = column.syntax.display_hint if column.syntax is not None else ""
    return LookupShape(
        name,
        sources,
        column.oid,
        label.type,
        hint if display_hint == MIB_HINT else display_hint,
        label.enum_values,
        if_empty=if_empty,
    )
