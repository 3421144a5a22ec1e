"""One case of a race: the same load on one exporter and the other in turn, several times.

Every case has fresh servers, so that memory and what is remembered of agents are its own. Each
server is warmed up by a scrape that is compared with the other's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.answers import differences, of_the_device, packets_sent, read_samples
from benchmarks.cases import Case
from benchmarks.load import Load, fetch, run_load
from benchmarks.percentile import p99
from benchmarks.processes import Program
from benchmarks.snmp_agents import Agents
from benchmarks.snmp_exporters import Exporter, Server

_DIFFERENCES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a case is measured: *seconds* of load a turn, *rounds* of turns.

    No round is begun after *case_seconds*.
    """

    seconds: float
    rounds: int
    case_seconds: float
    encoding: str


@dataclass(slots=True)
class Measured:
    """What one exporter did in one case; a number a round in each list."""

    exporter: str
    cpu_seconds: list[float] = field(default_factory=list)
    """Of the server, a scrape."""
    p50_seconds: list[float] = field(default_factory=list)
    scrapes_per_second: list[float] = field(default_factory=list)
    agents_load: list[float] = field(default_factory=list)
    """Share of a core that the simulated devices took."""
    wall_seconds: list[float] = field(default_factory=list)
    """Of all scrapes of all rounds."""
    peak_rss_bytes: int = 0
    packets: float = 0.0
    samples: int = 0
    body_bytes: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """CPU seconds of a scrape."""
        return median(self.cpu_seconds)

    @property
    def p50(self) -> float:
        """Seconds that half of the scrapes took at most."""
        return median(self.p50_seconds)

    @property
    def p99(self) -> float:
        """Seconds that nearly all scrapes took at most; of few scrapes the longest."""
        return p99(self.wall_seconds)

    @property
    def rate(self) -> float:
        """Scrapes a second."""
        return median(self.scrapes_per_second)


@dataclass(frozen=True, slots=True)
class Result:
    """A case, and what both did."""

    case: Case
    ours: Measured
    peers: Measured
    differences: Sequence[str]


def run_case(case: Case, agents: Agents, runners: Sequence[Exporter], effort: Effort) -> Result:
    """Start both, compare their answers, then load them in turn."""
    targets = agents.targets(case)
    with ExitStack() as stack:
        servers = [runner.start(stack) for runner in runners]
        paths = [runner.paths(case, targets) for runner in runners]
        measured = [Measured(runner.name) for runner in runners]
        with ThreadPoolExecutor(len(servers)) as pool:
            texts = list(pool.map(_warm_up, runners, servers, paths))
        unlike = _compare(texts, measured)
        give_up_at = time.monotonic() + effort.case_seconds
        for _ in range(effort.rounds):
            for server, its_paths, taken in zip(servers, paths, measured, strict=True):
                load = Load(server.port, its_paths, effort.seconds, effort.encoding)
                _measure(server, load, agents.program, taken)
            if time.monotonic() > give_up_at:
                break
        for server, taken in zip(servers, measured, strict=True):
            taken.peak_rss_bytes = server.program.peak_rss_bytes()
    return Result(case, measured[0], measured[1], unlike)


def _warm_up(runner: Exporter, server: Server, paths: Sequence[str]) -> str:
    """Scrape every target as often as it takes, side by side; give what the first one answers."""
    with ThreadPoolExecutor(len(paths)) as pool:
        for _ in range(runner.warm_ups):
            bodies = list(pool.map(lambda path: fetch(server.port, path), paths))
    return bodies[0].decode()


def _compare(texts: Sequence[str], measured: Sequence[Measured]) -> list[str]:
    """Say how two answers differ."""
    samples = [read_samples(text) for text in texts]
    for taken, its_samples in zip(measured, samples, strict=True):
        taken.packets = packets_sent(its_samples)
        taken.samples = len(of_the_device(its_samples))
    return differences(of_the_device(samples[0]), of_the_device(samples[1]))[:_DIFFERENCES_SHOWN]


def _measure(server: Server, load: Load, agents: Program, taken: Measured) -> None:
    cpu_before, agents_before = server.program.cpu_seconds(), agents.cpu_seconds()
    scrapes = run_load(load)
    cpu_spent = server.program.cpu_seconds() - cpu_before
    agents_spent = agents.cpu_seconds() - agents_before
    taken.failures += scrapes.failures
    count = len(scrapes.wall_seconds)
    if not count:
        raise RuntimeError(f"{taken.exporter} answered no scrape: {scrapes.failures[:1]}")
    taken.cpu_seconds.append(cpu_spent / count)
    taken.p50_seconds.append(median(scrapes.wall_seconds))
    taken.scrapes_per_second.append(count / scrapes.elapsed_seconds)
    taken.agents_load.append(agents_spent / scrapes.elapsed_seconds)
    taken.wall_seconds += scrapes.wall_seconds
    taken.body_bytes = scrapes.body_bytes / count
