"""SMON: statistics of VLANs and priorities, and the watch over mirror ports.

Source: RFC 2613. Agents serve statistics of VLANs without any control row for them; those are taken
to be about the whole device.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exporters.rmon.interfaces import Source, parse_source, row_source
from exporters.rmon.reader import Row, Rows, combine
from exporters.rmon.row_status import row_status
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    PORT_COPY,
    PRIORITY_CONTROL,
    PRIORITY_STATS,
    SOURCE_CAPS,
    VLAN_CONTROL,
    VLAN_STATS,
    Table,
)
from exporters.wire.ber import encode_subids

_DIRECTIONS: Final[Mapping[int, str]] = MappingProxyType({1: "rx", 2: "tx", 3: "both"})


async def write_vlans(scrape: Scrape) -> None:
    """Write what is counted by VLAN."""
    metrics = {
        "packets": "rmon_vlan_packets_total",
        "octets": "rmon_vlan_bytes_total",
        "nucast": "rmon_vlan_nonunicast_packets_total",
        "nucast_octets": "rmon_vlan_nonunicast_bytes_total",
    }
    await _write(scrape, VLAN_CONTROL, VLAN_STATS, "vlan", metrics)


async def write_priorities(scrape: Scrape) -> None:
    """Write what is counted by priority."""
    metrics = {"packets": "rmon_priority_packets_total", "octets": "rmon_priority_bytes_total"}
    await _write(scrape, PRIORITY_CONTROL, PRIORITY_STATS, "priority", metrics)


async def write_port_copies(scrape: Scrape) -> None:
    """Write which ports are mirrored, and once for each mirror port what it has lost."""
    add = scrape.samples.add
    lost: dict[int, int] = {}
    for row in scrape.rows(PORT_COPY).values():
        if len(row.index) != 2:
            continue
        source, destination = row.index
        number = row.number("direction")
        labels = {
            "src": _port(scrape, source),
            "dst": _port(scrape, destination),
            "src_if_index": str(source),
            "dst_if_index": str(destination),
            "direction": "" if number is None else _DIRECTIONS.get(number, f"unknown({number})"),
            "status": row_status(row),
        }
        add("rmon_mirror_session", labels, 1)
        drops = row.counter("drops")
        if drops is not None:
            lost[destination] = max(drops, lost.get(destination, 0))
    for destination, drops in lost.items():
        labels = {"dst": _port(scrape, destination), "dst_if_index": str(destination)}
        add("rmon_mirror_dest_drop_events_total", labels, drops)


async def _write(
    scrape: Scrape, control: Table, stats: Table, label: str, metrics: Mapping[str, str]
) -> None:
    interfaces = vlan_interfaces(scrape)
    low = await _without_64_bit(scrape, stats, metrics)
    for index in scrape.rows(stats).keys() | low.keys():
        if len(index) != 2:
            continue
        row = scrape.row(stats, index)
        owner = scrape.rows(control).get(row.index[:1])
        if owner is None:
            source = Source("none")
            scrape.findings["smon_control_missing"] += 1
        elif owner.number("status") in (2, 3, 4, 5, 6):
            continue
        else:
            source = row_source(owner)
        if source.kind == "vlan" and source.number in interfaces:
            source = Source("interface", interfaces[source.number], source.oid)
        labels = {
            "rmon_index": str(row.index[0]),
            label: str(row.index[1]),
            **scrape.interfaces.labels(source),
        }
        for name, metric in metrics.items():
            scrape.samples.add(metric, labels, _count(row, low.get(row.index), name))


def _count(row: Row, low: Row | None, name: str) -> int | None:
    high = row.counter(f"{name}_hc")
    if high is not None or low is None:
        return high
    return combine(low.counter(name), low.counter(f"{name}_overflow"), None)


async def _without_64_bit(scrape: Scrape, stats: Table, names: Mapping[str, str]) -> Rows:
    """Read 32-bit counts and their overflows where there is no 64-bit one."""
    if scrape.rows(stats):
        return {}
    columns = [column for name in names for column in (name, f"{name}_overflow")]
    return (await scrape.reader.tables(stats, only={stats.entry: columns}))[stats.entry]


def vlan_interfaces(scrape: Scrape) -> dict[int, int]:
    """The interfaces that stand for VLANs, by VLAN (dataSourceCapsIfIndex).

    The index is the whole OID of the data source, without a length before it (IMPLIED).
    """
    found: dict[int, int] = {}
    for row in scrape.rows(SOURCE_CAPS).values():
        number = row.counter("if_index")
        if not number or row.index[:2] != (1, 3):
            continue
        source = parse_source(b"\x2b" + encode_subids(row.index[2:]))
        if source.kind == "vlan":
            found[source.number] = number
    return found


def _port(scrape: Scrape, index: int) -> str:
    return scrape.interfaces.get(index).name or str(index)
