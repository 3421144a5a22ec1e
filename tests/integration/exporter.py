"""An exporter as its users have it: a process with an HTTP port."""

from __future__ import annotations

import http.client
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from .exposition import Exposition, read_exposition
from .processes import NETEXPORTERS, PATIENCE_SECONDS, Program, Programs

_LISTENING = re.compile(r"msg=listening address=127\.0\.0\.1:(\d+) ")
_SCRAPE_TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def exposition(self) -> Exposition:
        assert self.status == 200, f"HTTP {self.status}: {self.text}"
        return read_exposition(self.text)


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    program: Program
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        started_at = time.monotonic()
        try:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        lowered = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lowered, body, time.monotonic() - started_at)

    def scrape(
        self,
        target: str,
        *modules: str,
        auth: str = "",
        timeout: float | None = None,
        seconds: float = PATIENCE_SECONDS,
        **parameters: str,
    ) -> Answer:
        """Ask for a target as Prometheus does; *timeout* is the one that it announces."""
        query = {"target": target, "module": ",".join(modules) or "system", **parameters}
        if auth:
            query["auth"] = auth
        headers = {} if timeout is None else {_SCRAPE_TIMEOUT: str(timeout)}
        return self.request(f"/snmp?{urlencode(query)}", headers=headers, seconds=seconds)

    def probe(
        self,
        target: str,
        *,
        timeout: float | None = None,
        seconds: float = PATIENCE_SECONDS,
        **parameters: str,
    ) -> Answer:
        """Ask the ICMP exporter for a probe; *timeout* is the one that Prometheus announces."""
        headers = {} if timeout is None else {_SCRAPE_TIMEOUT: str(timeout)}
        query = urlencode({"target": target, **parameters})
        return self.request(f"/probe?{query}", headers=headers, seconds=seconds)

    def telemetry(self) -> Exposition:
        """The exporter's own metrics."""
        return self.request("/metrics").exposition

    def failures(self, reason: str) -> float:
        """How many modules could not be read for this reason, so far."""
        return self.telemetry().value("snmp_request_failures_total", reason=reason)

    def sockets(self) -> set[str]:
        """The sockets that the process holds now, by inode."""
        links = map(_read_link, Path(f"/proc/{self.program.pid}/fd").iterdir())
        return {link[8:-1] for link in links if link.startswith("socket:[")}

    def sockets_towards(self, port: int) -> int:
        """How many of them are connected to this port of the IPv4 loopback address."""
        own = self.sockets()
        rows = [
            row.split()
            for table in ("udp", "tcp")
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        ]
        return sum(row[2] == f"0100007F:{port:04X}" and row[9] in own for row in rows)


def start_exporter(
    programs: Programs,
    *flags: str,
    name: str = "snmp",
    address: str = "127.0.0.1:0",
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Exporter:
    """Start an exporter and wait until it is ready."""
    program = programs.start(
        NETEXPORTERS,
        name,
        f"--web.listen-address={address}",
        *flags,
        environment=environment,
        cwd=cwd,
    )
    exporter = Exporter(program, listening_port(program))
    assert exporter.request("/-/ready").status == 200
    return exporter


def listening_port(program: Program) -> int:
    """Wait until an exporter listens, and give the port that it says it has."""
    match = program.until(lambda: _LISTENING.search(program.errors), "the exporter listens")
    return int(match[1])


def _read_link(path: Path) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - "socket:[1]" is no path
    except FileNotFoundError:
        return ""  # closed since the directory was read
