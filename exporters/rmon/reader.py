"""Reads RMON tables of one agent into rows whose cells are looked at with distrust.

A cell that has another type than its column counts as unexpected and is left out; one that is
merely absent is absent. Columns that no table here names are never asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from exporters.errors import FailureReason, WireError
from exporters.polling.cursor import Range, Value
from exporters.polling.walk import Instance
from exporters.polling.walk_result import WalkResult
from exporters.rmon.tables import Table, scalar_column
from exporters.smi.utf8 import decode_text
from exporters.smi.values import integer
from exporters.wire.ber import Oid, decode_oid, decode_subids, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import COUNTER64, INTEGER_TAGS, OBJECT_IDENTIFIER, OCTET_STRING

Index = tuple[int, ...]

_FINAL: Final = frozenset({FailureReason.TIMEOUT, FailureReason.LIMIT})
_LONGEST_TEXT_OCTETS: Final = 255
"""DisplayString and SnmpAdminString are no longer (RFC 2579, RFC 3411)."""


class Reads(Protocol):
    """What is needed of ``exporters.polling.walk.Walker``."""

    async def read(self, ranges: Sequence[Range], instances: Sequence[Instance]) -> WalkResult:
        """Read everything; failures are collected, never raised."""

    async def following(self, oids: Sequence[Oid]) -> tuple[list[VarBind | None], WalkResult]:
        """Ask what follows each OID; None where that was not answered."""


@dataclass(slots=True)
class Row:
    """A row of a table: what of it was read, by the names of its columns."""

    index: Index
    reader: Reader
    cells: dict[str, Value] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Cells that were found to be of another type."""

    def __contains__(self, name: str) -> bool:
        """Whether the cell was there, of whatever type."""
        return name in self.cells

    def number(self, name: str) -> int | None:
        """A number; INTEGER where the MIB says TimeTicks or the reverse is what agents send."""
        value = self.cells.get(name)
        if value is None:
            return None
        if value[0] not in INTEGER_TAGS:
            self._refuse(name)
            return None
        return integer(*value)

    def counter(self, name: str) -> int | None:
        """A count, which is never negative: INTEGER holds 32 bits without their sign."""
        number = self.number(name)
        return number if number is None or number >= 0 else number & 0xFFFFFFFF

    def text(self, name: str) -> str:
        """A text without the NULs that agents end theirs with; "" for none.

        What is longer than any text of a MIB is cut off there, and counted.
        """
        value = self.cells.get(name)
        if value is None:
            return ""
        if value[0] != OCTET_STRING:
            self._refuse(name)
            return ""
        octets = value[1].rstrip(b"\0")
        if len(octets) > _LONGEST_TEXT_OCTETS:
            self._refuse(name)
            octets = octets[:_LONGEST_TEXT_OCTETS]
        return decode_text(octets).strip()

    def octets(self, name: str) -> bytes:
        """Octets as they came, such as an address; b"" for none."""
        value = self.cells.get(name)
        return b"" if value is None or value[0] in INTEGER_TAGS else value[1]

    def oid(self, name: str) -> Oid:
        """An OID as its content octets; b"" for none, and for one that is cut off."""
        value = self.cells.get(name)
        if value is None:
            return b""
        if value[0] != OBJECT_IDENTIFIER or not _is_whole(value[1]):
            self._refuse(name)
            return b""
        return value[1]

    def _refuse(self, name: str) -> None:
        """Count a cell that is not what its column holds, once."""
        if name not in self.refused:
            self.refused.add(name)
            self.reader.unexpected += 1


Rows = dict[Index, Row]


class Reader:
    """Reads for one scrape, and adds up what came of it."""

    def __init__(self, walker: Reads, row_counts: dict[Oid, int], most_rows: int) -> None:
        """*row_counts* is what the walker goes by: rows that each range had last time.

        A table of more than *most_rows* is given up: an agent can make up rows without end.
        """
        self._walker = walker
        self._row_counts = row_counts
        self._most_rows = most_rows
        self.total = WalkResult()
        self.unexpected = 0
        self.too_large = 0
        """Tables that were given up."""

    @property
    def stopped(self) -> bool:
        """Whether the time is over, or the agent has said too much: nothing more will be read."""
        return any(failure.reason in _FINAL for failure in self.total.failures)

    async def tables(
        self, *tables: Table, only: Mapping[Oid, Iterable[str]] | None = None
    ) -> dict[Oid, Rows]:
        """Read tables, side by side; give their rows by the table's entry.

        All columns are read, or those that *only* has for an entry.
        """
        asked = [
            (table, name)
            for table in tables
            for name in (only or {}).get(table.entry, table.columns)
        ]
        most = self._most_rows + 1
        result = await self._read([table.range(name, most) for table, name in asked], ())
        found: dict[Oid, Rows] = {table.entry: {} for table in tables}
        cells = [result.columns.get(table.column(name), {}) for table, name in asked]
        endless = {
            table.entry
            for (table, _), column in zip(asked, cells, strict=True)
            if len(column) > self._most_rows
        }
        self.too_large += len(endless)
        for (table, name), column in zip(asked, cells, strict=True):
            if table.entry not in endless:
                self._file(found[table.entry], name, column)
        return found

    async def parts(
        self, ranges: Sequence[Range], *, expected: int = 0
    ) -> dict[Oid, dict[Index, Value]]:
        """Read parts of columns; give the cells by the part's root, and what follows it.

        Of a part that was never read, about *expected* rows are asked for at a time.
        """
        for item in ranges if expected else ():
            self._row_counts.setdefault(item.root, expected)
        result = await self._read(ranges, ()) if ranges else WalkResult()
        found: dict[Oid, dict[Index, Value]] = {}
        for item in ranges:
            cells = found[item.root] = {}
            for instance, value in result.columns.get(item.root, {}).items():
                index = self._index(instance)
                if index is not None:
                    cells[index] = value
        return found

    async def rows(self, wanted: Sequence[tuple[Table, Index, Iterable[str]]]) -> list[Row]:
        """GET cells of rows; give a row for each that is wanted, with the cells that there are."""
        instances = [
            Instance(
                table.column(name) + encode_subids(index), table.column(name), table.size(name)
            )
            for table, index, names in wanted
            for name in names
        ]
        result = await self._read((), instances) if instances else WalkResult()
        found = []
        for table, index, names in wanted:
            row = Row(index, self)
            key = encode_subids(index)
            for name in names:
                value = result.columns.get(table.column(name), {}).get(key)
                if value is not None:
                    row.cells[name] = value
            found.append(row)
        return found

    async def instances(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """GET instances; give the values of those that exist."""
        asked = [Instance(oid, scalar_column(oid)) for oid in dict.fromkeys(oids)]
        result = await self._read((), asked) if asked else WalkResult()
        return {
            item.oid: value
            for item in asked
            if (value := result.columns.get(item.column, {}).get(item.oid[len(item.column) :]))
        }

    async def following(self, oids: Sequence[Oid]) -> list[VarBind | None]:
        """GETNEXT of each OID; None where there is no answer."""
        if not oids:
            return []
        answers, result = await self._walker.following(oids)
        self.total.include(result)
        return answers

    async def _read(self, ranges: Sequence[Range], instances: Sequence[Instance]) -> WalkResult:
        result = await self._walker.read(ranges, instances)
        columns, result.columns = result.columns, {}
        self.total.include(result)
        result.columns = columns
        return result

    def _file(self, rows: Rows, name: str, cells: Mapping[bytes, Value]) -> None:
        for instance, value in cells.items():
            index = self._index(instance)
            if index is None:
                continue
            row = rows.get(index)
            if row is None:
                row = rows[index] = Row(index, self)
            row.cells[name] = value

    def _index(self, instance: bytes) -> Index | None:
        try:
            return decode_subids(instance)
        except WireError:
            self.unexpected += 1
            return None


def combine(low: int | None, overflow: int | None, high: int | None) -> int | None:
    """Give the one count that three objects tell: the 64-bit one if it is there (RFC 3273 s2.1)."""
    if high is not None:
        return high
    if low is None:
        return None
    return low + (overflow << 32) if overflow else low


def _is_whole(oid: Oid) -> bool:
    try:
        decode_oid(oid)
    except WireError:
        return False
    return True


def is_64_bit(value: Value | None) -> bool:
    """Whether a cell is a Counter64."""
    return value is not None and value[0] == COUNTER64
