"""etherStatsTable with its additions of RMON2 and HC-RMON, and mediaIndependentTable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from exporters.rmon.direction import PortCounts
from exporters.rmon.interfaces import Source, row_source
from exporters.rmon.reader import Row, combine
from exporters.rmon.row_status import entry_status, live_entries, live_rows
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import ETHER_STATS, ETHER_STATS_2, ETHER_STATS_HC, MEDIA_INDEPENDENT

_SIZES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "size_64": "64",
        "size_65": "65-127",
        "size_128": "128-255",
        "size_256": "256-511",
        "size_512": "512-1023",
        "size_1024": "1024-1518",
    }
)
_IRREGULAR: Final = ("crc_align", "undersize", "oversize", "fragment", "jabber")
_PLAIN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "drop_events": "rmon_ether_drop_events_total",
        "broadcast": "rmon_ether_broadcast_packets_total",
        "multicast": "rmon_ether_multicast_packets_total",
        "collisions": "rmon_ether_collisions_total",
    }
)
_MOST_SKEW: Final = 1 << 28
_HALF_DUPLEX: Final = 1
_FULL_DUPLEX: Final = 2
_INDEX_AND_STATE: Final = frozenset({"data_source", "owner", "status"})


async def write_statistics(scrape: Scrape) -> None:
    """Write both tables, and learn which way the device counts."""
    await _read_overflows(scrape)
    ports: dict[int, PortCounts] = {}
    for row, source in ether_rows(scrape):
        labels = scrape.interface_labels(row, source)
        high = scrape.row(ETHER_STATS_HC, row.index)
        _write_ether(scrape, row, high, labels, source)
        counts = _port_counts(scrape, row, high, source)
        if counts is not None:
            ports[row.index[0]] = counts
    detector = scrape.memory.direction
    detector.note(ports)
    if scrape.configured.get("statistics"):
        scrape.samples.add(
            "rmon_ether_direction_info",
            {"packets": detector.packets, "sizes": detector.sizes},
            1,
        )
    _write_media(scrape)


def ether_rows(scrape: Scrape) -> Iterator[tuple[Row, Source]]:
    """The rows that are alive and count something; agents list rows of nothing but an index."""
    for row in live_entries(scrape.rows(ETHER_STATS)):
        if row.cells.keys() <= _INDEX_AND_STATE:
            scrape.findings["rows_without_counters"] += 1
            continue
        yield row, row_source(row)


def _write_ether(
    scrape: Scrape, row: Row, high: Row, labels: Mapping[str, str], source: Source
) -> None:
    add = scrape.samples.add
    status = entry_status(row)
    scrape.findings["status_unknown"] += status.startswith("unknown")
    interface = scrape.interfaces.of(source)
    alias = interface.alias if interface is not None else ""
    info = {"owner": row.text("owner"), "data_source": source.text, "status": status}
    add("rmon_ether_info", {**labels, **info, "if_alias": alias}, 1)
    octets, packets = _wide(row, high, "octets"), _wide(row, high, "packets")
    add("rmon_ether_bytes_total", labels, octets)
    add("rmon_ether_packets_total", labels, packets)
    for name, metric in _PLAIN.items():
        add(metric, labels, row.counter(name))
    for name in _IRREGULAR:
        add("rmon_ether_irregular_packets_total", {**labels, "kind": name}, row.counter(name))
    for name, size in _SIZES.items():
        count = _wide(row, high, name)
        add("rmon_ether_size_packets_total", {**labels, "size": size}, count)
    more = scrape.row(ETHER_STATS_2, row.index)
    add("rmon_ether_dropped_frames_total", labels, more.counter("dropped_frames"))
    created = more.counter("create_time")
    if created is not None:
        at = scrape.memory.boot.timestamp(created)
        add("rmon_ether_create_timestamp_seconds", labels, at)
    _check(scrape, row, high)


def _check(scrape: Scrape, row: Row, high: Row) -> None:
    """Count what contradicts itself."""
    wide, low = high.counter("octets"), row.counter("octets")
    if wide is not None and low is not None:
        # The columns are read one after another, so that the counts may differ by some packets.
        apart = (wide - low) % 2**32
        scrape.findings["high_capacity_mismatch"] += min(apart, 2**32 - apart) > _MOST_SKEW


async def _read_overflows(scrape: Scrape) -> None:
    """Where there are no 64-bit counts, the 32-bit ones may have counts of their overflows."""
    if scrape.rows(ETHER_STATS_HC) or not scrape.rows(ETHER_STATS):
        return
    only = {ETHER_STATS_HC.entry: ("packets_overflow", "octets_overflow")}
    scrape.tables.update(await scrape.reader.tables(ETHER_STATS_HC, only=only))


def _wide(row: Row, high: Row, name: str) -> int | None:
    return combine(row.counter(name), high.counter(f"{name}_overflow"), high.counter(name))


def _port_counts(scrape: Scrape, row: Row, high: Row, source: Source) -> PortCounts | None:
    interface = scrape.interfaces.of(source)
    packets = _wide(row, high, "packets")
    sizes = [_wide(row, high, name) for name in _SIZES]
    known = [size for size in sizes if size is not None]
    if interface is None or packets is None or len(known) != len(sizes):
        return None
    if interface.packets_in is None or interface.packets_out is None:
        return None
    return PortCounts(packets, sum(known), interface.packets_in, interface.packets_out)


def _write_media(scrape: Scrape) -> None:
    add = scrape.samples.add
    for row in live_rows(scrape.rows(MEDIA_INDEPENDENT)):
        labels = scrape.interface_labels(row, row_source(row))
        add("rmon_media_dropped_frames_total", labels, row.counter("dropped_frames"))
        add("rmon_media_drop_events_total", labels, row.counter("drop_events"))
        add("rmon_media_duplex_changes_total", labels, row.counter("duplex_changes"))
        duplex = row.number("duplex")
        full = {_HALF_DUPLEX: 0, _FULL_DUPLEX: 1}.get(duplex or 0)
        add("rmon_media_full_duplex", labels, full)
        for way in ("in", "out"):
            both = {**labels, "direction": way}
            add("rmon_media_packets_total", both, row.counter(f"{way}_packets"))
            add("rmon_media_bytes_total", both, row.counter(f"{way}_octets"))
            add("rmon_media_nonunicast_packets_total", both, row.counter(f"{way}_nucast"))
            add("rmon_media_errors_total", both, row.counter(f"{way}_errors"))
            kilobits = row.counter(f"{way}_speed")
            speed = None if kilobits is None else kilobits * 125
            add("rmon_media_speed_bytes_per_second", both, speed)
