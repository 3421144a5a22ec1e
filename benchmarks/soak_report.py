"""What a soak has found, and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from benchmarks.census import Census
from benchmarks.percentile import p99
from benchmarks.table import Table

MOST_RSS_GROWTH_BYTES: Final = 2 << 20
"""From the second quarter of the soak to its last, by the median of each.

Not from its beginning: each time when more scrapes are under way than ever before, the process gets
memory that it keeps, and fills again. A leak goes on.
"""
MOST_HELD_GROWTH: Final = 0.01
"""Of Python's objects and blocks, from after the warm-up to the end."""
MOST_DEAD_CPU: Final = 0.7
"""Of what the scrape of a small live target costs, HTTP and all: 0.4 on a quiet machine."""
MOST_DEAD_PACKETS: Final = 1.0
"""For each scrape: a question to see whether it is back."""
MOST_LATENCY_GROWTH: Final = 1.5
"""Of the median of live targets' scrapes; machines are noisy."""


def by_quarters(values: Sequence[float]) -> list[float]:
    """Give the median of each quarter of what was measured again and again."""
    size = len(values)
    bounds = [size * quarter // 4 for quarter in range(5)]
    return [median(values[start:end]) for start, end in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was measured; CPU and packets are those of one scrape."""

    scrapes: int
    live_targets: int
    silent_targets: int
    closed_targets: int
    seconds: float
    at_first: Census
    """After one scrape."""
    warm: Census
    """After some scrapes of each target."""
    after: Census
    rss_bytes: Sequence[int]
    """Again and again, during the soak."""
    live_cpu_seconds: float
    dead_cpu_seconds: float
    live_packets: float
    dead_packets: float
    silent_packets: float
    """What silent targets have heard, by their own count."""
    alone_seconds: Sequence[float]
    """Live targets' scrapes, while nobody else was scraped."""
    together_seconds: Sequence[float]
    """Live targets' scrapes during the soak."""
    silent_seconds: Sequence[float]
    closed_seconds: Sequence[float]
    wrong: Sequence[str]
    """Scrapes with another status than they ought to have."""

    @property
    def rss_by_quarters(self) -> list[float]:
        """The median of each quarter of the soak."""
        return by_quarters(self.rss_bytes)

    @property
    def rss_growth_bytes(self) -> float:
        """From the second quarter of the soak to the last."""
        quarters = self.rss_by_quarters
        return quarters[-1] - quarters[1]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a soak must show."""

    what: str
    found: str
    wanted: str
    met: bool


def checks(soaked: Soaked) -> list[Check]:
    """All that it must show."""
    warm, after = soaked.warm, soaked.after
    dead_cpu = soaked.dead_cpu_seconds / soaked.live_cpu_seconds
    slower = median(soaked.together_seconds) / median(soaked.alone_seconds)
    return [
        Check("scrapes that went wrong", f"{len(soaked.wrong)}", "0", not soaked.wrong),
        Check(
            "growth of RSS, MB",
            f"{soaked.rss_growth_bytes / 1e6:.2f}",
            f"<= {MOST_RSS_GROWTH_BYTES / 1e6:.2f}",
            soaked.rss_growth_bytes <= MOST_RSS_GROWTH_BYTES,
        ),
        *(
            Check(
                f"growth of Python's {what}",
                f"{growth:.2%}",
                f"<= {MOST_HELD_GROWTH:.0%}",
                growth <= MOST_HELD_GROWTH,
            )
            for what, growth in (
                ("objects", after.objects / warm.objects - 1),
                ("blocks of memory", after.blocks / warm.blocks - 1),
            )
        ),
        *(
            Check(
                f"{what} left over",
                f"{getattr(after, what) - getattr(warm, what)}",
                "0",
                getattr(after, what) <= getattr(warm, what),
            )
            for what in ("descriptors", "tasks", "timers")
        ),
        Check(
            "CPU of a dead target's scrape / a live one's",
            f"{dead_cpu:.2f}",
            f"<= {MOST_DEAD_CPU:g}",
            dead_cpu <= MOST_DEAD_CPU,
        ),
        Check(
            "packets of a dead target's scrape",
            f"{max(soaked.dead_packets, soaked.silent_packets):.2f}",
            f"<= {MOST_DEAD_PACKETS:g}",
            max(soaked.dead_packets, soaked.silent_packets) <= MOST_DEAD_PACKETS,
        ),
        Check(
            "p50 of live targets / without dead ones",
            f"{slower:.2f}",
            f"<= {MOST_LATENCY_GROWTH:g}",
            slower <= MOST_LATENCY_GROWTH,
        ),
    ]


def write_soak_report(soaked: Soaked, table: Table) -> str:
    """What was found, in three tables."""
    censuses = (soaked.at_first, soaked.warm, soaked.after)
    held = [
        ["RSS MB", *(f"{census.rss_bytes / 1e6:.1f}" for census in censuses)],
        ["Python objects", *(f"{census.objects}" for census in censuses)],
        ["Python blocks", *(f"{census.blocks}" for census in censuses)],
        ["descriptors", *(f"{census.descriptors}" for census in censuses)],
        ["tasks", *(f"{census.tasks}" for census in censuses)],
        ["timers", *(f"{census.timers}" for census in censuses)],
    ]
    took = [
        _row("live, alone", soaked.alone_seconds, soaked.live_cpu_seconds, soaked.live_packets),
        _row("live, in the soak", soaked.together_seconds),
        _row("silent", soaked.silent_seconds, soaked.dead_cpu_seconds, soaked.silent_packets),
        _row("port closed", soaked.closed_seconds, soaked.dead_cpu_seconds, soaked.dead_packets),
    ]
    verdict = [
        [check.what, check.found, check.wanted, "met" if check.met else "MISSED"]
        for check in checks(soaked)
    ]
    return "\n\n".join(
        [
            f"{soaked.scrapes} scrapes of {soaked.live_targets} live targets, "
            f"{soaked.silent_targets} silent ones and {soaked.closed_targets} closed ports, "
            f"and others to compare with: {soaked.seconds:.0f} s in all; RSS by quarters "
            + ", ".join(f"{rss / 1e6:.1f}" for rss in soaked.rss_by_quarters)
            + " MB",
            table(["held when idle", "after 1 scrape", "warm", "after the soak"], held),
            table(["scrapes", "p50 ms", "p99 ms", "CPU ms", "packets", "count"], took),
            table(["", "found", "wanted", ""], verdict),
            *soaked.wrong[:5],
        ]
    )


def _row(
    what: str,
    seconds: Sequence[float],
    cpu_seconds: float | None = None,
    packets: float | None = None,
) -> list[str]:
    return [
        what,
        f"{median(seconds) * 1e3:.1f}",
        f"{p99(seconds) * 1e3:.1f}",
        "-" if cpu_seconds is None else f"{cpu_seconds * 1e3:.2f}",
        "-" if packets is None else f"{packets:.2f}",
        f"{len(seconds)}",
    ]
