"""Hosts, matrix and their reports: tables without end, of which the largest rows are shown.

A probe forgets the hosts it saw longest ago, so that series of all of them come and go without
bound. By default only sizes are served. Whoever asks for a group gets the top rows by octets; a
table that says it is larger than the bound is not read at all, and one that turns out to be is not
shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from exporters.polling.cursor import Value
from exporters.rmon.addresses import split_addresses
from exporters.rmon.interfaces import parse_source, row_source
from exporters.rmon.protocols import protocol_name, read_protocols
from exporters.rmon.reader import Index, Row
from exporters.rmon.row_status import live_entries, live_rows
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    AL_HOST,
    AL_MATRIX,
    HL_HOST_CONTROL,
    HL_MATRIX_CONTROL,
    HOST,
    HOST_CONTROL,
    MATRIX,
    MATRIX_CONTROL,
    NL_HOST,
    NL_MATRIX,
    Table,
)
from exporters.smi.values import integer
from exporters.wire.ber import encode_subids
from exporters.wire.tags import INTEGER_TAGS

_ALL_TIME: Final = (0,)
"""The TimeMark that every row answers to. The walk stays below it: a row answers to each mark up
to its last change, and a walk over marks need not end (RFC 4502, TimeFilter)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One large table: its columns of packets and octets, and how its index reads."""

    name: str
    control: Table
    table: Table
    time_filter: bool
    addresses: int
    protocols: int
    metric: str
    size: Callable[[Row], int | None]

    @property
    def columns(self) -> Sequence[str]:
        wanted = ("in_packets", "out_packets", "in_octets", "out_octets", "packets", "octets")
        return [name for name in wanted if name in self.table.columns]


def _entries(row: Row) -> int | None:
    return row.counter("size")


def _difference(which: str) -> Callable[[Row], int | None]:
    def size(row: Row) -> int | None:
        inserts, deletes = row.counter(f"{which}_inserts"), row.counter(f"{which}_deletes")
        if inserts is None or deletes is None:
            return None
        return (inserts - deletes) % 2**32

    return size


_NL, _AL = _difference("nl"), _difference("al")
_KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _Kind("hosts", HOST_CONTROL, HOST, False, 1, 0, "rmon_host", _entries),
            _Kind("matrix", MATRIX_CONTROL, MATRIX, False, 2, 0, "rmon_matrix", _entries),
            _Kind("nl_host", HL_HOST_CONTROL, NL_HOST, True, 1, 1, "rmon2_host", _NL),
            _Kind("al_host", HL_HOST_CONTROL, AL_HOST, True, 1, 2, "rmon2_host", _AL),
            _Kind("nl_matrix", HL_MATRIX_CONTROL, NL_MATRIX, True, 2, 1, "rmon2_conversation", _NL),
            _Kind("al_matrix", HL_MATRIX_CONTROL, AL_MATRIX, True, 2, 2, "rmon2_conversation", _AL),
        )
    }
)


async def write_table_sizes(scrape: Scrape) -> None:
    """Write how large the tables are, which costs their control rows alone."""
    add = scrape.samples.add
    for table, metric in (
        (HOST_CONTROL, "rmon_host_table_size"),
        (MATRIX_CONTROL, "rmon_matrix_table_size"),
    ):
        for row in live_entries(scrape.rows(table)):
            add(metric, scrape.interface_labels(row, row_source(row)), row.counter("size"))
    for table, word in ((HL_HOST_CONTROL, "host"), (HL_MATRIX_CONTROL, "matrix")):
        for row in live_rows(scrape.rows(table)):
            labels = scrape.interface_labels(row, row_source(row))
            for layer in ("nl", "al"):
                layers = {**labels, "layer": layer}
                add(f"rmon2_{word}_table_size", layers, _difference(layer)(row))
                dropped = row.counter(f"{layer}_dropped")
                add(f"rmon2_{word}_dropped_frames_total", layers, dropped)


def writer(group: str) -> Callable[[Scrape], Awaitable[None]]:
    """Give what writes the top rows of a large table."""
    kind = _KINDS[group]

    async def write(scrape: Scrape) -> None:
        await _write(scrape, kind)

    return write


def tables(group: str) -> tuple[Table, ...]:
    """The control table that a large group needs."""
    return (_KINDS[group].control,)


async def _write(scrape: Scrape, kind: _Kind) -> None:
    rows = scrape.rows(kind.control)
    live = live_rows(rows) if kind.time_filter else live_entries(rows)
    if kind.protocols and live:
        await read_protocols(scrape)
    for control in live:
        if scrape.reader.stopped:
            return
        size = kind.size(control)
        if size is not None and size > scrape.bounds.rows:
            scrape.findings[f"{kind.name}_too_large"] += 1
            continue
        await _write_control(scrape, kind, control)


async def _write_control(scrape: Scrape, kind: _Kind, control: Row) -> None:
    prefix = control.index + (_ALL_TIME if kind.time_filter else ())
    most = scrape.bounds.rows + 1  # an agent need not have as few rows as it says
    ranges = {
        name: kind.table.part(name, encode_subids(prefix), most=most) for name in kind.columns
    }
    cells = await scrape.reader.parts(list(ranges.values()))
    if any(len(found) > scrape.bounds.rows for found in cells.values()):
        scrape.findings[f"{kind.name}_too_large"] += 1
        return
    counts = {name: _numbers(cells[item.root]) for name, item in ranges.items()}
    octets: dict[Index, int] = {}
    for name in ("in_octets", "out_octets", "octets"):
        for index, count in counts.get(name, {}).items():
            octets[index] = octets.get(index, 0) + count
    largest = sorted(octets, key=lambda index: (-octets[index], index))
    source = parse_source(control.oid("data_source"))
    labels = scrape.interface_labels(control, source)
    for index in largest[: scrape.bounds.top]:
        about = _about(scrape, kind, index)
        if about is not None:
            _write_row(scrape, kind, {**labels, **about}, index, counts)
    left = max(0, len(largest) - scrape.bounds.top)
    scrape.samples.add("rmon_rows_not_shown", {**labels, "group": kind.name}, left)


def _write_row(
    scrape: Scrape,
    kind: _Kind,
    labels: Mapping[str, str],
    index: Index,
    counts: Mapping[str, Mapping[Index, int]],
) -> None:
    for unit, word in (("packets", "packets"), ("octets", "bytes")):
        metric = f"{kind.metric}_{word}_total"
        for way in ("in", "out"):
            count = counts.get(f"{way}_{unit}", {}).get(index)
            scrape.samples.add(metric, {**labels, "direction": way}, count)
        scrape.samples.add(metric, labels, counts.get(unit, {}).get(index))


def _about(scrape: Scrape, kind: _Kind, index: Index) -> dict[str, str] | None:
    """Read addresses and protocols out of an index; None for one that cannot be read."""
    try:
        numbers = list(index)
        protocols = [str(numbers.pop(0))] if kind.protocols else []
        addresses = split_addresses(numbers, kind.addresses)
        protocols += [str(numbers.pop(0))] if kind.protocols == 2 else []
    except (IndexError, ValueError):
        scrape.reader.unexpected += 1
        return None
    about = {"layer": kind.name[:2]} if kind.protocols else {}
    if kind.protocols:
        about["protocol"] = protocol_name(scrape, int(protocols[-1]))
    names = ("address",) if kind.addresses == 1 else ("src", "dst")
    return about | dict(zip(names, addresses, strict=True))


def _numbers(cells: Mapping[Index, Value]) -> dict[Index, int]:
    return {
        index: integer(*value) & 0xFFFFFFFF
        for index, value in cells.items()
        if value[0] in INTEGER_TAGS
    }
