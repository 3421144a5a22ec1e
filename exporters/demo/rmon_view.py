"""What requests see of a pretend RMON probe that stands before a recording. Read-only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import islice
from typing import Final

from exporters.demo.recording import Recording, decode_varbind, encode_varbind, sort_key
from exporters.demo.responder import View
from exporters.demo.rmon_probe import RMON, RmonProbe
from exporters.demo.rmon_traffic import MODULUS_32
from exporters.errors import WireError
from exporters.wire.ber import Oid, decode_subids, encode_integer_content, encode_subids
from exporters.wire.tags import GAUGE32

_BEHIND_RMON: Final = RMON[:-1] + bytes((RMON[-1] + 1,))


class RmonView:
    """A probe in front of a recording's rows, whose own RMON tables it hides.

    What it counts stands still within a second, so that the rows of one answer fit together.
    """

    def __init__(
        self, behind: View, probe: RmonProbe, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._behind = behind
        self._probe = probe
        self._clock = clock
        self._started_at = clock()
        self._second = -1
        self._tables = Recording.from_varbinds(())
        self._filtered: dict[Oid, dict[tuple[int, ...], int]] = {}

    def row(self, oid: Oid) -> bytes | None:
        """Give the encoded varbind of an OID; None where there is none."""
        if not oid.startswith(RMON):
            return self._behind.row(oid)
        tables = self._now()
        position = tables.position(oid)
        if position is not None:
            return tables.rows[position]
        return self._filtered_row(oid)

    def rows_after(self, oid: Oid, count: int) -> list[bytes]:
        """Give the encoded varbinds behind an OID: *count* of them, fewer at the end."""
        key = sort_key(oid)
        if key >= _BEHIND_RMON or key < RMON:
            rows = self._behind.rows_after(oid, count)
            if key >= _BEHIND_RMON or (len(rows) == count and _key(rows[-1]) < RMON):
                return rows
        tables = self._now()
        start = tables.position_after(oid)
        mine = tables.rows[start : start + count]
        filtered = list(islice(self._filtered_after(oid), count))
        all_rows = merge(self._others_after(oid, count), mine, filtered, key=_key)
        return list(islice(all_rows, count))

    def _others_after(self, oid: Oid, count: int) -> list[bytes]:
        """The recording's rows, with its RMON tables skipped."""
        rows = self._behind.rows_after(oid, count)
        kept = [row for row in rows if not decode_varbind(row)[0].startswith(RMON)]
        if len(kept) < len(rows):
            kept += self._behind.rows_after(_BEHIND_RMON, count - len(kept))
        return kept

    def _now(self) -> Recording:
        elapsed = self._clock() - self._started_at
        if int(elapsed) != self._second:
            self._second = int(elapsed)
            uptime = self._uptime
            self._tables = Recording.from_varbinds(self._probe.varbinds(uptime))
            self._filtered = {
                RMON + encode_subids(map(int, column.split("."))): dict(sorted(rows))
                for column, rows in self._probe.time_filtered(uptime).items()
            }
        return self._tables

    @property
    def _uptime(self) -> float:
        return self._probe.uptime_seconds + self._second

    def _filtered_row(self, oid: Oid) -> bytes | None:
        """The row of a table with a TimeFilter, at any mark that it answers to."""
        for column, rows in self._filtered.items():
            if not oid.startswith(column):
                continue
            try:
                control, mark, *rest = decode_subids(oid[len(column) :])
            except (WireError, ValueError):
                return None
            count = rows.get((control, *rest))
            if count is not None and mark <= self._last_mark:
                content = encode_integer_content(count % MODULUS_32)
                return encode_varbind(oid, GAUGE32, content)
        return None

    @property
    def _last_mark(self) -> int:
        return int(self._uptime * 100) if self._probe.endless else 0

    def _filtered_after(self, oid: Oid) -> Iterator[bytes]:
        """The rows of tables with a TimeFilter behind an OID, mark after mark."""
        for column in sorted(self._filtered, key=sort_key):
            if oid.startswith(column):
                try:
                    asked = decode_subids(oid[len(column) :])
                except WireError:
                    asked = ()
            elif sort_key(column) > sort_key(oid):
                asked = ()
            else:
                continue
            yield from self._column_after(column, asked, self._last_mark)

    def _column_after(self, column: Oid, asked: tuple[int, ...], last_mark: int) -> Iterator[bytes]:
        rows = self._filtered[column]
        for control in sorted({index[0] for index in rows}):
            if asked and control < asked[0]:
                continue
            mark = asked[1] if len(asked) > 1 and control == asked[0] else 0
            for each in range(mark, last_mark + 1):
                for (owner, *rest), count in rows.items():
                    index = (owner, each, *rest)
                    if owner == control and index > asked:
                        content = encode_integer_content(count % MODULUS_32)
                        yield encode_varbind(column + encode_subids(index), GAUGE32, content)


def _key(row: bytes) -> bytes:
    return sort_key(decode_varbind(row)[0])
