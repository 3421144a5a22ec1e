"""What is known of a target between scrapes, shared by everybody who scrapes it.

Counters that are added up from buckets must be the same for two Prometheus servers with different
intervals: they belong to the target and only grow, whoever asks. A fresh process starts them at 0.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from exporters.rmon.boot_clock import BootClock
from exporters.rmon.direction import DirectionDetector
from exporters.rmon.event_log import LogCursor
from exporters.rmon.history_totals import ControlHistory


@dataclass(slots=True)
class TargetMemory:
    """One target, as seen with one set of credentials."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One scrape at a time moves the cursors."""
    boot: BootClock = field(default_factory=BootClock)
    direction: DirectionDetector = field(default_factory=DirectionDetector)
    history: dict[int, ControlHistory] = field(default_factory=dict)
    history_is_64_bit: bool | None = None
    """Whether the target has etherHistoryHighCapacityTable; None while nobody has asked."""
    logs: dict[int, LogCursor] = field(default_factory=dict)
    protocols: dict[int, str] = field(default_factory=dict)
    protocols_changed: int | None = None
    """protocolDirLastChange when *protocols* was read."""
    unexpected: int = 0
    strays_checked: bool = False
