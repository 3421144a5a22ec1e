"""How far one column of one agent has been read. Pure: answers come in, rows come out.

A cursor trusts nothing: an answer outside its column ends it, one that goes back is told from one
that goes on, and a row that comes twice ends it even where increasing order is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from exporters.wire.ber import Oid
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import END_OF_MIB_VIEW, NO_SUCH_OBJECT

Value = tuple[int, bytes]
Rows = dict[bytes, Value]
"""Instance part of the OID (its bytes after the column) to BER tag and content."""

_LONG_SUBID: Final = re.compile(rb"[\x80-\xff]{2,}[\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Range:
    """A part of an agent's tree that is read to its end.

    *root* is what is walked: the column itself, or less where the configuration walks less.
    *table* is what the column shares with its neighbours, so that an empty table costs one
    question. A *scalar* has one instance, so that one question is enough. Reading begins behind
    *after*, where that is said: what lies before it is known. It ends with the answer that brings
    *most* rows, where that is said: there may be more.
    """

    root: Oid
    column: Oid
    table: Oid
    scalar: bool
    after: Oid = b""
    most: int = 0


class Verdict(Enum):
    """What an answer means for a column."""

    MORE = "there may be more"
    END = "the range is read to its end"
    STRAY = "what follows lies outside the range, and before what was asked for"
    LOOP = "a row goes back, or comes twice"


MORE, END, STRAY, LOOP = Verdict
# By these names, since naming a member of an enumeration costs a tenth of a microsecond.


@dataclass(slots=True)
class Cursor:
    """The state of reading one range."""

    range: Range
    rows: Rows = field(default_factory=dict)
    position: Oid = b""
    """The last OID that came; what follows it is asked for next."""
    open: bool = True
    """Whether there is more to ask for."""
    complete: bool = False
    """Whether the end of the range was seen; False after a failure."""
    non_increasing: int = 0
    _before: tuple[Oid, int, int] = (b"", 0, 0)
    """Position, number of rows and ``non_increasing`` before the latest answer."""

    def __post_init__(self) -> None:
        """Start before the first instance of the range, or behind what is known of it."""
        self.position = self.range.after or self.range.root

    def take(self, varbinds: Sequence[VarBind], *, any_order: bool = False) -> Verdict:
        """Take in the answers to this column, in their order.

        *any_order* accepts answers that go back (RFC 3416 s4.2.2 demands that they do not), as
        long as none comes twice.

        OIDs are compared as bytes first. That is right for all numbers below 16,384; a greater one
        in the place of a smaller one may pass unnoticed when it goes back, and then only a row that
        comes twice shows that there is a loop.
        """
        root = self.range.root
        root_bytes = len(root)
        column_bytes = len(self.range.column)
        rows = self.rows
        last = self.position
        self._before = (last, len(rows), self.non_increasing)
        for oid, tag, content in varbinds:
            if oid[:root_bytes] != root or NO_SUCH_OBJECT <= tag <= END_OF_MIB_VIEW:
                self.position = last
                ended = tag >= NO_SUCH_OBJECT or is_after(oid, root)
                return END if ended else STRAY
            if oid <= last and not is_after(oid[root_bytes:], last[root_bytes:]):
                if not any_order or oid[column_bytes:] in rows:
                    self.position = last
                    return LOOP
                self.non_increasing += 1
            rows[oid[column_bytes:]] = (tag, content)
            last = oid
        self.position = last
        if len(rows) != self._before[1] + len(varbinds):
            return LOOP  # a row came twice
        return END if 0 < self.range.most <= len(rows) else MORE

    @property
    def taken(self) -> int:
        """How many rows the latest answer gave."""
        return len(self.rows) - self._before[1]

    def give_back(self) -> None:
        """Undo the latest ``take``."""
        self.position, rows, self.non_increasing = self._before
        while len(self.rows) > rows:
            self.rows.popitem()

    def finish(self, *, complete: bool) -> None:
        """Ask for nothing more; *complete* if this is the end of the range."""
        self.open, self.complete = False, complete


def is_after(oid: Oid, other: Oid) -> bool:
    """Whether *oid* comes after *other* in the order of their sub-identifiers.

    Any bytes have a place in this order, so that what an agent makes up cannot raise.
    """
    if oid.isascii() or other.isascii():
        return oid > other  # a number of one byte is less than the first byte of a longer one
    return _order(oid) > _order(other)


def _order(oid: Oid) -> bytes:
    """Bytes that compare as the sub-identifiers do.

    Those of one and two bytes do so by themselves, and ``ff 7f`` is the greatest of them. Longer
    ones get ``ff`` and their length (from ``83``) before them.
    """
    return oid if oid.isascii() else _LONG_SUBID.sub(_mark_length, oid)


def _mark_length(found: re.Match[bytes]) -> bytes:
    subid = found[0]
    return bytes((0xFF, 0x80 | min(len(subid), 0x7F))) + subid
