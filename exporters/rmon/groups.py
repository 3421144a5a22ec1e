"""The groups that ``groups=`` names: the tables each needs, its capability bits, and its writer.

One literal table. All groups but the large and the obsolete ones are read unless a request names
others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from exporters.rmon import (
    alarms,
    events,
    history,
    probe_facts,
    protocols,
    reports,
    smon,
    statistics,
    token_ring,
    traffic_tables,
    user_history,
)
from exporters.rmon import tables as t
from exporters.rmon.scrape import Scrape
from exporters.wire.ber import Oid

Write = Callable[[Scrape], Awaitable[None]]
Columns = Mapping[Oid, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """One group."""

    name: str
    write: Write
    tables: tuple[t.Table, ...] = ()
    shown_by: tuple[t.Table, ...] = ()
    """The tables whose rows mean that the group is configured; the first of *tables* if none."""
    only: Columns = field(default_factory=lambda: MappingProxyType({}))
    """Columns of a table that are read, where not all are."""
    scalars: tuple[Oid, ...] = ()
    capability: Oid = b""
    bit: int = -1
    large: bool = False
    obsolete: bool = False

    @property
    def evidence(self) -> tuple[t.Table, ...]:
        """The tables whose rows mean that the group is configured."""
        return self.shown_by or self.tables[:1]


def _only(*columns: tuple[t.Table, tuple[str, ...]]) -> Columns:
    return MappingProxyType({table.entry: names for table, names in columns})


def _large(name: str, bit: int, *more: t.Table, write: Write | None = None) -> Group:
    control = traffic_tables.tables(name)
    return Group(
        name,
        write or traffic_tables.writer(name),
        (*control, *more),
        scalars=(t.PROTOCOL_LAST_CHANGE,),
        capability=t.PROBE_CAPABILITIES,
        bit=bit,
        large=True,
    )


async def _write_nl_matrix(scrape: Scrape) -> None:
    await traffic_tables.writer("nl_matrix")(scrape)
    await reports.write_conversation_reports(scrape, "nl")


async def _write_al_matrix(scrape: Scrape) -> None:
    await traffic_tables.writer("al_matrix")(scrape)
    await reports.write_conversation_reports(scrape, "al")


_STATISTICS_HC: Final = tuple(
    name for name in t.ETHER_STATS_HC.columns if not name.endswith("_overflow")
)
_64_BIT: Final = tuple(name for name in t.VLAN_STATS.columns if name.endswith("_hc"))
_PRIORITY_64_BIT: Final = tuple(name for name in t.PRIORITY_STATS.columns if name.endswith("_hc"))
_PROBE: Final = t.PROBE_CAPABILITIES

_ALL: Final = (
    Group(
        "statistics",
        statistics.write_statistics,
        (t.ETHER_STATS, t.ETHER_STATS_2, t.ETHER_STATS_HC, t.MEDIA_INDEPENDENT),
        shown_by=(t.ETHER_STATS, t.MEDIA_INDEPENDENT),
        only=_only(
            (t.ETHER_STATS_HC, _STATISTICS_HC),
        ),
        capability=_PROBE,
        bit=0,
    ),
    Group(
        "history",
        history.write_history,
        (t.HISTORY_CONTROL, t.HISTORY_CONTROL_2),
        capability=_PROBE,
        bit=1,
    ),
    Group(
        "alarm",
        alarms.write_alarms,
        (t.ALARM, t.HC_ALARM, t.JUNIPER_ALARM, t.EVENT, t.ETHER_STATS),
        shown_by=(t.ALARM, t.HC_ALARM),
        only=_only((t.EVENT, ("last_sent",)), (t.ETHER_STATS, ("data_source",))),
        capability=_PROBE,
        bit=3,
    ),
    Group(
        "event",
        events.write_events,
        (t.EVENT,),
        only=_only((t.EVENT, ("last_sent",))),
        capability=_PROBE,
        bit=9,
    ),
    Group(
        "table_sizes",
        traffic_tables.write_table_sizes,
        (t.HOST_CONTROL, t.MATRIX_CONTROL, t.HL_HOST_CONTROL, t.HL_MATRIX_CONTROL),
        shown_by=(t.HOST_CONTROL, t.MATRIX_CONTROL, t.HL_HOST_CONTROL, t.HL_MATRIX_CONTROL),
    ),
    Group(
        "host_top_n",
        reports.write_host_reports,
        (t.HOST_TOP_CONTROL, t.HOST_TOP, t.HOST_CONTROL),
        capability=_PROBE,
        bit=5,
    ),
    Group("filter", probe_facts.write_channels, (t.CHANNEL,), capability=_PROBE, bit=7),
    Group("capture", probe_facts.write_buffers, (t.BUFFER_CONTROL,), capability=_PROBE, bit=8),
    Group(
        "protocol_distribution",
        protocols.write_distribution,
        (t.DISTRIBUTION_CONTROL, t.DISTRIBUTION, t.DISTRIBUTION_HC),
        scalars=(t.PROTOCOL_LAST_CHANGE,),
        capability=_PROBE,
        bit=19,
    ),
    Group(
        "address_map",
        probe_facts.write_address_map,
        scalars=(t.ADDRESS_MAP_INSERTS, t.ADDRESS_MAP_DELETES),
        capability=_PROBE,
        bit=20,
    ),
    Group(
        "user_history",
        user_history.write_user_history,
        (t.USER_HISTORY_CONTROL, t.USER_HISTORY_OBJECT, t.ETHER_STATS),
        only=_only((t.ETHER_STATS, ("data_source",))),
        capability=_PROBE,
        bit=25,
    ),
    Group(
        "probe",
        probe_facts.write_probe,
        scalars=(t.PROBE_SOFTWARE, t.PROBE_HARDWARE),
        capability=_PROBE,
        bit=26,
    ),
    Group(
        "vlan",
        smon.write_vlans,
        (t.VLAN_CONTROL, t.VLAN_STATS, t.SOURCE_CAPS),
        shown_by=(t.VLAN_CONTROL, t.VLAN_STATS),
        only=_only((t.VLAN_STATS, _64_BIT)),
        capability=t.SMON_CAPABILITIES,
        bit=0,
    ),
    Group(
        "priority",
        smon.write_priorities,
        (t.PRIORITY_CONTROL, t.PRIORITY_STATS),
        shown_by=(t.PRIORITY_CONTROL, t.PRIORITY_STATS),
        only=_only((t.PRIORITY_STATS, _PRIORITY_64_BIT)),
        capability=t.SMON_CAPABILITIES,
        bit=1,
    ),
    Group(
        "port_copy",
        smon.write_port_copies,
        (t.PORT_COPY,),
        capability=t.SMON_CAPABILITIES,
        bit=4,
    ),
    Group(
        "interface_top_n",
        reports.write_interface_reports,
        (t.INTERFACE_TOP_CONTROL, t.INTERFACE_TOP),
    ),
    _large("hosts", 4),
    _large("matrix", 6),
    _large("nl_host", 21),
    _large("nl_matrix", 22, t.NL_TOP_CONTROL, t.NL_TOP, write=_write_nl_matrix),
    _large("al_host", 23),
    _large("al_matrix", 24, t.AL_TOP_CONTROL, t.AL_TOP, write=_write_al_matrix),
    Group(
        "token_ring",
        token_ring.write_token_rings,
        (t.TOKEN_RING_ML, t.TOKEN_RING_P),
        shown_by=(t.TOKEN_RING_ML, t.TOKEN_RING_P),
        obsolete=True,
    ),
)

GROUPS: Final[Mapping[str, Group]] = MappingProxyType({group.name: group for group in _ALL})
DEFAULT_GROUPS: Final = tuple(group.name for group in _ALL if not (group.large or group.obsolete))


def columns_of(groups: Mapping[str, Group]) -> dict[Oid, set[str]]:
    """The columns that *groups* read together, by the entry of their table."""
    found: dict[Oid, set[str]] = {}
    for group in groups.values():
        for table in group.tables:
            names = group.only.get(table.entry, tuple(table.columns))
            found.setdefault(table.entry, set()).update(names)
    return found
