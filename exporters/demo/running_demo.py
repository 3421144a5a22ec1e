"""A demo that runs: what of it is where, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from exporters.demo.children import Child
from exporters.demo.event_exporters import EventExporter
from exporters.demo.incidents import Incidents


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """What runs, and where."""

    snmp: str
    rmon: str
    trap: EventExporter
    syslog: EventExporter
    icmp: str | None
    no_icmp: str
    """Why there is no ICMP exporter, where there is none."""
    prometheus: str | None
    targets: dict[str, str]
    """Address of each device's agent by the device's name."""
    auths: dict[str, str]
    incidents: Incidents
    session: aiohttp.ClientSession
    children: list[Child]

    def snmp_url(self, device: str) -> str:
        """Where the SNMP exporter serves a device."""
        query = f"target={self.targets[device]}&module=if_mib,system&auth={self.auths[device]}"
        return f"http://{self.snmp}/snmp?{query}"

    def rmon_url(self, device: str) -> str:
        """Where the RMON exporter serves a device."""
        return f"http://{self.rmon}/rmon?target={self.targets[device]}&auth={self.auths[device]}"

    async def fetch(self, url: str) -> tuple[int, str]:
        """Give status and text of an address."""
        async with self.session.get(url) as response:
            return response.status, await response.text()
