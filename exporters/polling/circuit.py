"""A circuit breaker: a target that has been silent for some scrapes is asked one thing, shortly.

Without it, every scrape of a dead device waits until its deadline, and thousands of dead devices
hold thousands of requests. Once the one question is answered, the scrape goes on as any other.

Where many are silent, as when a whole network is, their probes are spread over up to a second.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

PROBE_SECONDS: Final = 1.0
"""How long a probe waits for its answer."""
MAX_TARGETS: Final = 100_000
LONGEST_DELAY_SECONDS: Final = 1.0
PROBES_PER_SECOND: Final = 1000
"""How many probes may go out at once a second without being spread further."""


class CircuitBreaker:
    """Counts the scrapes in a row for which each target was silent.

    Args:
        threshold: After how many of them its circuit is open; 0 for never.
        most: Targets that are remembered; the oldest silence is forgotten.
    """

    def __init__(self, threshold: int, most: int = MAX_TARGETS) -> None:
        self._threshold = threshold
        self._most = most
        self._silent: OrderedDict[Hashable, int] = OrderedDict()
        self._open = 0

    def is_open(self, target: Hashable) -> bool:
        """Whether *target* is to be probed before it is scraped."""
        return bool(self._threshold) and self._silent.get(target, 0) >= self._threshold

    def note(self, target: Hashable, *, silent: bool) -> None:
        """Take in how a scrape or a probe of *target* went."""
        if not silent:
            self._forget(self._silent.pop(target, 0))
            return
        scrapes = self._silent[target] = self._silent.get(target, 0) + 1
        self._open += scrapes == self._threshold
        if len(self._silent) > self._most:
            self._forget(self._silent.popitem(last=False)[1])

    def open_count(self) -> int:
        """How many circuits are open."""
        return self._open

    def delay_seconds(self, chance: float) -> float:
        """How long to wait before a probe, for a *chance* from 0 to 1: the longer, the more."""
        return chance * min(LONGEST_DELAY_SECONDS, self._open / PROBES_PER_SECOND)

    def _forget(self, scrapes: int) -> None:
        self._open -= 0 < self._threshold <= scrapes
