"""A target of 50,000 series: all of it is served, and the exporter answers others meanwhile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .agents import SYSTEM_ROWS, interface_rows, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import Programs, until

INTERFACES = 1400
SERIES = 50_000
LONGEST_WAIT_SECONDS = 1.0


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "large.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(INTERFACES))
    return start_simulation(module_programs, recording)[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs) -> Exporter:
    return start_exporter(module_programs)


@contextmanager
def waits_of_others(exporter: Exporter) -> Iterator[list[float]]:
    """How long /-/healthy takes, asked again and again while the context lasts."""
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            waits.append(exporter.request("/-/healthy").seconds)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def test_large_target_is_served_and_others_do_not_wait(
    exporter: Exporter, agent: str, record_property: pytest.RecordProperty
) -> None:
    for number in ("first", "second"):
        with waits_of_others(exporter) as waits:
            answer = exporter.scrape(agent, "if_mib", "system", timeout=30)
        record_property(f"seconds of the {number} scrape", round(answer.seconds, 2))
        record_property(f"longest wait during the {number} scrape", round(max(waits), 3))
        print(f"{number}: {answer.seconds:.2f} s, others at most {max(waits):.3f} s")
        assert len(waits) > 3
        assert max(waits) < LONGEST_WAIT_SECONDS
        exposition = answer.exposition
        assert len(exposition.samples) > SERIES
        assert exposition.value("snmp_module_success", module="if_mib") == 1
        assert exposition.value("ifNumber") == INTERFACES
        for name in ("ifInOctets", "ifHCOutOctets", "ifPhysAddress", "ifType_info"):
            assert len(exposition.named(name)) == INTERFACES
        last = {"ifIndex": "1400", "ifDescr": "port1400", "ifName": "port1400"}
        wanted = (10 << 40) + INTERFACES
        assert exposition.value("ifHCOutOctets", **last, ifAlias="uplink 1400") == wanted


def test_client_that_leaves_a_large_scrape_stops_it(exporter: Exporter, agent: str) -> None:
    served = exporter.telemetry().value("snmp_samples_served_total")
    with socket.create_connection(("127.0.0.1", exporter.port), 30) as client:
        client.sendall(f"GET /snmp?target={agent} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    until(lambda: not in_flight(exporter), "the scrape has ended", LONGEST_WAIT_SECONDS)
    assert exporter.telemetry().value("snmp_samples_served_total") == served
    assert exporter.scrape(agent).exposition.value("snmp_up") == 1


def in_flight(exporter: Exporter) -> float:
    return exporter.telemetry().value("snmp_request_in_flight")
