"""What net-snmp makes of the pretend probe, so that no mistake of ours is on both sides."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.recording import Recording
from exporters.demo.rmon_probe import Rmon
from exporters.mibs.opening import open_with_directories
from exporters.smi.mib_objects import IndexPart, Kind, MibObject
from exporters.wire.ber import decode_subids, encode_oid

from .reading import interface, uptime
from .test_simulated_probe import UPTIME, Probe

ROOT = "1.3.6.1.2.1.16"
TYPES = {
    "INTEGER": {"INTEGER", "Integer32"},
    "Gauge32": {"Gauge32", "Unsigned32"},
    "Counter32": {"Counter32"},
    "Counter64": {"Counter64"},
    "Timeticks": {"TimeTicks"},
    "OID": {"OBJECT IDENTIFIER"},
    "STRING": {"OCTET STRING", "BITS"},
    "Hex-STRING": {"OCTET STRING", "BITS"},
}
"""How net-snmp names a type, and what the MIB may call it."""
NOT_IN_CIRCULATION = (f"{ROOT}.18.4.", f"{ROOT}.27.1.2.1.")
"""Tables of which the MIBs in circulation have other numbers than the RFCs, or none."""


async def walk(
    folder: Path, settings: Rmon, tool: str, *oids: str, output: str = "-OnqetUx"
) -> list[tuple[str, str]]:
    """Serve a probe and let a tool of net-snmp's read it; pairs of OID and value."""
    rows = [uptime(UPTIME * 100), *interface(1), *interface(2)]
    agent = SimulatedAgent(
        Recording.from_varbinds(rows), AgentSettings(rmon=settings), clock=lambda: 0.0
    )
    (folder / "cert_indexes").mkdir()
    async with agent.serve() as (host, port):
        process = await asyncio.create_subprocess_exec(
            tool,
            *("-v2c", "-cpublic", output, f"{host}:{port}", *oids),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "MIBS": "", "SNMPCONFPATH": str(folder)}
            | {"SNMP_PERSISTENT_DIR": str(folder)},
        )
        text, _ = await process.communicate()
    return re.findall(r"^\.(\S+) (?:= )?(.*)$", text.decode(), re.MULTILINE)


@pytest.mark.peer("snmpbulkwalk", "snmp")
def test_net_snmp_walks_the_probe_in_order_and_reads_what_the_exporter_reads(
    tmp_path: Path,
) -> None:
    found = dict(asyncio.run(walk(tmp_path, Rmon((1, 2)), "snmpbulkwalk", ROOT)))
    oids = [tuple(map(int, oid.split("."))) for oid in found]
    assert oids == sorted(oids)
    assert len(oids) > 1000
    samples = Probe().scrape()
    for number in ("1", "2"):
        packets = samples.one("rmon_ether_packets_total", rmon_index=number)
        assert float(found[f"{ROOT}.1.7.1.2.{number}"]) == packets
        newest = samples.one("rmon_history_sample_index", rmon_index=number)
        bucket = samples.one("rmon_history_bucket_packets", rmon_index=number)
        assert float(found[f"{ROOT}.2.2.1.6.{number}.{newest:.0f}"]) == bucket
    host = samples.one(
        "rmon2_host_bytes_total",
        rmon_index="1",
        address="192.0.2.1",
        direction="in",
        layer="nl",
    )
    assert float(found[f"{ROOT}.14.2.1.5.1.0.2.4.192.0.2.1"]) == host
    pair = samples.one(
        "rmon2_conversation_packets_total", rmon_index="2", src="192.0.2.4", layer="al"
    )
    assert float(found[f"{ROOT}.17.1.1.2.2.0.2.4.192.0.2.4.4.198.51.100.4.3"]) == pair


@pytest.mark.peer("snmpbulkget", "snmp")
def test_net_snmp_sees_the_endless_time_filter_repeat_its_rows(tmp_path: Path) -> None:
    column = "1.3.6.1.2.1.16.14.2.1.5"
    settings = Rmon((1,), endless=True)
    arguments = ("-Cn0", "-Cr12", column)
    found = asyncio.run(walk(tmp_path, settings, "snmpbulkget", *arguments))
    marks = [int(oid.removeprefix(f"{column}.").split(".")[1]) for oid, _ in found]
    assert marks == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


@pytest.mark.peer("snmpbulkwalk", "snmp")
def test_every_row_of_the_probe_has_the_type_and_the_index_that_its_mib_says(
    tmp_path: Path,
) -> None:
    dictionary = open_with_directories((), None).dictionary
    found = asyncio.run(walk(tmp_path, Rmon((1, 2)), "snmpbulkwalk", ROOT, output="-One"))
    checked, wrong = set(), set()
    for oid, value in found:
        if oid.startswith(NOT_IN_CIRCULATION):
            continue
        there = dictionary.by_oid(encode_oid(oid))
        assert there is not None, oid
        column, instance = there
        assert column.syntax is not None, oid
        kind = "STRING" if value == '""' else value.partition(":")[0]
        if column.syntax.base not in TYPES[kind]:
            wrong.add((column.name, column.syntax.base, kind))
        parts = dictionary.indexes_of(column) if column.kind is Kind.COLUMN else ()
        if not (whole_index(parts, list(decode_subids(instance))) if parts else instance == b"\0"):
            wrong.add((column.name, "index", oid))
        checked.add(column.name)
    assert wrong == set()
    assert len(checked) > 300
    assert {"hcAlarmAbsValue", "nlMatrixSDPkts", "alMatrixTopNOctetRate"} <= checked


def whole_index(parts: Sequence[tuple[IndexPart, MibObject | None]], left: list[int]) -> bool:
    """Whether an index has just the parts that its MIB says, strings behind their lengths."""
    for part, item in parts:
        assert item is not None, part
        assert item.syntax is not None, part
        if item.syntax.base not in ("OCTET STRING", "OBJECT IDENTIFIER"):
            length = 1
        else:
            length = len(left) if part.implied else left.pop(0)
        if not 0 < length <= len(left):
            return False
        del left[:length]
    return not left


@pytest.mark.peer("snmpbulkwalk", "snmp")
def test_exporter_reads_what_net_snmp_reads_of_the_groups_that_no_recording_has(
    tmp_path: Path,
) -> None:
    found = dict(asyncio.run(walk(tmp_path, Rmon((1, 2)), "snmpbulkwalk", ROOT)))
    samples = Probe().scrape()

    def read(below: str) -> float:
        return float(found[f"{ROOT}.{below}"])

    one = samples.one
    assert one("rmon_alarm_value", hc="true") == read("29.1.1.1.1.5.1")
    rising = read("29.1.1.1.1.8.1") + read("29.1.1.1.1.9.1") * 2**32
    assert one("rmon_alarm_rising_threshold", hc="true") == rising
    report = {"src": "192.0.2.1", "dst": "198.51.100.1"}
    for layer, control, rows in (("nl", "15.4.1", "15.5.1"), ("al", "17.3.1", "17.4.1")):
        seconds = read(f"{control}.6.1")
        packets, octets = (5, 7) if layer == "nl" else (6, 8)
        rate = one("rmon2_conversation_top_packets_per_second", layer=layer, **report)
        assert rate == read(f"{rows}.{packets}.1.1") / seconds > 0
        rate = one("rmon2_conversation_top_bytes_per_second", layer=layer, **report)
        assert rate == read(f"{rows}.{octets}.1.1") / seconds > 0
        reports = one("rmon2_conversation_reports_total", layer=layer)
        assert reports == read(f"{control}.5.1") == UPTIME // 60
    pair = {"rmon_index": "1", "layer": "nl", **report}
    assert one("rmon2_conversation_packets_total", **pair) == read(
        "15.2.1.4.1.0.2.4.192.0.2.1.4.198.51.100.1"
    )
    assert one("rmon2_conversation_bytes_total", **pair) == read(
        "15.2.1.5.1.0.2.4.192.0.2.1.4.198.51.100.1"
    )
    newest = UPTIME // 60
    assert one("rmon_user_history_value") == read(f"18.4.1.2.1.{newest}.1")
    for column, direction in ((7, "in"), (10, "out")):
        media = one("rmon_media_packets_total", rmon_index="2", direction=direction)
        assert media == read(f"21.1.1.{column}.2")
    priority = {"rmon_index": "1", "priority": "5"}
    assert one("rmon_priority_packets_total", **priority) == read("22.1.2.4.1.4.1.5")
    assert one("rmon_priority_bytes_total", **priority) == read("22.1.2.4.1.7.1.5")
    assert one("rmon_vlan_nonunicast_bytes_total", vlan="20") == read("22.1.2.2.1.13.2.20")
    assert one("rmon_interface_top_value", if_index="2") == read("27.1.3.1.4.1.1")
    assert one("rmon_channel_matches_total", description="DNS") == read("7.2.1.9.1")
    assert one("rmon_buffer_captured_packets") == read("8.1.1.10.1")
    assert one("rmon_token_ring_packets_total", frames="mac") == read("1.2.1.5.1")
    assert one("rmon_token_ring_size_packets_total", size="512-1023") == read("1.3.1.12.1")
