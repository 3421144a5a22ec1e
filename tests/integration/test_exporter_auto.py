"""``module=auto``: of its modules, the exporter reads those that a device answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.snmprec import load_recording

from .agents import (
    SYSTEM_ROWS,
    Relay,
    Row,
    address_of,
    interface_rows,
    silent_udp,
    start_simulation,
    write_recording,
)
from .exporter import Answer, Exporter, start_exporter
from .exposition import of_the_device
from .processes import Programs

FAN = "1.3.6.1.4.1.99999.1.1.2"
IF_DESCR = "1.3.6.1.2.1.2.2.1.2"
LOOKUP = {"labels": ["ifIndex"], "labelname": "ifDescr", "oid": IF_DESCR, "type": "DisplayString"}
FANS = {
    "walk": [FAN, IF_DESCR],
    "metrics": [
        {
            "name": "fanSpeed",
            "oid": FAN,
            "type": "gauge",
            "indexes": [{"labelname": "ifIndex", "type": "gauge"}],
            "lookups": [LOOKUP],
        }
    ],
}
FAN_ROWS: tuple[Row, ...] = ((f"{FAN}.1", 2, "4200"),)
INTERFACES = tuple(interface_rows(2))
SWITCH = (*SYSTEM_ROWS, *INTERFACES)


def start(programs: Programs, repository: Path, *words: str) -> Exporter:
    """An exporter with the shipped modules and one of a vendor."""
    (programs.folder / "fans.yml").write_text(yaml.safe_dump({"modules": {"fans": FANS}}))
    return start_exporter(
        programs,
        f"--config.file={repository}/modules/snmp/*.yml",
        f"--config.file={programs.folder}/fans.yml",
        *words,
    )


@pytest.fixture
def exporter(programs: Programs, repository: Path) -> Exporter:
    return start(programs, repository)


def simulate(programs: Programs, *rows: Row) -> str:
    recording = write_recording(programs.folder / "device.snmprec", tuple(rows))
    return start_simulation(programs, recording)[1]


def modules_of(answer: Answer) -> set[str]:
    """The modules that a scrape was about."""
    return {dict(labels)["module"] for labels in answer.exposition.named("snmp_module_success")}


def surveys(exporter: Exporter, reason: str) -> float:
    return exporter.telemetry().value("snmp_auto_surveys_total", reason=reason)


def test_a_device_is_read_as_if_its_modules_had_been_named(
    programs: Programs, exporter: Exporter
) -> None:
    target = simulate(programs, *SWITCH)

    first, second = [exporter.scrape(target, "auto") for _ in range(2)]
    named = exporter.scrape(target, "if_mib", "system")

    assert modules_of(first) == {"auto", "if_mib", "system"}
    assert first.exposition.value("snmp_scrape_packets_sent", module="auto") == 1
    assert modules_of(second) == modules_of(named) == {"if_mib", "system"}
    for answer in (first, second):
        assert of_the_device(answer.exposition).keys() == of_the_device(named.exposition).keys()
    assert surveys(exporter, "unknown") == 1
    packets = "snmp_scrape_packets_sent"
    assert second.exposition.named(packets) == named.exposition.named(packets)


def test_a_vendors_module_is_read_where_the_vendors_objects_are(
    programs: Programs, exporter: Exporter
) -> None:
    target = simulate(programs, *SWITCH, *FAN_ROWS)

    answer = exporter.scrape(target, "auto")

    assert modules_of(answer) == {"auto", "fans", "if_mib", "system"}
    assert answer.exposition.value("fanSpeed", ifIndex="1", ifDescr="port1") == 4200


def test_a_module_that_is_excluded_is_read_only_when_it_is_named(
    programs: Programs, repository: Path
) -> None:
    exporter = start(programs, repository, "--snmp.auto-exclude=fans")
    target = simulate(programs, *SWITCH, *FAN_ROWS)

    assert modules_of(exporter.scrape(target, "auto")) == {"auto", "if_mib", "system"}
    assert modules_of(exporter.scrape(target, "auto", "fans")) == {"fans", "if_mib", "system"}


def test_other_credentials_and_reloads_ask_again(programs: Programs, exporter: Exporter) -> None:
    target = simulate(programs, *SWITCH)
    exporter.scrape(target, "auto")

    exporter.scrape(target, "auto", auth="public_v1")
    assert surveys(exporter, "unknown") == 2
    assert exporter.request("/-/reload", method="POST").status == 200
    exporter.scrape(target, "auto")

    assert surveys(exporter, "unknown") == 3


def test_a_restarted_device_is_asked_again(programs: Programs, exporter: Exporter) -> None:
    def boot(ticks: int, *rows: Row) -> SimulatedAgent:
        uptime: Row = ("1.3.6.1.2.1.1.3.0", 67, str(ticks))
        others = tuple(row for row in SYSTEM_ROWS if row[0] != uptime[0])
        path = write_recording(programs.folder / f"{ticks}.snmprec", (*others, uptime, *rows))
        return SimulatedAgent(load_recording(path), AgentSettings(moving=True))

    agents = [boot(8_640_000, *INTERFACES), boot(100, *INTERFACES, *FAN_ROWS)]
    with Relay(answer=lambda request: agents[0].handle(request)) as relay:
        exporter.scrape(relay.target, "auto")
        del agents[0]
        assert "fans" not in modules_of(exporter.scrape(relay.target, "auto"))
        assert "fans" in modules_of(exporter.scrape(relay.target, "auto"))
    assert surveys(exporter, "restart") == 1


def test_a_device_that_answers_no_module_says_so(programs: Programs, exporter: Exporter) -> None:
    target = simulate(programs, ("1.3.6.1.2.1.4.1.0", 2, "1"))

    answer = exporter.scrape(target, "auto")
    as_metrics = exporter.scrape(target, "auto", failure="metrics").exposition

    assert answer.status == 500
    assert answer.text.endswith(
        f"target {target}: module auto: the device answers, but has nothing that any of the 3 "
        "loaded modules reads (no_module)\n"
    )
    assert as_metrics.value("snmp_up") == 0
    assert as_metrics.value("snmp_module_failure", module="auto", reason="no_module") == 1
    assert exporter.scrape(target, "auto", "system").status == 200


def test_a_dead_device_is_left_to_the_circuit_breaker(exporter: Exporter) -> None:
    with silent_udp() as udp:
        target = address_of(udp)
        answers = [exporter.scrape(target, "auto", timeout=1.0) for _ in range(4)]

    assert {answer.status for answer in answers} == {500}
    assert "module auto: request timeout" in answers[-1].text
    assert exporter.telemetry().value("snmp_circuits_open") == 1
    assert surveys(exporter, "unknown") == 3


def test_debug_tells_what_was_chosen_and_why(programs: Programs, exporter: Exporter) -> None:
    target = simulate(programs, *SWITCH)

    asked, remembered = [exporter.scrape(target, "auto", debug="1").text for _ in range(2)]

    assert "auto: asked (unknown), good for " in asked
    assert " s more: if_mib, system\n" in asked
    assert "auto: from memory, good for " in remembered
    for text in (asked, remembered):
        assert "auto: module if_mib: the device has IF-MIB::ifNumber.0 (1.3.6.1.2.1.2.1.0)" in text


def test_limits_of_the_device_hold_for_the_question(programs: Programs, repository: Path) -> None:
    exporter = start(programs, repository, "--snmp.packets-per-second=20")
    target = simulate(programs, *SWITCH)

    exposition = exporter.scrape(target, "auto").exposition

    waits = exposition.named("snmp_scrape_limit_wait_duration_seconds")
    packets = sum(exposition.named("snmp_scrape_packets_sent").values())
    assert sum(waits.values()) > 0.04 * (packets - 2)


def test_devices_of_the_inventory_may_have_auto(programs: Programs, repository: Path) -> None:
    device = {"name": "core", "addresses": ["192.0.2.1"], "modules": ["auto"]}
    (programs.folder / "devices.yml").write_text(yaml.safe_dump({"devices": [device]}))

    exporter = start(programs, repository, f"--devices.file={programs.folder}/devices.yml")

    [group] = json.loads(exporter.request("/sd").text)
    assert group["labels"]["__param_module"] == "auto"


def test_the_form_offers_auto(exporter: Exporter) -> None:
    assert '"auto"' in exporter.request("/").text
