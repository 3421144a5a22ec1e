"""Who may send to a device next, and when: limits as a queue of turns.

Pure: the time comes in as an argument and nothing waits here; ``exporters.sockets.device_queue``
does the waiting. A turn is one packet. A request needs a place among those under way and a free
moment, a retransmission has its request's place and needs a moment alone, before any new request:
else requests that wait for a place would keep those that hold one from being finished.

Packets are spaced evenly, 1/rate apart, and idle time saves up nothing: a device that answers 10
packets a second is not to be sent 60 at once because nobody asked it for 6 seconds. In any *T*
seconds it is sent at most ``rate * (T + LATENESS_SECONDS) + 1`` packets. That is GCRA with a cell
delay tolerance for late timers alone (ITU-T I.371, the virtual scheduling algorithm).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

LATENESS_SECONDS: Final = 0.005
"""How late timers of an event loop may be; what they lose beyond that is lost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is sent at most; 0 for as much as one likes."""

    concurrency: int = 0
    """Requests under way."""
    packets_per_second: float = 0.0

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return self.concurrency > 0 or self.packets_per_second > 0

    def __str__(self) -> str:
        """``2 requests at a time and 10 packets a second``."""
        parts = []
        if self.concurrency:
            requests = "request" if self.concurrency == 1 else "requests"
            parts.append(f"{self.concurrency} {requests} at a time")
        if self.packets_per_second:
            packets = "packet" if self.packets_per_second == 1 else "packets"
            parts.append(f"{self.packets_per_second:g} {packets} a second")
        return " and ".join(parts) or "no limits"

    def strictest(self, other: Limits) -> Limits:
        """The lower of each two limits."""
        return Limits(
            min(filter(None, (self.concurrency, other.concurrency)), default=0),
            min(filter(None, (self.packets_per_second, other.packets_per_second)), default=0.0),
        )


@dataclass(slots=True, eq=False)
class Turn:
    """A packet that waits to be sent: a new request's first, or a retransmission."""

    joined_at: float
    retransmission: bool = False
    granted: bool = False


class TurnQueue:
    """The packets that wait, and the requests that are under way; *limits* may change meanwhile."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._requests: deque[Turn] = deque()
        self._retransmissions: deque[Turn] = deque()
        self._under_way = 0
        self._sent_at = -math.inf

    @property
    def under_way(self) -> int:
        """Requests that hold a place."""
        return self._under_way

    @property
    def waiting(self) -> int:
        """Packets that wait for their turn."""
        return len(self._requests) + len(self._retransmissions)

    def earliest_at(self, now: float) -> float:
        """When a request that joins now could be sent, if no place were ever missing."""
        space_seconds = self._space_seconds()
        return max(now, self._sent_at + space_seconds) + self.waiting * space_seconds

    def join(self, turn: Turn) -> None:
        """Let *turn* wait as the last of its kind."""
        self._queue_of(turn).append(turn)

    def leave(self, turn: Turn) -> None:
        """Take *turn* back: it will not be used, or was used and its request is over."""
        if not turn.granted:
            self._queue_of(turn).remove(turn)
        elif not turn.retransmission:
            self._under_way -= 1

    def grant(self, now: float) -> tuple[list[Turn], float | None]:
        """Grant all turns that have come by *now*.

        Returns:
            Those turns, and when to ask again; None: not before a turn joins or leaves.
        """
        granted: list[Turn] = []
        space_seconds = self._space_seconds()
        while (turn := self._next()) is not None:
            free_at = self._sent_at + space_seconds
            if now < free_at:
                return granted, free_at
            self._queue_of(turn).popleft()
            turn.granted = True
            self._under_way += not turn.retransmission
            # A timer's lateness must not add up to a lower rate; a pause must not be saved up.
            self._sent_at = max(free_at, turn.joined_at, now - LATENESS_SECONDS)
            granted.append(turn)
        return granted, None

    def _space_seconds(self) -> float:
        """How long after a packet the next one may be sent."""
        rate = self.limits.packets_per_second
        return 1 / rate if rate else 0.0

    def _next(self) -> Turn | None:
        if self._retransmissions:
            return self._retransmissions[0]
        most = self.limits.concurrency
        if self._requests and (not most or self._under_way < most):
            return self._requests[0]
        return None

    def _queue_of(self, turn: Turn) -> deque[Turn]:
        return self._retransmissions if turn.retransmission else self._requests
