"""Syslog messages a second, and what each costs: this exporter beside rsyslog, in one run.

    python -m benchmarks.syslog [--seconds 5] [--rates 50000,100000,200000,300000]

All receive the same messages one after the other: of 54 forms of 21 vendors, from a thousand
devices over UDP, and over one and ten connections. All count them by device, facility and
severity, and by device, vendor and event: rsyslog with dynstats, once with one pattern for events
and once with a hundred rules, and writes no message anywhere; the exporter with its classes. It
judges by the rules that ship, changes states, and keeps events for ``/events`` besides. The figure
is the CPU time for each message that was not lost, until all is counted. In one case the exporter
is scraped meanwhile, with more than 50,000 series, and in the last it has a minute, for its memory.
Ratios hold on other machines, figures do not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks import rsyslog_rules
from benchmarks.processes import Program
from benchmarks.syslog_sender import DEVICES, device_address
from benchmarks.table import markdown

_RSYSLOGD: Final = "/usr/sbin/rsyslogd"
_BUFFER_BYTES: Final = 32 * 1024 * 1024
"""The exporter's default. rsyslog asks for the same, and gets it where it may go beyond
net.core.rmem_max, as root."""
_SCRAPE_SECONDS: Final = 2.0
_COUNTED: Final = re.compile(r'^syslog_received_total\{transport="\w+"\} (\S+)$', re.MULTILINE)
_WORKERS: Final = 2
_LOOK_SECONDS: Final = 0.5
_IDLE_PART: Final = 0.05
_WRITTEN_SECONDS: Final = 2.5
"""After which rsyslog has written what it has counted."""
_LAST_BYTES: Final = 16 * 1024 * 1024


class Case(NamedTuple):
    """What is sent: *kind* is one of ``benchmarks.syslog_sender``."""

    name: str
    kind: str
    rate: int
    scraped: bool = False


_LONG: Final = Case("UDP, 100,000/s, a minute", "udp", 100_000)
_LONG_SECONDS: Final = 60.0
"""Of the exporter alone, for its memory."""


class Result(NamedTuple):
    """What came of it."""

    sent_per_second: float
    lost: int
    microseconds: float
    resident_bytes: tuple[int, int]


class Receiver(ABC):
    """A program that receives messages at a port, over UDP and TCP."""

    def __init__(self, name: str, program: Program, port: int) -> None:
        self.name = name
        self._program = program
        self._port = port

    def run(self, case: Case, seconds: float) -> Result:
        """Send to it, wait until it has counted all, and say what that cost."""
        resident = self._resident()
        counted_before, cpu_before = self.counted(), self._cpu()
        command = [sys.executable, "-m", "benchmarks.syslog_sender", case.kind, str(self._port)]
        sender = subprocess.Popen(
            [*command, str(case.rate), str(seconds)], stdout=subprocess.PIPE, text=True
        )
        while sender.poll() is None:
            try:
                sender.wait(_SCRAPE_SECONDS)
            except subprocess.TimeoutExpired:
                if case.scraped:
                    self.scrape()
        output, _ = sender.communicate()
        sent, took = map(float, output.split())
        self._program.until(lambda: self._is_idle() or None, "it has nothing left to do")
        spent = self._cpu() - cpu_before
        counted = self.counted() - counted_before
        lost, cost = int(sent) - counted, spent / counted * 1e6
        return Result(sent / took, lost, cost, (resident, self._resident()))

    @abstractmethod
    def counted(self) -> int:
        """Give how many messages it has counted."""

    @abstractmethod
    def scrape(self) -> None:
        """Do what Prometheus does, if it can be scraped."""

    def _cpu(self) -> float:
        return self._program.cpu_seconds()

    def _is_idle(self) -> bool:
        """Whether it does next to nothing for a while; asking it for numbers would be work."""
        before = self._cpu()
        time.sleep(_LOOK_SECONDS)
        return self._cpu() - before < _IDLE_PART * _LOOK_SECONDS

    def _resident(self) -> int:
        return self._program.resident_bytes()


class Rsyslog(Receiver):
    """rsyslogd of Debian, which writes its counts to a file each second."""

    def __init__(self, stack: ExitStack, folder: Path, *, by_pattern: bool) -> None:
        name = "rsyslog, a pattern" if by_pattern else "rsyslog, 100 rules"
        self._statistics = folder / f"statistics-{by_pattern}"
        port = _free_port()
        file = folder / f"rsyslog-{by_pattern}.conf"
        file.write_text(
            rsyslog_rules.configuration(
                port, str(self._statistics), by_pattern=by_pattern, buffer_bytes=_BUFFER_BYTES
            )
        )
        pid_file = folder / f"rsyslog-{by_pattern}.pid"
        command = [_RSYSLOGD, "-n", "-f", str(file), "-i", str(pid_file)]
        program = Program(stack, folder, f"rsyslog-{by_pattern}", command)
        super().__init__(name, program, port)
        program.until(lambda: self._statistics.exists() or None, "it writes statistics")

    def scrape(self) -> None:
        """Do nothing: its counts go to a file by themselves."""

    def counted(self) -> int:
        """Give the sum of the counts by device, facility and severity."""
        time.sleep(_WRITTEN_SECONDS)
        with self._statistics.open("rb") as file:
            file.seek(max(0, self._statistics.stat().st_size - _LAST_BYTES))
            lines = file.read().decode().splitlines()
        for line in reversed(lines[1:]):
            told = json.loads(line[line.find("{") :])
            if told["name"] == "messages":
                return sum(told["values"].values())
        return 0


class Exporter(Receiver):
    """The exporter, with the rules that ship."""

    def __init__(self, stack: ExitStack, folder: Path, workers: int = 1) -> None:
        port, self._web_port = _free_port(), _free_port()
        name = "netexporters" if workers == 1 else f"netexporters, {workers} workers"
        devices = [{"name": f"dev-{n}", "addresses": [device_address(n)]} for n in range(DEVICES)]
        (folder / "devices.yml").write_text(json.dumps({"devices": devices}))
        (folder / "syslog.yml").write_text(json.dumps({"events": {"states_limit": 100_000}}))
        program = Program(
            stack,
            folder,
            f"netexporters-{workers}",
            [
                str(Path(sys.executable).with_name("netexporters")),
                "syslog",
                f"--syslog.listen-address=udp://127.0.0.1:{port}",
                f"--syslog.listen-address=tcp://127.0.0.1:{port}",
                f"--web.listen-address=127.0.0.1:{self._web_port}",
                f"--config.file={folder}/syslog.yml",
                f"--devices.file={folder}/devices.yml",
                f"--events.state-file={folder}/syslog-{workers}.state",
                f"--workers={workers}",
            ],
        )
        super().__init__(name, program, port)
        listening = "transport=tcp" if workers == 1 else f"workers={workers}"
        program.until(lambda: listening in program.errors or None, "the exporter listens")
        self.series = 0

    def counted(self) -> int:
        """Give the sum of what was received over UDP and TCP."""
        return int(sum(map(float, _COUNTED.findall(self._ask()))))

    def scrape(self) -> None:
        """Scrape it, and count its series."""
        self.series = sum(not line.startswith("#") for line in self._ask().splitlines())

    def _ask(self) -> str:
        url = f"http://127.0.0.1:{self._web_port}/metrics"
        request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return gzip.decompress(answer.read()).decode()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cases(rates: str) -> list[Case]:
    cases = [Case(f"UDP, {int(rate):,}/s", "udp", int(rate)) for rate in rates.split(",")]
    return [
        *cases,
        Case("TCP, one connection", "tcp1", 0),
        Case("TCP, ten connections", "tcp10", 0),
        Case("UDP, 100,000/s, scraped", "udp", 100_000, scraped=True),
    ]


def _row(case: Case, receiver: Receiver, result: Result) -> tuple[str, ...]:
    before, after = (size / 2**20 for size in result.resident_bytes)
    return (
        f"{case.name}: {receiver.name}",
        f"{result.sent_per_second:,.0f}",
        f"{result.lost:,}",
        f"{result.microseconds:.2f}",
        f"{before:.0f} to {after:.0f}",
    )


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description="Race the syslog exporter against rsyslog.")
    parser.add_argument("--seconds", type=float, default=5.0, help="time of each case")
    parser.add_argument("--rates", default="50000,100000,200000,300000", help="of UDP, a second")
    arguments = parser.parse_args()
    rows = []
    with TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        exporter = Exporter(stack, folder)
        receivers: list[Receiver] = [
            exporter,
            Exporter(stack, folder, _WORKERS),
            Rsyslog(stack, folder, by_pattern=True),
            Rsyslog(stack, folder, by_pattern=False),
        ]
        for receiver in receivers:
            receiver.run(Case("warm up", "udp", 40_000), 1.0)
        for case in _cases(arguments.rates):
            for receiver in receivers:
                rows.append(_row(case, receiver, receiver.run(case, arguments.seconds)))
                print(*rows[-1], file=sys.stderr)
        rows.append(_row(_LONG, exporter, exporter.run(_LONG, _LONG_SECONDS)))
        print(markdown(("case", "a second", "lost", "CPU us a message", "MiB"), rows))
        print(f"\n{exporter.series:,} series were scraped.")


if __name__ == "__main__":
    main()
