"""Restarts of devices, by what they say and by their sysUpTime.

A coldStart is lost as easily as any datagram. A device that has been up for less time than has
passed since its earlier boot has restarted, whatever it says.
"""

from __future__ import annotations

from typing import Final

_TOLERANCE_SECONDS: Final = 30.0
_WRAP_SECONDS: Final = 2**32 / 100
"""When sysUpTime counts from 0 again, after 497 days."""


class Restarts:
    """When each device has started, and how often it has restarted since we know it."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._started: dict[str, float] = {}

    def note(self, device: str, now: float, uptime_ticks: int | None, *, says_so: bool) -> None:
        """Look at a message that came at *now*; *says_so*: it is a coldStart or alike."""
        if uptime_ticks is None:
            if says_so:
                self.counts[device] = self.counts.get(device, 0) + 1
            return
        started = now - uptime_ticks / 100.0
        known = self._started.get(device)
        if known is None:
            self._started[device] = started
            if says_so:
                self.counts[device] = self.counts.get(device, 0) + 1
        elif started - known > _TOLERANCE_SECONDS:
            # What counts from an earlier time is another process of the device.
            self._started[device] = started
            if abs(started - known - _WRAP_SECONDS) > _WRAP_SECONDS * 0.01:
                self.counts[device] = self.counts.get(device, 0) + 1
