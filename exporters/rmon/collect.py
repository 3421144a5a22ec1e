"""One scrape of one target over an open session, from its first question to its samples.

Four steps: sysUpTime and what the device claims; the rows of all groups, side by side; the
interfaces that they are about; and what each group reads and writes by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporters.errors import TargetError
from exporters.polling.walk import Walker
from exporters.rmon import alarms
from exporters.rmon.capability import supported, write_capabilities
from exporters.rmon.direction import MOST_VOTERS
from exporters.rmon.families import Samples
from exporters.rmon.groups import GROUPS, Group, columns_of
from exporters.rmon.interfaces import row_source
from exporters.rmon.memory import TargetMemory
from exporters.rmon.reader import Reader
from exporters.rmon.scrape import Bounds, Scrape
from exporters.rmon.smon import vlan_interfaces
from exporters.rmon.stray_columns import count_strays
from exporters.rmon.tables import (
    CHANNEL,
    ETHER_STATS,
    INTERFACE_TOP,
    PORT_COPY,
    PROBE_CAPABILITIES,
    SMON_CAPABILITIES,
    SYS_UP_TIME,
    VLAN_STATS,
    Table,
)
from exporters.smi.values import integer
from exporters.sockets.snmp_session import Traffic
from exporters.wire.ber import Oid
from exporters.wire.tags import INTEGER_TAGS

_CLAIMS: Final = (PROBE_CAPABILITIES, SMON_CAPABILITIES)
_MOST_RANGES: Final = 20_000
"""Ranges whose numbers of rows are remembered; an agent that makes up indexes has more."""
CHECKS: Final = (
    "source_unresolved",
    "rows_without_counters",
    "status_unknown",
    "high_capacity_mismatch",
    "history_interval_impossible",
    "history_bucket_torn",
    "history_without_buckets",
    "history_octets_wrapped",
    "utilization_reported_wrong",
    "alarm_unwired",
    "alarm_thresholds_inverted",
    "alarm_dead_variable",
    "alarm_invalid",
    "alarm_value_out_of_range",
    "capture_buffer_present",
    "table_too_large",
    "smon_control_missing",
    "user_history_not_available",
    *(f"{name}_too_large" for name, group in GROUPS.items() if group.large),
)
"""Everything that is looked for; each has a series, whether anything was found or not."""


@dataclass(slots=True)
class Outcome:
    """How reading a target went; times in seconds."""

    failures: list[TargetError] = field(default_factory=list)
    answered: bool = False
    varbinds: int = 0
    seconds: float = 0.0
    traffic: Traffic = field(default_factory=Traffic)
    samples: Samples = field(default_factory=Samples)


async def collect(
    walker: Walker,
    row_counts: dict[Oid, int],
    memory: TargetMemory,
    groups: Sequence[str],
    bounds: Bounds,
    *,
    now: float,
) -> Outcome:
    """Read *groups*; what goes wrong with the target is in the outcome."""
    if len(row_counts) > _MOST_RANGES:
        row_counts.clear()  # they save packets, and no more
    reader = Reader(walker, row_counts, bounds.rows)
    scrape = Scrape(reader, memory, bounds, now=now)
    asked = {name: GROUPS[name] for name in groups}
    scalars = [oid for group in asked.values() for oid in group.scalars]
    scrape.scalars = await reader.instances([SYS_UP_TIME, *_CLAIMS, *scalars])
    if not reader.total.failures or scrape.scalars:
        await _read_and_write(scrape, asked)
    return Outcome(
        failures=list(reader.total.failures),
        answered=bool(reader.total.varbinds) or not reader.total.failures,
        varbinds=reader.total.varbinds,
        samples=scrape.samples,
    )


async def _read_and_write(scrape: Scrape, asked: Mapping[str, Group]) -> None:
    _note_uptime(scrape)
    claims = {name: supported(group, scrape.scalars) for name, group in asked.items()}
    groups = {name: group for name, group in asked.items() if claims[name] is not False}
    await _read_tables(scrape, groups)
    for name, group in groups.items():
        scrape.configured[name] = any(scrape.rows(table) for table in group.evidence)
    voters = _voters(scrape) if "statistics" in groups else ()
    await scrape.interfaces.load(scrape.reader, _wanted(scrape), voters)
    for group in groups.values():
        await group.write(scrape)
    write_capabilities(scrape, asked, claims)
    await _write_quality(scrape)


def _note_uptime(scrape: Scrape) -> None:
    boot = scrape.memory.boot
    value = scrape.scalars.get(SYS_UP_TIME)
    if value is None or value[0] not in INTEGER_TAGS:
        return
    scrape.restarted = boot.note(integer(*value), scrape.now)
    if scrape.restarted:
        scrape.memory.direction.forget_counts()
        scrape.memory.history_is_64_bit = None  # it may have other software now
        scrape.memory.strays_checked = False
    scrape.samples.add("rmon_uptime_seconds", {}, boot.uptime_seconds)
    scrape.samples.add("rmon_boot_timestamp_seconds", {}, round(boot.boot_timestamp, 2))


async def _read_tables(scrape: Scrape, groups: Mapping[str, Group]) -> None:
    tables: dict[Oid, Table] = {
        table.entry: table for group in groups.values() for table in group.tables
    }
    only = {entry: sorted(names) for entry, names in columns_of(groups).items()}
    scrape.tables = await scrape.reader.tables(*tables.values(), only=only)


def _wanted(scrape: Scrape) -> Iterator[int]:
    """The interfaces that the rows are about."""
    for rows in scrape.tables.values():
        for row in rows.values():
            if "data_source" in row:
                source = row_source(row)
                if source.kind == "interface":
                    yield source.number
    for row in scrape.rows(ETHER_STATS).values():
        yield row_source(row).number
    for alarm in alarms.alarms(scrape):
        yield alarms.alarm_source(scrape, alarm.variable)[1].number
    for row in scrape.rows(PORT_COPY).values():
        yield from row.index
    for table in (CHANNEL, INTERFACE_TOP):
        for row in scrape.rows(table).values():
            yield row.counter("if_index") or 0
    if scrape.rows(VLAN_STATS):
        yield from vlan_interfaces(scrape).values()


def _voters(scrape: Scrape) -> Collection[int]:
    """The interfaces whose counts tell which way the device counts: the busiest are enough."""
    if scrape.memory.direction.decided:
        return ()
    rows = list(scrape.rows(ETHER_STATS).values())
    rows.sort(key=lambda row: row.counter("packets") or 0, reverse=True)
    return {row_source(row).number for row in rows[:MOST_VOTERS]}


async def _write_quality(scrape: Scrape) -> None:
    memory = scrape.memory
    if not memory.strays_checked:
        memory.unexpected += await count_strays(scrape.reader)
        memory.strays_checked = True
    memory.unexpected += scrape.reader.unexpected
    scrape.findings["table_too_large"] = scrape.reader.too_large
    scrape.samples.add("rmon_decode_unexpected_total", {}, memory.unexpected)
    for check in CHECKS:
        scrape.samples.add("rmon_data_quality", {"check": check}, scrape.findings[check])
