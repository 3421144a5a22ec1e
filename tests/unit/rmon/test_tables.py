"""The numbers of tables and columns, against the MIB modules themselves.

They were written by hand, and a simulated device that takes them over cannot find a wrong one.
"""

from __future__ import annotations

import pytest

from exporters.mibs.opening import open_with_directories
from exporters.rmon import alarms, tables
from exporters.rmon.tables import Table
from exporters.smi.dictionary import Dictionary
from exporters.wire.ber import encode_subids, format_oid

_STATISTICS = "DropEvents Octets Pkts BroadcastPkts MulticastPkts CRCAlignErrors UndersizePkts "
_STATISTICS += "OversizePkts Fragments Jabbers Collisions "
_SIZES = (
    "Pkts64Octets Pkts65to127Octets Pkts128to255Octets Pkts256to511Octets Pkts512to1023Octets "
    "Pkts1024to1518Octets "
)
_HL_CONTROL = "DataSource NlDroppedFrames NlInserts NlDeletes AlDroppedFrames AlInserts AlDeletes "
_TOP_CONTROL = "MatrixIndex GeneratedReports Duration Status"

DESCRIPTORS = {
    "ETHER_STATS": ("etherStats", "DataSource " + _STATISTICS + _SIZES + "Owner Status"),
    "ETHER_STATS_2": ("etherStats", "DroppedFrames CreateTime"),
    "ETHER_STATS_HC": ("etherStatsHighCapacity", "OverflowPkts Pkts OverflowOctets Octets "
        + _SIZES),
    "MEDIA_INDEPENDENT": ("mediaIndependent", "DataSource DropEvents DroppedFrames "
        "InHighCapacityPkts OutHighCapacityPkts InHighCapacityOctets OutHighCapacityOctets "
        "InNUCastHighCapacityPkts OutNUCastHighCapacityPkts InErrors OutErrors InputSpeed "
        "OutputSpeed DuplexMode DuplexChanges Status"),
    "TOKEN_RING_ML": ("tokenRingMLStats", "DataSource DropEvents MacOctets MacPkts "
        "RingPurgeEvents BeaconEvents BeaconTime ClaimTokenEvents NAUNChanges LineErrors "
        "InternalErrors BurstErrors ACErrors AbortErrors "
        "LostFrameErrors CongestionErrors FrameCopiedErrors FrequencyErrors TokenErrors "
        "SoftErrorReports RingPollEvents Status"),
    "TOKEN_RING_P": ("tokenRingPStats", "DataSource DropEvents DataOctets DataPkts "
        "DataBroadcastPkts DataMulticastPkts DataPkts18to63Octets DataPkts64to127Octets "
        "DataPkts128to255Octets DataPkts256to511Octets DataPkts512to1023Octets "
        "DataPkts1024to2047Octets DataPkts2048to4095Octets DataPkts4096to8191Octets "
        "DataPkts8192to18000Octets DataPktsGreaterThan18000Octets Status"),
    "HISTORY_CONTROL": ("historyControl", "DataSource BucketsGranted Interval Owner Status"),
    "HISTORY_CONTROL_2": ("historyControl", "DroppedFrames"),
    "ETHER_HISTORY": ("etherHistory", "IntervalStart " + _STATISTICS + "Utilization"),
    "ETHER_HISTORY_HC": ("etherHistoryHighCapacity", "Pkts Octets"),
    "ALARM": ("alarm", "Interval Variable SampleType Value StartupAlarm RisingThreshold "
        "FallingThreshold RisingEventIndex FallingEventIndex Owner Status"),
    "HC_ALARM": ("hcAlarm", "Interval Variable SampleType AbsValue ValueStatus StartupAlarm "
        "RisingThreshAbsValueLo RisingThreshAbsValueHi RisingThresholdValStatus "
        "FallingThreshAbsValueLo FallingThreshAbsValueHi FallingThresholdValStatus "
        "RisingEventIndex FallingEventIndex ValueFailedAttempts Owner Status"),
    "JUNIPER_ALARM": ("jnxRmonAlarm", "GetFailCnt State"),
    "EVENT": ("event", "Description Type LastTimeSent Owner Status"),
    "LOG": ("log", "Time"),
    "HOST_CONTROL": ("hostControl", "DataSource TableSize Status"),
    "HOST": ("host", "InPkts OutPkts InOctets OutOctets"),
    "HOST_TOP_CONTROL": ("hostTopN", "HostIndex RateBase TimeRemaining Duration Status"),
    "HOST_TOP": ("hostTopN", "Address Rate"),
    "MATRIX_CONTROL": ("matrixControl", "DataSource TableSize Status"),
    "MATRIX": ("matrixSD", "Pkts Octets"),
    "CHANNEL": ("channel", "IfIndex DataControl Matches Description Status"),
    "BUFFER_CONTROL": ("bufferControl", "ChannelIndex FullStatus CapturedPackets Status"),
    "PROTOCOL": ("protocolDir", "LocalIndex Descr"),
    "DISTRIBUTION_CONTROL": ("protocolDistControl", "DataSource DroppedFrames Status"),
    "DISTRIBUTION": ("protocolDistStats", "Pkts Octets"),
    "HL_HOST_CONTROL": ("hlHostControl", _HL_CONTROL + "Status"),
    "NL_HOST": ("nlHost", "InPkts OutPkts InOctets OutOctets"),
    "HL_MATRIX_CONTROL": ("hlMatrixControl", _HL_CONTROL + "Status"),
    "NL_MATRIX": ("nlMatrixSD", "Pkts Octets"),
    "NL_TOP_CONTROL": ("nlMatrixTopNControl", _TOP_CONTROL),
    "NL_TOP": ("nlMatrixTopN", "ProtocolDirLocalIndex SourceAddress DestAddress PktRate "
        "OctetRate"),
    "AL_HOST": ("alHost", "InPkts OutPkts InOctets OutOctets"),
    "AL_MATRIX": ("alMatrixSD", "Pkts Octets"),
    "AL_TOP_CONTROL": ("alMatrixTopNControl", _TOP_CONTROL),
    "AL_TOP": ("alMatrixTopN", "ProtocolDirLocalIndex SourceAddress DestAddress "
        "AppProtocolDirLocalIndex PktRate OctetRate"),
    "USER_HISTORY_CONTROL": ("usrHistoryControl", "BucketsGranted Interval Status"),
    "USER_HISTORY_OBJECT": ("usrHistoryObject", "Variable SampleType"),
    "USER_HISTORY": ("usrHistory", "IntervalEnd AbsValue ValStatus"),
    "SOURCE_CAPS": ("dataSourceCaps", "IfIndex"),
    "VLAN_CONTROL": ("smonVlanStatsControl", "DataSource Status"),
    "VLAN_STATS": ("smonVlanIdStats", "TotalPkts TotalOverflowPkts TotalHCPkts TotalOctets "
        "TotalOverflowOctets TotalHCOctets NUcastPkts NUcastOverflowPkts NUcastHCPkts "
        "NUcastOctets NUcastOverflowOctets NUcastHCOctets"),
    "PRIORITY_CONTROL": ("smonPrioStatsControl", "DataSource Status"),
    "PRIORITY_STATS": ("smonPrioStats", "Pkts OverflowPkts HCPkts Octets OverflowOctets HCOctets"),
    "PORT_COPY": ("portCopy", "DestDropEvents Direction Status"),
    "INTERFACE_TOP": ("interfaceTopN", "DataSourceIndex Value Value64"),
    "IF": ("if", "Descr Speed"),
    "IFX": ("if", "Name HCInUcastPkts HCInMulticastPkts HCInBroadcastPkts HCOutUcastPkts "
        "HCOutMulticastPkts HCOutBroadcastPkts HighSpeed Alias"),
}  # fmt: skip
"""What each table's columns are called in its MIB, in our order: a prefix and the rest."""

NOT_IN_CIRCULATION = {
    # HC-RMON-MIB as it is in circulation has its tables for RMON2 commented out (RFC 3273).
    "DISTRIBUTION_HC": ("1.3.6.1.2.1.16.12.3.1", {"packets": 2, "octets": 4}),
    "USER_HISTORY_HC": ("1.3.6.1.2.1.16.18.4.1", {"value": 2}),
    # INTERFACETOPN-MIB in circulation is a draft, whose numbers RFC 3144 has changed.
    "INTERFACE_TOP_CONTROL": (
        "1.3.6.1.2.1.16.27.1.2.1",
        {"variable": 2, "sample_type": 3, "completed": 12, "status": 13},
    ),
}
SCALARS = {
    "PROTOCOL_LAST_CHANGE": "protocolDirLastChange",
    "ADDRESS_MAP_INSERTS": "addressMapInserts",
    "ADDRESS_MAP_DELETES": "addressMapDeletes",
    "PROBE_CAPABILITIES": "probeCapabilities",
    "PROBE_SOFTWARE": "probeSoftwareRev",
    "PROBE_HARDWARE": "probeHardwareRev",
    "SMON_CAPABILITIES": "smonCapabilities",
    "SYS_UP_TIME": "sysUpTime",
}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return open_with_directories((), None).dictionary


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_columns_are_those_of_the_mib(dictionary: Dictionary, name: str) -> None:
    table: Table = getattr(tables, name)
    prefix, rest = DESCRIPTORS[name]
    found = []
    for number in table.columns.values():
        names = [item.name for item in dictionary.at(table.entry + encode_subids((number,)))]
        found.append(names[0] if names else f"nothing at {format_oid(table.entry)}.{number}")
    assert found == [prefix + word for word in rest.split()]


@pytest.mark.parametrize("name", NOT_IN_CIRCULATION)
def test_columns_that_no_mib_in_circulation_has_are_those_of_the_rfc(name: str) -> None:
    table: Table = getattr(tables, name)
    assert (format_oid(table.entry), dict(table.columns)) == NOT_IN_CIRCULATION[name]


@pytest.mark.parametrize("name", SCALARS)
def test_scalars_are_those_of_the_mib(dictionary: Dictionary, name: str) -> None:
    instance = getattr(tables, name)
    assert instance[-1:] == b"\0"
    assert dictionary.at(instance[:-1])[0].name == SCALARS[name]


def test_every_table_is_compared_with_its_mib() -> None:
    named = {name for name, item in vars(tables).items() if isinstance(item, Table)}
    assert named == DESCRIPTORS.keys() | NOT_IN_CIRCULATION.keys()


def test_names_of_what_alarms_sample_are_those_of_the_mib(dictionary: Dictionary) -> None:
    assert len(alarms._COLUMN_NAMES) > 50
    for (entry, number), name in alarms._COLUMN_NAMES.items():
        assert dictionary.at(entry + encode_subids((number,)))[0].name == name
