"""The RMON tables as numbers: entries, columns and scalars, and the groups that they belong to.

Written out by hand, because MIB collections hold stubs of RMON2-MIB and because what is never to be
read must not be here at all: ``eventCommunity``, the trap communities of probeConfig, and
``captureBufferPacketData``.

Sources: RFC 2819 (RMON), RFC 3273 (HC-RMON), RFC 4502 (RMON2), RFC 2613 (SMON), RFC 3434
(HC-ALARM), RFC 3144 (interfaceTopN), RFC 1513 (token ring), RFC 2863 (IF-MIB), JUNIPER-RMON-MIB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from exporters.polling.cursor import Range
from exporters.wire.ber import Oid, encode_oid, encode_subids, parent_oid

RMON: Final = encode_oid("1.3.6.1.2.1.16")
_NUMBER_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class Table:
    """A conceptual table: its entry, and the numbers of the columns that are read."""

    entry: Oid
    columns: Mapping[str, int]
    texts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Columns of text, and about how long theirs are."""

    def column(self, name: str) -> Oid:
        """Give the OID of a column."""
        return self.entry + encode_subids((self.columns[name],))

    def size(self, name: str) -> int:
        """Give about how many bytes a value of a column has."""
        return self.texts.get(name, _NUMBER_BYTES)

    def range(self, name: str, most: int = 0) -> Range:
        """Give what a walk of a whole column reads: about *most* rows, if that is not 0."""
        column = self.column(name)
        return Range(column, column, self.entry, scalar=False, most=most)

    def part(self, name: str, prefix: bytes, after: bytes = b"", most: int = 0) -> Range:
        """Give what a walk reads of a column below the index *prefix*, behind *after* in it.

        Its rows are known by what follows the prefix; about *most* are read, if that is not 0.
        """
        root = self.column(name) + prefix
        begin = root + after if after else b""
        return Range(root, root, root, scalar=False, after=begin, most=most)


def _table(below: str, **columns: int) -> Table:
    return Table(RMON + encode_subids(map(int, below.split("."))), MappingProxyType(columns))


def _other(entry: str, **columns: int) -> Table:
    return Table(encode_oid(entry), MappingProxyType(columns))


def scalar(below: str) -> Oid:
    """Give the instance of a scalar below rmon, such as ``19.1``."""
    return RMON + encode_subids((*map(int, below.split(".")), 0))


def scalar_column(instance: Oid) -> Oid:
    """Give the object that a scalar's instance belongs to."""
    return parent_oid(instance)


SYS_UP_TIME: Final = encode_oid("1.3.6.1.2.1.1.3.0")

# --- statistics (16.1) and its additions ---------------------------------------------------

ETHER_STATS: Final = _table(
    "1.1.1",
    data_source=2,
    drop_events=3,
    octets=4,
    packets=5,
    broadcast=6,
    multicast=7,
    crc_align=8,
    undersize=9,
    oversize=10,
    fragment=11,
    jabber=12,
    collisions=13,
    size_64=14,
    size_65=15,
    size_128=16,
    size_256=17,
    size_512=18,
    size_1024=19,
    owner=20,
    status=21,
)
ETHER_STATS_2: Final = _table("1.4.1", dropped_frames=1, create_time=2)
ETHER_STATS_HC: Final = _table(
    "1.7.1",
    packets_overflow=1,
    packets=2,
    octets_overflow=3,
    octets=4,
    size_64=6,
    size_65=8,
    size_128=10,
    size_256=12,
    size_512=14,
    size_1024=16,
)
MEDIA_INDEPENDENT: Final = _table(
    "21.1.1",
    data_source=2,
    drop_events=3,
    dropped_frames=4,
    in_packets=7,
    out_packets=10,
    in_octets=13,
    out_octets=16,
    in_nucast=19,
    out_nucast=22,
    in_errors=23,
    out_errors=24,
    in_speed=25,
    out_speed=26,
    duplex=27,
    duplex_changes=28,
    status=31,
)
TOKEN_RING_ML: Final = _table(
    "1.2.1",
    data_source=2,
    drop_events=3,
    octets=4,
    packets=5,
    ring_purge_events=6,
    beacon_events=8,
    beacon_time=9,
    claim_token_events=11,
    neighbour_changes=13,
    line=14,
    internal=15,
    burst=16,
    access_control=17,
    abort=18,
    lost_frame=19,
    congestion=20,
    frame_copied=21,
    frequency=22,
    token=23,
    soft_error_reports=24,
    ring_poll_events=25,
    status=27,
)
TOKEN_RING_P: Final = _table(
    "1.3.1",
    data_source=2,
    drop_events=3,
    octets=4,
    packets=5,
    broadcast=6,
    multicast=7,
    size_18=8,
    size_64=9,
    size_128=10,
    size_256=11,
    size_512=12,
    size_1024=13,
    size_2048=14,
    size_4096=15,
    size_8192=16,
    size_above=17,
    status=19,
)

# --- history (16.2) ------------------------------------------------------------------------

HISTORY_CONTROL: Final = _table("2.1.1", data_source=2, granted=4, interval=5, owner=6, status=7)
HISTORY_CONTROL_2: Final = _table("2.5.1", dropped_frames=1)
ETHER_HISTORY: Final = _table(
    "2.2.1",
    start=3,
    drop_events=4,
    octets=5,
    packets=6,
    broadcast=7,
    multicast=8,
    crc_align=9,
    undersize=10,
    oversize=11,
    fragment=12,
    jabber=13,
    collisions=14,
    utilization=15,
)
ETHER_HISTORY_HC: Final = _table("2.6.1", packets=2, octets=4)

# --- alarms (16.3, 16.29) and events (16.9) ------------------------------------------------

ALARM: Final = _table(
    "3.1.1",
    interval=2,
    variable=3,
    sample_type=4,
    value=5,
    startup=6,
    rising_threshold=7,
    falling_threshold=8,
    rising_event=9,
    falling_event=10,
    owner=11,
    status=12,
)
HC_ALARM: Final = _table(
    "29.1.1.1.1",
    interval=2,
    variable=3,
    sample_type=4,
    value=5,
    value_status=6,
    startup=7,
    rising_low=8,
    rising_high=9,
    rising_status=10,
    falling_low=11,
    falling_high=12,
    falling_status=13,
    rising_event=14,
    falling_event=15,
    failed_attempts=16,
    owner=17,
    status=19,
)
JUNIPER_ALARM: Final = _other("1.3.6.1.4.1.2636.3.13.1.1", failed=1, state=5)
EVENT: Final = replace(
    _table("9.1.1", description=2, type=3, last_sent=5, owner=6, status=7),
    texts={"description": 60, "owner": 15},
)
LOG: Final = _table("9.2.1", time=3)

# --- hosts (16.4), hostTopN (16.5), matrix (16.6) -------------------------------------------

HOST_CONTROL: Final = _table("4.1.1", data_source=2, size=3, status=6)
HOST: Final = _table(
    "4.2.1",
    in_packets=4,
    out_packets=5,
    in_octets=6,
    out_octets=7,
)
HOST_TOP_CONTROL: Final = _table(
    "5.1.1",
    host_index=2,
    rate_base=3,
    remaining=4,
    duration=5,
    status=10,
)
HOST_TOP: Final = _table("5.2.1", address=3, rate=4)
MATRIX_CONTROL: Final = _table("6.1.1", data_source=2, size=3, status=6)
MATRIX: Final = _table("6.2.1", packets=4, octets=5)

# --- filter (16.7), capture (16.8) -----------------------------------------------------------

CHANNEL: Final = _table("7.2.1", if_index=2, control=4, matches=9, description=10, status=12)
BUFFER_CONTROL: Final = _table("8.1.1", channel=2, full=3, packets=10, status=13)

# --- RMON2 (16.11 to 16.19) ------------------------------------------------------------------

PROTOCOL: Final = _table("11.2.1", local_index=3, description=4)
PROTOCOL_LAST_CHANGE: Final = scalar("11.1")
DISTRIBUTION_CONTROL: Final = _table("12.1.1", data_source=2, dropped=3, status=6)
DISTRIBUTION: Final = _table("12.2.1", packets=1, octets=2)
DISTRIBUTION_HC: Final = _table("12.3.1", packets=2, octets=4)
ADDRESS_MAP_INSERTS: Final = scalar("13.1")
ADDRESS_MAP_DELETES: Final = scalar("13.2")
HL_HOST_CONTROL: Final = _table(
    "14.1.1",
    data_source=2,
    nl_dropped=3,
    nl_inserts=4,
    nl_deletes=5,
    al_dropped=7,
    al_inserts=8,
    al_deletes=9,
    status=12,
)
NL_HOST: Final = _table("14.2.1", in_packets=3, out_packets=4, in_octets=5, out_octets=6)
HL_MATRIX_CONTROL: Final = _table(
    "15.1.1",
    data_source=2,
    nl_dropped=3,
    nl_inserts=4,
    nl_deletes=5,
    al_dropped=7,
    al_inserts=8,
    al_deletes=9,
    status=12,
)
NL_MATRIX: Final = _table("15.2.1", packets=4, octets=5)
_TOP_CONTROL_COLUMNS: Final = MappingProxyType(
    {"matrix_index": 2, "reports": 5, "duration": 6, "status": 11}
)
NL_TOP_CONTROL: Final = _table("15.4.1", **_TOP_CONTROL_COLUMNS)
NL_TOP: Final = _table("15.5.1", protocol=2, source=3, destination=4, packets=5, octets=7)
AL_HOST: Final = _table("16.1.1", in_packets=2, out_packets=3, in_octets=4, out_octets=5)
AL_MATRIX: Final = _table("17.1.1", packets=2, octets=3)
AL_TOP_CONTROL: Final = _table("17.3.1", **_TOP_CONTROL_COLUMNS)
AL_TOP: Final = _table(
    "17.4.1", protocol=2, source=3, destination=4, application=5, packets=6, octets=8
)
USER_HISTORY_CONTROL: Final = _table("18.1.1", granted=4, interval=5, status=7)
USER_HISTORY_OBJECT: Final = _table("18.2.1", variable=2, sample_type=3)
USER_HISTORY: Final = _table("18.3.1", end=3, value=4, value_status=5)
USER_HISTORY_HC: Final = _table("18.4.1", value=2)

PROBE_CAPABILITIES: Final = scalar("19.1")
PROBE_SOFTWARE: Final = scalar("19.2")
PROBE_HARDWARE: Final = scalar("19.3")
SMON_CAPABILITIES: Final = scalar("19.15")

# --- SMON (16.22), interfaceTopN (16.27) -----------------------------------------------------

SOURCE_CAPS: Final = _table("22.1.1.1.1", if_index=4)
VLAN_CONTROL: Final = _table("22.1.2.1.1", data_source=2, status=5)
_SMON_COUNTERS: Final = MappingProxyType({"packets": 2, "packets_overflow": 3, "packets_hc": 4})
VLAN_STATS: Final = _table(
    "22.1.2.2.1",
    **_SMON_COUNTERS,
    octets=5,
    octets_overflow=6,
    octets_hc=7,
    nucast=8,
    nucast_overflow=9,
    nucast_hc=10,
    nucast_octets=11,
    nucast_octets_overflow=12,
    nucast_octets_hc=13,
)
PRIORITY_CONTROL: Final = _table("22.1.2.3.1", data_source=2, status=5)
PRIORITY_STATS: Final = _table(
    "22.1.2.4.1", **_SMON_COUNTERS, octets=5, octets_overflow=6, octets_hc=7
)
PORT_COPY: Final = _table("22.1.3.1.1", drops=3, direction=4, status=5)
INTERFACE_TOP_CONTROL: Final = _table(
    "27.1.2.1",
    variable=2,
    sample_type=3,
    completed=12,
    status=13,
)
INTERFACE_TOP: Final = _table("27.1.3.1", if_index=2, value=3, value_hc=4)

# --- interfaces ------------------------------------------------------------------------------

IF: Final = replace(_other("1.3.6.1.2.1.2.2.1", descr=2, speed=5), texts={"descr": 30})
IFX: Final = replace(
    _other(
        "1.3.6.1.2.1.31.1.1.1",
        name=1,
        in_ucast=7,
        in_multicast=8,
        in_broadcast=9,
        out_ucast=11,
        out_multicast=12,
        out_broadcast=13,
        high_speed=15,
        alias=18,
    ),
    texts={"name": 15, "alias": 40},
)
