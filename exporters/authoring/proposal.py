"""A module by name for a device, proposed from what the device has.

A table is proposed if it has a number that cannot be written, a scalar if it is one: what can be
written is configuration. Tables that are large become comments, with their rows. For each index
there is a lookup, if a column beside it names the rows: ``...Name`` before ``...Descr`` before
others. An OCTET STRING without a convention becomes text if all that the device has of it is.
Nothing here is more than a start: it loads, and it gives samples; which of them are worth having,
people decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from exporters.authoring.walk_text import Value
from exporters.config.by_name.places import LEAVES
from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import MetricRules, MetricShape, NoMetricError
from exporters.smi.mib_objects import Kind, MibObject
from exporters.wire.ber import Oid, decode_oid, decode_subids, encode_subids, parent_oid

LARGE_TABLE_ROWS = 1000

_NUMBERS = frozenset(("Bits", "Double", "EnumAsStateSet", "Float", "counter", "gauge"))
_NAMING = tuple(re.compile(end) for end in ("Name$", "Descr(?:iption)?$", "Alias$", "Label$"))
_OWN_AFFAIRS = "1.3.6.1.6."
"""Where agents tell of SNMP itself: users, views, targets."""
_PREFIX_ARCS = 7
_NOT_UTF_8 = "\N{REPLACEMENT CHARACTER}"


class NothingToProposeError(ValueError):
    """No module can be made of what a device has."""


@dataclass(slots=True)
class Column:
    """A column or scalar of which a device has values."""

    item: MibObject
    shape: MetricShape
    texts: dict[bytes, str] = field(default_factory=dict)
    """By instance; empty for what is no string."""

    @property
    def measures(self) -> bool:
        """Whether it counts or measures, rather than names or configures something."""
        return (
            self.shape.type in _NUMBERS
            and self.item.access == "read-only"
            and self.shape.name not in _labels(self.shape)
        )

    @property
    def is_unsaid_text(self) -> bool:
        """Whether it holds text that its MIB leaves to be bytes."""
        syntax = self.item.syntax
        if self.shape.type != "OctetString" or syntax is None or syntax.convention is not None:
            return False
        texts = self.texts.values()
        return any(texts) and all(text.isprintable() and _NOT_UTF_8 not in text for text in texts)


@dataclass(slots=True)
class Survey:
    """What a device has, as the dictionary knows it."""

    columns: dict[Oid, Column]
    unknown: dict[str, int]
    """How many values are below which OIDs that no MIB knows."""
    values: int

    def count_unknown(self, oid: Oid) -> None:
        """Count a value that no MIB knows."""
        prefix = ".".join(map(str, decode_oid(oid)[:_PREFIX_ARCS]))
        self.unknown[prefix] = self.unknown.get(prefix, 0) + 1


def survey(values: Iterable[Value], dictionary: Dictionary) -> Survey:
    """Sort what a device has into scalars and columns."""
    rules = MetricRules(dictionary)
    found = Survey({}, {}, 0)
    no_metric: set[Oid] = set()
    unknown_root: Oid | None = None
    for value in values:
        found.values += 1
        if unknown_root is not None and value.oid.startswith(unknown_root):
            found.count_unknown(value.oid)
            continue
        place = dictionary.by_oid(value.oid)
        if place is None or place[0].kind not in LEAVES:
            unknown_root = None if place is None else _unknown_root(dictionary, *place)
            found.count_unknown(value.oid)
            continue
        item, instance = place
        if item.oid in no_metric:
            continue
        column = found.columns.get(item.oid)
        if column is None:
            try:
                column = found.columns[item.oid] = Column(item, rules.metric_of(item))
            except NoMetricError:
                no_metric.add(item.oid)
                continue
        column.texts[instance] = value.text
    return found


def _unknown_root(dictionary: Dictionary, item: MibObject, below: bytes) -> Oid | None:
    """The place right below *item* under which no MIB knows anything, if it is one.

    Looking up what is not known costs half a millisecond, and devices have it by the thousand.
    """
    numbers = decode_subids(below)
    root = item.oid + encode_subids(numbers[:1])
    known = bool(numbers) and next(dictionary.subtree(root), None) is not None
    return None if known or not numbers else root


def propose(name: str, source: str, values: Iterable[Value], dictionary: Dictionary) -> str:
    """Give the text of a file with one module.

    Raises:
        NothingToProposeError: Nothing of the device would become a metric.
    """
    return _Proposal(survey(values, dictionary), dictionary).text(name, source)


class _Proposal:
    def __init__(self, found: Survey, dictionary: Dictionary) -> None:
        self._found = found
        self._dictionary = dictionary
        self._tables: dict[str, list[Column]] = {}
        self._scalars: list[Column] = []
        for column in found.columns.values():
            if column.shape.oid.startswith(_OWN_AFFAIRS):
                continue
            if column.item.kind is Kind.SCALAR:
                self._scalars.append(column)
            elif (table := self._table_of(column.item)) is not None:
                self._tables.setdefault(table.qualified_name, []).append(column)

    def _table_of(self, item: MibObject) -> MibObject | None:
        row = self._dictionary.row_of(item)
        if row is None:
            return None
        above = self._dictionary.at(parent_oid(row.oid))
        tables = [found for found in above if found.kind is Kind.TABLE]
        same_module = [found for found in tables if found.module == row.module]
        return next(iter((*same_module, *tables)), None)

    def text(self, name: str, source: str) -> str:
        counted = {
            table: columns
            for table, columns in self._tables.items()
            if any(column.measures for column in columns)
        }
        small = [table for table, columns in counted.items() if _rows(columns) <= LARGE_TABLE_ROWS]
        scalars = [column for column in self._scalars if column.measures]
        if not small and not scalars:
            raise NothingToProposeError("no number of it is known to a MIB module")
        columns = [column for table in small for column in counted[table]]
        lookups = list(self._lookups(columns))
        lines = [*self._head(source), "modules:", f"  {name}:"]
        if small:
            lines.append("    walk:")
            lines += _aligned(
                [self._walk_line(table, counted[table], table in small) for table in counted]
            )
        if scalars:
            lines.append("    get:")
            lines += [f"      - {column.item.qualified_name}" for column in scalars]
        if lookups:
            lines.append("    lookups:")
            for labels, column in lookups:
                lines.append(f"      - source_indexes: [{', '.join(labels)}]")
                lines.append(f"        lookup: {column.item.qualified_name}")
        overrides = list(_overrides(columns, [column for _, column in lookups]))
        if overrides:
            lines += ["    overrides:", *(f"      {each}" for each in overrides)]
        return "\n".join(lines) + "\n"

    def _head(self, source: str) -> Iterator[str]:
        known = self._found.values - sum(self._found.unknown.values())
        yield f"# Proposed from {source}: {known:,} of {self._found.values:,} values are known."
        for prefix, count in sorted(self._found.unknown.items(), key=lambda each: -each[1])[:10]:
            yield f"# No MIB knows {count:,} value{'' if count == 1 else 's'} below {prefix}."

    def _walk_line(self, table: str, columns: Sequence[Column], wanted: bool) -> tuple[str, str]:
        rows = _rows(columns)
        comment = f"# {rows:,} row{'' if rows == 1 else 's'}"
        if not wanted:
            return f"      # - {table}", f"{comment}, and a series of each metric for every one"
        return f"      - {table}", comment

    def _lookups(self, columns: Sequence[Column]) -> Iterator[tuple[tuple[str, ...], Column]]:
        """For each way to index, the columns that name rows, as far as metrics are indexed so."""
        by_labels: dict[tuple[str, ...], list[Column]] = {}
        for column in self._found.columns.values():
            if column.item.kind is Kind.COLUMN and _names_rows(column):
                by_labels.setdefault(_labels(column.shape), []).append(column)
        used = [set(_labels(column.shape)) for column in columns if column.measures]
        for labels, candidates in by_labels.items():
            if not labels or not any(names.issuperset(labels) for names in used):
                continue
            for naming in _NAMING:
                found = next((each for each in candidates if naming.search(each.item.name)), None)
                if found is not None:
                    yield labels, found
                    break


def _labels(shape: MetricShape) -> tuple[str, ...]:
    return tuple(index.labelname for index in shape.indexes)


def _rows(columns: Sequence[Column]) -> int:
    return max(len(column.texts) for column in columns)


def _names_rows(column: Column) -> bool:
    """Whether its texts tell most rows apart."""
    is_text = column.shape.type == "DisplayString" or column.is_unsaid_text
    if not is_text or column.shape.name in _labels(column.shape):
        return False
    texts = [text for text in column.texts.values() if text.strip()]
    return len(texts) > len(column.texts) / 2 and len(set(texts)) > len(texts) / 2


def _overrides(columns: Iterable[Column], lookups: Sequence[Column]) -> Iterator[str]:
    """Ignore what is a label of its rows anyway, indexes and lookups; show text as text."""
    looked_up = {column.item.oid for column in lookups}
    for column in columns:
        override = []
        if column.item.oid in looked_up or column.shape.name in _labels(column.shape):
            override.append("ignore: true")
        if column.is_unsaid_text:
            override.append("type: DisplayString")
        if override:
            yield f"{column.item.qualified_name}: {{{', '.join(override)}}}"


def _aligned(lines: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(text) for text, _ in lines)
    return [f"{text.ljust(width)}  {comment}" for text, comment in lines]
