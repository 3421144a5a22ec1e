"""How long a scrape may take, what is left of one that took too long, and who gives up when."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from .agents import (
    SYSTEM_ROWS,
    Relay,
    address_of,
    interface_rows,
    silent_tcp,
    silent_udp,
    start_simulation,
    write_recording,
)
from .exporter import Exporter, start_exporter
from .processes import Programs, until

# ifEntry and ifXEntry as they stand in a packet: 1.3.6.1.2.1.2 and 1.3.6.1.2.1.31.
INTERFACES = (bytes.fromhex("2b0601020102"), bytes.fromhex("2b060102011f"))
SECONDS_TO_NOTICE = 1.0


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(3))
    return start_simulation(module_programs, recording, "--tcp")[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs) -> Exporter:
    return start_exporter(module_programs)


def without_interfaces(datagram: bytes) -> bytes | None:
    return None if any(root in datagram for root in INTERFACES) else datagram


# --- the scrape timeout ---------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_silent_agent_costs_no_more_than_the_scrape_timeout(
    exporter: Exporter, transport: str
) -> None:
    before = exporter.failures("timeout")
    with silent_udp() if transport == "udp" else silent_tcp() as agent:
        target = f"{transport}://{address_of(agent)}"
        answer = exporter.scrape(target, timeout=1)
    assert answer.status == 500
    assert "(timeout)\n" in answer.text
    assert 0.4 < answer.seconds < 1.0
    assert exporter.failures("timeout") == before + 1


def test_connection_that_is_never_made_costs_no_more_than_the_scrape_timeout(
    exporter: Exporter,
) -> None:
    """A listener whose queue is full: the system drops what would open a connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        queued = [socket.socket() for _ in range(4)]
        for client in queued:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        answer = exporter.scrape(f"tcp://{address_of(listener)}", timeout=1)
        for client in queued:
            client.close()
    assert (answer.status, answer.seconds < 1.0) == (500, True)
    assert "(timeout)\n" in answer.text


@pytest.mark.parametrize("announced", ["nonsense", "-1", "0", "nan", "inf", ""])
def test_nonsense_for_a_scrape_timeout_is_ignored(
    exporter: Exporter, agent: str, announced: str
) -> None:
    header = {"X-Prometheus-Scrape-Timeout-Seconds": announced}
    assert exporter.request(f"/snmp?target={agent}", headers=header).status == 200


def test_flags_bound_a_scrape_whose_client_names_no_timeout(programs: Programs) -> None:
    exporter = start_exporter(programs, "--scrape.longest=0.3", "--timeout-offset=0.9")
    with silent_udp() as agent:
        unannounced = exporter.scrape(address_of(agent))
        announced = exporter.scrape(address_of(agent), timeout=1.2)
    assert (unannounced.status, 0.2 < unannounced.seconds < 0.9) == (500, True)
    # At least half of the announced time is used, whatever the offset.
    assert (announced.status, 0.55 < announced.seconds < 1.1) == (500, True)


# --- partial results ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param(("system", "if_mib"), id="the silent one last"),
        pytest.param(("if_mib", "system"), id="the silent one first"),
    ],
)
def test_module_that_is_not_answered_leaves_the_other_as_it_is(
    programs: Programs, agent: str, tmp_path: Path, modules: tuple[str, ...]
) -> None:
    exporter = start_exporter(programs, "--snmp.module-concurrency=2")
    with Relay(agent, request=without_interfaces) as relay:
        answer = exporter.scrape(relay.target, *modules, timeout=2)
    exposition = answer.exposition
    assert answer.seconds < 2
    assert exposition.value("sysName", sysName="switch-1") == 1
    assert exposition.value("snmp_up") == 1
    assert exposition.value("snmp_module_success", module="system") == 1
    assert exposition.value("snmp_module_success", module="if_mib") == 0
    assert exposition.value("snmp_module_failure", module="if_mib", reason="timeout") == 1
    assert exposition.named("ifNumber") == {}
    assert exporter.failures("timeout") == 1


def test_modules_one_after_another_are_partial_too(exporter: Exporter, agent: str) -> None:
    with Relay(agent, request=without_interfaces) as relay:
        answer = exporter.scrape(relay.target, "system", "if_mib", timeout=2)
    assert answer.exposition.value("sysName", sysName="switch-1") == 1
    assert answer.exposition.value("snmp_module_success", module="if_mib") == 0
    assert answer.seconds < 2


def test_silent_module_leaves_time_for_the_next(exporter: Exporter, agent: str) -> None:
    with Relay(agent, request=without_interfaces) as relay:
        answer = exporter.scrape(relay.target, "if_mib", "system", timeout=2)
    assert answer.exposition.value("snmp_module_success", module="system") == 1
    assert answer.seconds < 2


def test_target_that_was_silent_for_long_is_asked_one_thing(programs: Programs) -> None:
    exporter = start_exporter(programs, "--snmp.silent-scrapes=2")
    with silent_udp() as agent:
        target = address_of(agent)
        for _ in range(2):
            assert exporter.scrape(target, timeout=4).seconds > 2
        answer = exporter.scrape(target, "if_mib", "system", timeout=4)
    assert answer.status == 500
    assert "module system: request timeout" in answer.text
    assert answer.seconds < 1.5
    own = exporter.telemetry()
    assert own.value("snmp_circuits_open") == 1
    assert own.value("snmp_circuit_probes_total", result="silent") == 1


def test_target_that_answers_its_probe_is_scraped_at_once(programs: Programs, agent: str) -> None:
    exporter = start_exporter(programs, "--snmp.silent-scrapes=1")
    dead = True
    with Relay(agent, request=lambda datagram: None if dead else datagram) as relay:
        assert exporter.scrape(relay.target, "system", timeout=1).status == 500
        dead = False
        answer = exporter.scrape(relay.target, "system", timeout=4)
    assert answer.exposition.value("snmp_module_success", module="system") == 1
    own = exporter.telemetry()
    assert own.value("snmp_circuits_open") == 0
    assert own.value("snmp_circuit_probes_total", result="answered") == 1


# --- clients that leave ---------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_client_that_leaves_frees_the_socket_of_its_scrape(
    exporter: Exporter, transport: str
) -> None:
    with silent_udp() if transport == "udp" else silent_tcp() as agent:
        port = agent.getsockname()[1]
        with socket.create_connection(("127.0.0.1", exporter.port), 30) as client:
            target = f"{transport}://{address_of(agent)}"
            client.sendall(f"GET /snmp?target={target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            until(lambda: exporter.sockets_towards(port) == 1, "the scrape is under way")
            assert exporter.telemetry().value("snmp_request_in_flight") == 1
        freed = "the socket is closed"
        until(lambda: exporter.sockets_towards(port) == 0, freed, SECONDS_TO_NOTICE)
    assert exporter.telemetry().value("snmp_request_in_flight") == 0


def test_scrapes_leave_no_socket_behind(exporter: Exporter, agent: str) -> None:
    assert exporter.scrape(agent).status == 200
    before = len(exporter.sockets())
    for target in (agent, f"tcp://{agent}", "127.0.0.1:1", "tcp://127.0.0.1:1", "no.invalid"):
        for _ in range(5):
            exporter.scrape(target, "system", "if_mib")
    until(lambda: len(exporter.sockets()) <= before, "no socket is left", SECONDS_TO_NOTICE)


# --- what happens to a scrape that is under way ---------------------------------------------


class Gate:
    """Holds an agent's first request until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, datagram: bytes) -> bytes:
        self.reached.set()
        assert self.opened.wait(30)
        return datagram


@pytest.mark.parametrize("event", ["reload", "SIGTERM"])
def test_scrape_under_way_ends_under_its_own_configuration(
    programs: Programs, agent: str, repository: Path, event: str
) -> None:
    """A reload that takes its module away, or the end of the exporter, does not disturb it."""
    file = programs.folder / "snmp.yml"
    modules = yaml.safe_load((repository / "modules/snmp/system.yml").read_text())
    auths = {"auths": {"public_v2": {"version": 2}}}
    file.write_text(yaml.safe_dump(auths | modules))
    exporter = start_exporter(programs, f"--config.file={file}")
    gate = Gate()
    with Relay(agent, request=gate) as relay, ThreadPoolExecutor(1) as pool:
        scrape = pool.submit(exporter.scrape, relay.target)
        assert gate.reached.wait(30)
        if event == "reload":
            file.write_text(
                yaml.safe_dump(auths | {"modules": {"other": {"walk": ["1.3.6.1"], "metrics": []}}})
            )
            assert exporter.request("/-/reload", method="POST").status == 200
            assert exporter.scrape(agent).status == 400
        else:
            exporter.program.send(signal.SIGTERM)
            until(lambda: "shutting down" in exporter.program.errors, "the exporter shuts down")
            with pytest.raises(ConnectionError):
                exporter.request("/-/ready")
        gate.opened.set()
        answer = scrape.result()
    assert answer.exposition.value("sysName", sysName="switch-1") == 1
    if event == "SIGTERM":
        assert exporter.program.wait() == 0


def test_scrape_that_outlasts_the_shutdown_is_cancelled(programs: Programs) -> None:
    exporter = start_exporter(programs, "--web.shutdown-timeout=200ms")
    with silent_udp() as agent, ThreadPoolExecutor(1) as pool:
        scrape: Callable[[], object] = pool.submit(exporter.scrape, address_of(agent)).result
        agent.recv(65535)
        exporter.program.send(signal.SIGTERM)
        assert exporter.program.wait(5) == 0
        with pytest.raises((ConnectionError, OSError)):
            scrape()
    assert "requests cancelled" in exporter.program.errors


def test_killed_exporter_starts_again_at_once_on_its_port(programs: Programs, agent: str) -> None:
    first = start_exporter(programs)
    with silent_udp() as silent, socket.create_connection(("127.0.0.1", first.port), 30) as client:
        request = f"GET /snmp?target={address_of(silent)} HTTP/1.1\r\nHost: x\r\n\r\n"
        client.sendall(request.encode())
        silent.recv(65535)
        assert first.program.kill() == -signal.SIGKILL
        second = start_exporter(programs, address=f"127.0.0.1:{first.port}")
    assert second.port == first.port
    assert second.scrape(agent).status == 200
