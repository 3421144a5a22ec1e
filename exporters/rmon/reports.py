"""Reports that a device makes by itself: hostTopN, the TopN of matrix tables, interfaceTopN.

A rate in them is the amount of change within the window of the report, not by the second. Reports
of hosts and interfaces are made once for each request, which is a write: here they are read where
they exist. Those of the matrix tables repeat themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exporters.rmon.addresses import address_text
from exporters.rmon.interface_top_variables import variable_name
from exporters.rmon.interfaces import Source, row_source
from exporters.rmon.protocols import protocol_name, read_protocols
from exporters.rmon.reader import Row
from exporters.rmon.row_status import live_entries, live_rows
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    AL_TOP,
    AL_TOP_CONTROL,
    HL_MATRIX_CONTROL,
    HOST_CONTROL,
    HOST_TOP,
    HOST_TOP_CONTROL,
    INTERFACE_TOP,
    INTERFACE_TOP_CONTROL,
    NL_TOP,
    NL_TOP_CONTROL,
    Table,
)

_RATE_BASES: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        1: ("in_packets", "packets"),
        2: ("out_packets", "packets"),
        3: ("in_octets", "bytes"),
        4: ("out_octets", "bytes"),
        5: ("out_errors", "packets"),
        6: ("out_broadcast", "packets"),
        7: ("out_multicast", "packets"),
    }
)
_TOP_TABLES: Final[Mapping[str, tuple[Table, Table]]] = MappingProxyType(
    {"nl": (NL_TOP_CONTROL, NL_TOP), "al": (AL_TOP_CONTROL, AL_TOP)}
)
_SAMPLE_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {1: "absolute", 2: "delta", 3: "bandwidthPercentage"}
)


async def write_host_reports(scrape: Scrape) -> None:
    """Write finished hostTopN reports, by rank of the device."""
    for control in live_entries(scrape.rows(HOST_TOP_CONTROL)):
        duration = control.counter("duration")
        base = _RATE_BASES.get(control.number("rate_base") or 0)
        if not duration or base is None or control.counter("remaining"):
            continue
        host = scrape.row(HOST_CONTROL, (control.counter("host_index") or 0,))
        labels = scrape.interface_labels(
            control, row_source(host) if host.cells else Source("none")
        )
        for row in _ranked(scrape, HOST_TOP, control):
            address = address_text(row.octets("address"))
            rate = row.counter("rate")
            scrape.samples.add(
                f"rmon_host_top_{base[1]}_per_second",
                {**labels, "rank_base": base[0], "address": address},
                None if rate is None else rate / duration,
            )


async def write_conversation_reports(scrape: Scrape, layer: str) -> None:
    """Write the reports of a matrix table: ``nl`` of networks, ``al`` of applications."""
    controls, table = _TOP_TABLES[layer]
    rows = live_rows(scrape.rows(controls))
    if rows:
        await read_protocols(scrape)
    for control in rows:
        _write_conversations(scrape, layer, control, table)


def _write_conversations(scrape: Scrape, layer: str, control: Row, table: Table) -> None:
    matrix = scrape.row(HL_MATRIX_CONTROL, (control.counter("matrix_index") or 0,))
    source = row_source(matrix) if matrix.cells else Source("none")
    labels = {**scrape.interface_labels(control, source), "layer": layer}
    reports = control.counter("reports")
    scrape.samples.add("rmon2_conversation_reports_total", labels, reports)
    duration = control.counter("duration")
    if not duration:
        return
    for row in _ranked(scrape, table, control):
        protocol = row.counter("application" if layer == "al" else "protocol") or 0
        about = {
            "src": address_text(row.octets("source")),
            "dst": address_text(row.octets("destination")),
            "protocol": protocol_name(scrape, protocol),
        }
        for name, unit in (("packets", "packets"), ("octets", "bytes")):
            amount = row.counter(name)
            rate = None if amount is None else amount / duration
            metric = f"rmon2_conversation_top_{unit}_per_second"
            scrape.samples.add(metric, {**labels, **about}, rate)


async def write_interface_reports(scrape: Scrape) -> None:
    """Write the reports of interfaceTopN."""
    for control in live_rows(scrape.rows(INTERFACE_TOP_CONTROL)):
        kind = control.number("sample_type") or 0
        labels = {
            "rmon_index": str(control.index[0]),
            "variable": variable_name(control.number("variable")),
            "sample_type": _SAMPLE_TYPES.get(kind, f"unknown({kind})"),
        }
        completed = control.counter("completed")
        if completed:
            at = scrape.memory.boot.timestamp(completed)
            scrape.samples.add("rmon_interface_top_completed_timestamp_seconds", labels, at)
        for row in _ranked(scrape, INTERFACE_TOP, control):
            interface = scrape.interfaces.labels(Source("interface", row.counter("if_index") or 0))
            # Whichever of the two a variable does not have says 0.
            values = (row.counter("value"), row.counter("value_hc"))
            value = max((value for value in values if value is not None), default=None)
            scrape.samples.add("rmon_interface_top_value", {**labels, **interface}, value)


def _ranked(scrape: Scrape, table: Table, control: Row) -> list[Row]:
    """The rows of one report, by rank, no more than are shown."""
    rows = [
        row
        for row in scrape.rows(table).values()
        if len(row.index) == 2 and row.index[0] == control.index[0]
    ]
    return sorted(rows, key=lambda row: row.index)[: scrape.bounds.top]
