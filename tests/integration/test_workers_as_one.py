"""Several workers of the syslog exporter from outside: whichever is asked, it is one exporter."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import time
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import pytest

from .exporter import Exporter, start_exporter
from .exposition import Exposition, read_exposition
from .processes import PATIENCE_SECONDS, Programs, until
from .prometheus import Prometheus

WORKERS = 2
DEVICES = 12
MESSAGES = 25
_LISTENING = re.compile(r'msg="listening for syslog" address=127\.0\.0\.1:(\d+) transport=(\w+)')
_SERVES = re.compile(r'msg="worker serves" worker=(\d+) pid=(\d+)')
_DOWN = "<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface Gi0/7, changed state to down"


def name(number: int) -> str:
    return f"switch-{number}"


def address(number: int) -> str:
    return f"127.0.1.{number + 1}"


class Crew:
    """An exporter of several workers, and one connection to each of them."""

    def __init__(self, programs: Programs) -> None:
        folder = programs.folder
        (folder / "syslog.yml").write_text("events: {scrape_interval: 1s}\n")
        devices = (
            f"- {{name: {name(number)}, addresses: [{address(number)}]}}\n"
            for number in range(DEVICES)
        )
        (folder / "devices.yml").write_text(f"devices:\n{''.join(devices)}")
        self.http: Exporter = start_exporter(
            programs,
            f"--workers={WORKERS}",
            "--syslog.listen-address=udp://127.0.0.1:0",
            "--syslog.listen-address=tcp://127.0.0.1:0",
            f"--config.file={folder}/syslog.yml",
            f"--devices.file={folder}/devices.yml",
            f"--events.state-file={folder}/syslog.state",
            name="syslog",
        )
        until(lambda: len(self.pids()) == WORKERS, "all workers serve")
        found = _LISTENING.findall(self.http.program.errors)
        self.ports = {transport: int(port) for port, transport in found}

    def pids(self) -> dict[int, int]:
        """Which process each worker is, the last one of its number."""
        found = _SERVES.findall(self.http.program.errors)
        return {int(number): int(pid) for number, pid in found}

    def send(self, number: int, text: str, transport: str = "udp") -> None:
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as sender:
            sender.bind((address(number), 0))
            sender.connect(("127.0.0.1", self.ports[transport]))
            sender.sendall(text.encode() + b"\n" * (transport == "tcp"))

    def metrics(self) -> Exposition:
        return self.http.telemetry()

    def received(self) -> float:
        metrics = self.metrics()
        outcomes = sum(metrics.named("syslog_outcomes_total").values())
        assert outcomes == sum(metrics.named("syslog_received_total").values())
        return outcomes

    def counted(self) -> dict[str, float]:
        """How many messages each device has sent, as far as they are shown."""
        counts: dict[str, float] = {}
        for labels, value in self.metrics().named("syslog_messages_total").items():
            device = dict(labels)["device"]
            counts[device] = counts.get(device, 0) + value
        return counts

    def events(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.http.request(f"/events.json{query}")
        assert answer.status == 200
        events: list[dict[str, Any]] = json.loads(answer.text)
        return events


@pytest.fixture
def crew(programs: Programs) -> Crew:
    return Crew(programs)


def send_from_all(crew: Crew) -> None:
    """Send from every device, over both transports, and wait until all is counted and shown."""
    for message in range(MESSAGES):
        for number in range(DEVICES):
            crew.send(number, f"<13>hello {message} from {number}", ("udp", "tcp")[message % 2])
    until(lambda: crew.received() == DEVICES * MESSAGES, "all has arrived")
    expected = {name(number): MESSAGES for number in range(DEVICES)}
    until(lambda: crew.counted() == expected, "all is shown")


def test_each_worker_answers_for_all(crew: Crew) -> None:
    send_from_all(crew)
    texts = []
    with ExitStack() as stack:
        # Connections are shared among workers as long as they are open.
        for _ in range(WORKERS):
            connection = http.client.HTTPConnection("127.0.0.1", crew.http.port)
            connection.connect()
            stack.enter_context(closing(connection))
            texts.append(_get(connection, "/metrics"))
            events = json.loads(_get(connection, "/events.json?limit=1000"))
            assert len(events) == DEVICES * MESSAGES
            assert len({event["id"] for event in events}) == len(events)
    first, *others = map(read_exposition, texts)
    for other in others:
        assert other.samples.keys() == first.samples.keys()
        for device in first.named("syslog_messages_total"):
            labels = dict(device)
            assert other.value("syslog_messages_total", **labels) == first.value(
                "syslog_messages_total", **labels
            )
    assert first.value("syslog_exporter_workers_answered") == WORKERS
    # Each has some of the devices.
    shares = {event["id"] % WORKERS for event in crew.events("?limit=1000")}
    assert shares == set(range(WORKERS))


def test_events_are_in_the_order_of_time_and_pages_can_be_turned(crew: Crew) -> None:
    send_from_all(crew)
    events = crew.events("?limit=1000")
    # Within milliseconds: a worker numbers what it has read together when it has judged it.
    for later, earlier in pairwise(events):
        assert earlier["time"] <= later["time"] + 0.1
    assert events[-1]["time"] < events[0]["time"]
    turned: list[int] = []
    query = "?limit=70"
    while page := crew.events(query):
        turned += [event["id"] for event in page]
        query = f"?limit=70&before={turned[-1]}"
    assert turned == [event["id"] for event in events]


def test_stream_has_events_of_every_worker_and_can_be_taken_up_again(crew: Crew) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", crew.http.port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        connection.request("GET", "/events/stream")
        response = connection.getresponse()
        assert response.readline() == b"retry: 3000\n"
        until(lambda: crew.metrics().value("syslog_exporter_event_watchers") == 1, "one watches")
        for number in range(DEVICES):
            crew.send(number, f"<13>first of {number}")
        ids = _ids(response, DEVICES)
    until(lambda: crew.metrics().value("syslog_exporter_event_watchers") == 0, "nobody watches")
    assert ids == sorted(ids)
    for number in range(DEVICES):
        crew.send(number, f"<13>second of {number}")
    until(lambda: len(crew.events()) == 2 * DEVICES, "all has arrived")
    again = http.client.HTTPConnection("127.0.0.1", crew.http.port, timeout=PATIENCE_SECONDS)
    with closing(again):
        again.request("GET", "/events/stream", headers={"Last-Event-ID": str(ids[-3])})
        response = again.getresponse()
        found = _ids(response, DEVICES + 2)
    assert found == [event["id"] for event in crew.events()[::-1]][-DEVICES - 2 :]


def test_nothing_falls_or_clears_when_a_worker_is_killed_and_replaced(crew: Crew) -> None:
    for number in range(DEVICES):
        crew.send(number, _DOWN)
    until(lambda: sum(crew.counted().values()) == DEVICES, "all is shown")
    before = crew.metrics()
    assert list(before.named("network_event_active").values()) == [1.0] * DEVICES
    victim = crew.pids()[1]
    newest = crew.events()[0]["id"]
    os.kill(victim, signal.SIGKILL)
    errors = crew.http.program
    until(lambda: 'msg="worker ended"' in errors.errors, "the parent has noticed")
    without = crew.metrics()
    until(lambda: crew.pids()[1] != victim, "another is in its place")
    after = crew.metrics()
    assert after.value("syslog_exporter_workers_answered") == WORKERS
    assert after.value("syslog_exporter_worker_restarts_total") == 1
    for metrics in (without, after):
        assert metrics.named("network_event_active") == before.named("network_event_active")
        for family in ("syslog_messages_total", "network_events_total", "syslog_outcomes_total"):
            assert metrics.named(family) == before.named(family)
    for number in range(DEVICES):
        crew.send(number, _DOWN)
    until(lambda: sum(crew.counted().values()) == 2 * DEVICES, "they count on")
    assert min(event["id"] for event in crew.events()[:DEVICES]) > newest


@pytest.mark.peer("prometheus", "prometheus")
def test_prometheus_sees_no_reset_and_no_end_of_a_state_when_a_worker_is_killed(
    crew: Crew, programs: Programs
) -> None:
    job = {
        "job_name": "syslog",
        "honor_labels": True,
        "static_configs": [{"targets": [f"127.0.0.1:{crew.http.port}"]}],
    }
    often = {"scrape_interval": "500ms", "scrape_timeout": "500ms"}
    prometheus = Prometheus(programs, {"global": often, "scrape_configs": [job]})
    for number in range(DEVICES):
        crew.send(number, _DOWN)
    states, messages = "count(network_event_active == 1)", "sum(syslog_messages_total)"
    prometheus.wait_for(f"{states} == {DEVICES}")
    prometheus.wait_for(f"{messages} == {DEVICES}")
    began_at = time.monotonic()
    os.kill(crew.pids()[1], signal.SIGKILL)
    prometheus.wait_for("syslog_exporter_worker_restarts_total == 1")
    prometheus.wait_for(f"syslog_exporter_workers_answered == {WORKERS}")
    for number in range(DEVICES):
        crew.send(number, _DOWN)
    prometheus.wait_for(f"{messages} == {2 * DEVICES}")
    window = f"[{time.monotonic() - began_at:.0f}s:250ms]"
    ((_, fewest),) = [one["value"] for one in prometheus.query(f"min_over_time({states}{window})")]
    assert float(fewest) == DEVICES
    for family in ("syslog_messages_total", "syslog_outcomes_total", "network_events_total"):
        assert prometheus.query(f"resets({family}[1m]) > 0") == []


def test_what_a_silent_worker_has_is_shown_as_it_was_and_said_to_be_missing(crew: Crew) -> None:
    for number in range(DEVICES):
        crew.send(number, _DOWN)
    until(lambda: sum(crew.counted().values()) == DEVICES, "all is shown")
    before = crew.metrics()
    victim = crew.pids()[0]
    with ExitStack() as stack:
        os.kill(victim, signal.SIGSTOP)
        stack.callback(os.kill, victim, signal.SIGCONT)
        for _ in range(2):
            metrics = crew.metrics()
            assert metrics.value("syslog_exporter_workers_answered") == WORKERS - 1
            for family in ("network_event_active", "syslog_messages_total"):
                assert metrics.named(family) == before.named(family)
        answer = crew.http.request("/events.json")
        assert answer.headers["x-workers-silent"] == "1"
        assert 0 < len(json.loads(answer.text)) < DEVICES
        page = crew.http.request("/events").text
        assert "1 worker did not answer; events may be missing." in page
        assert crew.http.request("/-/ready").status == 200

    def answers() -> bool:
        answer = crew.http.request("/events.json")
        return "x-workers-silent" not in answer.headers and len(json.loads(answer.text)) == DEVICES

    until(answers, "it answers again")


def _get(connection: http.client.HTTPConnection, path: str) -> str:
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200
    return response.read().decode()


def _ids(response: http.client.HTTPResponse, count: int) -> list[int]:
    """The numbers of the next events of a stream."""
    ids: list[int] = []
    while len(ids) < count:
        line = response.readline()
        if line.startswith(b"id: "):
            ids.append(int(line[4:]))
    return ids
