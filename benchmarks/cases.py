"""What the SNMP race is run on: devices, networks, SNMP versions and numbers of clients.

A case is named ``device/network/version/cN``, such as ``arista/50ms/v3/c8``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Final

from exporters.demo.bad_network import Impairment


@dataclass(frozen=True, slots=True)
class Device:
    """A recording of snmpsim-data."""

    name: str
    recording: str


@dataclass(frozen=True, slots=True)
class Network:
    """What lies between the exporter and the agent; each way is impaired alike."""

    name: str
    each_way: Impairment | None = None

    @property
    def lossy(self) -> bool:
        """Whether it loses datagrams: then not speed is measured, but what arrives in time."""
        return self.each_way is not None and self.each_way.drop_rate > 0


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the result."""

    device: Device
    network: Network
    version: str
    clients: int

    @property
    def name(self) -> str:
        """``device/network/version/cN``."""
        return f"{self.device.name}/{self.network.name}/{self.version}/c{self.clients}"

    @property
    def cpu_target(self) -> float:
        """Which share of the peer's CPU time a scrape may take."""
        return 0.5 if self.version == "v3" else 0.25

    @property
    def wall_target(self) -> float:
        """Which share of the peer's time a scrape may take."""
        return 0.5 if self.network is LOOPBACK else 0.25


ARISTA: Final = Device("arista", "cloud/arista-dcs-7150s-52-cl")
JUNIPER: Final = Device("juniper", "network/router/juniper-mx960-12-3r6-6")
RUIJIE: Final = Device("ruijie", "network/wifi/ruijie-m18000")
LOOPBACK: Final = Network("loopback")
DISTANT: Final = Network("50ms", Impairment(delay_seconds=0.025))
LOSS_2: Final = Network("50ms-loss2", Impairment(delay_seconds=0.025, drop_rate=0.02))
LOSS_20: Final = Network("50ms-loss20", Impairment(delay_seconds=0.025, drop_rate=0.2))
VERSIONS: Final = ("v2c", "v3")
CLIENTS: Final = (1, 8)

EVERY_CASE: Final = tuple(
    Case(*parts)
    for parts in product(
        (ARISTA, JUNIPER, RUIJIE), (LOOPBACK, DISTANT, LOSS_2, LOSS_20), VERSIONS, CLIENTS
    )
)


def choose_cases(patterns: Sequence[str], *, quick: bool) -> list[Case]:
    """The cases whose names match a pattern; without patterns, those that end in time.

    Left out then: networks with loss, which take half a minute for each exporter, and the largest
    device at 50 ms, where one scrape takes the peer four and a half minutes.
    """
    if patterns:
        return [
            case for case in EVERY_CASE if any(fnmatchcase(case.name, item) for item in patterns)
        ]
    cases = [
        case
        for case in EVERY_CASE
        if not case.network.lossy and (case.device, case.network) != (RUIJIE, DISTANT)
    ]
    if quick:
        cases = [
            case
            for case in cases
            if case.device is ARISTA and (case.network is LOOPBACK or case.clients == 1)
        ]
    return cases
