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
    """When each device has started."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}

    def note(self, device: str, now: float, uptime_ticks: int | None, *, says_so: bool) -> bool:
        """Say whether a message that came at *now* tells of a restart that no other has told of.

        *says_so*: it is a coldStart or alike.
        """
        if uptime_ticks is None:
            return says_so
        started = now - uptime_ticks / 100.0
        known = self._started.get(device)
        if known is None:
            self._started[device] = started
            return says_so
        if started - known <= _TOLERANCE_SECONDS:
            # What counts from an earlier time is another process of the device.
            return False
        self._started[device] = started
        return abs(started - known - _WRAP_SECONDS) > _WRAP_SECONDS * 0.01
