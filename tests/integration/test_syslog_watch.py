"""What real senders say beside their messages: repeats, clocks, numbers."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from .processes import Programs, run, until
from .syslog_exporter import SyslogExporter

LOCALHOST = "127.0.0.1"
NUMBERED = b"<189>%d: %%SYS-5-CONFIG_I: Configured from console by bob\n"


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[SyslogExporter]:
    with ExitStack() as stack:
        programs = Programs(tmp_path)
        stack.callback(programs.close)
        yield SyslogExporter(programs, config="events: {scrape_interval: 1s}\n")


def wait_for_sample(exporter: SyslogExporter, value: float, name: str, **labels: str) -> None:
    wanted = frozenset({"device": "switch-1", **labels}.items())
    until(lambda: exporter.metrics().named(name).get(wanted) == value, f"{name} {labels} {value}")


def of_linux(exporter: SyslogExporter) -> float:
    series = exporter.metrics().named("syslog_vendor_events_total")
    return sum(count for labels, count in series.items() if ("vendor", "linux") in labels)


def log(port: int, tag: str, text: str) -> None:
    sender = ("logger", "--udp", "--rfc3164", "--server", LOCALHOST, "--port", str(port))
    assert run(*sender, "-t", tag, "-p", "auth.info", text).returncode == 0


@pytest.mark.peer("rsyslogd", "rsyslog")
@pytest.mark.peer("logger", "bsdutils")
def test_messages_that_rsyslog_holds_back_are_counted(exporter: SyslogExporter) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind((LOCALHOST, 0))
        port = free.getsockname()[1]
    folder = exporter.programs.folder
    (folder / "rsyslog.conf").write_text(
        f"""
        $RepeatedMsgReduction on
        global(workDirectory="{folder}")
        module(load="imudp")
        input(type="imudp" address="{LOCALHOST}" port="{port}")
        action(type="omfwd" target="{LOCALHOST}" port="{exporter.ports["udp"]}" protocol="udp"
               template="RSYSLOG_TraditionalForwardFormat")
        """
    )
    rsyslogd = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    exporter.programs.start(
        rsyslogd, "-n", "-f", folder / "rsyslog.conf", "-i", folder / "rsyslog.pid"
    )

    def rsyslog_answers() -> bool:
        log(port, "probe", "ready")
        return bool(exporter.events())

    until(rsyslog_answers, "a message through rsyslog")
    for _ in range(5):
        log(port, "sshd", "Failed password for root")
    log(port, "su", "another")

    until(lambda: exporter.events()[0]["app"] == "su", "the last message")
    repeat, first = exporter.events()[1:3]
    assert (first["text"], repeat["repeated"]) == ("Failed password for root", 4)
    # Five failures, that of su, and the message that stood for four.
    until(lambda: of_linux(exporter) == 7, "seven messages of Linux")


@pytest.mark.peer("logger", "bsdutils")
def test_clock_of_logger_is_right_and_says_whether_it_is_to_be_relied_on(
    exporter: SyslogExporter,
) -> None:
    target = ("--server", LOCALHOST, "--port", str(exporter.ports["udp"]))
    assert run("logger", "--udp", "--rfc5424", *target, "hello").returncode == 0
    exporter.wait_for("rfc5424", 1)

    (event,) = exporter.events()
    assert (
        event["clock"] == {"0": "unsynchronised", "1": "synchronised"}[event["fields"]["isSynced"]]
    )
    assert abs(event["device_time"] - event["time"]) < 5
    metrics = exporter.metrics()
    assert abs(metrics.value("syslog_clock_skew_seconds", device="switch-1")) < 5
    is_wrong = metrics.value("syslog_clock_unsynchronised", device="switch-1")
    assert is_wrong == (event["clock"] == "unsynchronised")


def test_numbers_that_never_come_are_lost(exporter: SyslogExporter) -> None:
    exporter.send(b"".join(NUMBERED % number for number in (1, 2, 4, 3, 7)))
    wait_for_sample(exporter, 5, "syslog_sequence_received_total", counter="message")
    # Ten seconds later nobody waits for them any more.
    wait_for_sample(exporter, 2, "syslog_sequence_lost_total", counter="message")
