"""The ICMP race: netexporters, fping, smokeping_prober and icmplib on the same targets.

    make bench-icmp                                  about ten minutes
    make bench-icmp ARGS=--quick                     less than two
    make bench-icmp ARGS="--targets 10000 --paths veth --tools netexporters fping"

Needs root, for network namespaces: nothing leaves them. docs/benchmarks.md has the results.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

import exporters
from benchmarks.icmp_network import (
    PATHS,
    addresses,
    kernel_round_trips,
    move_into_a_namespace,
    network,
)
from benchmarks.icmp_tools import TOOLS, NotAble, Place, Result, allow_many_files
from benchmarks.percentile import p99
from benchmarks.table import aligned, markdown

_SIZES: Final = (200, 2000, 10_000, 30_000)
_HEADS: Final = (
    *("path", "targets", "tool", "pings/s", "CPU of a core", "us a ping", "false loss"),
    *("RTT p50 us", "RTT p99 us", "RSS MB", "scrape ms"),
)
_KERNEL_PINGS: Final = 2000

Row = tuple[str, ...]


def main() -> int:
    """Run what the command line asks for; give the exit status."""
    arguments = _parse_arguments()
    try:
        move_into_a_namespace()
        allow_many_files()
        with network():
            return _race(arguments)
    except RuntimeError as error:
        _say(f"bench-icmp: {error}")
        return 1


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-icmp", description="The ICMP race.")
    parser.add_argument("-q", "--quick", action="store_true", help="few targets, one path")
    parser.add_argument("--targets", nargs="+", type=int, help=f"how many ({_SIZES})")
    parser.add_argument("--paths", nargs="+", choices=PATHS, help="loopback, veth (both)")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--seconds", type=float, default=8.0, help="to watch each (%(default)s)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    arguments = parser.parse_args()
    arguments.targets = arguments.targets or ([200, 2000] if arguments.quick else list(_SIZES))
    arguments.paths = arguments.paths or (["loopback"] if arguments.quick else list(PATHS))
    return arguments


def _race(arguments: argparse.Namespace) -> int:
    machine = _describe_machine(arguments.tools)
    _say("\n".join(machine))
    rows: list[Row] = []
    unable: set[str] = set()
    for path in arguments.paths:
        times = kernel_round_trips(addresses(path, _KERNEL_PINGS))
        kernel = (path, "1", "the kernel itself", "", "", "", "")
        rows.append((*kernel, _micro(median(times)), _micro(p99(times)), "", ""))
        _say(f"{path}: the kernel's own p50 {median(times) * 1e6:.1f} us")
        for count in arguments.targets:
            able = [tool for tool in arguments.tools if tool not in unable]
            rows += [_run(path, count, tool, arguments.seconds, unable) for tool in able]
        unable.clear()
    _say(aligned(_HEADS, rows))
    if arguments.markdown:
        text = "\n".join([*machine, "", markdown(_HEADS, rows)])
        arguments.markdown.write_text(text + "\n", encoding="utf-8")
    return 0


def _run(path: str, count: int, tool: str, seconds: float, unable: set[str]) -> Row:
    """Run one tool; one that cannot is not asked to ping more."""
    where = (path, f"{count:,}", tool)
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="bench-icmp-") as folder:
        place = Place(stack, Path(folder), addresses(path, count), seconds)
        try:
            result = TOOLS[tool](place)
        except NotAble as reason:
            unable.add(tool)
            _say(f"{path}/{count}/{tool}: {reason}")
            return (*where, f"{reason}", *[""] * 7)
    _say(f"{path}/{count}/{tool}: CPU {result.cpu:.1%}, {result.pings}")
    return (*where, *_cells(result))


def _cells(result: Result) -> Row:
    pings = result.pings
    scrape = result.scrape_seconds
    return (
        f"{result.per_second:,.0f}",
        f"{result.cpu:.1%}",
        f"{result.cpu_seconds_per_ping * 1e6:.1f}",
        f"{pings.lost / max(pings.ended, 1):.3%}" if pings.lost else "0",
        _micro(pings.p50_seconds),
        _micro(pings.p99_seconds),
        f"{result.rss_bytes / 1e6:.0f}",
        "" if scrape is None else f"{scrape * 1000:.0f}",
    )


def _micro(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:.1f}"


def _describe_machine(tools: list[str]) -> list[str]:
    versions = [f"netexporters {exporters.__version__}", f"Python {platform.python_version()}"]
    for tool, command in (("fping", "fping"), ("smokeping_prober", "prometheus-smokeping-prober")):
        if tool in tools:
            done = subprocess.run(
                [command, "--version"], capture_output=True, text=True, check=False
            )
            versions.append((done.stdout + done.stderr).partition("\n")[0].partition("(branch")[0])
    load = os.getloadavg()[0]
    return [
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        f"{os.cpu_count()} cores, Linux {platform.release()}, load {load:.2f}",
        ", ".join(version.strip() for version in versions),
    ]


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
