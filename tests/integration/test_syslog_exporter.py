"""The syslog exporter as its users have it, and real senders: util-linux' logger and rsyslog."""

from __future__ import annotations

import re
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .processes import Programs, run, until
from .syslog_exporter import SyslogExporter

LINK = "<187>42: *Mar  1 18:46:11: %%LINK-3-UPDOWN: Interface Gi0/7, changed state to %s\n"


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


def test_page_explains_the_examples_that_it_names(exporter: SyslogExporter) -> None:
    named = re.findall(r"\b[a-z]+-bgp-down\b", exporter.http.request("/explain").text)
    assert named
    for name in named:
        url = f"{exporter.http.url}/explain"
        with urllib.request.urlopen(url, data=f"{name}\n".encode(), timeout=10) as response:
            told = response.read().decode()
        assert "event: bgp\n" in told, name


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
