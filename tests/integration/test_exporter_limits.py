"""Limits of devices, as they see them, and many targets at once in a process with few files."""

from __future__ import annotations

import asyncio
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from .agents import (
    SYSTEM_ROWS,
    Relay,
    interface_rows,
    start_simulation,
    write_recording,
)
from .exporter import Answer, Exporter, listening_port, start_exporter
from .processes import NETEXPORTERS, Programs

PACKETS_PER_SECOND = 40
INTERFACES = 24
SCRAPES = (("if_mib", "public_v2"), ("system", "public_v2"), ("if_mib", "public_v1"))
TARGETS = 2000
OPEN_FILES = 256
LATENESS_SECONDS = 0.25
"""By how much a packet may come nearer to the next one on its way to the test."""


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(INTERFACES))
    return start_simulation(module_programs, recording)[1]


class Watch:
    """Sees the requests that reach an agent: when, and how many are unanswered."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.under_way = 0
        self.most_under_way = 0

    def request(self, datagram: bytes) -> bytes:
        self.times.append(time.monotonic())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        return datagram

    def answer(self, datagram: bytes) -> bytes:
        self.under_way -= 1
        return datagram

    def most_within(self, seconds: float) -> int:
        return max(
            sum(start <= at < start + seconds for at in self.times[place:])
            for place, start in enumerate(self.times)
        )


@contextmanager
def watched(agent: str) -> Iterator[tuple[Watch, Relay]]:
    watch = Watch()
    with Relay(agent, request=watch.request, answer=watch.answer) as relay:
        yield watch, relay


def devices_file(folder: Path, limits: str) -> Path:
    path = folder / "devices.yml"
    path.write_text(f"devices: [{{name: a, addresses: [127.0.0.1, localhost], {limits}}}]\n")
    return path


def scrape_all(exporter: Exporter, port: int, timeout: float = 30) -> list[Answer]:
    """Scrape with several modules and auths, by name and by address, all at the same time."""
    requests = [
        (f"{host}:{port}", module, auth)
        for host in ("127.0.0.1", "udp4://localhost")
        for module, auth in SCRAPES
    ]
    with ThreadPoolExecutor(len(requests)) as pool:
        futures = [
            pool.submit(exporter.scrape, target, module, auth=auth, timeout=timeout)
            for target, module, auth in requests
        ]
        return [future.result() for future in futures]


def test_all_scrapes_of_a_device_together_keep_its_limits(
    programs: Programs, agent: str, tmp_path: Path
) -> None:
    limits = f"snmp_concurrency: 2, snmp_packets_per_second: {PACKETS_PER_SECOND}"
    devices = devices_file(tmp_path, limits)
    exporter = start_exporter(programs, f"--devices.file={devices}")
    with watched(agent) as (watch, relay):
        answers = scrape_all(exporter, relay.port)
    for answer in answers:
        assert 1 in answer.exposition.named("snmp_module_success").values()
    telemetry = exporter.telemetry()
    assert telemetry.value("snmp_packets_total") == len(watch.times)
    assert watch.most_under_way <= 2
    assert watch.most_within(1.0) <= PACKETS_PER_SECOND * (1 + LATENESS_SECONDS) + 1
    # And not much below: the limit is used.
    took_seconds = watch.times[-1] - watch.times[0]
    assert len(watch.times) > 0.5 * PACKETS_PER_SECOND * took_seconds
    assert telemetry.value("snmp_limit_wait_seconds_total") > took_seconds / 2


def test_device_without_limits_is_not_made_to_wait(programs: Programs, agent: str) -> None:
    exporter = start_exporter(programs)
    with watched(agent) as (watch, relay):
        scrape_all(exporter, relay.port)
        answer = exporter.scrape(relay.target, "if_mib")
    assert watch.most_under_way > 2
    waited = answer.exposition.value("snmp_scrape_limit_wait_duration_seconds", module="if_mib")
    assert waited == 0


def test_scrape_beyond_the_limits_ends_in_time_with_what_was_read(
    programs: Programs, agent: str, tmp_path: Path
) -> None:
    devices = devices_file(tmp_path, "snmp_packets_per_second: 5")
    exporter = start_exporter(programs, f"--devices.file={devices}")
    with watched(agent) as (watch, relay):
        exporter.scrape(relay.target, "system", timeout=10)
        answer = exporter.scrape(relay.target, "system", "if_mib", timeout=2)
        debug = exporter.scrape(relay.target, "if_mib", timeout=2, debug="1")
    assert answer.seconds < 2
    assert answer.exposition.value("snmp_module_success", module="system") == 1
    assert answer.exposition.value("snmp_module_success", module="if_mib") == 0
    assert answer.exposition.value("snmp_module_failure", module="if_mib", reason="rate_limit") == 1
    assert exporter.failures("timeout") == 0
    assert "s for a turn, within 5 packets a second" in debug.text
    assert "5 packets a second, left no turn in time (rate_limit)" in debug.text
    assert watch.most_within(1.0) <= 6


def test_flag_and_module_limit_devices_that_the_inventory_does_not_know(
    programs: Programs, agent: str, tmp_path: Path
) -> None:
    config = tmp_path / "snmp.yml"
    config.write_text(
        "auths: {public_v2: {version: 2, community: public}}\n"
        "modules: {m: {walk: [1.3.6.1.2.1.2.2.1], packets_per_second: 20,"
        " metrics: [{name: ifIndex, oid: 1.3.6.1.2.1.2.2.1.1, type: gauge,"
        " indexes: [{labelname: ifIndex, type: gauge}]}]}}\n"
    )
    flags = ("--snmp.device-concurrency=1", f"--config.file={config}")
    exporter = start_exporter(programs, *flags)
    with watched(agent) as (watch, relay):
        for _ in range(5):
            assert exporter.scrape(relay.target, "m").exposition.value("snmp_up") == 1
    assert watch.most_under_way == 1
    assert watch.most_within(0.2) <= 20 * (0.2 + LATENESS_SECONDS) + 1


class SilentNetwork:
    """Hears what is sent to one port of every address of 127.0.0.0/8, and answers nothing."""

    def __init__(self) -> None:
        self.heard: Counter[int] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("0.0.0.0", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> SilentNetwork:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while self._socket.recv(2000):
            self.heard[int(time.monotonic())] += 1


async def scrape_at_once(exporter: Exporter, targets: list[str], timeout: float) -> list[bytes]:
    """Ask for all targets at the same moment, each on a connection of its own."""

    async def scrape(target: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", exporter.port)
        writer.write(
            f"GET /snmp?target={target}&module=system HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"X-Prometheus-Scrape-Timeout-Seconds: {timeout}\r\n\r\n".encode()
        )
        try:
            return await reader.read()
        finally:
            writer.close()

    async with asyncio.timeout(120):
        return await asyncio.gather(*map(scrape, targets))


def test_many_targets_at_once_all_get_an_answer_with_few_files(
    programs: Programs, agent: str
) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < TARGETS + 200:
        pytest.skip("this test needs more open files than it may have itself")
    limited = ("/bin/sh", "-c", f'ulimit -n {OPEN_FILES} && exec "$@"', "sh")
    flag = "--web.listen-address=127.0.0.1:0"
    program = programs.start(*limited, NETEXPORTERS, "snmp", flag)
    exporter = Exporter(program, listening_port(program))
    with SilentNetwork() as network:
        targets = [
            f"127.9.{number // 250}.{1 + number % 250}:{network.port}" for number in range(TARGETS)
        ]
        targets[TARGETS // 2] = agent
        answers = asyncio.run(scrape_at_once(exporter, targets, timeout=1))
    statuses = Counter(answer.split(b" ", 2)[1] for answer in answers)
    assert statuses == {b"200": 1, b"500": TARGETS - 1}
    silent = [answer for answer in answers if answer.split(b" ", 2)[1] == b"500"]
    assert all(answer.rstrip().endswith((b"(timeout)", b"(overload)")) for answer in silent)
    # No more scrapes at a time than sockets, each of which sends one packet, and lasts 0.5 s.
    assert max(network.heard.values()) <= 3 * OPEN_FILES
    assert exporter.telemetry().value("process_open_fds") < 40
    for complaint in ("Traceback", "level=error", "Too many open files"):
        assert complaint not in program.errors


def test_limit_of_open_files_is_raised_at_the_start(programs: Programs) -> None:
    limited = ("/bin/sh", "-c", 'ulimit -Sn 128 && ulimit -Hn 512 && exec "$@"', "sh")
    program = programs.start(*limited, NETEXPORTERS, "snmp", "--web.listen-address=127.0.0.1:0")
    exporter = Exporter(program, listening_port(program))
    assert exporter.telemetry().value("process_max_fds") == 512
