"""The syslog exporter with several workers, and senders with many addresses: one exporter."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .exporter import Exporter, start_exporter
from .exposition import Exposition
from .inside import inside
from .many_senders import have_addresses, ipv4, ipv6, send_datagrams, send_stream
from .namespaces import needs_root, network_namespace
from .processes import Programs, until

pytestmark = [needs_root]

DEVICES = 60
WORKERS = 3
RELAY = "10.9.200.1"
BALANCER = "10.9.201.1"
LINK = b"<187>%d: *Mar  1 18:46:11: %%LINK-3-UPDOWN: Interface Gi0/7, changed state to %s"
CONFIG = f"""
events: {{scrape_interval: 100ms}}
access: {{trusted_relays: [{RELAY}]}}
connections: {{trusted_balancers: [{BALANCER}]}}
"""
_SERVES = re.compile(r'msg="worker serves" worker=(\d+) pid=(\d+)')


def inventory(count: int = DEVICES) -> str:
    """Devices that have both kinds of addresses; of one half, that of IPv4 is the first."""
    devices = (
        f"  - {{name: device-{number}, addresses: {list(addresses(number))}}}\n"
        for number in range(count)
    )
    return "devices:\n" + "".join(devices)


def addresses(number: int) -> tuple[str, str]:
    both = ipv4(number), ipv6(number)
    return both if number % 2 else both[::-1]


class Crew:
    """An exporter whose files stay when it is started again."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.folder = programs.folder
        (self.folder / "syslog.yml").write_text(CONFIG)
        (self.folder / "devices.yml").write_text(inventory())

    def start(self, workers: int = WORKERS) -> None:
        self.http: Exporter = start_exporter(
            self.programs,
            f"--workers={workers}",
            *(f"--syslog.listen-address={transport}://:5514" for transport in ("udp", "tcp")),
            f"--syslog.listen-address=unix-dgram://{self.folder}/log",
            f"--config.file={self.folder}/syslog.yml",
            f"--devices.file={self.folder}/devices.yml",
            f"--events.state-file={self.folder}/syslog.state",
            name="syslog",
        )

    @property
    def pids(self) -> dict[int, int]:
        """The process of each worker, the latest that serves."""
        return {int(n): int(pid) for n, pid in _SERVES.findall(self.http.program.errors)}

    def metrics(self) -> Exposition:
        metrics = self.http.telemetry()
        assert metrics.value("syslog_exporter_workers_answered") <= WORKERS
        return metrics

    def received(self) -> int:
        metrics = self.metrics()
        received = sum(metrics.named("syslog_received_total").values())
        assert received == sum(metrics.named("syslog_outcomes_total").values())
        return int(received)

    def wait_for(self, count: int) -> None:
        until(lambda: self.received() >= count, f"{count} messages")
        assert self.received() == count

    def messages_of(self) -> dict[str, int]:
        """How many messages of each device are counted, once new series show their values."""
        counts: dict[str, int] = {}

        def has_all() -> bool:
            metrics = self.metrics()
            counts.clear()
            for labels, value in metrics.named("syslog_messages_total").items():
                device = dict(labels)["device"]
                counts[device] = counts.get(device, 0) + int(value)
            return sum(counts.values()) == self.received()

        until(has_all, "all messages to be in the series of devices")
        return counts


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


def link(number: int, state: bytes = b"down") -> bytes:
    return LINK % (number, state)


def test_sender_reaches_the_worker_that_keeps_its_device(crew: Crew) -> None:
    for number in range(DEVICES):
        send_datagrams(addresses(number)[0], 5514, [link(1), link(2)])
        send_stream(addresses(number)[0], 5514, link(3) + b"\n")
    crew.wait_for(3 * DEVICES)
    assert crew.messages_of() == {f"device-{number}": 3 for number in range(DEVICES)}
    metrics = crew.metrics()
    assert metrics.value("syslog_exporter_handed_over_total") == 0
    assert metrics.value("syslog_exporter_workers") == WORKERS
    assert metrics.value("syslog_sequence_lost_total", device="device-1", counter="message") == 0


def test_what_arrives_elsewhere_is_counted_once_under_its_device(crew: Crew) -> None:
    for number in range(DEVICES):
        for source in addresses(number):
            send_datagrams(source, 5514, [link(1)])
            send_stream(source, 5514, link(1) + b"\n")
        told = b"<34>Oct 11 22:14:15 device-%d app: hello" % number
        send_datagrams(RELAY, 5514, [told])
        header = b"PROXY TCP6 %s ::1 5 6\r\n" % ipv6(number).encode()
        send_stream(BALANCER, 5514, header + b"<34>app: hello\n")
    send_datagrams("10.9.210.1", 5514, [b"<13>app: of nobody"] * 5)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
        local.connect(f"{crew.folder}/log")
        local.send(b"<13>app: of this machine")
    crew.wait_for(6 * DEVICES + 6)
    expected = {f"device-{number}": 6 for number in range(DEVICES)}
    assert crew.messages_of() == expected | {"unknown": 6}
    assert crew.metrics().value("syslog_exporter_handed_over_total") > DEVICES
    active = crew.metrics().named("network_event_active")
    assert len(active) == DEVICES


def test_reload_reaches_all_workers(crew: Crew) -> None:
    (crew.folder / "devices.yml").write_text(inventory(DEVICES + 20))
    assert crew.http.request("/-/reload", method="POST").status == 200
    for number in range(DEVICES + 20):
        send_datagrams(addresses(number)[1], 5514, [link(1)])
    crew.wait_for(DEVICES + 20)
    assert crew.messages_of() == {f"device-{number}": 1 for number in range(DEVICES + 20)}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_states_are_kept_when_there_are_more_or_fewer_workers(crew: Crew, workers: int) -> None:
    for number in range(DEVICES):
        send_datagrams(addresses(number)[0], 5514, [link(1)])
    crew.wait_for(DEVICES)
    assert crew.http.program.end() == 0
    crew.start(workers)
    active = crew.http.telemetry().named("network_event_active")
    assert sorted(dict(labels)["device"] for labels in active) == sorted(
        f"device-{number}" for number in range(DEVICES)
    )
    assert set(active.values()) == {1.0}
    for number in range(DEVICES):
        send_datagrams(addresses(number)[0], 5514, [link(2, b"up")])
    until(
        lambda: not any(crew.http.telemetry().named("network_event_active").values()),
        "all links to be up",
    )


def test_what_is_sent_while_a_worker_is_dead_is_all_received(crew: Crew) -> None:
    for number in range(DEVICES):
        send_datagrams(addresses(number)[0], 5514, [link(1)])
    crew.wait_for(DEVICES)
    former = crew.pids
    os.kill(former[1], signal.SIGKILL)
    for number in range(DEVICES):
        for source in addresses(number):
            send_datagrams(source, 5514, [link(2)])
            send_stream(source, 5514, link(2) + b"\n")
    until(lambda: crew.pids[1] != former[1], "another worker 1")
    crew.wait_for(5 * DEVICES)
    metrics = crew.metrics()
    assert metrics.value("syslog_outcomes_total", outcome="not_handed_over") == 0
    assert metrics.value("syslog_exporter_socket_drops_total", address="[::]:5514") == 0
    assert len(metrics.named("network_event_active")) == DEVICES


def test_relay_over_a_connection_waits_for_a_worker_that_is_too_slow(crew: Crew) -> None:
    """As it waits for one process: what it sends is more than there is room for."""
    count = 25_000
    stopped = crew.pids[1]
    os.kill(stopped, signal.SIGSTOP)
    told = b"".join(
        b"<34>Oct 11 22:14:15 device-%d app: %s\n" % (number % DEVICES, bytes(b"x" * 2000))
        for number in range(count)
    )
    relay = threading.Thread(target=send_stream, args=(RELAY, 5514, told))
    relay.start()
    try:
        relay.join(timeout=3)
        assert relay.is_alive()
    finally:
        os.kill(stopped, signal.SIGCONT)
    relay.join()
    crew.wait_for(count)
    assert crew.metrics().value("syslog_outcomes_total", outcome="not_handed_over") == 0
    assert crew.metrics().value("syslog_exporter_handover_waiting_bytes") == 0


def test_broadcast_is_counted_once(crew: Crew) -> None:
    for number in range(DEVICES):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.bind((ipv4(number), 0))
            sender.sendto(link(1), ("127.255.255.255", 5514))
    crew.wait_for(DEVICES)
    metrics = crew.metrics()
    copies = metrics.value("syslog_exporter_broadcast_copies_total")
    assert copies == (WORKERS - 1) * DEVICES


def test_worker_killed_under_load_loses_no_more_than_it_had_read(crew: Crew) -> None:
    sent = 0
    end = threading.Event()

    def send() -> None:
        nonlocal sent
        while not end.is_set():
            for number in range(DEVICES):
                for source in addresses(number):
                    send_datagrams(source, 5514, [link(1)] * 5)
                    sent += 5
                end.wait(0.001)  # or the receive buffer would be too small for that time

    sender = threading.Thread(target=send)
    sender.start()  # in the namespace, as this thread is
    try:
        until(lambda: crew.received() > 2000, "messages to come")
        counted = crew.received()
        former = crew.pids
        os.kill(former[0], signal.SIGKILL)
        sent_before = sent
        until(lambda: crew.pids[0] != former[0], "another worker 0")
        until(lambda: crew.received() > counted + 2000, "messages to come again")
    finally:
        end.set()
        sender.join()
    # Of what had been sent, and was not in the scrape before it was killed.
    may_be_lost = sent_before - counted
    until(lambda: crew.received() >= sent - may_be_lost, f"{sent} messages less {may_be_lost}")
    assert crew.received() <= sent
    assert crew.metrics().value("syslog_exporter_socket_drops_total", address="[::]:5514") == 0
