"""Traps a second, and what each costs: this exporter beside net-snmp's snmptrapd, in one run.

    python -m benchmarks.trap [--seconds 5] [--rates 10000,40000]

Both receive the same datagrams one after the other, from a thousand addresses. snmptrapd logs to
nowhere and does nothing with a trap; the exporter names it, judges it by the rules that ship,
counts it, changes states of a thousand devices, and keeps it for ``/events``. The figure is the CPU
time for each trap that was not lost. In one case the exporter is scraped meanwhile, with more than
50,000 series; the last case lasts a minute, for what memory does. Ratios hold on other machines,
figures do not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.processes import Program
from benchmarks.table import aligned
from benchmarks.trap_sender import DEVICES, ENGINE, LINKS, USER, device_address

_TRAPD: Final = "/usr/sbin/snmptrapd"
_BUFFER_BYTES: Final = 32 * 1024 * 1024
"""The exporter's default; snmptrapd gets no more than net.core.rmem_max."""
_SCRAPE_SECONDS: Final = 1.0
_SERIES: Final = 50_000
_FILL_RATE: Final = 5000
_LONG_SECONDS: Final = 60.0


class _Case(NamedTuple):
    name: str
    kind: str
    rate: int
    scraped: bool = False
    seconds: float = 0.0
    """0: as long as the others."""


class _Result(NamedTuple):
    sent_per_second: float
    lost: int
    microseconds: float
    resident_bytes: tuple[int, int]
    """Before and after."""


class _Receiver:
    """A program that receives traps on a port."""

    def __init__(self, name: str, program: Program, port: int, web_port: int = 0) -> None:
        self.name = name
        self.port = port
        self.web_port = web_port
        self._program = program

    def run(self, case: _Case, seconds: float) -> _Result:
        before, lost_before = self._program.cpu_seconds(), self._lost()
        resident_before = self._resident()
        command = [sys.executable, "-m", "benchmarks.trap_sender", case.kind, str(self.port)]
        sender = subprocess.Popen(
            [*command, str(case.rate), str(seconds)], stdout=subprocess.PIPE, text=True
        )
        while sender.poll() is None:
            try:
                sender.wait(_SCRAPE_SECONDS)
            except subprocess.TimeoutExpired:
                if case.scraped and self.web_port:
                    self._scrape()
        output, _ = sender.communicate()
        sent, took = map(float, output.split())
        self._program.until(lambda: self._waiting() == 0 or None, "all of it is received")
        lost = self._lost() - lost_before
        cost = (self._program.cpu_seconds() - before) / (sent - lost) * 1e6
        return _Result(sent / took, lost, cost, (resident_before, self._resident()))

    def fill(self) -> None:
        """Have more than 50,000 series to scrape: a dozen states of each device.

        Raises:
            RuntimeError: There are not so many.
        """
        if not self.web_port:
            return
        command = [sys.executable, "-m", "benchmarks.trap_sender", "links", str(self.port)]
        seconds = DEVICES * LINKS / _FILL_RATE
        subprocess.run(
            [*command, str(_FILL_RATE), str(seconds)], check=True, stdout=subprocess.DEVNULL
        )
        self._program.until(lambda: self._waiting() == 0 or None, "all of it is received")
        text = gzip.decompress(self._scrape()).decode()
        series = sum(not line.startswith("#") for line in text.splitlines())
        if series < _SERIES:
            raise RuntimeError(f"{self.name} has {series} series, too few")

    def _scrape(self) -> bytes:
        url = f"http://127.0.0.1:{self.web_port}/metrics"
        request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
        return body

    def _row(self) -> list[str]:
        for table in ("udp", "udp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                row = line.split()
                if int(row[1].rpartition(":")[2], 16) == self.port:
                    return row
        raise RuntimeError(f"{self.name} does not listen on port {self.port}")

    def _lost(self) -> int:
        return int(self._row()[-1])

    def _waiting(self) -> int:
        return int(self._row()[4].rpartition(":")[2], 16)

    def _resident(self) -> int:
        status = Path(f"/proc/{self._program.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(match[1]) * 1024 if match else 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start_trapd(stack: ExitStack, folder: Path) -> _Receiver:
    port = _free_port()
    configuration = folder / "snmptrapd.conf"
    auth = f"SHA {USER.auth_password} AES {USER.priv_password}"
    lines = (
        f"serverRecvBuf {_BUFFER_BYTES}",
        "disableAuthorization yes",
        f"createUser -e 0x{ENGINE.hex()} {USER.name} {auth}",
    )
    configuration.write_text("\n".join(lines) + "\n")
    words = [_TRAPD, "-f", "-n", "-Ln", "-C", "-c", str(configuration), "-p", f"{folder}/pid"]
    program = Program(stack, folder, "snmptrapd", [*words, f"udp:127.0.0.1:{port}"])
    return _Receiver("snmptrapd", program, port)


def _start_exporter(stack: ExitStack, folder: Path) -> _Receiver:
    port, web_port = _free_port(), _free_port()
    devices = [{"name": f"dev-{n}", "addresses": [device_address(n)]} for n in range(DEVICES)]
    (folder / "devices.yml").write_text(json.dumps({"devices": devices}))
    user = {
        "username": USER.name,
        "auth_protocol": "SHA",
        "password": USER.auth_password,
        "priv_protocol": "AES",
        "priv_password": USER.priv_password,
    }
    events = {"states_limit": 100_000}
    (folder / "trap.yml").write_text(json.dumps({"users": [user], "events": events}))
    program = Program(
        stack,
        folder,
        "netexporters",
        [
            str(Path(sys.executable).with_name("netexporters")),
            "trap",
            f"--trap.listen-address=127.0.0.1:{port}",
            f"--web.listen-address=127.0.0.1:{web_port}",
            f"--config.file={folder}/trap.yml",
            f"--devices.file={folder}/devices.yml",
            f"--events.state-file={folder}/trap.state",
        ],
    )
    program.until(lambda: "msg=listening " in program.errors or None, "the exporter listens")
    return _Receiver("netexporters", program, port, web_port)


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description="Race the trap exporter against snmptrapd.")
    parser.add_argument("--seconds", type=float, default=5.0, help="time of all cases but one")
    parser.add_argument("--rates", default="10000,20000,40000,60000", help="v2c traps a second")
    arguments = parser.parse_args()
    cases = [_Case(f"v2c {rate}/s", "v2c", int(rate)) for rate in arguments.rates.split(",")]
    cases += [
        _Case("v3 authPriv 4000/s", "v3", 4000),
        _Case("storm of strangers 40000/s", "storm", 40_000),
        _Case("v2c 20000/s, 50,000 series scraped", "v2c", 20_000, scraped=True),
        _Case("v2c 20000/s, a minute", "v2c", 20_000, seconds=_LONG_SECONDS),
    ]
    rows = []
    with TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        receivers = [_start_trapd(stack, folder), _start_exporter(stack, folder)]
        for case in cases:
            if case.scraped:
                for receiver in receivers:
                    receiver.fill()
            seconds = case.seconds or arguments.seconds
            results = [receiver.run(case, seconds) for receiver in receivers]
            theirs = results[0].microseconds
            rows += [
                (
                    f"{case.name}, {receiver.name}",
                    f"{result.sent_per_second:.0f}",
                    str(result.lost),
                    f"{result.microseconds:.1f}",
                    f"{result.microseconds / theirs:.2f}",
                    " to ".join(f"{size / 2**20:.0f}" for size in result.resident_bytes),
                )
                for receiver, result in zip(receivers, results, strict=True)
            ]
            print(*rows[-2:], sep="\n", file=sys.stderr)
    heads = ("case", "sent a second", "lost", "CPU us a trap", "of snmptrapd's", "resident MiB")
    print(aligned(heads, rows))


if __name__ == "__main__":
    main()
