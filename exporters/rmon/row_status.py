"""Which rows count: the two lifecycles of RMON rows, where one number means opposite things.

RMON1 and token ring have EntryStatus (RFC 2819), in which 4 is a row that is gone but may still be
seen; RMON2, SMON, HC-RMON and interfaceTopN have RowStatus (RFC 2579), in which 4 is a wish to
create one.

A row is left out only for a state that says so. Agents answer states that do not exist, with live
counters beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exporters.rmon.reader import Row, Rows

_ENTRY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {1: "valid", 2: "createRequest", 3: "underCreation", 4: "invalid"}
)
_ROW_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "active",
        2: "notInService",
        3: "notReady",
        4: "createAndGo",
        5: "createAndWait",
        6: "destroy",
    }
)
ENTRY_VALID: Final = 1


def entry_status(row: Row) -> str:
    """Name the EntryStatus of a row: "" where the column is absent, ``unknown(0)`` and the like."""
    return _name(row, _ENTRY_STATUS)


def row_status(row: Row) -> str:
    """Name the RowStatus of a row in the same way."""
    return _name(row, _ROW_STATUS)


def live_entries(rows: Rows) -> list[Row]:
    """The rows whose EntryStatus does not say that they are unfinished or gone."""
    return [row for row in rows.values() if row.number("status") not in (2, 3, 4)]


def live_rows(rows: Rows) -> list[Row]:
    """The rows whose RowStatus does not say that they are out of service or unfinished."""
    return [row for row in rows.values() if row.number("status") not in (2, 3, 4, 5, 6)]


def _name(row: Row, names: Mapping[int, str]) -> str:
    number = row.number("status")
    if number is None:
        return ""
    return names.get(number, f"unknown({number})")
