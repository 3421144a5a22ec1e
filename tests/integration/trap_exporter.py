"""A running trap exporter, and net-snmp's senders."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from .exporter import Exporter, start_exporter
from .exposition import Exposition
from .processes import Program, Programs, run, until

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
LINK_UP = "1.3.6.1.6.3.1.1.5.4"
COLD_START = "1.3.6.1.6.3.1.1.5.1"
_ADDRESS = re.compile(r'msg="listening for traps" address=(\S+)')

DEVICES = """
devices:
  - {name: switch-1, addresses: [127.0.0.1, "::1"]}
"""


@dataclass
class TrapExporter:
    """One exporter, whose files stay when it is started again."""

    programs: Programs
    config: str = ""
    flags: tuple[str, ...] = ()
    listen: tuple[str, ...] = ("127.0.0.1:0",)
    http: Exporter = field(init=False)
    targets: list[str] = field(init=False)

    def __post_init__(self) -> None:
        folder = self.folder
        (folder / "devices.yml").write_text(DEVICES)
        (folder / "trap.yml").write_text(self.config)
        self.start()

    @property
    def folder(self) -> Path:
        return self.programs.folder

    @property
    def program(self) -> Program:
        return self.http.program

    @property
    def target(self) -> str:
        return self.targets[0]

    def start(self, web_port: int = 0) -> None:
        self.http = start_exporter(
            self.programs,
            *(f"--trap.listen-address={address}" for address in self.listen),
            f"--config.file={self.folder}/trap.yml",
            f"--devices.file={self.folder}/devices.yml",
            f"--events.state-file={self.folder}/trap.state",
            *self.flags,
            name="trap",
            address=f"127.0.0.1:{web_port}",
        )
        self.targets = _ADDRESS.findall(self.program.errors)

    def metrics(self) -> Exposition:
        return self.http.telemetry()

    def outcome(self, name: str) -> float:
        metrics = self.metrics()
        counts = metrics.named("snmp_trap_outcomes_total").values()
        assert sum(counts) == metrics.value("snmp_trap_datagrams_total")
        return metrics.value("snmp_trap_outcomes_total", outcome=name)

    def wait_for_outcome(self, name: str, count: int) -> None:
        until(lambda: self.outcome(name) >= count, f"{count} {name}")

    def events(self) -> list[dict[str, object]]:
        events: list[dict[str, object]] = json.loads(self.http.request("/events.json").text)
        return events


def snmptrap(*words: str, inform: bool = False) -> CompletedProcess[str]:
    """Send one notification with net-snmp's command."""
    program = "snmpinform" if inform else "snmptrap"
    return run(program, *words, environment={"MIBS": "", "HOME": "/nonexistent"})


def link_trap(target: str, oid: str = LINK_DOWN, index: int = 7, uptime: int = 1000) -> None:
    row = "1.3.6.1.2.1.2.2.1"
    result = snmptrap(
        *("-v", "2c", "-c", "public", target, str(uptime), oid),
        *(f"{row}.1.{index}", "i", str(index)),
        *(f"{row}.2.{index}", "s", f"Gi0/{index}"),
    )
    assert result.returncode == 0, result.stderr
