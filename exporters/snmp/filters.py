"""Dynamic filters: read one column, keep the rows that match, and GET only those of the targets.

The instance of a row is compared whole; snmp_exporter compares its last sub-identifier, which mixes
up the rows of tables with several indexes. A target may be a column or a whole table; what the
configuration walks of it, at whatever level, is not walked any more. A filter whose column cannot
be read lets everything through, as losing a table to a filter would be worse than reading all of
it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from exporters.config.re2 import Regex
from exporters.config.snmp_config import DynamicFilter
from exporters.polling.cursor import Range, Rows
from exporters.polling.walk import Instance, WalkResult
from exporters.smi.subtrees import covering
from exporters.smi.values import compile_text
from exporters.wire.ber import Oid

_text = compile_text("DisplayString")


class Reader(Protocol):
    """Reads ranges and instances of one agent: the walker."""

    async def read(self, ranges: Sequence[Range], instances: Sequence[Instance]) -> WalkResult:
        """Read everything; failures are in the result."""


@dataclass(frozen=True, slots=True)
class PlannedFilter:
    """A filter, and what it decides about.

    *targets* are the OIDs that the instance of a row is appended to, each with its column.
    """

    source: Range
    values: tuple[Regex, ...]
    targets: tuple[tuple[Oid, Oid], ...]


def compile_filter(
    item: DynamicFilter, objects: Sequence[Oid], walked: Collection[Oid]
) -> PlannedFilter:
    """Prepare one filter.

    Args:
        item: The filter as configured.
        objects: The objects that the module needs; what else a target names is not read.
        walked: Those of them that are tables' columns and walked.
    """
    targets: dict[Oid, Oid] = {}
    for target in item.targets:
        outer = covering(objects, target)
        if outer is not None:
            targets[target] = outer
        else:
            targets |= {column: column for column in walked if column.startswith(target)}
    source = Range(item.oid, item.oid, item.oid, scalar=False)
    return PlannedFilter(source, item.values, tuple(targets.items()))


async def apply_filters(
    filters: Sequence[PlannedFilter],
    walker: Reader,
    ranges: Sequence[Range],
    instances: Sequence[Instance],
) -> tuple[list[Range], list[Instance]]:
    """Replace the targets' ranges and instances by those of the rows that pass.

    Several filters on one target must all pass; the values inside a filter are alternatives.
    """
    allowed: dict[tuple[Oid, Oid], set[bytes]] = {}
    for item in filters:
        result = await walker.read([item.source], ())
        if result.failures:
            continue
        passing = _passing_rows(item, result.rows(item.source.column))
        for target in item.targets:
            before = allowed.get(target)
            allowed[target] = passing if before is None else before & passing
    kept_ranges = [item for item in ranges if not _is_target(item.root, item.column, allowed)]
    kept = [item for item in instances if not _is_target(item.oid, item.column, allowed)]
    for (start, column), rows in allowed.items():
        if any(start.startswith(item.root) for item in kept_ranges):
            continue  # More than the target is walked, and so read all the same
        kept.extend(Instance(start + row, column) for row in sorted(rows))
    return kept_ranges, kept


def _is_target(oid: Oid, column: Oid, allowed: Collection[tuple[Oid, Oid]]) -> bool:
    return any(column == of and oid.startswith(start) for start, of in allowed)


def _passing_rows(item: PlannedFilter, rows: Rows) -> set[bytes]:
    passing: set[bytes] = set()
    for instance, value in rows.items():
        text = _text(*value)
        if any(pattern.search(text) for pattern in item.values):
            passing.add(instance)
    return passing
