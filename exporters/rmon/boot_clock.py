"""When an agent started, and what an instant of its sysUpTime is on the calendar.

sysUpTime is hundredths of a second in 32 bits and starts over after 497 days, with the agent still
running. The instant of its start is kept while the agent's clock goes on as ours does, so that time
stamps do not jitter from scrape to scrape.
"""

from __future__ import annotations

from typing import Final

WRAP_TICKS: Final = 1 << 32
_JITTER_SECONDS: Final = 2.0
_SLACK_SECONDS: Final = 5.0
_SLACK_SHARE: Final = 0.01
_AHEAD_TICKS: Final = 360_000
"""What may lie ahead of sysUpTime when it was read earlier, or stands still at 0."""


class BootClock:
    """One agent's uptime, as scrapes see it."""

    def __init__(self) -> None:
        self.restarts = 0
        self._ticks = 0
        self._seen_at = 0.0
        self._epoch = 0
        """Ticks of the wraps that were seen."""
        self._boot: float | None = None

    def note(self, ticks: int, wall_seconds: float) -> bool:
        """Take in sysUpTime, read at *wall_seconds*; True if the agent has started again."""
        ticks %= WRAP_TICKS
        restarted = False
        if self._boot is not None:
            elapsed = wall_seconds - self._seen_at
            grown = (ticks - self._ticks) % WRAP_TICKS / 100
            slack = _SLACK_SECONDS + _SLACK_SHARE * max(0.0, elapsed)
            # A clock that stands still says nothing, one that jumps ahead is only wrong.
            ahead = grown > elapsed + slack
            restarted = grown > 0 and (grown < elapsed - slack or (ahead and ticks < self._ticks))
            if restarted:
                self._epoch, self._boot = 0, None
                self.restarts += 1
            elif ticks < self._ticks:
                self._epoch += WRAP_TICKS
        boot = wall_seconds - (ticks + self._epoch) / 100
        if self._boot is None or abs(boot - self._boot) > _JITTER_SECONDS:
            self._boot = boot
        self._ticks, self._seen_at = ticks, wall_seconds
        return restarted

    @property
    def ticks(self) -> int:
        """SysUpTime as it was read last."""
        return self._ticks

    @property
    def uptime_seconds(self) -> float:
        """The uptime, with the wraps that were seen."""
        return (self._ticks + self._epoch) / 100

    @property
    def boot_timestamp(self) -> float:
        """When the agent started; without wraps that nobody has seen."""
        return self._boot or 0.0

    def age_ticks(self, ticks: int) -> int:
        """How long ago an instant of sysUpTime was; 0 for one that lies a little ahead."""
        age = (self._ticks - ticks) % WRAP_TICKS
        return 0 if age > WRAP_TICKS - _AHEAD_TICKS else age

    def timestamp(self, ticks: int, later_seconds: float = 0.0) -> float | None:
        """Give the calendar time, in seconds since 1970, of an instant of sysUpTime, or later.

        None for an agent that has never told its sysUpTime.
        """
        if self._boot is None:
            return None
        now = self._ticks + self._epoch
        age = (self._ticks - ticks) % WRAP_TICKS
        if age > WRAP_TICKS - _AHEAD_TICKS:
            age -= WRAP_TICKS
        return round(self._boot + (now - age) / 100 + later_seconds, 2)
