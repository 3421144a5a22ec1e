"""The log of one event over time: its newest entry is an exact count of all there ever were. Pure.

``logIndex`` grows by one with every entry for the life of the event's row, whatever is dropped at
the other end.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(slots=True)
class LogCursor:
    """The newest and the oldest entry that the device still has."""

    newest: int
    oldest: int

    @property
    def retained(self) -> int:
        """How many entries there are, as numbers have no gaps between them."""
        return self.newest - self.oldest + 1

    def continues(self, entries: Collection[int]) -> bool:
        """Whether *entries*, asked for from the newest on, still have it."""
        return self.newest in entries
