"""The latest outages of a destination: from the first of several losses in a row to the next reply.

A single lost ping is loss and no outage. Pure: instants come in, in Unix time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from exporters.icmp.accounting import LossReason

LOSSES: Final = 2
"""So many in a row are an outage."""
_KEPT: Final = 10


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage; *ended_at* is None while it lasts."""

    began_at: float
    reason: LossReason
    ended_at: float | None = None
    losses: int = LOSSES


class Outages(Iterable[Outage]):
    """The last few of one destination, the newest first."""

    __slots__ = ("_outages",)

    def __init__(self) -> None:
        self._outages: deque[Outage] | None = None  # most destinations never have one

    def __iter__(self) -> Iterator[Outage]:
        return reversed(self._outages or ())

    def begin(self, began_at: float, reason: LossReason) -> None:
        """Note that an outage has begun: its first ping was sent at *began_at*."""
        if self._outages is None:
            self._outages = deque(maxlen=_KEPT)
        self._outages.append(Outage(began_at, reason))

    def end(self, now: float, losses: int) -> None:
        """Note that a reply has come after *losses* in a row."""
        if self._outages and self._outages[-1].ended_at is None:
            latest = self._outages.pop()
            self._outages.append(Outage(latest.began_at, latest.reason, now, losses))
