"""A soak: thousands of scrapes of many targets, some of them dead, and what the exporter has left.

    make soak-snmp                                             10,000 scrapes of 200 targets
    make soak-snmp ARGS="--scrapes 1000 --targets 100 --dead 20"

Live targets are small devices, so that what a scrape costs is not hidden behind rows. The exporter
is the command ``netexporters`` in a process of its own, as users run it. Ends by itself; the exit
status is 1 if anything was not as it should be. docs/benchmarks.md has results.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.census import Census, resident_bytes
from benchmarks.processes import Program
from benchmarks.snmp_exporters import wait_until_listening
from benchmarks.snmp_report import describe_machine
from benchmarks.soak_clients import Clients, Latencies
from benchmarks.soak_report import Soaked, checks, write_soak_report
from benchmarks.soak_targets import DeadTargets, start_live_targets
from benchmarks.table import aligned

SCRAPE_TIMEOUT_SECONDS = 10.0
"""Prometheus' own default."""
_SETTLE_SECONDS = 1.0
_SAMPLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    scrapes: int = 10_000
    targets: int = 200
    dead: int = 40
    per_second: float = 50.0
    """Scrapes started, of all targets; some of them get their share of it when they are alone.

    Each target's turn comes every 4 s: as scrapes of one target at the same time share one walk, it
    must be longer than the second for which a dead one is waited for.
    """
    alone: int = 2_000
    """Scrapes of live targets alone, to compare with."""
    dead_alone: int = 400
    """Scrapes of dead targets alone, to see what they cost."""
    rounds: int = 5
    """Of live ones alone, dead ones alone, and all."""
    warm_ups: int = 5
    """Scrapes of each target first: more than open the circuits of the silent ones."""
    warm_up_timeout_seconds: float = 3.0
    """Shorter than a target's turn, as silent ones are waited for until their circuits open."""


def soak(plan: Plan, folder: Path) -> Soaked:
    """Run all of it."""
    with ExitStack() as stack:
        _, live = start_live_targets(stack, folder, plan.targets - plan.dead)
        dead = DeadTargets(stack, plan.dead)
        command = ["-m", "benchmarks.census", "snmp", "--web.listen-address=127.0.0.1:0"]
        program = Program(stack, folder, "netexporters", [sys.executable, *command])
        server = wait_until_listening(program)
        return asyncio.run(_Soak(plan, program, server.port, live, dead).run())


@dataclass(slots=True)
class _Cost:
    """What some scrapes took of the exporter."""

    cpu_seconds: float = 0.0
    packets: float = 0.0
    heard: int = 0
    latencies: Latencies = field(default_factory=Latencies)

    def add(self, other: _Cost) -> None:
        """Add what further scrapes took."""
        self.cpu_seconds += other.cpu_seconds
        self.packets += other.packets
        self.heard += other.heard
        self.latencies.add(other.latencies)


class _Soak:
    """A soak under way."""

    def __init__(
        self, plan: Plan, program: Program, port: int, live: list[str], dead: DeadTargets
    ) -> None:
        self._plan = plan
        self._program = program
        self._port = port
        self._live = live
        self._dead = dead
        self._dead_targets = mixed(dead.silent, dead.closed)
        self._rss_bytes: list[int] = []

    async def run(self) -> Soaked:
        """Some alone, then all together, in turn, so that a busy machine does not tell them apart.

        What is left is counted when nothing is going on.
        """
        plan, live, dead = self._plan, self._live, self._dead_targets
        started_at = time.monotonic()
        everybody = mixed(live, dead)
        await self._scrape(live[:1], 1)
        at_first = await self._census()
        await self._scrape(everybody, plan.warm_ups * plan.targets, plan.warm_up_timeout_seconds)
        warm = await self._census()
        live_alone, dead_alone, together = _Cost(), _Cost(), _Cost()
        async with asyncio.TaskGroup() as group:
            sampling = group.create_task(self._sample_rss())
            for _ in range(plan.rounds):
                live_alone.add(await self._scrape(live, plan.alone // plan.rounds))
                dead_alone.add(await self._scrape(dead, plan.dead_alone // plan.rounds))
                together.add(await self._scrape(everybody, plan.scrapes // plan.rounds))
            sampling.cancel()
        return Soaked(
            scrapes=plan.scrapes,
            live_targets=len(live),
            silent_targets=len(self._dead.silent),
            closed_targets=len(self._dead.closed),
            seconds=time.monotonic() - started_at,
            at_first=at_first,
            warm=warm,
            after=await self._census(),
            rss_bytes=self._rss_bytes,
            live_cpu_seconds=live_alone.cpu_seconds / plan.alone,
            dead_cpu_seconds=dead_alone.cpu_seconds / plan.dead_alone,
            live_packets=live_alone.packets / plan.alone,
            dead_packets=dead_alone.packets / plan.dead_alone,
            silent_packets=dead_alone.heard / len(dead_alone.latencies.of(self._dead.silent)),
            alone_seconds=live_alone.latencies.of(live),
            together_seconds=together.latencies.of(live),
            silent_seconds=together.latencies.of(self._dead.silent),
            closed_seconds=together.latencies.of(self._dead.closed),
            wrong=[
                *live_alone.latencies.wrong,
                *dead_alone.latencies.wrong,
                *together.latencies.wrong,
            ],
        )

    async def _scrape(
        self, targets: list[str], count: int, timeout_seconds: float = SCRAPE_TIMEOUT_SECONDS
    ) -> _Cost:
        """Scrape some of the targets, each as often as when all are scraped."""
        per_second = self._plan.per_second * len(targets) / self._plan.targets
        self._dead.packets_heard()
        async with Clients(self._port, self._dead_targets, timeout_seconds) as clients:
            packets_before = packets_sent(await clients.metrics())
            cpu_before = self._program.cpu_seconds()
            latencies = await clients.scrape(targets, count, per_second)
            cpu_seconds = self._program.cpu_seconds() - cpu_before
            packets = packets_sent(await clients.metrics()) - packets_before
        return _Cost(cpu_seconds, packets, self._dead.packets_heard(), latencies)

    async def _sample_rss(self) -> None:
        while True:
            self._rss_bytes.append(resident_bytes(self._program.pid))
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def _census(self) -> Census:
        """Have the exporter count what it holds, with no connection and nothing to do."""
        await asyncio.sleep(_SETTLE_SECONDS)
        told = len(self._program.output.splitlines())
        self._program.signal(signal.SIGUSR1)
        line = await asyncio.to_thread(
            self._program.until,
            lambda: next(iter(self._program.output.splitlines()[told:]), None),
            "it takes a census",
        )
        return Census(**json.loads(line))


def mixed(some: list[str], others: list[str]) -> list[str]:
    """All of them, each kind spread evenly among the other."""
    places = [
        (number / len(group), target)
        for group in (some, others)
        for number, target in enumerate(group)
    ]
    return [target for _, target in sorted(places)]


def packets_sent(metrics: str) -> float:
    """The exporter's count of packets sent."""
    for line in metrics.splitlines():
        if line.startswith("snmp_packets_total "):
            return float(line.split()[1])
    raise RuntimeError("/metrics has no snmp_packets_total")


def main() -> int:
    """Run what the command line asks for; give the exit status."""
    parser = argparse.ArgumentParser(prog="soak-snmp", description="The SNMP soak.")
    usual = Plan()
    parser.add_argument("--scrapes", type=int, default=usual.scrapes, help="(%(default)s)")
    parser.add_argument("--targets", type=int, default=usual.targets, help="(%(default)s)")
    parser.add_argument("--dead", type=int, default=usual.dead, help="of them (%(default)s)")
    parser.add_argument(
        "--per-second", type=float, default=usual.per_second, help="scrapes started (%(default)s)"
    )
    arguments = parser.parse_args()
    if not 2 <= arguments.dead < arguments.targets <= arguments.scrapes:
        parser.error("there must be two dead targets, live ones too, and a scrape for each")
    plan = Plan(
        scrapes=arguments.scrapes,
        targets=arguments.targets,
        dead=arguments.dead,
        per_second=arguments.per_second,
    )
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="soak-snmp-") as folder:
        soaked = soak(plan, Path(folder))
    print("\n".join([*machine, "", write_soak_report(soaked, aligned)]))
    return 0 if all(check.met for check in checks(soaked)) else 1


if __name__ == "__main__":
    sys.exit(main())
