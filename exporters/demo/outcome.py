"""What must be seen when the demo has run for a time, and what of it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final

from exporters.demo import logging_devices, pinged_devices, trapping_devices
from exporters.demo.event_exporters import EventExporter
from exporters.demo.pretend_network import PretendDevice
from exporters.demo.running_demo import RunningDemo

_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 20.0
"""For some scrapes and pings, and for a link to go down and come up."""


async def unseen(demo: RunningDemo) -> list[str]:
    """Say what is not as it should be: every device answers, is pinged, traps and logs."""
    failures = [failure for name in demo.targets for failure in await _not_polled(demo, name)]
    if demo.icmp is not None:
        devices = list(demo.targets)
        pinged = await _missing(
            demo,
            f"http://{demo.icmp}/metrics",
            lambda text: pinged_devices.missing(text, devices),
        )
        failures += [f"pings do not show that {what}" for what in pinged]
    failures += await _not_told(demo, demo.trap, trapping_devices.missing)
    failures += await _not_told(demo, demo.syslog, logging_devices.missing)
    if demo.prometheus is not None:
        url = f"http://{demo.prometheus}/api/v1/query?query=up"
        down = await _missing(demo, url, lambda text: _not_up(demo, text))
        failures += [f"{name}: Prometheus does not see it up" for name in down]
    return failures


async def _not_polled(demo: RunningDemo, name: str) -> list[str]:
    failures = []
    status, text = await demo.fetch(demo.snmp_url(name))
    if status != 200 or "snmp_up 1" not in text or 'success{module="if_mib"} 1' not in text:
        failures.append(f"{name}: HTTP {status}")
    status, text = await demo.fetch(demo.rmon_url(name))
    if status != 200 or "rmon_scrape_success 1" not in text:
        failures.append(f"{name}: RMON, HTTP {status}")
    return failures


async def _not_told(
    demo: RunningDemo, exporter: EventExporter, look: Callable[[str, PretendDevice], list[str]]
) -> list[str]:
    """What an exporter that listens does not show of the incidents."""
    incidents = demo.incidents
    missing = await _missing(
        demo,
        f"http://{exporter.web}/metrics",
        lambda text: incidents.missing(text) + look(text, incidents.core),
    )
    return [f"the {exporter.name} exporter does not show that {what}" for what in missing]


async def _missing(demo: RunningDemo, url: str, look: Callable[[str], list[str]]) -> list[str]:
    """Give what *look* misses in a page, once that is nothing or the time is up."""
    give_up_at = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        _, text = await demo.fetch(url)
        missing = look(text)
        if not missing or asyncio.get_running_loop().time() > give_up_at:
            return missing
        await asyncio.sleep(_POLL_SECONDS)


def _not_up(demo: RunningDemo, text: str) -> list[str]:
    """What Prometheus does not see up."""
    up: dict[str, str] = {}
    for series in json.loads(text)["data"]["result"]:
        labels = series["metric"]
        name = labels.get("device") or f"{labels['exporter']} exporter"
        up[name] = min(series["value"][1], up.get(name, "1"))  # polled by several exporters
    exporters = ["snmp", "rmon", "trap", "syslog"] + ([] if demo.icmp is None else ["icmp"])
    expected = [*demo.targets, *(f"{name} exporter" for name in exporters)]
    return [name for name in expected if up.get(name) != "1"]
