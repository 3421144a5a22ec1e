"""alarmTable and hcAlarmTable, and what is wrong with how they are configured.

A device that has lost an alarm's variable, or has an alarm that no event follows from, looks
healthy and never says anything again; that is what the lint is for.

Sources: RFC 2819 (alarmTable), RFC 3434 (hcAlarmTable), JUNIPER-RMON-MIB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from exporters.errors import WireError
from exporters.rmon.interfaces import Source, parse_source
from exporters.rmon.reader import Row
from exporters.rmon.row_status import entry_status, row_status
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    ALARM,
    ETHER_STATS,
    ETHER_STATS_HC,
    EVENT,
    HC_ALARM,
    IF,
    IFX,
    JUNIPER_ALARM,
    Table,
)
from exporters.wire.ber import Oid, decode_subids, format_oid

_STARTUP: Final[Mapping[int, str]] = MappingProxyType({1: "rising", 2: "falling", 3: "either"})
_SAMPLE_TYPE: Final[Mapping[int, str]] = MappingProxyType({1: "absolute", 2: "delta"})
_POSITIVE: Final = 2
_NEGATIVE: Final = 3


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of either table, as numbers."""

    row: Row
    hc: bool
    value: int | None
    rising: int | None
    falling: int | None

    @property
    def variable(self) -> Oid:
        """The instance that is sampled."""
        return self.row.oid("variable")

    @property
    def alive(self) -> bool:
        """Whether the row's state is the one in which it samples."""
        return self.hc or self.row.number("status") not in (2, 3, 4)

    @property
    def events(self) -> tuple[int, int]:
        """The events of rising and of falling, 0 for none."""
        return self.row.counter("rising_event") or 0, self.row.counter("falling_event") or 0


def alarms(scrape: Scrape) -> Iterator[Alarm]:
    """The alarms of both tables that have a variable; rows that are being made are left out."""
    for row in scrape.rows(ALARM).values():
        if row.number("status") not in (2, 3) and row.oid("variable"):
            thresholds = row.number("rising_threshold"), row.number("falling_threshold")
            yield Alarm(row, False, row.number("value"), *thresholds)
    for row in scrape.rows(HC_ALARM).values():
        if row.number("status") not in (2, 3, 4, 5, 6) and row.oid("variable"):
            value = _signed(row.counter("value"), row.number("value_status"))
            yield Alarm(row, True, value, _threshold(row, "rising"), _threshold(row, "falling"))


def alarm_source(scrape: Scrape, variable: Oid) -> tuple[str, Source]:
    """Name the column that an alarm samples, as far as it is known here, and its interface."""
    for table in (ETHER_STATS, ETHER_STATS_HC, IF, IFX):
        if not variable.startswith(table.entry):
            continue
        try:
            column, *index = decode_subids(variable[len(table.entry) :])
        except (WireError, ValueError):
            break
        name = _COLUMN_NAMES.get((table.entry, column), "")
        if len(index) != 1:
            return name, Source("none")
        if table in (ETHER_STATS, ETHER_STATS_HC):
            return name, parse_source(scrape.ether_source(index[0]))
        return name, Source("interface", index[0])
    return "", Source("none")


def _columns(table: Table, first: int, prefix: str, names: str) -> dict[tuple[Oid, int], str]:
    """Name the columns from *first* on; ``-`` for one that nobody would sample."""
    return {
        (table.entry, number): prefix + name
        for number, name in enumerate(names.split(), first)
        if name != "-"
    }


_SIZES: Final = (
    "Pkts64Octets Pkts65to127Octets Pkts128to255Octets Pkts256to511Octets Pkts512to1023Octets "
    "Pkts1024to1518Octets"
)
_COLUMN_NAMES: Final[Mapping[tuple[Oid, int], str]] = MappingProxyType(
    _columns(
        ETHER_STATS,
        3,
        "etherStats",
        "DropEvents Octets Pkts BroadcastPkts MulticastPkts CRCAlignErrors UndersizePkts "
        "OversizePkts Fragments Jabbers Collisions " + _SIZES,
    )
    | _columns(
        ETHER_STATS_HC,
        2,
        "etherStatsHighCapacity",
        " - ".join(f"Pkts Octets {_SIZES}".split()),  # overflows stand between them
    )
    | _columns(
        IF,
        3,
        "if",
        "Type Mtu Speed - AdminStatus OperStatus LastChange InOctets InUcastPkts InNUcastPkts "
        "InDiscards InErrors InUnknownProtos OutOctets OutUcastPkts OutNUcastPkts OutDiscards "
        "OutErrors OutQLen",
    )
    | _columns(
        IFX,
        2,
        "if",
        "InMulticastPkts InBroadcastPkts OutMulticastPkts OutBroadcastPkts HCInOctets "
        "HCInUcastPkts HCInMulticastPkts HCInBroadcastPkts HCOutOctets HCOutUcastPkts "
        "HCOutMulticastPkts HCOutBroadcastPkts - HighSpeed",
    )
)


async def write_alarms(scrape: Scrape) -> None:
    """Write both tables, and the lint."""
    found = list(alarms(scrape))
    sampled = [alarm.variable for alarm in found if alarm.alive]
    there = await scrape.reader.instances(sampled)
    asked_all = not scrape.reader.total.failures
    for alarm in found:
        dead = alarm.alive and asked_all and alarm.variable not in there
        _write(scrape, alarm, dead=dead)


def _write(scrape: Scrape, alarm: Alarm, *, dead: bool) -> None:
    add, row = scrape.samples.add, alarm.row
    name, source = alarm_source(scrape, alarm.variable)
    labels = {
        "rmon_index": str(row.index[0]),
        "hc": "true" if alarm.hc else "false",
        **scrape.interfaces.labels(source),
    }
    rising_event, falling_event = alarm.events
    status = row_status(row) if alarm.hc else entry_status(row)
    scrape.findings["status_unknown"] += status.startswith("unknown")
    info = {
        "variable": format_oid(alarm.variable),
        "variable_name": name,
        "sample_type": _word(row, "sample_type", _SAMPLE_TYPE),
        "startup": _word(row, "startup", _STARTUP),
        "rising_event": str(rising_event),
        "falling_event": str(falling_event),
        "owner": row.text("owner"),
        "status": status,
    }
    add("rmon_alarm_info", {**labels, **info}, 1)
    add("rmon_alarm_status", labels, row.number("status"))
    if alarm.alive:
        add("rmon_alarm_value", labels, alarm.value)
        add("rmon_alarm_rising_threshold", labels, alarm.rising)
        add("rmon_alarm_falling_threshold", labels, alarm.falling)
        add("rmon_alarm_interval_seconds", labels, row.counter("interval"))
        if alarm.value is not None and alarm.rising is not None:
            add("rmon_alarm_over_threshold", labels, int(alarm.value >= alarm.rising))
    unwired = _unwired(scrape, alarm)
    add("rmon_alarm_unwired", labels, int(unwired))
    add("rmon_alarm_failed_samples_total", labels, _failed(scrape, alarm))
    juniper = scrape.row(JUNIPER_ALARM, row.index)
    add("rmon_alarm_state", labels, None if alarm.hc else juniper.number("state"))
    lint = {
        "unwired": unwired,
        "thresholds_inverted": _inverted(alarm),
        "dead_variable": dead,
        "invalid": row.number("status") == 4 and not alarm.hc,
        "value_out_of_range": _out_of_range(alarm),
    }
    for check, found in lint.items():
        add("rmon_alarm_lint", {**labels, "check": check}, int(found))
        scrape.findings[f"alarm_{check}"] += found


def _unwired(scrape: Scrape, alarm: Alarm) -> bool:
    """Whether neither event exists; unknown events are not held against the alarm."""
    events = [event for event in alarm.events if event]
    if not events:
        return True
    known = scrape.rows(EVENT)
    return EVENT.column("last_sent") not in scrape.reader.total.incomplete and not any(
        (event,) in known for event in events
    )


def _inverted(alarm: Alarm) -> bool:
    """Whether rising is not above falling, between which a value would fire all the time."""
    if alarm.rising is None or alarm.falling is None:
        return False
    return alarm.rising <= alarm.falling


def _out_of_range(alarm: Alarm) -> bool:
    """Whether an absolute sample is negative: counters beyond 31 bits look so in alarmValue."""
    absolute = alarm.row.number("sample_type") == 1
    return not alarm.hc and absolute and alarm.value is not None and alarm.value < 0


def _failed(scrape: Scrape, alarm: Alarm) -> int | None:
    if alarm.hc:
        return alarm.row.counter("failed_attempts")
    return scrape.row(JUNIPER_ALARM, alarm.row.index).counter("failed")


def _threshold(row: Row, which: str) -> int | None:
    low, high = row.counter(f"{which}_low"), row.counter(f"{which}_high")
    if low is None or high is None:
        return None
    return _signed(low + (high << 32), row.number(f"{which}_status"))


def _signed(magnitude: int | None, status: int | None) -> int | None:
    """Give a value with the sign that its status says; none that is not available."""
    if magnitude is None or status not in (_POSITIVE, _NEGATIVE):
        return None
    return magnitude if status == _POSITIVE else -magnitude


def _word(row: Row, name: str, words: Mapping[int, str]) -> str:
    number = row.number(name)
    return "" if number is None else words.get(number, f"unknown({number})")
