"""Modules by name as a new user meets them: a vendor's MIB file, three lines, and a scrape."""

from __future__ import annotations

import bz2
from importlib.resources import files
from pathlib import Path

import pytest

from .agents import SYSTEM_ROWS, interface_rows, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import Programs, netexporters

ACME = """\
-- As a vendor ships it: under any file name, with comments and all.
ACME-FAN-MIB DEFINITIONS ::= BEGIN
IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, Gauge32, Integer32, enterprises FROM SNMPv2-SMI
    DisplayString FROM SNMPv2-TC;

acmeFanMIB MODULE-IDENTITY
    LAST-UPDATED "202601010000Z"
    ORGANIZATION "ACME" CONTACT-INFO "acme@example.org"
    DESCRIPTION "Fans."
    ::= { enterprises 32473 1 }

acmeFanTable OBJECT-TYPE
    SYNTAX SEQUENCE OF AcmeFanEntry MAX-ACCESS not-accessible STATUS current
    DESCRIPTION "All fans." ::= { acmeFanMIB 1 }
acmeFanEntry OBJECT-TYPE
    SYNTAX AcmeFanEntry MAX-ACCESS not-accessible STATUS current
    DESCRIPTION "A fan." INDEX { acmeFanIndex } ::= { acmeFanTable 1 }
AcmeFanEntry ::= SEQUENCE {
    acmeFanIndex Integer32, acmeFanSpeed Gauge32, acmeFanState INTEGER, acmeFanName DisplayString }
acmeFanIndex OBJECT-TYPE
    SYNTAX Integer32 (1..99) MAX-ACCESS not-accessible STATUS current
    DESCRIPTION "Its number." ::= { acmeFanEntry 1 }
acmeFanSpeed OBJECT-TYPE
    SYNTAX Gauge32 UNITS "rpm" MAX-ACCESS read-only STATUS current
    DESCRIPTION "How fast the fan
                 turns. Zero if it does not." ::= { acmeFanEntry 2 }
acmeFanState OBJECT-TYPE
    SYNTAX INTEGER { ok(1), stuck(2) } MAX-ACCESS read-only STATUS current
    DESCRIPTION "How it is." ::= { acmeFanEntry 3 }
acmeFanName OBJECT-TYPE
    SYNTAX DisplayString MAX-ACCESS read-only STATUS current
    DESCRIPTION "Where it is." ::= { acmeFanEntry 4 }
END
"""
AUTHS = "auths: {public_v2: {}}\n"
FANS = tuple(
    (f"1.3.6.1.4.1.32473.1.1.1.{column}.{row}", tag, value)
    for row, values in enumerate((("4200", "1", "left"), ("0", "2", "right")), 1)
    for (column, tag), value in zip(((2, 66), (3, 2), (4, 4)), values, strict=True)
)


@pytest.fixture
def mibs(tmp_path: Path) -> Path:
    directory = tmp_path / "mibs"
    directory.mkdir()
    (directory / "fans_v2.my.txt").write_text(ACME)
    return directory


def flags(tmp_path: Path) -> list[str]:
    return [f"--mib.dir={tmp_path / 'mibs'}", f"--mib.cache-dir={tmp_path / 'cache'}"]


def start(programs: Programs, tmp_path: Path, module: str) -> Exporter:
    (tmp_path / "auths.yml").write_text(AUTHS)
    (tmp_path / "acme.yml").write_text(module)
    return start_exporter(
        programs,
        f"--config.file={tmp_path}/auths.yml",
        f"--config.file={tmp_path}/acme.yml",
        *flags(tmp_path),
    )


THREE_LINES = "modules:\n  acme:\n    walk: [acmeFanSpeed, acmeFanState]\n"


def test_a_mib_file_and_three_lines_are_enough_for_a_scrape(
    programs: Programs, tmp_path: Path, mibs: Path
) -> None:
    agent = start_simulation(programs, write_recording(tmp_path / "fans.snmprec", FANS))[1]
    exporter = start(programs, tmp_path, THREE_LINES)

    answer = exporter.scrape(agent, "acme")

    assert answer.exposition.value("acmeFanSpeed", acmeFanIndex="1") == 4200
    assert answer.exposition.value("acmeFanState", acmeFanIndex="2") == 2
    speed = "1.3.6.1.4.1.32473.1.1.1.2"
    assert f"# HELP acmeFanSpeed How fast the fan turns - {speed}\n" in answer.text


def test_more_lines_give_names_and_states_after_a_reload(
    programs: Programs, tmp_path: Path, mibs: Path
) -> None:
    agent = start_simulation(programs, write_recording(tmp_path / "fans.snmprec", FANS))[1]
    exporter = start(programs, tmp_path, THREE_LINES)
    (tmp_path / "acme.yml").write_text(
        THREE_LINES
        + "    lookups:\n"
        + "      - {source_indexes: [acmeFanIndex], lookup: ACME-FAN-MIB::acmeFanName,"
        + " drop_source_indexes: true}\n"
        + "    overrides: {acmeFanState: {type: EnumAsStateSet}}\n"
    )

    assert exporter.request("/-/reload", method="POST").status == 200

    found = exporter.scrape(agent, "acme").exposition
    assert found.value("acmeFanSpeed", acmeFanName="left") == 4200
    assert found.value("acmeFanState", acmeFanName="right", acmeFanState="stuck") == 1
    assert "acmeFanName" in exporter.request("/config").text


def test_a_mib_file_that_comes_later_counts_after_a_reload(
    programs: Programs, tmp_path: Path, mibs: Path
) -> None:
    (mibs / "fans_v2.my.txt").rename(tmp_path / "elsewhere")
    exporter = start(programs, tmp_path, "modules: {a: {walk: [sysUpTime]}}\n")
    (tmp_path / "acme.yml").write_text(THREE_LINES)

    refused = exporter.request("/-/reload", method="POST")
    (tmp_path / "elsewhere").rename(mibs / "fans.txt")
    accepted = exporter.request("/-/reload", method="POST")

    assert (refused.status, accepted.status) == (500, 200)
    assert (
        f'{tmp_path}/acme.yml:3: modules.acme.walk[0]: no MIB module has the name "acmeFanSp'
        in (refused.text)
    )


def test_a_mib_file_with_an_error_is_used_as_far_as_it_goes_and_the_error_logged(
    programs: Programs, tmp_path: Path, mibs: Path
) -> None:
    text = ACME.replace("{ acmeFanEntry 4 }", "{ acmeNowhere 4 }")
    (mibs / "fans_v2.my.txt").write_text(text)

    exporter = start(programs, tmp_path, THREE_LINES)

    assert exporter.request("/-/ready").status == 200
    assert "MIB files have errors, which netexporters mib compile tells" in exporter.program.errors


def test_a_wrong_name_stops_the_start_with_its_line(tmp_path: Path, mibs: Path) -> None:
    (tmp_path / "acme.yml").write_text(AUTHS + THREE_LINES.replace("FanState", "FanStat"))

    result = netexporters("snmp", f"--config.file={tmp_path}/acme.yml", *flags(tmp_path))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == (
        f'{tmp_path}/acme.yml:4: modules.acme.walk[1]: no MIB module has the name "acmeFanStat", '
        "did you mean acmeFanState?"
    )


IF_MIB = """
modules:
  by_name:
    walk: [IF-MIB::interfaces, IF-MIB::ifXTable]
    lookups:
      - {source_indexes: [ifIndex], lookup: "IF-MIB::ifAlias"}
      - {source_indexes: [ifIndex], lookup: "IF-MIB::ifDescr"}
      - {source_indexes: [ifIndex], lookup: "IF-MIB::ifName"}
    overrides:
      ifAlias: {ignore: true}
      ifDescr: {ignore: true}
      ifName: {ignore: true}
      ifType: {type: EnumAsInfo}
"""


def test_a_module_by_name_gives_what_the_same_one_by_oid_gives(
    programs: Programs, tmp_path: Path, repository: Path
) -> None:
    recording = write_recording(tmp_path / "switch.snmprec", SYSTEM_ROWS, interface_rows(9))
    agent = start_simulation(programs, recording)[1]
    (tmp_path / "by_name.yml").write_text(IF_MIB)
    exporter = start_exporter(
        programs,
        f"--config.file={repository}/modules/snmp/*.yml",
        f"--config.file={tmp_path}/by_name.yml",
    )

    named, by_oid = (samples(exporter, agent, module) for module in ("by_name", "if_mib"))

    assert len(named) > 300
    assert named == by_oid


BEYOND = """
modules:
  base:
    walk: [ifMtu, ifOperStatus, sysUpTime]
    lookups:
      - {source_indexes: [ifIndex], first_of: [ifAlias, ifName, ifDescr], labelname: interface}
    timeticks: seconds_suffix
  beyond:
    include: [base]
    where: ifIndex > 2 and ifIndex <= 4
    labels: {site: seoul}
    state_sets: [ifOperStatus]
    info_labels: interface
    rename: {metrics: {ifMtu: mtu_bytes}, labels: {ifIndex: index}}
    relabel: [{source_labels: [interface], target_label: interface, action: uppercase}]
    constants: [{name: site_info, labels: {country: KR}}]
"""


def test_all_that_goes_beyond_the_peer_is_served(programs: Programs, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "switch.snmprec", SYSTEM_ROWS, interface_rows(60))
    agent = start_simulation(programs, recording)[1]
    (tmp_path / "beyond.yml").write_text(AUTHS + BEYOND)
    exporter = start_exporter(programs, f"--config.file={tmp_path}/beyond.yml")

    first, again = (samples(exporter, agent, "beyond") for _ in range(2))

    assert first == again
    found = exporter.scrape(agent, "beyond").exposition
    assert found.value("snmp_module_success", module="beyond") == 1
    assert found.value("site_info", country="KR", site="seoul") == 1
    assert {line for line in first if line.startswith("mtu_bytes")} == {
        'mtu_bytes{index="3",site="seoul"} 1500',
        'mtu_bytes{index="4",site="seoul"} 1500',
    }
    infos = [line for line in first if line.startswith("interface_info")]
    names = [line.partition('interface="')[2].partition('"')[0] for line in infos]
    assert len(names) == 2
    assert all(name and name == name.upper() for name in names)
    assert any(line.startswith('sysUpTime_seconds{site="seoul"} ') for line in first)
    assert "condition: ifIndex > 2 and ifIndex <= 4" in exporter.request("/config").text


def test_a_wrong_condition_is_refused_at_reload_and_the_old_one_stays(
    programs: Programs, tmp_path: Path
) -> None:
    recording = write_recording(tmp_path / "switch.snmprec", SYSTEM_ROWS, interface_rows(3))
    agent = start_simulation(programs, recording)[1]
    (tmp_path / "beyond.yml").write_text(AUTHS + BEYOND)
    exporter = start_exporter(programs, f"--config.file={tmp_path}/beyond.yml")
    before = samples(exporter, agent, "beyond")
    (tmp_path / "beyond.yml").write_text(AUTHS + BEYOND.replace("ifIndex <= 4", "ifIndex = 4"))

    refused = exporter.request("/-/reload", method="POST")

    assert refused.status == 500
    assert ":11: modules.beyond.where[0]: character 25: " in refused.text
    assert samples(exporter, agent, "beyond") == before


def samples(exporter: Exporter, agent: str, module: str) -> set[str]:
    """The lines of a scrape but for HELP and what is told of the scrape itself."""
    lines = exporter.scrape(agent, module).text.splitlines()
    return {line for line in lines if not line.startswith(("# HELP", "# TYPE snmp_", "snmp_"))}


RECORDED = (
    "UPS/apc-8932.snmprec",
    "UPS/eaton-93e-80.snmprec.bz2",
    "network/switch/brocade-fiber-channel.snmprec.bz2",
    "network/switch/cisco-c3560.snmprec.bz2",
    "network/switch/h3c-e528-1.snmprec.bz2",
)


@pytest.mark.parametrize("name", RECORDED)
def test_a_module_proposed_for_a_recorded_device_gives_samples_of_it(
    programs: Programs, tmp_path: Path, name: str
) -> None:
    content = files("snmpsim_data").joinpath("data", name).read_bytes()
    recording = tmp_path / "device.snmprec"
    recording.write_bytes(bz2.decompress(content) if name.endswith(".bz2") else content)

    proposed = netexporters("snmp", "module", "from-walk", recording)

    assert (proposed.returncode, proposed.stderr) == (0, "")
    (tmp_path / "device.yml").write_text(proposed.stdout + AUTHS)
    checked = netexporters("check", tmp_path / "device.yml")
    assert checked.returncode == 0, checked.stderr
    agent = start_simulation(programs, recording)[1]
    exporter = start_exporter(programs, f"--config.file={tmp_path}/device.yml")
    answer = exporter.scrape(agent, "device")
    assert answer.exposition.value("snmp_module_success", module="device") == 1
    assert len(samples(exporter, agent, "device")) > 50
