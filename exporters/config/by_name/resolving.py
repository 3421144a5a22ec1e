"""How a module by name becomes a module with metrics, as ``snmp.yml`` has them.

``_Resolver.resolve`` tells the steps, which are those of the peer's generator: find what is asked
for, make metrics of it, add lookups, apply overrides, and collect what to ask a device for. It
differs from the peer in this: names may be those of one MIB module everywhere, an override is for
every object of its name, a filter takes columns out of tables that are walked, and what cannot be
is an error with its place instead of a metric that is missing.

Source: snmp_exporter's generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from exporters.config.by_name.asking import Asking
from exporters.config.by_name.conditions import Conditions
from exporters.config.by_name.drafts import Draft, Drafter, LookupShape, Skipped
from exporters.config.by_name.finishing import (
    CannotFinishError,
    Renaming,
    constants_of,
    with_info_labels,
)
from exporters.config.by_name.including import JoinedModule, alone
from exporters.config.by_name.lookups import Lookups
from exporters.config.by_name.model import MIB_HINT, NamedModule, Override
from exporters.config.by_name.overrides import Overrides
from exporters.config.by_name.places import SCALAR_INSTANCE, Place, Places
from exporters.config.context import LoadContext
from exporters.config.rejection import Fault, KeyPath, Rejected, format_key_path, suggest
from exporters.config.snmp_metric import Metric
from exporters.config.snmp_module import DynamicFilter, Module
from exporters.config.snmp_rows import RowFilter
from exporters.config.validation import faults_of
from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import IndexShape, MetricRules, MetricShape, sanitize_name
from exporters.smi.mib_objects import Kind, MibObject
from exporters.smi.subtrees import covering, outermost
from exporters.wire.ber import Oid, decode_oid, encode_subids, parent_oid

_METRIC = TypeAdapter(Metric)
_OVERRIDDEN = (("name",), ("regex_extracts",), ("datetime_pattern",), ("display_hint",))
"""Places in a metric whose faults are those of an override."""

_MOST_STATES = 20
"""Names that an enumeration may have to become a state set by itself: a series each."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Resolution:
    """A module with its metrics, and what of it had no effect."""

    module: Module
    skipped: tuple[Skipped, ...]
    """Objects that are asked for and become no metric."""
    unused_lookups: tuple[int, ...]
    unused_overrides: tuple[str, ...]


def resolve(
    named: NamedModule | JoinedModule, dictionary: Dictionary, context: LoadContext
) -> Resolution:
    """Give the module that *named* stands for, as the MIB modules of *dictionary* have its names.

    Raises:
        Rejected: It names what does not exist, or asks for what cannot be; places are relative to
            the module.
    """
    joined = named if isinstance(named, JoinedModule) else alone(named)
    return _Resolver(joined, dictionary, context).resolve()


class _Resolver:
    def __init__(self, named: JoinedModule, dictionary: Dictionary, context: LoadContext) -> None:
        self._named = named
        self._context = context
        self._overrides = Overrides(named.overrides)
        self._dictionary = dictionary
        self._places = Places(dictionary)
        self._rules = MetricRules(dictionary, self._overrides.type_of)
        self._faults: list[Fault] = []

    def resolve(self) -> Resolution:
        """Tell the steps."""
        asked = self._find_asked()
        asking = Asking(self._static_targets())
        drafter = Drafter(self._places, self._rules, self._overrides)
        drafts = drafter.draft(asked)
        for _, place in asked:
            _ask_for(place, asking)
        lookups = Lookups(self._named.lookups, self._places, self._rules, asking)
        lookups.check_names()
        for draft in drafts:
            asking.has(draft.item.oid)
            lookups.add_to(draft)
            subtype = self._rules.subtype_of(draft.item)
            if subtype is not None and draft.shape.type != "OctetString":
                asking.need(subtype.oid, draft.instances)
        conditions = Conditions(self._places, self._rules, asking)
        where = list(conditions.row_filters(self._named.where))
        self._faults += [*drafter.faults, *lookups.faults, *conditions.faults]
        self._faults += self._idle_state_sets(drafts)
        metrics = [metric for draft in drafts if (metric := self._metric(draft)) is not None]
        filters = list(self._dynamic_filters())
        if self._faults:
            raise Rejected(self._faults)
        return Resolution(
            module=self._module(asking, metrics, filters, where),
            skipped=tuple(drafter.skipped),
            unused_lookups=tuple(
                place for place in range(len(self._named.lookups)) if place not in lookups.used
            ),
            unused_overrides=self._overrides.unused(),
        )

    # What is asked for

    def _find_asked(self) -> list[tuple[KeyPath, Place]]:
        """The places below walk and get, by their OIDs, of which none lies in another one."""
        named, places = self._named, self._places
        found = [
            *self._find_all(named.walk, ("walk",), places.find),
            *self._find_all(named.get, ("get",), places.instance),
        ]
        if not found and not self._faults and not named.by_oid:
            self._faults.append(Fault("asks for nothing", "name what to read below walk"))
        subtrees = {place.oid: (at, place) for at, place in reversed(found) if not place.instance}
        roots = outermost(subtrees)
        asked = [subtrees[oid] for oid in roots]
        asked += [
            (at, place)
            for at, place in found
            if place.instance and covering(roots, place.oid + place.instance) is None
        ]
        return sorted(asked, key=lambda each: decode_oid(each[1].oid + each[1].instance))

    def _static_targets(self) -> dict[Oid, list[bytes]]:
        targets: dict[Oid, list[bytes]] = {}
        for number, item in enumerate(self._named.filters.static):
            at = ("filters", "static", number, "targets")
            rows = [encode_subids(map(int, index.split("."))) for index in item.indices]
            for _, place in self._find_all(item.targets, at, self._places.find):
                targets.setdefault(place.oid, []).extend(rows)
        return targets

    def _dynamic_filters(self) -> Iterator[DynamicFilter]:
        for number, item in enumerate(self._named.filters.dynamic):
            at = ("filters", "dynamic", number)
            column = self._find(item.oid, (*at, "oid"), self._places.column)
            targets = self._find_all(item.targets, (*at, "targets"), self._places.find)
            if column is not None:
                yield DynamicFilter(
                    oid=column.oid,
                    targets=tuple(place.oid for _, place in targets),
                    values=item.values,
                )

    def _find_all(
        self, names: Iterable[str], at: KeyPath, find: Callable[[str], _Found]
    ) -> list[tuple[KeyPath, _Found]]:
        """What the names of a list mean, with the places where they stand."""
        found: list[tuple[KeyPath, _Found]] = []
        for number, name in enumerate(names):
            meant = self._find(name, (*at, number), find)
            if meant is not None:
                found.append(((*at, number), meant))
        return found

    def _find(self, name: str, at: KeyPath, find: Callable[[str], _Found]) -> _Found | None:
        """What a name means; a fault where it means nothing."""
        try:
            return find(name)
        except Rejected as error:
            self._faults += [replace(fault, at=at) for fault in error.faults]
            return None

    # The module

    def _metric(self, draft: Draft) -> Metric | None:
        """Build a metric, with what overrides say of it; None if that is refused."""
        item, shape = draft.item, draft.shape
        override = self._overrides.of(item)
        hint = override.display_hint
        if hint == MIB_HINT:
            hint = "" if item.syntax is None else item.syntax.display_hint
        name, kind, scale = self._by_policy(draft, override)
        values = {
            "name": name,
            "oid": item.oid,
            "type": kind,
            "help": override.help or shape.help,
            "indexes": [_index(index) for index in draft.indexes],
            "lookups": [_lookup(lookup) for lookup in draft.lookups],
            "regex_extracts": override.regex_extracts,
            "datetime_pattern": override.datetime_pattern,
            "enum_values": dict(shape.enum_values),
            "offset": override.offset,
            "scale": scale,
            "display_hint": hint,
        }
        try:
            return _METRIC.validate_python(values, context=self._context)
        except ValidationError as error:
            self._refuse(draft, faults_of(error, Metric))
            return None

    def _by_policy(self, draft: Draft, override: Override) -> tuple[str, str, float]:
        """Name, type and scale: what overrides say, else what the module says of all its kind."""
        item, shape, named = draft.item, draft.shape, self._named
        name, kind, scale = override.name or shape.name, shape.type, override.scale
        if override.type is None and kind == "gauge" and self._is_state_set(item, shape):
            kind = "EnumAsStateSet"
        is_ticks = item.syntax is not None and item.syntax.base == "TimeTicks" and kind == "gauge"
        if is_ticks and not scale and named.timeticks in ("seconds", "seconds_suffix"):
            scale = 0.01
            if named.timeticks == "seconds_suffix" and not override.name:
                name = f"{name.removesuffix('_seconds')}_seconds"
        return name, kind, scale

    def _is_state_set(self, item: MibObject, shape: MetricShape) -> bool:
        wanted = self._named.state_sets
        if isinstance(wanted, tuple):
            return any(_is_name_of(name, item) for name in wanted)
        return bool(wanted) and 1 < len(shape.enum_values) <= _MOST_STATES

    def _idle_state_sets(self, drafts: Sequence[Draft]) -> Iterator[Fault]:
        """Names of state sets that are none of this module, or no enumerations."""
        wanted = self._named.state_sets
        for number, name in enumerate(wanted if isinstance(wanted, tuple) else ()):
            found = [draft for draft in drafts if _is_name_of(name, draft.item)]
            at = ("state_sets", number)
            if not found:
                known = [draft.item.name for draft in drafts if draft.shape.enum_values]
                hint = suggest(name, known, "enumerations of this module")
                yield Fault(f"this module reads no {name}", hint, at)
            elif not any(draft.shape.enum_values for draft in found):
                yield Fault(f"{name} is no enumeration: its numbers have no names", at=at)

    def _refuse(self, draft: Draft, faults: Iterable[Fault]) -> None:
        """Tell what is wrong with a metric at its override, else where it is asked for."""
        key = self._overrides.key_of(draft.item)
        for fault in faults:
            if key is not None and fault.at[:1] in _OVERRIDDEN:
                fault = replace(fault, at=("overrides", key, *fault.at))
            else:
                where = format_key_path(fault.at)
                problem = f"the metric {draft.shape.name}: {where}: {fault.problem}"
                fault = replace(fault, problem=problem, at=draft.asked_at)
            self._faults.append(fault)

    def _module(
        self,
        asking: Asking,
        metrics: list[Metric],
        filters: list[DynamicFilter],
        where: list[RowFilter],
    ) -> Module:
        """Put it all together, with what modules in the form of ``snmp.yml`` bring."""
        walked, got = asking.result()
        others = self._named.by_oid
        metrics = [*(metric for other in others for metric in other.metrics), *metrics]
        where = [*(item for other in others for item in other.where), *where]
        roots = list(outermost([*(oid for other in others for oid in other.walk), *walked]))
        instances = dict.fromkeys([*(oid for other in others for oid in other.get), *got])
        finished = self._finished(metrics, where)
        try:
            return Module(
                walk=tuple(roots),
                get=tuple(oid for oid in instances if covering(roots, oid) is None),
                filters=(*(item for other in others for item in other.filters), *filters),
                labels=self._named.labels,
                relabel=(
                    *(rule for other in others for rule in other.relabel),
                    *self._named.relabel,
                ),
                **finished,
                **self._named.parameters.written(),
            )
        except ValidationError as error:
            found = faults_of(error, Module)
            raise Rejected([self._placed(fault, finished) for fault in found]) from error

    def _placed(self, fault: Fault, finished: Mapping[str, Any]) -> Fault:
        """Move a fault from where it is in the finished module to where that was written."""
        key = fault.at[0] if fault.at else ""
        if key not in ("where", "relabel", "constants") or len(fault.at) < 2:
            return fault
        others = sum(len(getattr(other, key)) for other in self._named.by_oid)
        own = len(getattr(self._named, key))
        before = others
        if key == "constants":  # series of labels, then its own, then those of others
            before = len(finished[key]) - own - others
        number = int(fault.at[1]) - before
        if number < 0 and key == "constants":
            hint = "begin the name otherwise, as in info_labels: interface"
            return replace(fault, hint=hint, at=("info_labels",))
        if not 0 <= number < own:
            return replace(fault, at=("include",))
        # A condition is one text: there are no keys below it.
        return replace(fault, at=(key, number, *(() if key == "where" else fault.at[2:])))

    def _finished(self, metrics: list[Metric], where: list[RowFilter]) -> dict[str, Any]:
        """Constants, series of labels and new names."""
        named = self._named
        renaming = Renaming(named.rename)
        try:
            constants = list(constants_of(named.constants, metrics, self._place_of_rows))
            if self._faults:
                raise Rejected(self._faults)
            constants += [item for other in named.by_oid for item in other.constants]
            if named.info_labels:
                metrics, constants = with_info_labels(
                    metrics, constants, named.info_labels, self._table_of
                )
            renaming.check([*metrics, *constants])
        except CannotFinishError as error:
            raise Rejected(error.faults) from error
        return {
            "metrics": tuple(map(renaming.metric, metrics)),
            "constants": tuple(map(renaming.constant, constants)),
            "where": tuple(map(renaming.row_filter, where)),
        }

    def _place_of_rows(self, name: str) -> Oid | None:
        number = next(n for n, item in enumerate(self._named.constants) if item.rows_of == name)
        place = self._find(name, ("constants", number, "rows_of"), self._places.find)
        return None if place is None else place.oid

    def _table_of(self, column: Oid) -> str:
        """The name of the table that a column is in, or that its table augments."""
        found = self._dictionary.by_oid(column)
        row = None if found is None else self._dictionary.base_row_of(found[0])
        if row is None:
            return "row"
        above = self._dictionary.at(parent_oid(row.oid))
        tables = (item for item in above if item.kind is Kind.TABLE)
        return sanitize_name(next(tables, row).name)


def _ask_for(place: Place, asking: Asking) -> None:
    if place.instance:
        asking.get(place.oid + place.instance)
    elif place.item is not None and place.item.kind is Kind.SCALAR:
        asking.get(place.oid + SCALAR_INSTANCE)
    else:
        asking.walk(place.oid)


def _is_name_of(name: str, item: MibObject) -> bool:
    return name.lower() == item.qualified_name.lower() or name in (item.name, item.dotted_oid)


def _index(shape: IndexShape) -> dict[str, Any]:
    return {
        "labelname": shape.labelname,
        "type": shape.type,
        "fixed_size": shape.fixed_size,
        "implied": shape.implied,
        "enum_values": dict(shape.enum_values),
    }


def _lookup(shape: LookupShape) -> dict[str, Any]:
    return {
        "labels": shape.labels,
        "labelname": shape.labelname,
        "oid": shape.oid,
        "type": shape.type,
        "display_hint": shape.display_hint,
        "enum_values": dict(shape.enum_values),
        "if_empty": shape.if_empty,
    }
