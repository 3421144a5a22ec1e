"""The ``rate_limit`` of the web configuration: a token bucket for all requests together."""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """Holds up to *burst* tokens, gets one each *interval_seconds*; a request takes one."""

    def __init__(self, interval_seconds: float, burst: int, clock: Callable[[], float]) -> None:
        self._interval_seconds = interval_seconds
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled_at = clock()

    def take(self) -> bool:
        """Take a token if there is one; always, where the interval is 0."""
        if not self._interval_seconds:
            return True
        now = self._clock()
        gained = (now - self._filled_at) / self._interval_seconds
        self._tokens = min(self._tokens + gained, float(self._burst))
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
