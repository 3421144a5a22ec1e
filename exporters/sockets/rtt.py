"""How long to wait for an answer: a retransmission timer that follows the measured round trips.

The estimator is RFC 6298's with a floor for polled devices, whose answers take longer the more
they are asked for. Pure: times come in as arguments.
"""

from __future__ import annotations

from typing import Final

INITIAL_WAIT_SECONDS: Final = 0.5
"""Of an agent never heard of. RFC 6298 s2.1 has a second, but there a try too many costs more: here
the answer to any of them counts, and each second counts in a scrape of ten."""
MINIMUM_WAIT_SECONDS: Final = 0.2
_MOST_DOUBLINGS: Final = 2
"""The load of a path is held down by the few requests under way, not by waiting ever longer."""


class RttEstimator:
    """Smoothed round-trip time of one agent (RFC 6298 s2), kept between scrapes."""

    __slots__ = ("_smoothed", "_variation")

    def __init__(self) -> None:
        self._smoothed: float | None = None
        self._variation = 0.0

    @property
    def smoothed_seconds(self) -> float | None:
        """The smoothed round-trip time; None before the first answer."""
        return self._smoothed

    def observe(self, seconds: float) -> None:
        """Take in one round trip: from the very packet that was answered, not an earlier try.

        Karn's rule, to leave out what was sent twice, is for protocols that cannot tell their tries
        apart. Here it would hurt: of an agent slower than the first wait nothing were ever learnt,
        and it would be asked everything twice for ever.
        """
        if self._smoothed is None:
            self._smoothed, self._variation = seconds, seconds / 2
            return
        self._variation += (abs(self._smoothed - seconds) - self._variation) / 4
        self._smoothed += (seconds - self._smoothed) / 8

    def wait_seconds(self, attempt: int, *, longest: float, last: bool) -> float:
        """How long attempt number *attempt* (from 0) waits for its answer.

        The second waits twice as long as the first, the third and all further ones four times as
        long, never more than *longest*. The last one waits the whole of *longest*: a slow agent is
        then still heard.
        """
        if last:
            return longest
        if self._smoothed is None:
            first = INITIAL_WAIT_SECONDS
        else:
            first = max(MINIMUM_WAIT_SECONDS, 2 * self._smoothed + 4 * self._variation)
        return min(longest, first * float(2 ** min(attempt, _MOST_DOUBLINGS)))
