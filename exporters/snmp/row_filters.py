"""Conditions on rows: which rows meet them, and whether to read these alone.

A condition names columns of one table, or of tables with the same index. Where it can save packets
its columns are read first, and of the other columns the rows that meet it by GET; else all is
walked at once and the rest left out. What it came to in one scrape is what the next one starts
from.

A row without a value in a column meets no comparison with it, not even ``!=``; one that has none
of the columns does not meet the condition, whatever that is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exporters.config.row_expression import MATCHES_NOT, NOT_EQUAL, And, Node, Not, Or, TextTest
from exporters.config.row_expression import NumberTest as NumberComparison
from exporters.config.snmp_metric import Index
from exporters.config.snmp_rows import ComparedColumn, RowFilter
from exporters.errors import WireError
from exporters.polling.agent_memory import MAX_VARBINDS_PER_ANSWER, AgentMemory
from exporters.polling.cursor import Range
from exporters.polling.walk import Instance, Read
from exporters.polling.walk_result import WalkResult
from exporters.smi.indexes import compile_index
from exporters.smi.values import number
from exporters.snmp.row_labels import Cells, Columns, ValueText
from exporters.wire.ber import Oid, decode_subids, encode_subids
from exporters.wire.tags import INTEGER_TAGS, OPAQUE

_Test = Callable[[Columns, Collection[bytes]], set[bytes]]
"""Gives the rows that pass, of all that there are."""

_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER_TAGS: Final = INTEGER_TAGS | {OPAQUE}
_USUAL_VARBINDS: Final = 25


class PlannedRowFilter:
    """A condition, compiled.

    Attributes:
        name: Tells it from all others of the exporter.
        labels: The labels whose parts of an instance name the row.
        columns: What it reads.
        targets: Columns of which nobody needs other rows than those that pass.
    """

    def __init__(
        self,
        name: str,
        item: RowFilter,
        cells_of: Callable[[ComparedColumn], tuple[Cells, Cells | None]],
        targets: frozenset[Oid],
    ) -> None:
        cells = {column.name: cells_of(column) for column in item.columns}
        used = {comparison.column for comparison in item.condition.comparisons()}
        compared = {column.name: column for column in item.columns if column.name in used}
        self.name = name
        self.labels = item.labels
        self._cells = [cells[column][0] for column in compared]
        self.columns = frozenset(
            each.column for column in compared for each in cells[column] if each is not None
        )
        self.targets = targets - self.columns
        self._test = _compile(item.resolved(), compared, cells)

    def passing(self, result: WalkResult) -> Collection[bytes]:
        """The rows that meet the condition; found out once a scrape."""
        known = result.passing.get(self)
        if known is None:
            known = result.passing[self] = self._test(result.columns, self.rows(result))
        return known

    def rows(self, result: WalkResult) -> set[bytes]:
        """All rows that have any of the columns."""
        return {row for cells in self._cells for row in cells.rows(result.columns)}


def _compile(
    node: Node,
    compared: Mapping[str, ComparedColumn],
    cells: Mapping[str, tuple[Cells, Cells | None]],
) -> _Test:
    if isinstance(node, Not):
        inner = _compile(node.inner, compared, cells)
        return lambda columns, rows: set(rows) - inner(columns, rows)
    if isinstance(node, And | Or):
        parts = [_compile(part, compared, cells) for part in node.parts]
        if isinstance(node, And):
            return lambda columns, rows: set.intersection(*(p(columns, rows) for p in parts))
        return lambda columns, rows: set.union(*(p(columns, rows) for p in parts))
    if isinstance(node, NumberComparison):
        return _number_test(node, cells[node.column][0])
    if isinstance(node, TextTest):
        return _text_test(node, compared[node.column], *cells[node.column])
    raise TypeError(f"the comparison with {node.column} was not resolved")


def _number_test(node: NumberComparison, cells: Cells) -> _Test:
    compare, wanted = _OPERATORS[node.operator], node.number

    def test(columns: Columns, _rows: Collection[bytes]) -> set[bytes]:
        return {
            row
            for row, (tag, raw) in cells.rows(columns).items()
            if tag in _NUMBER_TAGS and compare(number(tag, raw, wrap_counters=False), wanted)
        }

    return test


def _text_test(
    node: TextTest, column: ComparedColumn, cells: Cells, subtype: Cells | None
) -> _Test:
    text = ValueText(column.type, column.display_hint, subtype=subtype)
    wanted = node.text
    negated = node.operator in (NOT_EQUAL, MATCHES_NOT)

    def matches(value: str) -> bool:
        if isinstance(wanted, str):
            return (value == wanted) is not negated
        return (wanted.search(value) is not None) is not negated

    def test(columns: Columns, _rows: Collection[bytes]) -> set[bytes]:
        rows = cells.rows(columns)
        instances = list(rows)
        texts = text.texts(list(rows.values()), instances, columns)
        return {row for row, value in zip(instances, texts, strict=True) if matches(value)}

    return test


def compile_row_key(
    indexes: Sequence[Index], labels: Sequence[str]
) -> Callable[[bytes], bytes | None]:
    """Prepare the way from an instance to the row that *labels*, some of its indexes, name."""
    decoders = [
        (
            index.labelname,
            compile_index(index.type, index.fixed_size, index.implied, index.enum_values),
        )
        for index in indexes
    ]

    def key(instance: bytes) -> bytes | None:
        try:
            subids = decode_subids(instance)
        except WireError:
            return None
        parts: dict[str, Sequence[int]] = {}
        end = 0
        for name, decode in decoders:
            _, parts[name], end = decode(subids, end)
        return encode_subids([subid for label in labels for subid in parts[label]])

    return key


@dataclass(slots=True, eq=False)
class FilteredReading:
    """One reading of a module that has conditions on rows."""

    filters: Sequence[PlannedRowFilter]
    read_all: Read
    memory: AgentMemory
    _first: WalkResult | None = None

    async def narrow(
        self, ranges: Sequence[Range], instances: Sequence[Instance]
    ) -> tuple[Sequence[Range], Sequence[Instance]]:
        """Read the columns of conditions where that may save packets; give what is left to read."""
        first = [item for item in self.filters if self._promises(item, ranges)]
        needed = frozenset().union(*(item.columns for item in first))
        asked = [item for item in ranges if item.column in needed]
        if not asked:
            return ranges, instances
        self._first = await self.read_all(asked, ())
        ranges = [item for item in ranges if item.column not in needed]
        for item in first:
            ranges, instances = self._by_row(item, self._first, ranges, instances)
        return ranges, instances

    async def read(self, ranges: Sequence[Range], instances: Sequence[Instance]) -> WalkResult:
        """Read the rest; what was read first is in the result."""
        result = await self.read_all(ranges, instances)
        if self._first is not None:
            result.include(self._first)
            self._first = None
        return result

    def note(self, result: WalkResult) -> None:
        """Remember how many rows passed."""
        for item in self.filters:
            if result.incomplete.isdisjoint(item.columns):
                rows = len(item.rows(result))
                self.memory.passing_rows[item.name] = len(item.passing(result)), rows

    def _promises(self, item: PlannedRowFilter, ranges: Sequence[Range]) -> bool:
        """Whether reading the condition's columns first may pay: they cost a packet of their own.

        The first time, it always may.
        """
        targets = sum(each.column in item.targets for each in ranges)
        known = self.memory.passing_rows.get(item.name)
        if not targets or known is None:
            return bool(targets)
        passing, rows = known
        return 2 * self._packets(passing * targets) + 1 < self._packets(rows * targets)

    def _by_row(
        self,
        item: PlannedRowFilter,
        first: WalkResult,
        ranges: Sequence[Range],
        instances: Sequence[Instance],
    ) -> tuple[list[Range], list[Instance]]:
        """Replace the condition's targets by their rows that pass, if that takes half the packets.

        A question that names rows is as long as its answer, one that walks is not.

        Where the condition's columns could not be read to their end, the targets are not read:
        nothing of them would be served.
        """
        targets = [each.column for each in ranges if each.column in item.targets]
        kept = [each for each in ranges if each.column not in item.targets]
        if not first.incomplete.isdisjoint(item.columns):
            return kept, list(instances)
        passing = item.passing(first)
        walked = self._packets(len(item.rows(first)) * len(targets))
        if 2 * self._packets(len(passing) * len(targets)) > walked:
            return list(ranges), list(instances)
        # Row by row, so that strings are spread among numbers and no answer is too big.
        by_row = [Instance(column + row, column) for row in sorted(passing) for column in targets]
        return kept, [*instances, *by_row]

    def _packets(self, varbinds: int) -> int:
        most = min(self.memory.varbinds_per_answer or _USUAL_VARBINDS, MAX_VARBINDS_PER_ANSWER)
        return -(-varbinds // most)
