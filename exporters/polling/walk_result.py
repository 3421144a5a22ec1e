"""What reading one module of one agent came to: the rows, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from exporters.errors import FailureReason, TargetError
from exporters.polling.cursor import Cursor, Rows
from exporters.wire.ber import Oid

MAX_FAILURES: Final = 32
"""Failures that are kept; what is wrong with a hundred columns is wrong with the agent."""

_OF_THE_AGENT: Final = frozenset(
    {
        FailureReason.TIMEOUT,
        FailureReason.REFUSED,
        FailureReason.UNREACHABLE,
        FailureReason.LOCAL,
        FailureReason.LIMIT,
    }
)
"""Reasons that say the same wherever they are met: of several requests, the first one tells."""


@dataclass(slots=True)
class WalkResult:
    """What one module read: rows by column, and what went wrong on the way."""

    columns: dict[Oid, Rows] = field(default_factory=dict)
    incomplete: set[Oid] = field(default_factory=set)
    failures: list[TargetError] = field(default_factory=list)
    varbinds: int = 0
    non_increasing: int = 0
    truncated: int = 0
    passing: dict[object, Collection[bytes]] = field(default_factory=dict)
    """The rows that meet each condition on rows, once they are known."""

    def rows(self, column: Oid) -> Rows:
        """The rows of *column*, made on first use."""
        rows = self.columns.get(column)
        if rows is None:
            rows = self.columns[column] = {}
        return rows

    def fail(self, error: TargetError) -> None:
        """Note what went wrong, once."""
        for failure in self.failures:
            if failure.reason == error.reason and (
                error.reason in _OF_THE_AGENT or failure.detail == error.detail
            ):
                return
        if len(self.failures) < MAX_FAILURES:
            self.failures.append(error)

    def include(self, other: WalkResult) -> None:
        """Add what another reading of the same module has brought, in place of the same columns."""
        self.columns.update(other.columns)
        self.incomplete.difference_update(other.columns)
        self.incomplete.update(other.incomplete)
        for failure in other.failures:
            self.fail(failure)
        self.varbinds += other.varbinds
        self.non_increasing += other.non_increasing
        self.truncated += other.truncated

    def add(self, cursor: Cursor) -> None:
        """Take over what a cursor has read."""
        column = cursor.range.column
        rows = self.columns.get(column)
        if rows:
            rows.update(cursor.rows)
        else:
            self.columns[column] = cursor.rows
        self.non_increasing += cursor.non_increasing
        if not cursor.complete:
            self.incomplete.add(column)
