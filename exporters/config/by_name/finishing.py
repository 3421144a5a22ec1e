"""The last steps of a module by name, on metrics that are complete otherwise.

Constants are added, the labels of lookups are moved to series of their own where the module says
``info_labels``, and metrics and labels get their new names, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exporters.config.by_name.model import NamedConstant, Rename
from exporters.config.rejection import Fault, suggest
from exporters.config.snmp_metric import Index, Lookup, Metric, row_label_names, value_label_of
from exporters.config.snmp_rows import Constant, RowFilter
from exporters.wire.ber import Oid

_Labelled = Metric | Constant


class CannotFinishError(ValueError):
    """A step is not possible; says what is wrong, where."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.problem for fault in faults))
        self.faults = faults


def constants_of(
    constants: Sequence[NamedConstant],
    metrics: Sequence[Metric],
    place_of: Callable[[str], Oid | None],
) -> Iterator[Constant]:
    """Give the constants of a module; *place_of* says where a name is, None if it was refused.

    Raises:
        CannotFinishError: One has rows of what the module does not read.
    """
    for number, item in enumerate(constants):
        indexes: tuple[Index, ...] = ()
        lookups: tuple[Lookup, ...] = ()
        oids: tuple[Oid, ...] = ()
        if item.rows_of is not None:
            place = place_of(item.rows_of)
            if place is None:
                continue
            below = [each for each in metrics if each.oid.startswith(place) and each.indexes]
            if not below:
                problem = f"no metric of this module has rows of {item.rows_of}"
                hint = "name a table or column that is read"
                raise CannotFinishError(Fault(problem, hint, ("constants", number, "rows_of")))
            indexes, lookups = below[0].indexes, below[0].lookups
            if any(each.indexes != indexes for each in below):
                problem = f"{item.rows_of} has rows of several kinds"
                raise CannotFinishError(
                    Fault(problem, "name one table", ("constants", number, "rows_of"))
                )
            oids = tuple(each.oid for each in below)
        yield Constant(
            name=item.name,
            help=item.help,
            value=item.value,
            labels=item.labels,
            indexes=indexes,
            lookups=lookups,
            rows_of=oids,
        )


def with_info_labels(
    items: Sequence[Metric],
    constants: Sequence[Constant],
    info_labels: str | bool,
    table_of: Callable[[Oid], str],
) -> tuple[list[Metric], list[Constant]]:
    """Leave metrics and constants only their indexes; give lookups' labels series of their own.

    Args:
        items: The metrics.
        constants: The constants.
        info_labels: True, or the beginning of the name of these series.
        table_of: Gives the name of the table that a column is in.

    Raises:
        CannotFinishError: Indexes are dropped, or one name would be for several tables.
    """
    groups: dict[tuple[tuple[Index, ...], tuple[Lookup, ...]], list[Metric]] = {}
    for item in items:
        if item.indexes and any(lookup.labels for lookup in item.lookups):
            groups.setdefault((item.indexes, item.lookups), []).append(item)
    infos: list[Constant] = []
    for (indexes, lookups), members in groups.items():
        own = _indexes_alone(indexes, lookups)
        dropped = {index.labelname for index in own} - row_label_names(own, lookups)
        if dropped:
            problem = f"the label {min(dropped)} is dropped, and nothing else could be joined on"
            hint = "leave out drop_source_indexes, or info_labels"
            raise CannotFinishError(Fault(problem, hint, ("info_labels",)))
        table = table_of(min(members, key=lambda each: each.oid).oid)
        prefix = info_labels if isinstance(info_labels, str) else table.removesuffix("Table")
        infos.append(
            Constant(
                name=f"{prefix}_info",
                help=f"Labels of the rows of {table}",
                indexes=own,
                lookups=lookups,
                rows_of=tuple(each.oid for each in members),
            )
        )
    if isinstance(info_labels, str) and len(infos) > 1:
        tables = ", ".join(item.help.rpartition(" ")[2] for item in infos)
        problem = f"{info_labels}_info would be for the rows of several tables: {tables}"
        hint = "write info_labels: true, which names each series after its table"
        raise CannotFinishError(Fault(problem, hint, ("info_labels",)))

    def bare(item: _Labelled) -> dict[str, Any]:
        return {"indexes": _indexes_alone(item.indexes, item.lookups), "lookups": ()}

    metrics = [replace(each, **bare(each)) if each.lookups else each for each in items]
    others = [replace(each, **bare(each)) if each.lookups else each for each in constants]
    return metrics, [*infos, *others]


def _indexes_alone(indexes: Sequence[Index], lookups: Sequence[Lookup]) -> tuple[Index, ...]:
    """The indexes without those that stand for the label of a lookup, as the generator has them."""
    made = {lookup.labelname for lookup in lookups if lookup.labels}
    sources = {label for lookup in lookups for label in lookup.labels}
    return tuple(
        index
        for place, index in enumerate(indexes)
        if not (place and index.labelname in made and index.labelname in sources)
    )


class Renaming:
    """Gives metrics and labels their new names.

    Raises ``CannotFinishError`` for names that nothing has, and for two things with one name.
    """

    def __init__(self, rename: Rename) -> None:
        self._metrics = rename.metrics
        self._labels = rename.labels

    def check(self, items: Iterable[_Labelled]) -> None:
        """Find what cannot be renamed so."""
        items = list(items)
        names = {item.name for item in items}
        faults = [
            *_unknown(self._metrics, names, "metrics"),
            *_unknown(self._labels, {name for item in items for name in _labels(item)}, "labels"),
        ]
        kept = names - self._metrics.keys()
        seen: dict[str, str] = {}
        for old, new in self._metrics.items():
            other = seen.setdefault(new, old)
            if new in kept or other != old:
                problem = f"there would be two metrics {new}"
                at = ("rename", "metrics", old)
                faults.append(Fault(problem, "find another name for one of them", at))
        for old, new in self._labels.items():
            for item in items:
                labels = _labels(item)
                others = {self._labels.get(label, label) for label in labels if label != old}
                if old in labels and new in others:
                    problem = f"{item.name} would have two labels {new}"
                    at = ("rename", "labels", old)
                    faults.append(Fault(problem, "find another name for one of them", at))
                    break
        if faults:
            raise CannotFinishError(*faults)

    def metric(self, item: Metric) -> Metric:
        """Give a metric its new names."""
        label = value_label_of(item)
        new_label = None if label is None else self._labels.get(label)
        if item.name in self._metrics or new_label or self._renames(item):
            return replace(
                item,
                name=self._metrics.get(item.name, item.name),
                value_label=new_label or item.value_label,
                **self._row(item),
            )
        return item

    def constant(self, item: Constant) -> Constant:
        """Give a constant its new names."""
        return replace(item, name=self._metrics.get(item.name, item.name), **self._row(item))

    def row_filter(self, item: RowFilter) -> RowFilter:
        """Give the labels of a row filter their new names."""
        return replace(item, labels=tuple(map(self._label, item.labels)))

    def _label(self, label: str) -> str:
        return self._labels.get(label, label)

    def _renames(self, item: _Labelled) -> bool:
        return not self._labels.keys().isdisjoint(_labels(item))

    def _row(self, item: _Labelled) -> dict[str, Any]:
        return {
            "indexes": tuple(
                replace(index, labelname=self._label(index.labelname)) for index in item.indexes
            ),
            "lookups": tuple(
                replace(
                    lookup,
                    labelname=self._label(lookup.labelname),
                    labels=tuple(map(self._label, lookup.labels)),
                )
                for lookup in item.lookups
            ),
        }


def _labels(item: _Labelled) -> set[str]:
    """All labels that an item has or that lead to them, and that of its value."""
    names = {index.labelname for index in item.indexes}
    names |= {lookup.labelname for lookup in item.lookups}
    value = value_label_of(item) if isinstance(item, Metric) else None
    return names if value is None else {*names, value}


def _unknown(renamed: Mapping[str, str], known: set[str], what: str) -> Iterator[Fault]:
    for old in renamed:
        if old not in known:
            problem = f"this module has no {what.removesuffix('s')} {old}"
            yield Fault(problem, suggest(old, sorted(known), what), ("rename", what, old))
