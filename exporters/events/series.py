"""Which series a metric may have: a cap that strangers cannot use up, and what lies beyond it.

Each device of the inventory has series set aside for it; what is left is given to whoever comes
first. A series that finds no place becomes one with ``other`` in its open labels, those whose
values come from messages. Labels of closed sets stay as they are, so there is at most one such
series for each device and each of their combinations. Devices that are not in the inventory and
have no series yet share those of ``unknown``.

Series are never taken away: a counter that comes back is a counter that was reset.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from exporters.config.event_taxonomy import OTHER, UNKNOWN

Key = tuple[str, ...]

_SET_ASIDE: Final = 0.5
"""The part of all series that is set aside for devices of the inventory."""


class SeriesLimit:
    """The series of one metric. The label ``device`` is the first, if there is one."""

    def __init__(self, labels: Sequence[str], open_labels: Collection[str], limit: int) -> None:
        self.limit = limit
        self.count = 0
        self.overflow = 0
        """Events whose series found no place."""
        self._open = tuple(label in open_labels for label in labels)
        self._has_device = bool(labels) and labels[0] == "device"
        self._reserved: dict[str, int] = {}
        self._share = 0
        self._of_device: dict[str, int] = {}
        self._common = 0

    def reserve(self, devices: Collection[str]) -> None:
        """Set series aside for these devices, and for no others; series that exist stay."""
        self._share = int(self.limit * _SET_ASIDE) // max(1, len(devices))
        self._reserved = dict.fromkeys(devices, self._share)
        used = (min(count, self._share) for count in map(self._used, self._reserved))
        self._common = self.count - sum(used)

    def admit(self, key: Key, events: int = 1) -> Key:
        """Give the key under which a series that is new is to be kept: its own, or a folded one.

        It is new because of *events*, which are counted where there is no place for it.
        """
        device = key[0] if self._has_device else ""
        used = self._of_device.get(device, 0)
        if used >= self._reserved.get(device, 0):
            if self._common >= self.limit - self._share * len(self._reserved):
                self.overflow += events
                return self._fold(key, known=used > 0 or device in self._reserved)
            self._common += 1
        self._of_device[device] = used + 1
        self.count += 1
        return key

    def _used(self, device: str) -> int:
        return self._of_device.get(device, 0)

    def _is_open(self, place: int) -> bool:
        """Whether the values of a label come from messages; those that are added later do."""
        return place >= len(self._open) or self._open[place]

    def _fold(self, key: Key, *, known: bool) -> Key:
        folded = [OTHER if self._is_open(place) else value for place, value in enumerate(key)]
        if self._has_device and not known:
            folded[0] = UNKNOWN
        return tuple(folded)
