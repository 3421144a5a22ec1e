"""Compiles a module of the configuration into what a scrape needs: what to read, how to write it.

Done once, at load. The peer walks whole subtrees and looks for metrics in what comes back; a plan
knows the columns that a metric or a lookup needs, and reads those of them that the configuration
walks or gets.

Where the OIDs of two metrics lie in one another, the shorter one has all the rows, and of two
metrics with the same OID the later one has them: snmp_exporter's rule, on which modules rely.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from exporters.config.snmp_config import Index, Lookup, Metric, Module
from exporters.config.snmp_rows import Constant, RowFilter
from exporters.errors import ConfigError, Problem
from exporters.polling.cursor import Range
from exporters.polling.walk import Instance
from exporters.polling.walk_result import WalkResult
from exporters.smi.addresses import SUBTYPED_TYPES
from exporters.smi.subtrees import covering, outermost
from exporters.snmp.agent_changes import watched_with
from exporters.snmp.filters import PlannedFilter, compile_filter
from exporters.snmp.row_filters import PlannedRowFilter, compile_row_key
from exporters.snmp.row_labels import Cells, LabelRecipe, RowSource
from exporters.snmp.row_sources import FilteredRows, JoinedRows, OneRow, RowKey
from exporters.snmp.samples import ConstantWriter, Writer, compile_writer
from exporters.snmp.sheet import Sheet
from exporters.wire.ber import Oid, decode_subids, encode_subids, parent_oid


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric's writer, and the columns without whose last row its labels would be wrong."""

    writer: Writer
    needs: frozenset[Oid]


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What of a module is read for labels alone, and so may be remembered between scrapes.

    Attributes:
        columns: Columns that lookups need, and that no metric is made of.
        watched: Scalars that tell whether these columns may have changed, sysUpTime first.
        recipes: Those that need these columns, each with the objects whose rows it labels.
        raw: Those of *columns* whose values are needed even where the text of labels is known:
            labels are made of them and of something that every scrape reads.
    """

    columns: frozenset[Oid]
    watched: tuple[Range, ...]
    recipes: tuple[tuple[LabelRecipe, tuple[RowSource, ...]], ...]
    raw: frozenset[Oid]

    @classmethod
    def of(cls, columns: frozenset[Oid], metrics: Sequence[PlannedMetric]) -> LabelPlan:
        """Find what *metrics* make of *columns*."""
        labelled: dict[LabelRecipe, dict[RowSource, None]] = {}
        for metric in metrics:
            recipe = metric.writer.recipe
            if not recipe.columns.isdisjoint(columns):
                labelled.setdefault(recipe, {})[metric.writer.cells] = None
        mixed = [recipe.columns for recipe in labelled if not recipe.columns <= columns]
        return cls(
            columns,
            watched_with(columns),
            tuple((recipe, tuple(cells)) for recipe, cells in labelled.items()),
            columns.intersection(chain.from_iterable(mixed)),
        )

    def rows(self, result: WalkResult) -> tuple[frozenset[bytes], ...]:
        """The rows that each of the recipes has to label."""
        found: list[frozenset[bytes]] = []
        for _, objects in self.recipes:
            rows: set[bytes] = set()
            for cells in objects:
                rows.update(cells.rows_of(result))
            found.append(frozenset(rows))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """All that a scrape of one module needs to know."""

    name: str
    module: Module
    ranges: tuple[Range, ...]
    instances: tuple[Instance, ...]
    metrics: tuple[PlannedMetric, ...]
    filters: tuple[PlannedFilter, ...]
    row_filters: tuple[PlannedRowFilter, ...]
    labels: LabelPlan

    def write(self, sheet: Sheet) -> Iterator[None]:
        """Write all samples, in steps that take some milliseconds on the largest devices.

        Metrics whose labels would be wrong, because a column for them could not be read to its end,
        are left out.
        """
        read = sheet.result
        for metric in self.metrics:
            writer = metric.writer
            if writer.cells.is_read(read) and read.incomplete.isdisjoint(metric.needs):
                yield from sheet.label_in_steps(writer.cells, writer.recipe)
                yield from writer.write_in_steps(sheet)


def compile_module(name: str, module: Module) -> ModulePlan:
    """Compile one module.

    Raises:
        ConfigError: An index is larger than an OID.
    """
    return _Compiler(module).compile(name)


class _Compiler:
    """The objects that a module needs, and what becomes of them.

    An *object* is an OID whose values are needed, unless they are read with those of a shorter one.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._metrics = _unshadowed(module.metrics)
        self._items: list[Metric | Constant] = [*self._metrics, *module.constants]
        looked_up = [lookup for item in self._items for lookup in item.lookups if lookup.oid]
        self._for_labels = dict.fromkeys(
            [
                *_with_subtypes((item.oid, item.type) for item in looked_up),
                *_subtypes((metric.oid, metric.type) for metric in self._metrics),
            ]
        )
        self._compared = dict.fromkeys(
            _with_subtypes((item.oid, item.type) for each in module.where for item in each.columns)
        )
        beside = [*self._compared, *self._for_labels]
        self._objects = outermost([*beside, *(metric.oid for metric in self._metrics)])
        self._roots = outermost(module.walk)
        # What labels are made of comes first: it counts most if time runs out.
        first = [self._cells_of(oid).column for oid in beside]
        self._in_order = dict.fromkeys([*first, *self._objects])
        single = {metric.oid for metric in self._metrics if not metric.indexes}
        self._scalars = single.intersection(self._objects).difference(beside)
        self._recipes: dict[Hashable, LabelRecipe] = {}
        self._row_filters: list[PlannedRowFilter] = []

    def compile(self, name: str) -> ModulePlan:
        """Compile all parts."""
        ranges = tuple(self._ranges())
        walked = [item.column for item in ranges if not item.scalar]
        filters = [compile_filter(item, self._objects, walked) for item in self._module.filters]
        self._row_filters = [
            PlannedRowFilter(
                f"{name}.where[{place}]",
                item,
                lambda column: (
                    self._cells_of(column.oid),
                    self._subtype_of(column.oid, column.type),
                ),
                self._only_in_rows_of(item),
            )
            for place, item in enumerate(self._module.where)
        ]
        metrics = tuple(self._planned_metrics(name))
        return ModulePlan(
            name=name,
            module=self._module,
            ranges=ranges,
            instances=tuple(self._instances()),
            metrics=metrics,
            filters=tuple(filters),
            row_filters=tuple(self._row_filters),
            labels=LabelPlan.of(self._label_columns(), metrics),
        )

    def _label_columns(self) -> frozenset[Oid]:
        """The columns of lookups alone: no value or its type stands there, and no condition."""
        for_values = [
            *_with_subtypes((metric.oid, metric.type) for metric in self._metrics),
            *self._compared,
        ]
        columns = {self._cells_of(oid).column for oid in self._for_labels}
        return frozenset(columns.difference(self._cells_of(oid).column for oid in for_values))

    def _cells_of(self, oid: Oid) -> Cells:
        column = covering(self._objects, oid) or oid
        return Cells(column, oid[len(column) :])

    def _subtype_of(self, oid: Oid, type_name: str) -> Cells | None:
        """Where the subtypes stand of an object whose type needs them."""
        previous = _subtype_object(oid, type_name)
        return None if previous is None else self._cells_of(previous)

    def _planned_metrics(self, module_name: str) -> Iterator[PlannedMetric]:
        where = f"modules.{module_name}"
        problems: list[Problem] = []
        for item in self._items:
            try:
                if isinstance(item, Metric):
                    yield self._planned_metric(item)
                else:
                    yield self._planned_constant(item)
            except ValueError as error:
                kind = "metrics" if isinstance(item, Metric) else "constants"
                problems.append(Problem(str(error), key_path=f"{where}.{kind}[{item.name}]"))
        if problems:
            raise ConfigError(problems)

    def _planned_metric(self, metric: Metric) -> PlannedMetric:
        recipe = self._recipe_of(metric.indexes, metric.lookups, {})
        cells, needs = self._filtered(self._cells_of(metric.oid), metric.indexes)
        subtype = self._subtype_of(metric.oid, metric.type)
        own = frozenset() if subtype is None else {subtype.column}
        writer = compile_writer(metric, cells, subtype, recipe)
        return PlannedMetric(writer, recipe.columns | needs | own)

    def _planned_constant(self, constant: Constant) -> PlannedMetric:
        recipe = self._recipe_of(constant.indexes, constant.lookups, constant.labels)
        columns = dict.fromkeys(map(self._cells_of, constant.rows_of))
        source: RowSource = JoinedRows(tuple(columns)) if columns else OneRow()
        source, needs = self._filtered(source, constant.indexes)
        return PlannedMetric(ConstantWriter(constant, source, recipe), recipe.columns | needs)

    def _recipe_of(
        self, indexes: tuple[Index, ...], lookups: tuple[Lookup, ...], labels: Mapping[str, str]
    ) -> LabelRecipe:
        key = (indexes, lookups, tuple(labels.items()))
        recipe = self._recipes.get(key)
        if recipe is None:
            recipe = self._recipes[key] = LabelRecipe(
                indexes,
                lookups,
                self._cells_of,
                self._subtype_of,
                static={**self._module.labels, **labels},
                rules=self._module.relabel,
            )
        return recipe

    def _filtered(
        self, source: RowSource, indexes: Sequence[Index]
    ) -> tuple[RowSource, frozenset[Oid]]:
        """The rows of *source* that are served, and the columns that decide about it."""
        names = tuple(index.labelname for index in indexes)
        found: list[tuple[PlannedRowFilter, RowKey | None]] = []
        for item in self._row_filters:
            if set(item.labels) <= set(names):
                key = None if item.labels == names else compile_row_key(indexes, item.labels)
                found.append((item, key))
        if not found:
            return source, frozenset()
        needs = frozenset().union(*(item.columns for item, _ in found))
        return FilteredRows(source, tuple(found)), needs

    def _only_in_rows_of(self, item: RowFilter) -> frozenset[Oid]:
        """Columns that are needed of nothing but rows that a condition looks at itself."""
        inside: set[Oid] = set()
        outside: set[Oid] = set()
        for each in self._items:
            of_these = tuple(index.labelname for index in each.indexes) == item.labels
            if isinstance(each, Metric):
                own = _with_subtypes([(each.oid, each.type)])
                (inside if of_these else outside).update(own)
            for lookup in each.lookups:
                whole = of_these and lookup.labels == item.labels
                columns = _with_subtypes([(lookup.oid, lookup.type)]) if lookup.oid else ()
                (inside if whole else outside).update(columns)
        apart = {self._cells_of(oid).column for oid in outside}
        cells = map(self._cells_of, inside)
        return frozenset(each.column for each in cells if not each.prefix) - apart

    def _ranges(self) -> Iterator[Range]:
        for column in self._in_order:
            if covering(self._roots, column) is not None:
                yield Range(column, column, parent_oid(column), scalar=column in self._scalars)
                continue
            # The configuration walks less than the column: some of its rows, or one instance.
            for root in self._roots:
                if root.startswith(column):
                    yield Range(root, column, root, scalar=False)

    def _instances(self) -> Iterator[Instance]:
        """What is asked for by its name: what the configuration gets, and maybe what it walks.

        A walk of an instance finds nothing behind it. snmp_exporter asks for the root of a walk
        that has found nothing, so that this works all the same.
        """
        wanted = dict.fromkeys(self._module.get)
        for root in self._roots:
            column = covering(self._objects, root)
            if column is not None and (root != column or column in self._scalars):
                wanted[root] = None
        for oid in self._scalars:
            if oid.endswith(b"\0") and covering(self._roots, oid) is not None:
                wanted[oid] = None
        for oid in wanted:
            column = covering(self._objects, oid)
            if column is not None:
                yield Instance(oid, column)


def _unshadowed(metrics: Iterable[Metric]) -> list[Metric]:
    by_oid = {metric.oid: metric for metric in metrics}
    kept = set(outermost(by_oid))
    return [metric for oid, metric in by_oid.items() if oid in kept]


def _subtype_object(oid: Oid, type_name: str) -> Oid | None:
    """The column before this one, where a MIB puts the type of an address; None without need."""
    if type_name not in SUBTYPED_TYPES:
        return None
    *table, number = decode_subids(oid)
    return encode_subids([*table, number - 1]) if number > 1 else None


def _subtypes(objects: Iterable[tuple[Oid, str]]) -> Iterator[Oid]:
    """The columns before those whose type needs them."""
    for oid, type_name in objects:
        subtype = _subtype_object(oid, type_name)
        if subtype is not None:
            yield subtype


def _with_subtypes(objects: Iterable[tuple[Oid, str]]) -> Iterator[Oid]:
    """Columns, each with the one before it where its type needs that."""
    for oid, type_name in objects:
        yield oid
        yield from _subtypes([(oid, type_name)])
