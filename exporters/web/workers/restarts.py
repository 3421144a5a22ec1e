"""Whether and when a worker that ended is started again. Decisions only: no clock, no process.

A worker is started again after half a second, twice as long each time that it ends soon, up to half
a minute. There is no use in it where a worker ends before it serves and there is no other that
serves, or where all end soon, again and again: then the exporter as a whole gives up, and whoever
started it sees that it has failed.
"""

from __future__ import annotations

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0
_SOON_SECONDS = 10.0
_PATIENCE = 3


class Restarts:
    """Remembers how the workers fared."""

    def __init__(self, workers: int) -> None:
        self._seconds = [_FIRST_SECONDS] * workers
        self._ended_soon = 0

    def after_end(
        self,
        number: int,
        *,
        on_request: bool,
        served_seconds: float | None,
        others_served_seconds: float | None,
    ) -> float | None:
        """Return after how many seconds to start worker *number* again, or None to give up.

        Args:
            number: The place of the worker that ended.
            on_request: Whether somebody asked this worker to end, by a signal.
            served_seconds: How long it served, None if it ended before it did.
            others_served_seconds: How long that one has served that serves longest, if one does.
        """
        longest = max(served_seconds or 0.0, others_served_seconds or 0.0)
        if longest >= _SOON_SECONDS:
            self._ended_soon = 0
        if on_request:
            return _FIRST_SECONDS
        if served_seconds is None and others_served_seconds is None:
            return None
        self._ended_soon += longest < _SOON_SECONDS
        if self._ended_soon > _PATIENCE * len(self._seconds):
            return None
        if served_seconds is not None and served_seconds >= _SOON_SECONDS:
            self._seconds[number] = _FIRST_SECONDS
        seconds = self._seconds[number]
        self._seconds[number] = min(2 * seconds, _LONGEST_SECONDS)
        return seconds
