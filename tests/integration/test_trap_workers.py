"""The trap exporter with several workers, and net-snmp's senders with many addresses."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .exporter import Exporter, start_exporter
from .exposition import Exposition
from .inside import inside
from .many_senders import have_addresses, ipv4
from .namespaces import needs_root, network_namespace
from .processes import Programs, until
from .trap_exporter import LINK_DOWN, LINK_UP, snmptrap

pytestmark = [needs_root, pytest.mark.peer("snmptrap", "snmp")]

WORKERS = 3
DEVICES = 12
RELAY = "10.9.200.1"
USER = (
    "-u",
    "nms",
    "-l",
    "authPriv",
    "-a",
    "SHA",
    "-A",
    "authentic1",
    "-x",
    "AES",
    "-X",
    "private12",
)
CONFIG = f"""
events: {{scrape_interval: 100ms}}
access: {{trusted_relays: [{RELAY}]}}
users: [{{username: nms, security_level: authPriv, auth_protocol: SHA, password: authentic1,
          priv_protocol: AES, priv_password: private12}}]
"""
_SERVES = re.compile(r'msg="worker serves" worker=(\d+) pid=(\d+)')


def addresses(number: int) -> tuple[str, str]:
    return ipv4(number), ipv4(1000 + number)


class Crew:
    """An exporter whose files stay when it is started again."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        folder = self.folder = programs.folder
        (folder / "trap.yml").write_text(CONFIG)
        devices = (
            f"  - {{name: device-{number}, addresses: {list(addresses(number))}}}\n"
            for number in range(DEVICES)
        )
        (folder / "devices.yml").write_text("devices:\n" + "".join(devices))

    def start(self, workers: int = WORKERS) -> None:
        self.http: Exporter = start_exporter(
            self.programs,
            f"--workers={workers}",
            "--trap.listen-address=:1162",
            f"--config.file={self.folder}/trap.yml",
            f"--devices.file={self.folder}/devices.yml",
            f"--events.state-file={self.folder}/trap.state",
            name="trap",
        )

    @property
    def pids(self) -> dict[int, int]:
        return {int(n): int(pid) for n, pid in _SERVES.findall(self.http.program.errors)}

    def metrics(self) -> Exposition:
        metrics = self.http.telemetry()
        outcomes = metrics.named("snmp_trap_outcomes_total")
        assert sum(outcomes.values()) == metrics.value("snmp_trap_datagrams_total")
        return metrics

    def wait_for(self, outcome: str, count: int) -> None:
        def counted() -> float:
            return self.metrics().value("snmp_trap_outcomes_total", outcome=outcome)

        until(lambda: counted() >= count, f"{count} {outcome}")
        assert counted() == count

    def received(self) -> dict[str, float]:
        return {
            dict(labels)["device"]: value
            for labels, value in self.metrics().named("snmp_trap_received_total").items()
        }

    def links(self) -> dict[str, float]:
        return {
            dict(labels)["device"]: value
            for labels, value in self.metrics().named("network_event_active").items()
        }


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    with ExitStack() as stack:
        namespace = stack.enter_context(network_namespace())
        have_addresses(namespace)
        stack.enter_context(inside(namespace))
        programs = Programs(tmp_path)
        stack.callback(programs.close)
        crew = Crew(programs)
        crew.start()
        yield crew


def send(
    source: str,
    oid: str = LINK_DOWN,
    words: tuple[str, ...] = ("-v", "2c", "-c", "public"),
    *varbinds: str,
    inform: bool = False,
) -> None:
    row = "1.3.6.1.2.1.2.2.1"
    sender = (*words, f"--clientaddr={source}", "-r", "2", "-t", "2", "127.0.0.1:1162", "1000", oid)
    interface = (f"{row}.1.7", "i", "7", f"{row}.2.7", "s", "Gi0/7")
    result = snmptrap(*sender, *interface, *varbinds, inform=inform)
    assert result.returncode == 0, result.stderr


def test_each_trap_is_counted_once_under_its_device(crew: Crew) -> None:
    for number in range(DEVICES):
        first, second = addresses(number)
        send(first)
        send(second)
        send(first, inform=True)
        send(second, inform=True)
        about = ("1.3.6.1.6.3.18.1.3.0", "a", first)
        send(RELAY, LINK_DOWN, ("-v", "2c", "-c", "public"), *about)
    crew.wait_for("accepted", 5 * DEVICES)
    assert crew.links() == {f"device-{number}": 1.0 for number in range(DEVICES)}
    metrics = crew.metrics()
    assert metrics.value("trap_exporter_informs_acked_total") == 2 * DEVICES
    assert metrics.value("trap_exporter_handed_over_total") > DEVICES
    until(lambda: crew.received() == dict.fromkeys(crew.links(), 5), "five of each device")


def test_traps_and_informs_of_version_3_are_taken_by_all_as_one_engine(crew: Crew) -> None:
    # One after the other: what comes from two addresses at once may overtake each other.
    for place, oid in enumerate((LINK_DOWN, LINK_UP)):
        for number in range(DEVICES):
            engine = ("-e", f"0x8000000001{number:08x}", "-Z", f"3,{100 + place + number}")
            send(addresses(number)[place], oid, ("-v", "3", *USER, *engine))
        crew.wait_for("accepted", (place + 1) * DEVICES)
    for number in range(DEVICES):
        send(addresses(number)[1], LINK_DOWN, ("-v", "3", *USER), inform=True)
    crew.wait_for("accepted", 3 * DEVICES)
    metrics = crew.metrics()
    assert metrics.value("trap_exporter_engines") == DEVICES
    assert metrics.value("trap_exporter_informs_acked_total") == DEVICES
    assert crew.links() == {f"device-{number}": 1.0 for number in range(DEVICES)}


def test_engine_is_forgotten_whichever_worker_knows_it(crew: Crew) -> None:
    for number in range(DEVICES):
        engine = ("-e", f"0x8000000001{number:08x}", "-Z", "3,1000")
        send(addresses(number)[0], LINK_DOWN, ("-v", "3", *USER, *engine))
    crew.wait_for("accepted", DEVICES)
    for number in range(DEVICES):
        path = f"/-/forget-engine?engine_id=8000000001{number:08x}"
        assert crew.http.request(path, method="POST").status == 200
        assert crew.http.request(path, method="POST").status == 404
    assert crew.metrics().value("trap_exporter_engines") == 0


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_clocks_of_engines_and_states_are_kept_when_there_are_more_or_fewer(
    crew: Crew, workers: int
) -> None:
    def send_all(oid: str, time: int) -> None:
        for number in range(DEVICES):
            engine = ("-e", f"0x8000000001{number:08x}", "-Z", f"3,{time}")
            send(addresses(number)[number % 2], oid, ("-v", "3", *USER, *engine))

    send_all(LINK_DOWN, 1000)
    crew.wait_for("accepted", DEVICES)
    boots = (crew.folder / "trap.state.engine").read_text()
    assert boots.endswith(" 0000000001\n")
    assert crew.http.program.end() == 0
    crew.start(workers)
    assert crew.links() == {f"device-{number}": 1.0 for number in range(DEVICES)}
    send_all(LINK_UP, 999)  # of before the restart
    crew.wait_for("time_window", DEVICES)
    send_all(LINK_UP, 1001)
    crew.wait_for("accepted", DEVICES)
    assert set(crew.links().values()) == {0.0}
    assert (crew.folder / "trap.state.engine").read_text().endswith(" 0000000002\n")


def test_worker_that_is_killed_loses_no_trap_and_is_the_same_engine(crew: Crew) -> None:
    for number in range(DEVICES):
        send(addresses(number)[0], LINK_DOWN, ("-v", "3", *USER), inform=True)
    crew.wait_for("accepted", DEVICES)
    former = crew.pids
    os.kill(former[1], signal.SIGKILL)
    for number in range(DEVICES):
        for source in addresses(number):
            send(source, LINK_UP)
    until(lambda: crew.pids[1] != former[1], "another worker 1")
    crew.wait_for("accepted", 3 * DEVICES)
    assert set(crew.links().values()) == {0.0}
    for number in range(DEVICES):
        send(addresses(number)[0], LINK_DOWN, ("-v", "3", *USER), inform=True)
    crew.wait_for("accepted", 4 * DEVICES)
    assert (crew.folder / "trap.state.engine").read_text().endswith(" 0000000001\n")
