"""Reads what is new in etherHistoryTable, by cursor and GET; never by a walk of the table.

The table turns while it is walked: a column-wise walk tears its rows, and costs tens of thousands
of varbinds. Here each control row has a cursor, its last complete bucket. One column is read from
there on, which names the new buckets and proves that the old one is still the same; then the cells
of the new ones are fetched by name.

At first contact the oldest bucket and the number of buckets granted tell where the newest must be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from exporters.errors import WireError
from exporters.rmon.buckets import COUNTS, Bucket
from exporters.rmon.history_totals import ControlHistory
from exporters.rmon.reader import Reader, Row, is_64_bit
from exporters.rmon.tables import ETHER_HISTORY, ETHER_HISTORY_HC
from exporters.smi.values import integer
from exporters.wire.ber import decode_subids, encode_subids
from exporters.wire.tags import INTEGER_TAGS

_CELLS: Final = ("octets", *COUNTS, "utilization")
_HC_CELLS: Final = ("octets", "packets")
_NEEDED: Final = frozenset({"octets", "packets"})
_MARGIN: Final = 4
_MOST_NAMED: Final = 65_535
"""What historyControlBucketsGranted may say at most."""
_MOST_NEW: Final = 512
"""Buckets of one row that are fetched at once; older ones count as missed."""

Samples = list[tuple[int, int]]
"""Sample index and IntervalStart of buckets, in order."""


class HistoryReader:
    """Reads for one scrape; *states* are the control rows that are alive."""

    def __init__(
        self, reader: Reader, states: Mapping[int, ControlHistory], granted: Mapping[int, int]
    ) -> None:
        self._reader = reader
        self._states = states
        self._granted = granted
        self._earlier: dict[int, Samples] = {}
        """At first contact: the bucket before the newest of each row."""
        self.torn = 0
        self.has_64_bit = False

    async def new_samples(self, *, restarted: bool) -> dict[int, Samples]:
        """Name the buckets behind each cursor; begins epochs where rows do not go on."""
        asked = {
            control: state.last.sample - 1
            for control, state in self._states.items()
            if state.last is not None
        }
        found = await self._behind(asked)
        begun: list[int] = []
        fresh: list[int] = []
        for control, state in self._states.items():
            if state.last is None:
                (begun if state.restarts else fresh).append(control)
            elif state.continues(found[control], restarted=restarted):
                last = state.last.sample
                found[control] = [item for item in found[control] if item[0] > last]
            elif self._is_incomplete(control):
                found[control] = []  # nothing was heard, which says nothing of the buckets
            else:
                state.begin_epoch()
                begun.append(control)
        found.update(await self._behind(await self._near_the_end(fresh)))
        # After a restart every bucket is new, not the newest alone.
        found.update(await self._behind(dict.fromkeys(begun, 0)))
        missing = [control for control in fresh if not found.get(control)]
        found.update(await self._behind(dict.fromkeys(missing, 0)) if missing else {})
        for control in fresh:
            samples = [] if self._is_incomplete(control) else found.get(control, [])
            self._earlier[control], found[control] = samples[-2:-1], samples[-1:]
        return {control: samples[-_MOST_NEW:] for control, samples in found.items() if samples}

    async def fetch(
        self, wanted: Mapping[int, Samples], *, ask_64_bit: bool
    ) -> dict[int, list[Bucket]]:
        """GET the buckets that are *wanted*; gives the complete ones of each row, in order."""
        places = [(control, *item) for control, samples in wanted.items() for item in samples]
        rows = await self._get(places)
        # Nothing is known of the columns of a device at first: one more bucket tells.
        doubted = {
            control
            for (control, _, _), row in zip(places, rows, strict=True)
            if control in self._earlier and len(row.cells) < len(_CELLS)
        }
        before = [(control, *item) for control in doubted for item in self._earlier[control]]
        rows = [*await self._get(before), *rows]
        places = [*before, *places]
        high: Sequence[Row | None] = [None] * len(places)
        if ask_64_bit:
            high = await self._reader.rows(
                [(ETHER_HISTORY_HC, (control, sample), _HC_CELLS) for control, sample, _ in places]
            )
        found: dict[int, list[Bucket]] = {}
        columns: dict[int, frozenset[str]] = {
            control: state.columns | _NEEDED for control, state in self._states.items()
        }
        for (control, _, _), row in zip(places, rows, strict=True):
            columns[control] |= row.cells.keys()
        torn: set[int] = set()
        for (control, sample, start), row, wide in zip(places, rows, high, strict=True):
            if not columns[control] <= row.cells.keys():
                torn.add(control)
                self.torn += 1
            elif control not in torn:  # what follows a torn one is read again with it
                found.setdefault(control, []).append(self._bucket(sample, start, row, wide))
        for control in found:
            self._states[control].columns = columns[control]
        return found

    async def _get(self, places: Sequence[tuple[int, int, int]]) -> list[Row]:
        return await self._reader.rows(
            [(ETHER_HISTORY, (control, sample), _CELLS) for control, sample, _ in places]
        )

    def _bucket(self, sample: int, start: int, row: Row, wide: Row | None) -> Bucket:
        counts = {name: row.counter(name) or 0 for name in COUNTS}
        octets, has_64_bit = row.counter("octets") or 0, False
        if wide is not None and is_64_bit(wide.cells.get("octets")):
            self.has_64_bit = has_64_bit = True
            octets = wide.counter("octets") or 0
            counts["packets"] = wide.counter("packets") or counts["packets"]
        return Bucket(
            sample,
            start,
            octets,
            has_64_bit,
            MappingProxyType(counts),
            row.number("utilization"),
        )

    def _is_incomplete(self, control: int) -> bool:
        """Whether reading which buckets there are has failed."""
        root = ETHER_HISTORY.column("start") + encode_subids((control,))
        return root in self._reader.total.incomplete

    async def _near_the_end(self, controls: Sequence[int]) -> dict[int, int]:
        """Tell behind which sample the newest of each row must be: one question a row."""
        prefix = ETHER_HISTORY.column("start")
        roots = [prefix + encode_subids((control,)) for control in controls]
        near: dict[int, int] = {}
        answers = await self._reader.following(roots)
        for control, root, answer in zip(controls, roots, answers, strict=True):
            if answer is None or not answer[0].startswith(root):
                continue
            try:
                (oldest,) = decode_subids(answer[0][len(root) :])
            except (WireError, ValueError):
                continue
            near[control] = oldest + max(0, self._granted.get(control, 0) - _MARGIN) - 1
        return near

    async def _behind(self, asked: Mapping[int, int]) -> dict[int, Samples]:
        """Read which buckets there are behind a sample index of each row."""
        ranges = {
            control: ETHER_HISTORY.part(
                "start", encode_subids((control,)), encode_subids((max(0, sample),)), _MOST_NAMED
            )
            for control, sample in asked.items()
        }
        cells = await self._reader.parts(list(ranges.values()), expected=_MARGIN)
        found: dict[int, Samples] = {}
        for control, item in ranges.items():
            found[control] = sorted(
                (index[0], integer(*value))
                for index, value in cells[item.root].items()
                if len(index) == 1 and value[0] in INTEGER_TAGS
            )
        return found
