"""Where metrics have their rows from, if not from the cells of one column alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exporters.polling.cursor import Rows
from exporters.polling.walk_result import WalkResult
from exporters.snmp.row_filters import PlannedRowFilter
from exporters.snmp.row_labels import RowSource
from exporters.wire.tags import NULL

RowKey = Callable[[bytes], bytes | None]
"""From an instance to that of the row that a condition looks at; None where there is no such."""

_ONE_ROW: Final[Rows] = {b"": (NULL, b"")}


@dataclass(frozen=True, slots=True)
class FilteredRows:
    """Those of other rows that meet conditions; without a key, a condition is on the row itself."""

    source: RowSource
    filters: tuple[tuple[PlannedRowFilter, RowKey | None], ...]

    def rows_of(self, result: WalkResult) -> Rows:
        """The values by instance."""
        rows = self.source.rows_of(result)
        for condition, key in self.filters:
            passing = condition.passing(result)
            if key is None:
                rows = {row: value for row, value in rows.items() if row in passing}
            else:
                rows = {row: value for row, value in rows.items() if key(row) in passing}
        return rows

    def is_read(self, result: WalkResult) -> bool:
        """Whether there may be any."""
        return self.source.is_read(result)


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """The rows that any of several columns has; the values are those of one of them."""

    sources: tuple[RowSource, ...]

    def rows_of(self, result: WalkResult) -> Rows:
        """The values by instance."""
        joined: Rows = {}
        for source in self.sources:
            joined.update(source.rows_of(result))
        return joined

    def is_read(self, result: WalkResult) -> bool:
        """Whether any column has any."""
        return any(source.is_read(result) for source in self.sources)


@dataclass(frozen=True, slots=True)
class OneRow:
    """A single row without an index, whatever was read."""

    def rows_of(self, result: WalkResult) -> Rows:
        """The values by instance."""
        return _ONE_ROW

    def is_read(self, result: WalkResult) -> bool:
        """It always is."""
        return True
