"""The syslog exporter as its users have it, and real senders: util-linux' logger and rsyslog."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .exporter import Exporter, start_exporter
from .exposition import Exposition
from .processes import Programs, run, until

_ADDRESS = re.compile(r'msg="listening for syslog" address=127\.0\.0\.1:(\d+) transport=(\w+)')
LINK = "<187>42: *Mar  1 18:46:11: %%LINK-3-UPDOWN: Interface Gi0/7, changed state to %s\n"


class SyslogExporter:
    """One exporter, whose files stay when it is started again."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        folder = programs.folder
        (folder / "devices.yml").write_text(
            'devices: [{name: switch-1, addresses: [127.0.0.1, "::1"]}]\n'
        )
        (folder / "syslog.yml").write_text("max_message_bytes: 8192\n")
        self.start()

    def start(self) -> None:
        folder = self.programs.folder
        self.http: Exporter = start_exporter(
            self.programs,
            "--syslog.listen-address=udp://127.0.0.1:0",
            "--syslog.listen-address=tcp://127.0.0.1:0",
            f"--config.file={folder}/syslog.yml",
            f"--devices.file={folder}/devices.yml",
            f"--events.state-file={folder}/syslog.state",
            name="syslog",
            address="127.0.0.1:0",
        )
        found = _ADDRESS.findall(self.http.program.errors)
        self.ports = {transport: int(port) for port, transport in found}

    def metrics(self) -> Exposition:
        metrics = self.http.telemetry()
        outcomes = sum(metrics.named("syslog_outcomes_total").values())
        assert outcomes == sum(metrics.named("syslog_received_total").values())
        return metrics

    def wait_for(self, outcome: str, count: int) -> None:
        until(
            lambda: self.metrics().value("syslog_outcomes_total", outcome=outcome) >= count,
            f"{count} {outcome}",
        )

    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = json.loads(self.http.request("/events.json").text)
        return events

    def link(self) -> float:
        return self.metrics().value(
            "network_event_active", device="switch-1", event="link", instance="Gi0/7"
        )

    def send(self, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.ports["tcp"])) as connection:
            connection.sendall(data)


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[SyslogExporter]:
    with ExitStack() as stack:
        programs = Programs(tmp_path)
        stack.callback(programs.close)
        yield SyslogExporter(programs)


@pytest.mark.peer("logger", "bsdutils")
@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (("--udp", "--rfc5424"), "rfc5424"),
        (("--udp", "--rfc5424=notime,nohost"), "rfc5424"),
        (("--udp", "--rfc5424=notq", "--sd-id", "a@32473", "--sd-param", 'b="c"'), "rfc5424"),
        (("--udp", "--rfc3164"), "rfc3164"),
        (("--tcp", "--rfc5424"), "rfc5424"),
        (("--tcp", "--rfc3164"), "rfc3164"),
        (("--tcp", "--rfc5424", "--octet-count"), "rfc5424"),
        (("--tcp", "--rfc3164", "--octet-count"), "rfc3164"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_message_of_logger_is_read(
    exporter: SyslogExporter, words: tuple[str, ...], outcome: str
) -> None:
    port = exporter.ports[words[0].removeprefix("--")]
    server = ("--server", "127.0.0.1", "--port", str(port))
    result = run("logger", *server, *words, "-p", "auth.err", "-t", "probe", "hello w\u00f6rld")
    assert result.returncode == 0, result.stderr
    exporter.wait_for(outcome, 1)
    (event,) = exporter.events()
    assert event["text"] == "hello w\u00f6rld"
    assert (event["app"], event["facility"], event["severity"]) == ("probe", "auth", "error")
    assert event["device"] == "switch-1"


@pytest.mark.peer("rsyslogd", "rsyslog")
@pytest.mark.parametrize("framing", ["traditional", "octet-counted"])
def test_messages_of_rsyslog_all_arrive(exporter: SyslogExporter, framing: str) -> None:
    rsyslogd = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    folder = exporter.programs.folder
    (folder / "in.log").write_text("".join(f"line {number}\n" for number in range(500)))
    (folder / "rsyslog.conf").write_text(
        f"""
        global(workDirectory="{folder}")
        module(load="imfile")
        input(type="imfile" file="{folder}/in.log" tag="app:")
        action(type="omfwd" target="127.0.0.1" port="{exporter.ports["tcp"]}" protocol="tcp"
               TCP_Framing="{framing}" template="RSYSLOG_SyslogProtocol23Format")
        """
    )
    exporter.programs.start(
        rsyslogd, "-n", "-f", folder / "rsyslog.conf", "-i", folder / "rsyslog.pid"
    )
    until(lambda: sum(event["app"] == "app" for event in exporter.events()) >= 200, "200 events")
    exporter.wait_for("rfc5424", 500)
    assert exporter.metrics().value("syslog_outcomes_total", outcome="framing_fault") == 0


def test_link_state_outlives_the_process(exporter: SyslogExporter) -> None:
    exporter.send((LINK % "down").encode())
    exporter.wait_for("vendor", 1)
    assert exporter.link() == 1
    exporter.http.program.end()
    exporter.start()
    assert exporter.link() == 1
    exporter.send((LINK % "up").encode())
    exporter.wait_for("vendor", 1)
    assert exporter.link() == 0


def test_garbage_on_one_connection_harms_no_other(exporter: SyslogExporter) -> None:
    with socket.create_connection(("127.0.0.1", exporter.ports["tcp"])) as steady:
        steady.sendall((LINK % "down").encode()[:20])
        for _ in range(20):
            exporter.send(b"\x16\x03\x01" + bytes(range(256)) * 50)
            exporter.send(b"12 <34>hello 99999999999 nothing")
        steady.sendall((LINK % "down").encode()[20:])
        exporter.wait_for("vendor", 1)
    assert exporter.link() == 1
    assert exporter.metrics().value("syslog_outcomes_total", outcome="internal_error") == 0
