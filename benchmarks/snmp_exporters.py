"""The two runners of the SNMP race: netexporters, and Debian's snmp_exporter with the same module.

snmp_exporter 0.21 keeps version and credentials inside each module, so that the module is written
out once for each version.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import yaml

from benchmarks.cases import Case
from benchmarks.processes import Program
from benchmarks.snmp_agents import AUTH_PASSWORD, PRIV_PASSWORD, USER
from exporters.bundled import modules_directory
from exporters.demo.children import free_port

MODULE: Final = "if_mib"
_LISTENING: Final = re.compile(r"msg=listening address=127\.0\.0\.1:(\d+) ")
_PEER_LISTENING: Final = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')
_PEER_PROGRAMS: Final = ("prometheus-snmp-exporter", "snmp_exporter")
_V3_USER: Final = {
    "security_level": "authPriv",
    "username": USER,
    "auth_protocol": "SHA",
    "password": AUTH_PASSWORD,
    "priv_protocol": "AES",
    "priv_password": PRIV_PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running exporter."""

    program: Program
    port: int


@dataclass(frozen=True, slots=True)
class Exporter:
    """One that takes part: how to start it, and what to ask it for."""

    name: str
    start: Callable[[ExitStack], Server]
    query: Callable[[Case], dict[str, str]]
    warm_ups: int = 1
    """Scrapes of a target before it answers as it does from then on."""

    def paths(self, case: Case, targets: Sequence[str]) -> list[str]:
        """The paths to scrape, one for each client."""
        return [f"/snmp?{urlencode({'target': item, **self.query(case)})}" for item in targets]


def our_exporter(folder: Path, *module_files: Path) -> Exporter:
    """This exporter with *module_files*, or with if_mib as it ships."""
    files = module_files or (modules_directory("snmp") / f"{MODULE}.yml",)
    auths = folder / "auths.yml"
    auths.write_text(
        yaml.safe_dump(
            {"auths": {"v2c": {"version": 2}, "v3": {"version": 3, **_V3_USER}}}, sort_keys=False
        )
    )

    def start(stack: ExitStack) -> Server:
        command = [
            str(Path(sys.executable).with_name("netexporters")),
            "snmp",
            "--web.listen-address=127.0.0.1:0",
            *(f"--config.file={file}" for file in (auths, *files)),
        ]
        program = Program(stack, folder, "netexporters", command)
        return wait_until_listening(program)

    # what the first scrape learns of an agent saves packets from the second on
    return Exporter(
        "netexporters", start, lambda case: {"module": MODULE, "auth": case.version}, warm_ups=2
    )


def peer_exporter(folder: Path) -> Exporter:
    """snmp_exporter with if_mib as we ship it.

    Raises:
        RuntimeError: It is not installed.
    """
    found = next(filter(None, map(shutil.which, _PEER_PROGRAMS)), None)
    if found is None:
        raise RuntimeError("snmp_exporter is missing: install Debian's prometheus-snmp-exporter")
    program_path = found
    config = folder / "peer.yml"
    shipped = yaml.safe_load((modules_directory("snmp") / f"{MODULE}.yml").read_text())
    config.write_text(yaml.dump(_peer_modules(shipped["modules"][MODULE]), Dumper=_PlainDumper))

    def start(stack: ExitStack) -> Server:
        address = f"127.0.0.1:{free_port(0)}"
        command = [program_path, f"--config.file={config}", f"--web.listen-address={address}"]
        return wait_until_listening(
            Program(stack, folder, "snmp_exporter", command), _PEER_LISTENING
        )

    return Exporter("snmp_exporter", start, lambda case: {"module": f"{MODULE}_{case.version}"})


def _peer_modules(module: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{MODULE}_v2c": {**module, "version": 2, "auth": {"community": "public"}},
        f"{MODULE}_v3": {**module, "version": 3, "auth": _V3_USER},
    }


def wait_until_listening(program: Program, line: re.Pattern[str] = _LISTENING) -> Server:
    """Wait for what an exporter says when it serves; by default, for what ours says."""
    match = program.until(lambda: line.search(program.errors), "it listens")
    return Server(program, int(match[1]))


class _PlainDumper(yaml.SafeDumper):
    """Writes what is shared out in full: the peer's reader has no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True
