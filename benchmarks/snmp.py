"""The SNMP race: netexporters and snmp_exporter side by side, on the same simulated devices.

    make bench-snmp                                    about nine minutes
    make bench-snmp ARGS=--quick                       less than one
    make bench-snmp ARGS="--cases ruijie/50ms/*/c1"    any of them by name
    make bench-snmp ARGS="--cases arista/50ms-loss*/v2c/c8"    what is left where packets get lost
    make bench-snmp ARGS=--profile                     where our own time goes

Everything runs on loopback and ends with the benchmark. docs/benchmarks.md has the results.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import yaml

from benchmarks.cases import ARISTA, LOOPBACK, Case, choose_cases
from benchmarks.load import Load, fetch, run_load
from benchmarks.loss import LossResult, describe_obtained, run_lossy_case, write_loss_report
from benchmarks.profiling import Profiler, top_functions
from benchmarks.race import Effort, Result, run_case
from benchmarks.snmp_agents import Agents
from benchmarks.snmp_exporters import Exporter, our_exporter, peer_exporter
from benchmarks.snmp_report import LoadedModules, describe_machine, describe_round, write_report
from benchmarks.table import Table, aligned, markdown

_PEERS_MODULES: Final = (
    Path(__file__).resolve().parents[2] / "shared" / "peers" / "snmp_exporter-snmp.yml"
)
_MEMORY_SCRAPES_SECONDS: Final = 3.0


def main() -> int:
    """Run what the command line asks for; give the exit status."""
    arguments = _parse_arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-snmp-") as folder:
            if arguments.profile:
                return _profile(Path(folder), arguments)
            return _race(Path(folder), arguments)
    except RuntimeError as error:
        _say(f"bench-snmp: {error}")
        return 1


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-snmp", description="The SNMP race.")
    parser.add_argument("-q", "--quick", action="store_true", help="one device, one short round")
    parser.add_argument(
        "-c",
        "--cases",
        nargs="+",
        default=[],
        metavar="PATTERN",
        help="such as 'arista/*' or '*/50ms-loss2/v2c/c8'; see benchmarks/cases.py",
    )
    parser.add_argument("--rounds", type=int, help="turns of each exporter (3, quick: 1)")
    parser.add_argument(
        "--seconds", type=float, help="of load a turn (1.5, quick: 1, where packets get lost: 30)"
    )
    parser.add_argument(
        "--scrape-timeout",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="what clients wait where packets get lost; Prometheus' default is %(default)s",
    )
    parser.add_argument(
        "--encoding",
        choices=("gzip", "identity"),
        default="gzip",
        help="what clients accept; Prometheus asks for gzip (%(default)s)",
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    parser.add_argument(
        "-p",
        "--profile",
        action="store_true",
        help="show where our server spends its time, no race",
    )
    parser.add_argument(
        "--stacks", type=Path, metavar="FILE", help="keep the folded stacks of --profile"
    )
    return parser.parse_args()


def _race(folder: Path, arguments: argparse.Namespace) -> int:
    cases = choose_cases(arguments.cases, quick=arguments.quick)
    if not cases:
        raise RuntimeError("no case has such a name")
    effort = Effort(
        seconds=arguments.seconds or (1.0 if arguments.quick else 1.5),
        rounds=arguments.rounds or (1 if arguments.quick else 3),
        case_seconds=15.0,
        encoding=arguments.encoding,
    )
    results: list[Result] = []
    lossy: list[LossResult] = []
    failed: list[str] = []
    machine = describe_machine()
    _say("\n".join(machine))
    runners = (our_exporter(folder), peer_exporter(folder))
    with ExitStack() as stack:
        agents = Agents(stack, folder, cases)
        for case in cases:
            _say(f"{case.name}")
            try:
                if case.network.lossy:
                    lossy.append(_lose(case, agents, runners, arguments))
                else:
                    results.append(_measure(case, agents, runners, effort))
            except RuntimeError as error:
                failed.append(f"{case.name}: {error}")
                _say(f"  {error}")
        wants_memory = not arguments.cases and ARISTA in {case.device for case in cases}
        loaded = _load_all_modules(folder, agents) if wants_memory else None

    def report(table: Table) -> str:
        race = [write_report(results, loaded, table).rstrip()] if results else []
        loss = write_loss_report(lossy, arguments.scrape_timeout, table)
        return "\n\n".join([*race, *loss])

    print("\n".join(["", *machine, "", report(aligned)]))
    if arguments.markdown is not None:
        text = report(markdown)
        arguments.markdown.write_text("\n".join([*(f"{line}  " for line in machine), "", text]))
    for text in failed:
        _say(f"bench-snmp: not measured: {text}")
    unfair = any(result.differences or result.ours.failures for result in results)
    return 1 if failed or unfair else 0


def _measure(case: Case, agents: Agents, runners: Sequence[Exporter], effort: Effort) -> Result:
    result = run_case(case, agents, runners, effort)
    for measured in (result.ours, result.peers):
        _say(f"  {describe_round(measured)}")
    return result


def _lose(
    case: Case, agents: Agents, runners: Sequence[Exporter], arguments: argparse.Namespace
) -> LossResult:
    result = run_lossy_case(
        case,
        agents,
        runners,
        seconds=arguments.seconds or 30.0,
        timeout_seconds=arguments.scrape_timeout,
        encoding=arguments.encoding,
    )
    for obtained in (result.ours, result.peers):
        _say(f"  {describe_obtained(obtained)}")
    return result


def _load_all_modules(folder: Path, agents: Agents) -> LoadedModules:
    """Start with every module that snmp_exporter ships, and scrape for a while."""
    if not _PEERS_MODULES.exists():
        return LoadedModules()
    count = len(yaml.load(_PEERS_MODULES.read_bytes(), yaml.CSafeLoader)["modules"])
    case = Case(ARISTA, LOOPBACK, "v2c", 1)
    with ExitStack() as stack:
        exporter = our_exporter(folder, _PEERS_MODULES)
        started_at = time.monotonic()
        server = exporter.start(stack)
        fetch(server.port, "/-/ready")
        start_seconds = time.monotonic() - started_at
        idle = server.program.peak_rss_bytes()
        paths = exporter.paths(case, agents.targets(case))
        run_load(Load(server.port, paths, _MEMORY_SCRAPES_SECONDS))
        return LoadedModules(count, start_seconds, idle, server.program.peak_rss_bytes())


def _profile(folder: Path, arguments: argparse.Namespace) -> int:
    """Load our server with scrapes while py-spy looks at it."""
    cases = choose_cases(arguments.cases or ["arista/loopback/v2c/c1"], quick=False)
    seconds = arguments.seconds or 10.0
    for case in cases:
        with ExitStack() as stack:
            agents = Agents(stack, folder, [case])
            exporter = our_exporter(folder)
            server = exporter.start(stack)
            paths = exporter.paths(case, agents.targets(case))
            for path in paths:
                fetch(server.port, path)
            stacks = folder / "stacks.txt"
            profiler = Profiler(server.program.pid, seconds, stacks)
            scrapes = run_load(Load(server.port, paths, seconds, arguments.encoding))
            folded = profiler.finish()
        print(f"{case.name}: {len(scrapes.wall_seconds)} scrapes under py-spy\n")
        print(top_functions(folded, 40) + "\n")
        if arguments.stacks is not None:
            arguments.stacks.write_text("\n".join(folded) + "\n")
    return 0


def _say(text: str) -> None:
    """Tell whoever waits; the result alone goes to stdout."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
