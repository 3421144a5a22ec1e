"""The syslog exporter as its users have it, with an address of every transport that it is given."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

from .exporter import Exporter, start_exporter
from .exposition import Exposition
from .processes import Programs, until

_ADDRESS = re.compile(r'msg="listening for syslog" address=127\.0\.0\.1:(\d+) transport=(\w+)')
ADDRESSES = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0")


class SyslogExporter:
    """One exporter, whose files stay when it is started again."""

    def __init__(
        self,
        programs: Programs,
        addresses: tuple[str, ...] = ADDRESSES,
        config: str = "max_message_bytes: 8192\n",
    ) -> None:
        self.programs = programs
        self._addresses = addresses
        folder = programs.folder
        (folder / "devices.yml").write_text(
            'devices: [{name: switch-1, addresses: [127.0.0.1, "::1"]}]\n'
        )
        self.configure(config)
        self.start()

    def configure(self, config: str) -> None:
        (self.programs.folder / "syslog.yml").write_text(config)

    def reload(self) -> None:
        assert self.http.request("/-/reload", method="POST").status == 200

    def start(self, web_port: int = 0) -> None:
        folder = self.programs.folder
        self.http: Exporter = start_exporter(
            self.programs,
            *(f"--syslog.listen-address={address}" for address in self._addresses),
            f"--config.file={folder}/syslog.yml",
            f"--devices.file={folder}/devices.yml",
            f"--events.state-file={folder}/syslog.state",
            name="syslog",
            address=f"127.0.0.1:{web_port}",
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
