"""What pingers say of their pings, as numbers. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.percentile import p99

_FPING = re.compile(
    r"^\S+\s+: xmt/rcv/%loss = (\d+)/(\d+)/\d+%(?:, min/avg/max = [\d.]+/([\d.]+)/[\d.]+)?$",
    re.MULTILINE,
)
_LE = re.compile(r'le="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Pings:
    """How many pings ended, how many of them without a reply, and how long replies took."""

    ended: int
    lost: int
    p50_seconds: float | None = None
    p99_seconds: float | None = None

    def __str__(self) -> str:
        """Write loss and times for a person."""
        loss = f"{self.lost} of {self.ended} lost"
        if self.p50_seconds is None or self.p99_seconds is None:
            return loss
        return f"{loss}, p50 {self.p50_seconds * 1e6:.0f} us, p99 {self.p99_seconds * 1e6:.0f} us"


def of_round_trips(ended: int, lost: int, round_trips: Iterable[float]) -> Pings:
    """Make a summary from single round-trip times in seconds."""
    times = sorted(round_trips)
    return Pings(ended, lost, median(times), p99(times)) if times else Pings(ended, lost)


def read_fping(summary: str) -> Pings:
    """Read the summary that fping writes when it is interrupted; times are targets' averages."""
    found = _FPING.findall(summary)
    sent = sum(int(xmt) for xmt, _, _ in found)
    received = sum(int(rcv) for _, rcv, _ in found)
    averages = (float(average) / 1000 for _, _, average in found if average)
    return of_round_trips(sent, sent - received, averages)


def sums(text: str, names: Iterable[str]) -> dict[str, float]:
    """Add up each of the metrics *names* over all its labels."""
    totals = dict.fromkeys(names, 0.0)
    for line in text.splitlines():
        name = line.partition("{")[0]
        if name in totals:
            totals[name] += float(line.rpartition(" ")[2])
    return totals


def values(text: str, name: str) -> list[float]:
    """List the values of one metric."""
    start = f"{name}{{"
    return [float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(start)]


def read_ours(before: str, after: str) -> Pings:
    """Compare two scrapes of netexporters; times are of each target's last ping."""
    names = ("icmp_replies_total", "icmp_lost_total")
    first, last = sums(before, names), sums(after, names)
    replies, lost = (round(last[name] - first[name]) for name in names)
    return of_round_trips(replies + lost, lost, values(after, "icmp_rtt_last_seconds"))


def read_smokeping(before: str, after: str) -> Pings:
    """Compare two scrapes of smokeping_prober, which tells times by bucket."""
    requests, histogram = "smokeping_requests_total", "smokeping_response_duration_seconds"
    names = (requests, f"{histogram}_count")
    first, last = sums(before, names), sums(after, names)
    ended, replies = (round(last[name] - first[name]) for name in names)
    counts = buckets(after, histogram)
    for bound, count in buckets(before, histogram).items():
        counts[bound] -= count
    lost = max(ended - replies, 0)  # a reply to a ping before the first scrape is no gain
    return Pings(ended, lost, quantile(counts, 0.5), quantile(counts, 0.99))


def buckets(text: str, name: str) -> dict[float, float]:
    """Add up the cumulative buckets of a histogram over all its labels."""
    start = f"{name}_bucket{{"
    counts: dict[float, float] = defaultdict(float)
    for line in text.splitlines():
        if line.startswith(start) and (bound := _LE.search(line)):
            counts[float(bound[1])] += float(line.rpartition(" ")[2])
    return counts


def quantile(cumulative: Mapping[float, float], share: float) -> float | None:
    """Estimate a quantile as PromQL's histogram_quantile does: evenly within a bucket."""
    bounds = sorted(cumulative)
    counts = [cumulative[bound] for bound in bounds]
    if not counts or counts[-1] <= 0:
        return None
    rank = share * counts[-1]
    place = bisect_left(counts, rank)
    if bounds[place] == float("inf"):
        return bounds[place - 1] if place else None
    low, before = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    return low + (bounds[place] - low) * (rank - before) / (counts[place] - before)
