"""The simulated devices of the SNMP race, and the networks that lead to them.

One ``netexporters simulate`` serves all recordings, each at several addresses, so that clients that
run side by side poll different targets, as Prometheus does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.cases import Case, Device, Network
from benchmarks.network import network_command
from benchmarks.processes import Program

USER: Final = "bench"
AUTH_PASSWORD: Final = "auth-password"
PRIV_PASSWORD: Final = "priv-password"
_SERVED: Final = re.compile(r"^(\S+)  (\S+)  rows: ", re.MULTILINE)


class Agents:
    """Every device at every address, for each network."""

    def __init__(self, stack: ExitStack, folder: Path, cases: Sequence[Case]) -> None:
        """Start what *cases* need; it ends with *stack*."""
        self._stack = stack
        self._folder = folder
        self._addresses = max(case.clients for case in cases)
        self._targets: dict[tuple[Network, Device], list[str]] = {}
        devices = list(dict.fromkeys(case.device for case in cases))
        self.program = self._start_agents(devices)
        self._direct = self._wait_for_agents(devices)
        for network in dict.fromkeys(case.network for case in cases):
            here = [device for device in devices if any_case(cases, device, network)]
            if network.each_way is None:
                for device in here:
                    self._targets[network, device] = self._direct[device]
                continue
            relays = self._start_network(network, [self._direct[device][0] for device in here])
            for device in here:
                self._targets[network, device] = relays[self._direct[device][0]]

    def targets(self, case: Case) -> list[str]:
        """As many addresses of the case's device as it has clients."""
        return self._targets[case.network, case.device][: case.clients]

    def direct_target(self, device: Device) -> str:
        """An address of a device with no network between."""
        return self._direct[device][0]

    def _start_agents(self, devices: Sequence[Device]) -> Program:
        return Program(
            self._stack,
            self._folder,
            "agents",
            [
                str(Path(sys.executable).with_name("netexporters")),
                "simulate",
                *(f"--listen-address=127.0.0.{n + 1}:0" for n in range(self._addresses)),
                f"--user={USER}",
                "--auth-protocol=SHA",
                f"--auth-password={AUTH_PASSWORD}",
                "--priv-protocol=AES",
                f"--priv-password={PRIV_PASSWORD}",
                *(str(recording_path(device)) for device in devices),
            ],
        )

    def _wait_for_agents(self, devices: Sequence[Device]) -> dict[Device, list[str]]:
        expected = len(devices) * self._addresses

        def served() -> list[tuple[str, str]] | None:
            found = _SERVED.findall(self.program.output)
            return found if len(found) == expected else None

        found = self.program.until(served, "all simulated devices listen")
        return {
            device: [where for where, name in found if name == Path(device.recording).name]
            for device in devices
        }

    def _start_network(self, network: Network, agents: Iterable[str]) -> dict[str, list[str]]:
        if network.each_way is None:
            raise ValueError(f"{network.name} needs no relay")
        command = network_command(list(agents), network.each_way, self._addresses)
        program = Program(self._stack, self._folder, "network", [sys.executable, *command])
        program.until(lambda: "ready" in program.output or None, "the network is ready")
        relays: dict[str, list[str]] = {}
        for line in program.output.splitlines()[:-1]:
            agent, address = line.split()
            relays.setdefault(agent, []).append(address)
        return relays


def any_case(cases: Iterable[Case], device: Device, network: Network) -> bool:
    """Whether a case has this device behind this network."""
    return any(case.device == device and case.network == network for case in cases)


def recording_path(device: Device) -> Path:
    """Where snmpsim-data keeps a recording.

    Raises:
        RuntimeError: It is not installed.
    """
    found = find_spec("snmpsim_data")
    if found is None or found.origin is None:
        raise RuntimeError("snmpsim-data is missing: pip install '.[test]'")
    return Path(found.origin).parent / "data" / f"{device.recording}.snmprec.bz2"
