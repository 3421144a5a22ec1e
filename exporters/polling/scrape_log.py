"""The log of one scrape, for ``debug=1``: what was sent and received, when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MAX_LINES: Final = 20_000


class ScrapeLog:
    """Lines with the milliseconds since the scrape began; bounded, and it says when it is full."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started_at = clock()
        self._lines: list[str] = []
        self._left_out = 0

    def __call__(self, line: str) -> None:
        """Add a line."""
        if len(self._lines) >= MAX_LINES:
            self._left_out += 1
            return
        milliseconds = (self._clock() - self._started_at) * 1000
        self._lines.append(f"{milliseconds:10.3f} ms  {line}")

    def text(self) -> str:
        """All lines."""
        rest = [f"... and {self._left_out} more lines"] if self._left_out else []
        return "\n".join([*self._lines, *rest, ""])
