"""What exporters get out of a network that loses packets, within Prometheus' patience.

Not how quick they are, which is ``benchmarks.race``'s: each starts anew, knows nothing of the
devices, and is scraped by one client a path, each of which loses packets by a seed of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.answers import of_the_device, read_samples
from benchmarks.cases import Case
from benchmarks.load import Load, Scrapes, fetch, run_load
from benchmarks.percentile import p99
from benchmarks.snmp_agents import Agents
from benchmarks.snmp_exporters import Exporter
from benchmarks.table import Table

_HEADS = (
    "case",
    "samples obtained",
    "complete scrapes",
    "failed scrapes",
    "p50 s",
    "p99 s",
    "scrapes",
)


@dataclass(frozen=True, slots=True)
class Obtained:
    """What one exporter got."""

    exporter: str
    scrapes: Scrapes
    whole: int
    """How many samples a scrape has where nothing is lost."""

    @property
    def count(self) -> int:
        """Scrapes, with those that failed."""
        return len(self.scrapes.wall_seconds)

    @property
    def share(self) -> float:
        """Samples obtained of those that were there; a scrape that fails has none."""
        return sum(self.scrapes.samples) / (self.whole * self.count)

    @property
    def complete(self) -> float:
        """Share of scrapes that had all samples."""
        return sum(samples >= self.whole for samples in self.scrapes.samples) / self.count

    @property
    def failed(self) -> float:
        """Share of scrapes with another status than 200, or with no answer in time."""
        return len(self.scrapes.failures) / self.count


@dataclass(frozen=True, slots=True)
class LossResult:
    """A case, and what both got."""

    case: Case
    ours: Obtained
    peers: Obtained


def run_lossy_case(
    case: Case,
    agents: Agents,
    runners: Sequence[Exporter],
    *,
    seconds: float,
    timeout_seconds: float,
    encoding: str,
) -> LossResult:
    """Load one exporter, then the other, over the same paths."""
    targets = agents.targets(case)
    obtained = []
    for runner in runners:
        with ExitStack() as stack:
            server = runner.start(stack)
            direct = runner.paths(case, [agents.direct_target(case.device)])[0]
            whole = len(of_the_device(read_samples(fetch(server.port, direct).decode())))
            paths = runner.paths(case, targets)
            load = Load(server.port, paths, seconds, encoding, timeout_seconds, lossy=True)
            obtained.append(Obtained(runner.name, run_load(load), whole))
    return LossResult(case, *obtained)


def describe_obtained(obtained: Obtained) -> str:
    """One line while it runs."""
    failures = obtained.scrapes.failures
    first = f", the first with: {failures[0]}" if failures else ""
    return (
        f"{obtained.exporter}: {obtained.share:.1%} of the samples in {obtained.count} scrapes, "
        f"of which {len(failures)} failed{first}"
    )


def write_loss_report(
    results: Sequence[LossResult], timeout_seconds: float, table: Table
) -> Iterator[str]:
    """A table, and how to read it; nothing without results."""
    if results:
        yield table(_HEADS, [_row(result) for result in results])
        yield (
            "* each cell is netexporters / snmp_exporter; a client waits "
            f"{timeout_seconds:g} s for a scrape, and says so; scrapes that fail are in p50 and p99"
        )


def _row(result: LossResult) -> list[str]:
    both = (result.ours, result.peers)
    return [
        result.case.name,
        " / ".join(f"{one.share:.1%}" for one in both),
        " / ".join(f"{one.complete:.1%}" for one in both),
        " / ".join(f"{one.failed:.1%}" for one in both),
        " / ".join(f"{median(one.scrapes.wall_seconds):.2f}" for one in both),
        " / ".join(f"{p99(one.scrapes.wall_seconds):.2f}" for one in both),
        " / ".join(f"{one.count}" for one in both),
    ]
