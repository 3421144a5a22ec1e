"""A soak of the syslog exporter: honest senders among all kinds of others, and what that leaves.

    make soak-syslog                            ten minutes
    make soak-syslog ARGS="--duration 30"

Every honest message must be counted, whatever others do meanwhile, and when they have gone, the
exporter must hold what it held before. It is the command ``netexporters`` in a process of its own,
as users run it. Ends by itself; the exit status is 1 if anything was not as it should be.
docs/benchmarks.md has results. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import re
import signal
import ssl
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.census import Census, resident_bytes
from benchmarks.processes import Program
from benchmarks.snmp_exporters import wait_until_listening
from benchmarks.snmp_report import describe_machine
from benchmarks.syslog_soak_report import Soaked, checks, write_soak_report
from benchmarks.syslog_soak_senders import (
    HONEST,
    Attacker,
    Tally,
    Target,
    send_datagrams,
    send_made_up,
    send_stream,
)
from benchmarks.table import aligned

PER_SECOND: Final = {"udp": 1000.0, "tcp": 1000.0, "tls": 500.0}
"""Honest messages."""
WARM_UP_SECONDS: Final = 30.0
MADE_UP_SHAPES: Final = 100_000
_FILL: Final = 10_000
_SETTLE_SECONDS: Final = 8.0
"""Longer than any deadline of the configuration below."""
_SAMPLE_SECONDS: Final = 0.5
_CONFIG: Final = """
connections: {limit: 300, sender_limit: 40, idle_timeout: 6s, frame_timeout: 3s,
              handshake_timeout: 3s, handshake_limit: 100, buffer_bytes: 4194304}
events: {scrape_interval: 1s}
tls: {cert_file: server.pem, key_file: server.pem}
"""
_LISTENING: Final = re.compile(r'msg="listening for syslog" address=\S*:(\d+) transport=(\w+)')


def soak(seconds: float, folder: Path) -> Soaked:
    """Run all of it."""
    _write_certificate(folder / "server.pem")
    (folder / "syslog.yml").write_text(_CONFIG)
    devices = [f"{{name: {name}, addresses: [{address}]}}" for name, address in HONEST.items()]
    (folder / "devices.yml").write_text(f"devices: [{', '.join(devices)}]\n")
    with ExitStack() as stack:
        flags = ["-m", "benchmarks.census", "syslog", "--web.listen-address=127.0.0.1:0"]
        flags += [f"--syslog.listen-address={name}://127.0.0.1:0" for name in HONEST]
        flags += [f"--config.file={folder}/syslog.yml", f"--devices.file={folder}/devices.yml"]
        flags += [f"--events.state-file={folder}/syslog.state"]
        program = Program(stack, folder, "netexporters", [sys.executable, *flags])
        web_port = wait_until_listening(program).port
        ports = {name: int(port) for port, name in _LISTENING.findall(program.errors)}
        trust = ssl.create_default_context(cafile=str(folder / "server.pem"))
        trust.check_hostname = False
        return asyncio.run(_Soak(program, web_port, Target(ports, trust)).run(seconds))


class _Soak:
    """A soak under way."""

    def __init__(self, program: Program, web_port: int, target: Target) -> None:
        self._program = program
        self._metrics_url = f"http://127.0.0.1:{web_port}/metrics"
        self._target = target
        self._tally = Tally()
        self._rss_bytes: list[int] = []
        self._scrape_seconds: list[float] = []

    async def run(self, seconds: float) -> Soaked:
        """All kinds of senders at once, after a warm-up of the same; then nobody.

        Made-up messages first: the exporter remembers shapes of messages, up to a limit, and what
        these memories hold when they are full is no growth.
        """
        warm = await self._fill()
        await self._send(WARM_UP_SECONDS)
        warm = _largest(warm, await self._census(_SETTLE_SECONDS))
        async with asyncio.TaskGroup() as group:
            sampling = group.create_task(self._sample())
            cpu_before = self._program.cpu_seconds()
            await self._send(seconds)
            cpu_seconds = self._program.cpu_seconds() - cpu_before
            sampling.cancel()
        after = await self._census(_SETTLE_SECONDS)
        return Soaked(
            seconds=seconds,
            sent=dict(self._tally.messages),
            attacks=dict(self._tally.attacks),
            samples=_read_samples(await asyncio.to_thread(self._scrape)),
            warm=warm,
            after=after,
            rss_bytes=self._rss_bytes,
            scrape_seconds=self._scrape_seconds,
            cpu_seconds=cpu_seconds,
            log_lines=len(self._program.errors.splitlines()),
            has_traceback="Traceback" in self._program.errors,
        )

    async def _send(self, seconds: float) -> None:
        target, tally = self._target, self._tally
        already = dict(tally.messages)
        async with asyncio.TaskGroup() as group:
            udp = Tally()
            group.create_task(send_datagrams(target, udp, PER_SECOND["udp"], seconds))
            for name in ("tcp", "tls"):
                group.create_task(send_stream(target, tally, name, PER_SECOND[name], seconds))
            for seed, kind in enumerate(Attacker(target, tally, 0).kinds):
                group.create_task(Attacker(target, tally, seed).run(kind, seconds))
        tally.messages["udp"] = already.get("udp", 0) + udp.messages["udp"]

    async def _sample(self) -> None:
        while True:
            self._rss_bytes.append(resident_bytes(self._program.pid))
            began_at = time.monotonic()
            await asyncio.to_thread(self._scrape)
            self._scrape_seconds.append(time.monotonic() - began_at)
            await asyncio.sleep(_SAMPLE_SECONDS)

    def _scrape(self) -> str:
        with urllib.request.urlopen(self._metrics_url, timeout=30) as response:
            text: str = response.read().decode()
        return text

    async def _fill(self) -> Census:
        """Send messages of made-up shapes; give the most that was held of them at any time."""
        most = await self._census(0)
        for begin in range(0, MADE_UP_SHAPES, _FILL):
            await send_made_up(self._target, begin, begin + _FILL)
            most = _largest(most, await self._census(1.0))
        return most

    async def _census(self, settle_seconds: float) -> Census:
        """Have the exporter count what it holds, when everybody has gone."""
        await asyncio.sleep(settle_seconds)
        told = len(self._program.output.splitlines())
        self._program.signal(signal.SIGUSR1)
        line = await asyncio.to_thread(
            self._program.until,
            lambda: next(iter(self._program.output.splitlines()[told:]), None),
            "it takes a census",
        )
        return Census(**json.loads(line))


def _largest(one: Census, other: Census) -> Census:
    """Give one with the larger of each number."""
    return Census(*map(max, zip(astuple(one), astuple(other), strict=True)))


def _read_samples(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    pairs = (line.rpartition(" ") for line in lines)
    return {series: float(value) for series, _, value in pairs}


def _write_certificate(path: Path) -> None:
    """A certificate that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "soak")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def main() -> int:
    """Run what the command line asks for; give the exit status."""
    parser = argparse.ArgumentParser(prog="soak-syslog", description="The syslog soak.")
    parser.add_argument("--duration", type=float, default=600.0, help="seconds (%(default)g)")
    arguments = parser.parse_args()
    if arguments.duration < 10:
        parser.error("shorter than 10 seconds nothing is seen")
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="soak-syslog-") as folder:
        soaked = soak(arguments.duration, Path(folder))
    print("\n".join([*machine, "", write_soak_report(soaked, aligned)]))
    return 0 if all(check.met for check in checks(soaked)) else 1


if __name__ == "__main__":
    sys.exit(main())
