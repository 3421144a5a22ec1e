"""What happens to the devices of the demo, and who hears of it.

One link has gone down and stays so, another goes down and comes up all the time, and somebody tries
to get in. Agents answer so, and every witness is told: those that send traps and those that log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

from exporters.demo.link import Link
from exporters.demo.pretend_network import PretendDevice
from exporters.demo.recording import Recording

_DOWN_SECONDS: Final = 7.0
_UP_SECONDS: Final = 7.0
"""Longer than the demo's scrape interval, so that polling sees both."""


class Witness(Protocol):
    """Who tells what happens to devices."""

    def link_changed(self, link: Link) -> None:
        """Tell that a link has gone down, or come up."""

    def intruder_refused(self, device: PretendDevice) -> None:
        """Tell that somebody has tried to get into a device."""


class Incidents:
    """What happens to three devices: a core, an access and an edge device."""

    def __init__(self, devices: Sequence[PretendDevice]) -> None:
        self.core, self.access, self.edge = devices
        self.broken = Link(self.edge, next(port for port in self.edge.ports if not port.up))
        uplinks = (port for port in self.access.ports if port.name.startswith("Uplink"))
        self.changing = Link(self.access, next(uplinks))

    def recording(self, device: PretendDevice) -> Recording:
        """Give what the agent of a device answers."""
        recording = device.recording()
        return self.changing.put_into(recording) if device is self.access else recording

    @asynccontextmanager
    async def happening(self, witnesses: Sequence[Witness]) -> AsyncIterator[None]:
        """Let things happen meanwhile."""
        # No task group: an error of the caller's would come out of it as a group of errors.
        task = asyncio.create_task(self._happen(witnesses))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _happen(self, witnesses: Sequence[Witness]) -> None:
        for witness in witnesses:
            witness.link_changed(self.broken)
        while True:
            for up, seconds in ((False, _DOWN_SECONDS), (True, _UP_SECONDS)):
                self.changing.up = up
                for witness in witnesses:
                    witness.link_changed(self.changing)
                    if not up:
                        witness.intruder_refused(self.core)
                await asyncio.sleep(seconds)

    def missing(self, text: str) -> list[str]:
        """Say what ``/metrics`` does not show: the one link is down, the other was and is up."""
        lines = set(text.splitlines())
        return [
            f"{link.port.name} of {link.device.name} is {what}"
            for link, value, what in ((self.broken, 1, "down"), (self.changing, 0, "up again"))
            if f"{_state(link)} {value}" not in lines
        ]


def _state(link: Link) -> str:
    labels = f'device="{link.device.name}",event="link",instance="{link.port.name}"'
    return f"network_event_active{{{labels}}}"
