"""From the instances of table rows to their labels: indexes first, then the configured lookups.

Metrics of one table share their indexes and lookups, so a recipe is compiled once for all of them,
and the labels of a row are built once a scrape, not once a sample. Many rows are built together,
one label after another, because that costs a third of building one row after another.

A lookup may be keyed by any label, including one that another lookup made. What a value is as a
part of an instance (RFC 2578 s7.7) depends on the index of the table that is looked into, which the
configuration does not tell: a string stands there with its length or, where its size is fixed or it
is IMPLIED, without. So a value has several possible keys, and the first one with a row is taken.
A row that a lookup does not find keeps the label, empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Final, Protocol

from exporters.config.snmp_config import Index, Lookup
from exporters.config.snmp_relabel import Relabel
from exporters.errors import WireError
from exporters.metrics.text import escape_label_value
from exporters.polling.cursor import Rows, Value
from exporters.polling.walk_result import WalkResult
from exporters.smi.addresses import SUBTYPED_TYPES, value_type
from exporters.smi.enumerations import compile_enum_text
from exporters.smi.indexes import IndexDecoder, SubIds, compile_index
from exporters.smi.values import TextFormatter, compile_text, integer
from exporters.snmp.label_rewrites import rewrite_labels
from exporters.wire.ber import Oid, decode_oid, decode_subids, encode_subids
from exporters.wire.tags import INTEGER_TAGS, IP_ADDRESS, OBJECT_IDENTIFIER

Columns = Mapping[Oid, Rows]
"""What was read: the rows of each column."""

Keys = Sequence[SubIds]
"""What a value may be as a part of an instance, the likeliest first; nothing where it is none."""

Found = tuple[Sequence[bytes], Sequence[Value | None]]
"""For each row where a lookup looked in the end, and the value there, if any."""

_FIXED_SIZE_TYPES: Final = frozenset({"InetAddressIPv4", "InetAddressIPv6", "PhysAddress48"})
_INET_TYPE_BY_SIZE: Final = {4: 1, 16: 2}
_LEAST_INTEGER: Final = -(1 << 31)
_MOST_SUBID: Final = (1 << 32) - 1


class RowSource(Protocol):
    """The rows that a metric has, whatever decides about them; equal ones are the same rows."""

    def rows_of(self, result: WalkResult) -> Rows:
        """The values by instance."""

    def is_read(self, result: WalkResult) -> bool:
        """Whether there may be any."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the values of an object stand: a column that is read, and the start of its instances.

    The *prefix* is empty unless a shorter OID is read for another object's sake.
    """

    column: Oid
    prefix: bytes = b""

    def rows(self, columns: Columns) -> Rows:
        """The values by instance."""
        rows = columns.get(self.column, {})
        if not self.prefix:
            return rows
        start = len(self.prefix)
        return {
            instance[start:]: value
            for instance, value in rows.items()
            if instance.startswith(self.prefix)
        }

    def rows_of(self, result: WalkResult) -> Rows:
        """The values by instance."""
        return self.rows(result.columns)

    def is_read(self, result: WalkResult) -> bool:
        """Whether the column has any."""
        return bool(result.columns.get(self.column))

    def find(self, columns: Columns, instance: bytes) -> Value | None:
        """The value at *instance*; None where the agent has none."""
        rows = columns.get(self.column)
        return None if rows is None else rows.get(self.prefix + instance)


class ValueText:
    """Renders the values of an object as label text.

    Types that say nothing of themselves (``smi.addresses``) need *subtype*, the column before, of
    the same row. Where that is unknown the octets are hexadecimal; with *by_length*, four of them
    are an IPv4 address and sixteen an IPv6 address.
    """

    def __init__(
        self,
        type_name: str,
        display_hint: str = "",
        enum_values: Mapping[int, str] | None = None,
        *,
        subtype: Cells | None = None,
        by_length: bool = False,
    ) -> None:
        self._type_name = type_name
        self._hint = display_hint or None
        self._subtype = subtype if type_name in SUBTYPED_TYPES else None
        self._by_length = by_length and type_name in SUBTYPED_TYPES - {"LldpPortId"}
        self._plain = (
            _enum_text(enum_values or {})
            if type_name == "EnumAsInfo"
            else compile_text(value_type(type_name, None), self._hint)
        )
        self._by_type: dict[str, TextFormatter] = {}

    def texts(
        self, values: Sequence[Value | None], instances: Sequence[bytes], columns: Columns
    ) -> list[str]:
        """The texts of *values*, each standing at its instance; nothing for None."""
        if self._subtype is None and not self._by_length:
            plain = self._plain
            return ["" if value is None else plain(*value) for value in values]
        return [
            "" if value is None else self._formatter(self.subtype(value, instance, columns))(*value)
            for value, instance in zip(values, instances, strict=True)
        ]

    def subtype(self, value: Value, instance: bytes, columns: Columns) -> int | None:
        """The number that tells what *value* is; None where nothing does."""
        if self._subtype is not None:
            found = self._subtype.find(columns, instance)
            if found is not None:
                return integer(*found)
        return _INET_TYPE_BY_SIZE.get(len(value[1])) if self._by_length else None

    def _formatter(self, subtype: int | None) -> TextFormatter:
        effective = value_type(self._type_name, subtype)
        formatter = self._by_type.get(effective)
        if formatter is None:
            formatter = self._by_type[effective] = compile_text(effective, self._hint)
        return formatter


class _Lookup:
    """A lookup that finds a label.

    *whole* says that all indexes and nothing else make the key: that is the row's own instance.
    *is_source* says that a later lookup needs what this one finds as a key.
    """

    def __init__(
        self, lookup: Lookup, cells: Cells, subtype: Cells | None, *, whole: bool, is_source: bool
    ) -> None:
        self.sources = lookup.labels
        self.whole = whole
        self.is_source = is_source
        self._cells = cells
        self._fixed_size = lookup.type in _FIXED_SIZE_TYPES
        self._text = ValueText(
            lookup.type,
            lookup.display_hint,
            lookup.enum_values,
            subtype=subtype,
            by_length=True,
        )

    def make(
        self,
        instances: Sequence[bytes] | None,
        keys: Mapping[str, Sequence[Keys]],
        nothing: Sequence[Keys],
        columns: Columns,
    ) -> tuple[list[str], Sequence[Keys]]:
        """The label of each row, and the keys that it is for later lookups.

        Args:
            instances: The rows, if their indexes are nothing but what *keys* has; else None.
            keys: The labels so far, as keys.
            nothing: What a label is that makes no keys.
            columns: What was read.
        """
        if self.whole and instances is not None:
            found = self._find_own(instances, columns)
        else:
            sources = (keys.get(source, nothing) for source in self.sources)
            found = self._find(sources, columns)
        made = self._keys(found, columns) if self.is_source else nothing
        return self._text.texts(found[1], found[0], columns), made

    def _find_own(self, instances: Sequence[bytes], columns: Columns) -> Found:
        """Look the rows themselves up."""
        rows = self._cells.rows(columns)
        return instances, [rows.get(instance) for instance in instances]

    def _find(self, sources: Iterable[Sequence[Keys]], columns: Columns) -> Found:
        """Look up, for each row, the first combination of its keys that is there."""
        rows = self._cells.rows(columns)
        instances: list[bytes] = []
        values: list[Value | None] = []
        for alternatives in zip(*sources, strict=True):
            instance = b""
            value = None
            for key in product(*alternatives):
                instance = encode_subids(chain.from_iterable(key))
                value = rows.get(instance)
                if value is not None:
                    break
            instances.append(instance)
            values.append(value)
        return instances, values

    def _keys(self, found: Found, columns: Columns) -> list[Keys]:
        """What each row has found, as keys of a later lookup."""
        return [
            ()
            if value is None
            else value_keys(
                value,
                subtype=self._text.subtype(value, instance, columns),
                fixed_size=self._fixed_size,
            )
            for instance, value in zip(*found, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Step:
    """What makes one label: a lookup, or else the text of another label.

    One that *fills* leaves labels alone that have a text already.
    """

    label: str
    lookup: _Lookup | None
    source: str
    fills: bool


class LabelRecipe:
    """How the labels of a table's rows come about: indexes, lookups, static labels, rewriting.

    Attributes:
        names: The labels that every row has in the end, in the order of the alphabet.
        columns: The columns that lookups read: without all their rows, labels would be wrong.
        rules: What rewrites labels, whether it is for these or not.
    """

    def __init__(
        self,
        indexes: Sequence[Index],
        lookups: Sequence[Lookup],
        cells_of: Callable[[Oid], Cells],
        subtype_of: Callable[[Oid, str], Cells | None],
        *,
        static: Mapping[str, str] | None = None,
        rules: Sequence[Relabel] = (),
    ) -> None:
        self._indexes: list[tuple[str, IndexDecoder]] = [
            (
                index.labelname,
                compile_index(index.type, index.fixed_size, index.implied, index.enum_values),
            )
            for index in indexes
        ]
        self._steps, names, self.columns = _steps(indexes, lookups, cells_of, subtype_of)
        self._static = dict(static or {})
        names |= self._static.keys()
        self.rules = tuple(rules)
        self._names_before_rules = tuple(names)
        self._rules_that_apply: list[Relabel] = []
        for rule in rules:
            if rule.applies_to(names):
                names = rule.names_after(names)
                self._rules_that_apply.append(rule)
        self.names = tuple(sorted(names))

    def label_pairs(
        self, instances: Sequence[bytes], columns: Columns
    ) -> Sequence[tuple[str, ...]]:
        """The labels of the rows at *instances*: each as ``name="value"``, in order of names.

        Raises:
            WireError: A sub-identifier of an instance does not fit 32 bits.
        """
        if not self.names:
            return [()] * len(instances)
        rows = [decode_subids(instance) for instance in instances]
        texts: dict[str, Sequence[str]] = {}
        keys: dict[str, Sequence[Keys]] = {}
        ends: Sequence[int] = [0] * len(rows)
        for name, decode in self._indexes:
            decoded = [decode(subids, end) for subids, end in zip(rows, ends, strict=True)]
            texts[name] = [text for text, _, _ in decoded]
            keys[name] = [(taken,) for _, taken, _ in decoded]
            ends = [end for _, _, end in decoded]
        exact = ends == [len(subids) for subids in rows]
        nothing: Sequence[Keys] = [()] * len(rows)
        for step in self._steps:
            if step.lookup is None:
                made, made_keys = texts[step.source], keys.get(step.source, nothing)
            else:
                own = instances if exact else None
                made, made_keys = step.lookup.make(own, keys, nothing, columns)
            if step.fills:
                before, keys_before = texts[step.label], keys.get(step.label, nothing)
                choices = zip(before, keys_before, made_keys, strict=True)
                made_keys = [mine if text else other for text, mine, other in choices]
                made = [text or other for text, other in zip(before, made, strict=True)]
            texts[step.label], keys[step.label] = made, made_keys
        texts |= {name: [text] * len(rows) for name, text in self._static.items()}
        if self._rules_that_apply:
            texts = {name: texts[name] for name in self._names_before_rules}
            rewrite_labels(self._rules_that_apply, texts, len(rows))
        return list(zip(*(_pairs(name, texts[name]) for name in self.names), strict=True))


def _steps(
    indexes: Sequence[Index],
    lookups: Sequence[Lookup],
    cells_of: Callable[[Oid], Cells],
    subtype_of: Callable[[Oid, str], Cells | None],
) -> tuple[list[_Step], set[str], frozenset[Oid]]:
    """What makes labels beside indexes, the labels that there are then, and the columns read."""
    index_names = tuple(index.labelname for index in indexes)
    names = set(index_names)
    read: set[Oid] = set()
    steps: list[_Step] = []
    for place, lookup in enumerate(lookups):
        label = lookup.labelname
        if not lookup.labels:
            names.discard(label)
            continue
        found: _Lookup | None = None
        if lookup.oid:
            cells, subtype = cells_of(lookup.oid), subtype_of(lookup.oid, lookup.type)
            read.update(item.column for item in (cells, subtype) if item is not None)
            overwritten = {made.label for made in steps}
            whole = lookup.labels == index_names and overwritten.isdisjoint(index_names)
            is_source = any(label in later.labels for later in lookups[place + 1 :])
            found = _Lookup(lookup, cells, subtype, whole=whole, is_source=is_source)
        fills = lookup.if_empty and label in names
        steps.append(_Step(label, found, lookup.labels[0], fills))
        names.add(label)
    return steps, names, frozenset(read)


def _enum_text(enum_values: Mapping[int, str]) -> TextFormatter:
    """Names of numbers; what is no number is shown as it is."""
    name_of = compile_enum_text(enum_values)
    plain = compile_text("OctetString")
    return lambda tag, raw: name_of(integer(tag, raw)) if tag in INTEGER_TAGS else plain(tag, raw)


def _pairs(name: str, texts: Sequence[str]) -> list[str]:
    everything = "".join(texts)  # Hardly any label needs escapes: look once for all rows
    if "\\" in everything or '"' in everything or "\n" in everything:
        return [f'{name}="{escape_label_value(text)}"' for text in texts]
    return [f'{name}="{text}"' for text in texts]


def value_keys(value: Value, *, subtype: int | None = None, fixed_size: bool = False) -> Keys:
    r"""What a value may be as a part of an instance (RFC 2578 s7.7, RFC 4001 s4.1).

    Args:
        value: Tag and content.
        subtype: Of an address: its type, which stands before it in an index of both.
        fixed_size: Whether the type has always the same size, so that no length is the likeliest.

    Example: ``value_keys((0x04, b"AB")) == [(2, 65, 66), (65, 66)]``
    """
    tag, raw = value
    if tag in INTEGER_TAGS:
        number = integer(tag, raw)
        return [(number & _MOST_SUBID,)] if _LEAST_INTEGER <= number <= _MOST_SUBID else ()
    if tag == IP_ADDRESS:
        return [tuple(raw)]
    if tag == OBJECT_IDENTIFIER:
        try:
            parts = decode_oid(raw)
        except WireError:
            return ()
    else:
        parts = tuple(raw)
    keys: list[SubIds] = [(len(parts), *parts)]
    if parts:
        keys.append(parts)
    if fixed_size:
        keys.reverse()
    if subtype is not None:
        keys = [(subtype, *key) for key in keys] + keys
    return keys
