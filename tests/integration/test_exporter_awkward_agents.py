"""Agents that answer, but not as they should: what a scrape of them gives, and what is counted.

Each is a simulated agent with one fault (``exporters.demo.faults``). What they do to a walk, packet
by packet, is in ``tests/unit/snmp/test_walk.py``.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.faults import Faults
from exporters.demo.recording import Recording
from exporters.demo.snmprec import load_recording
from exporters.wire.snmp_message import ErrorStatus

from .agents import SYSTEM_ROWS, Relay, interface_rows, start_simulation, write_recording
from .exporter import Answer, Exporter, start_exporter
from .exposition import Exposition
from .processes import Programs

PORTS = 60
IF_ENTRY = "1.3.6.1.2.1.2.2.1"
IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1"
IN_OCTETS = f"{IF_ENTRY}.10"
OUT_OCTETS = f"{IF_ENTRY}.16"
HC_IN_OCTETS = f"{IF_X_ENTRY}.6"
HALF_OF_COUNTER64 = 1 << 63


@pytest.fixture(scope="module")
def recording_path(module_programs: Programs) -> Path:
    return write_recording(
        module_programs.folder / "switch.snmprec", SYSTEM_ROWS, interface_rows(PORTS)
    )


@pytest.fixture(scope="module")
def recording(recording_path: Path) -> Recording:
    return load_recording(recording_path)


@pytest.fixture(scope="module")
def exporter(module_programs: Programs, repository: Path) -> Exporter:
    """With two modules beside the shipped ones, which differ in the socket that they want."""
    shipped = repository / "modules/snmp"
    module = yaml.safe_load((shipped / "system.yml").read_text())["modules"]["system"]
    quick = module | {"timeout": "300ms", "retries": 0}
    modules = {"quick": quick, "open": quick | {"use_unconnected_udp_socket": True}}
    file = module_programs.folder / "quick.yml"
    file.write_text(yaml.safe_dump({"modules": modules}))
    return start_exporter(
        module_programs, f"--config.file={shipped}/*.yml", f"--config.file={file}"
    )


Scrape = Callable[..., Answer]


@pytest.fixture
def scrape(exporter: Exporter, recording: Recording) -> Scrape:
    """Scrape an agent with these faults; of the recording, or of another one."""

    def scrape_agent(
        rows: Recording = recording, times: int = 1, auth: str = "", **faults: Any
    ) -> Answer:
        agent = SimulatedAgent(rows, AgentSettings(faults=Faults(**faults)))
        with Relay(answer=agent.handle) as relay:
            for _ in range(times):
                answer = exporter.scrape(relay.target, "if_mib", auth=auth)
        return answer

    return scrape_agent


def ports(exposition: Exposition, metric: str) -> list[int]:
    """The interfaces that a metric has samples of."""
    return sorted(int(dict(labels)["ifIndex"]) for labels in exposition.named(metric))


def success(exposition: Exposition) -> float:
    return exposition.value("snmp_module_success", module="if_mib")


def is_whole(answer: Answer) -> bool:
    """Whether all of the device is there, with its own values and labels."""
    exposition = answer.exposition
    everything = list(range(1, PORTS + 1))
    metrics = {"ifInOctets": 10, "ifOutOctets": 16, "ifHCInOctets": 6 << 40}
    return success(exposition) == 1 and all(
        ports(exposition, name) == everything
        and exposition.value(
            name, ifIndex="60", ifDescr="port60", ifName="port60", ifAlias="uplink 60"
        )
        == (value * 60 if value < 100 else value + 60)
        for name, value in metrics.items()
    )


def test_sound_agent_is_whole(scrape: Scrape) -> None:
    assert is_whole(scrape())


def test_row_that_goes_back_ends_its_column_with_a_warning(
    exporter: Exporter, scrape: Scrape
) -> None:
    before = exporter.telemetry().value("snmp_oids_not_increasing_total")
    logged = len(exporter.program.errors)
    loops = exporter.failures("loop")
    exposition = scrape(successors={f"{IN_OCTETS}.30": f"{IN_OCTETS}.10"}).exposition
    assert ports(exposition, "ifInOctets") == list(range(1, 31))
    assert ports(exposition, "ifOutOctets") == list(range(1, PORTS + 1))
    assert success(exposition) == 0
    assert exposition.value("snmp_module_failure", module="if_mib", reason="loop") == 1
    assert exposition.value("snmp_up") == 1
    assert exporter.failures("loop") == loops + 1
    assert exporter.telemetry().value("snmp_oids_not_increasing_total") == before + 1
    (warning,) = re.findall(r".*level=warn.*", exporter.program.errors[logged:])
    assert "module=if_mib" in warning
    assert re.search(r"target=\S*127\.0\.0\.1", warning)
    assert f"oid={IN_OCTETS}" in warning
    assert f"after {IN_OCTETS}.30" in warning


def test_each_scrape_warns_once_of_rows_that_go_back(exporter: Exporter, scrape: Scrape) -> None:
    logged = len(exporter.program.errors)
    faults = {f"{column}.30": f"{column}.10" for column in (IN_OCTETS, OUT_OCTETS)}
    assert success(scrape(times=2, successors=faults).exposition) == 0
    warnings = re.findall(r".*level=warn.*", exporter.program.errors[logged:])
    assert len(warnings) == 2
    assert all("columns=2" in warning for warning in warnings)


@pytest.mark.parametrize("most", [1, 5, 20])
def test_agent_that_says_too_big_is_read_in_smaller_pieces(scrape: Scrape, most: int) -> None:
    answer = scrape(times=2, too_big_above=most)
    assert is_whole(answer)
    assert answer.exposition.value("snmp_scrape_varbinds_per_answer", module="if_mib") <= most


def test_agent_that_answers_with_less_than_asked_is_read_and_counted(
    exporter: Exporter, scrape: Scrape
) -> None:
    before = exporter.telemetry().value("snmp_answers_truncated_total")
    assert is_whole(scrape(most_varbinds=7))
    assert exporter.telemetry().value("snmp_answers_truncated_total") > before


def test_agent_that_answers_with_more_than_asked_is_read(scrape: Scrape) -> None:
    assert is_whole(scrape(surplus_varbinds=5))


def test_answers_with_a_wrong_id_are_counted_and_ignored(
    exporter: Exporter, scrape: Scrape
) -> None:
    before = exporter.telemetry().value("snmp_answers_unmatched_total")
    assert is_whole(scrape(wrong_request_id_rate=0.1))
    assert exporter.telemetry().value("snmp_answers_unmatched_total") > before


def test_answers_that_come_twice_are_counted_and_ignored(
    programs: Programs, exporter: Exporter, recording_path: Path
) -> None:
    before = exporter.telemetry().value("snmp_answers_unmatched_total")
    target = start_simulation(programs, recording_path, "--duplicate=1")[1]
    assert is_whole(exporter.scrape(target, "if_mib"))
    assert exporter.telemetry().value("snmp_answers_unmatched_total") > before


def test_answer_that_comes_late_counts_for_its_own_question_alone(
    exporter: Exporter, recording: Recording
) -> None:
    """Each answer arrives together with the next one: to a try that has been given up, if ever."""
    before = exporter.telemetry().value("snmp_answers_unmatched_total")
    held: list[bytes] = []

    def hold_back(request: bytes) -> bytes | None:
        answered = SimulatedAgent(recording).handle(request)
        if held:
            relay.interrupt(held.pop())
            return answered
        held.append(answered or b"")
        return None

    with Relay(answer=hold_back) as relay:
        assert is_whole(exporter.scrape(relay.target, "if_mib"))
    assert exporter.telemetry().value("snmp_answers_unmatched_total") > before


@pytest.mark.parametrize(("module", "heard"), [("quick", False), ("open", True)])
def test_answer_from_another_address_is_heard_only_where_a_module_says_so(
    exporter: Exporter, recording: Recording, module: str, heard: bool
) -> None:
    agent = SimulatedAgent(recording)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.2", 0))

        def answer_from_there(request: bytes) -> None:
            elsewhere.sendto(agent.handle(request) or b"", relay.last_client)

        with Relay(answer=answer_from_there) as relay:
            answer = exporter.scrape(relay.target, module, timeout=5)
    assert (answer.status == 200) is heard
    if heard:
        assert answer.exposition.value("snmp_module_success", module="open") == 1
    else:
        assert answer.text.endswith("(timeout)\n")


def test_stranger_with_the_right_id_is_not_believed(
    exporter: Exporter, recording: Recording
) -> None:
    agent = SimulatedAgent(recording)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.2", 0))

        def forge_first(request: bytes) -> bytes | None:
            answered = agent.handle(request) or b""
            elsewhere.sendto(answered.replace(b"switch-1", b"switch-9"), relay.last_client)
            return answered

        with Relay(answer=forge_first) as relay:
            answer = exporter.scrape(relay.target, "system")
    assert answer.exposition.value("sysName", sysName="switch-1") == 1


def test_error_in_mid_walk_is_told_and_not_taken_for_the_end(scrape: Scrape) -> None:
    exposition = scrape(errors_below={f"{IN_OCTETS}.30": ErrorStatus.genErr}).exposition
    assert ports(exposition, "ifInOctets") == list(range(1, 30))
    assert ports(exposition, "ifOutOctets") == list(range(1, PORTS + 1))
    assert success(exposition) == 0
    assert exposition.value("snmp_module_failure", module="if_mib", reason="agent_error") == 1


def test_version_1_agent_without_a_table_has_read_all_it_has(
    scrape: Scrape, module_programs: Programs
) -> None:
    """It answers noSuchName for what lies behind its last row."""
    old = tuple(row for row in interface_rows(3) if not row[0].startswith(IF_X_ENTRY))
    path = write_recording(module_programs.folder / "old.snmprec", old)
    exposition = scrape(load_recording(path), times=2, auth="public_v1").exposition
    assert success(exposition) == 1
    assert ports(exposition, "ifInOctets") == [1, 2, 3]
    assert exposition.named("ifHCInOctets") == {}
    assert exposition.value("ifInOctets", ifIndex="3", ifDescr="port3", ifName="", ifAlias="") == 30


def test_rows_that_vanish_in_mid_walk_are_left_out(scrape: Scrape) -> None:
    exposition = scrape(gone_after={HC_IN_OCTETS: 12}).exposition
    assert success(exposition) == 1
    left = ports(exposition, "ifHCInOctets")
    assert left == list(range(1, len(left) + 1))
    assert len(left) < PORTS
    assert ports(exposition, "ifOutOctets") == list(range(1, PORTS + 1))


def test_values_of_no_length_are_nothing_and_empty_text(scrape: Scrape) -> None:
    empty = (IN_OCTETS, f"{IF_X_ENTRY}.18")
    exposition = scrape(empty_below=empty).exposition
    assert success(exposition) == 1
    labels = {"ifIndex": "7", "ifDescr": "port7", "ifName": "port7", "ifAlias": ""}
    assert exposition.value("ifInOctets", **labels) == 0
    assert exposition.value("ifOutOctets", **labels) == 16 * 7


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--no-snmp.wrap-large-counters", HALF_OF_COUNTER64 + 4096), ("", 4096)],
    ids=["as it is", "wrapped"],
)
def test_counter_that_looks_negative_is_a_large_one(
    programs: Programs, repository: Path, flag: str, value: int
) -> None:
    """Agents of 32 bits send Counter64 as eight bytes without the zero that makes it positive."""
    large = HALF_OF_COUNTER64 + 4096
    rows = tuple(
        (oid, tag, str(large) if oid.startswith(f"{HC_IN_OCTETS}.") else text)
        for oid, tag, text in interface_rows(2)
    )
    path = write_recording(programs.folder / "large.snmprec", rows)
    settings = AgentSettings(faults=Faults(signed_counter64=True))
    agent = SimulatedAgent(load_recording(path), settings)
    exporter = start_exporter(
        programs, f"--config.file={repository}/modules/snmp/*.yml", *filter(None, [flag])
    )
    with Relay(answer=agent.handle) as relay:
        exposition = exporter.scrape(relay.target, "if_mib").exposition
    assert set(exposition.named("ifHCInOctets").values()) == {float(value)}
