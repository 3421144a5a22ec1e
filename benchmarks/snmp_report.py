"""What the SNMP race says in the end: numbers of both, their ratios, and targets met or missed."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import exporters
from benchmarks.race import Measured, Result
from benchmarks.table import Table

_HEADS: Final = (
    "case",
    "CPU ms",
    "ratio",
    "p50 ms",
    "ratio",
    "p99 ms",
    "ratio",
    "scrapes/s",
    "ratio",
    "RSS MB",
    "ratio",
    "packets",
    "ratio",
    "samples",
    "scrapes",
)
RSS_TARGET_BYTES: Final = 100e6
_AGENTS_ARE_BUSY: Final = 0.9


@dataclass(frozen=True, slots=True)
class LoadedModules:
    """What a server with all of snmp_exporter's modules took; nothing where their file is absent.

    *idle* is before the first scrape, *peak* the most ever.
    """

    modules: int = 0
    start_seconds: float = 0.0
    idle_rss_bytes: int = 0
    peak_rss_bytes: int = 0


def write_report(results: Sequence[Result], loaded: LoadedModules | None, table: Table) -> str:
    """All of it; *table* lays the rows out."""
    parts = [table(_HEADS, [_row(result) for result in results])] if results else []
    notes = [*_notes(results), *_memory(loaded), *_verdict(results)]
    return "\n\n".join([*parts, "\n".join(f"* {note}" for note in notes)]) + "\n"


def describe_machine() -> list[str]:
    """When and where it was measured, and what."""
    peer = subprocess.run(
        ["prometheus-snmp-exporter", "--version"], capture_output=True, text=True, check=False
    )
    peer_version = (peer.stdout + peer.stderr).partition("\n")[0]
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("aiohttp", "pysnmp")
    )
    load = os.getloadavg()[0]
    return [
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        f"{os.cpu_count()} cores ({_processor()}), Linux {platform.release()}, load {load:.2f}",
        f"netexporters {exporters.__version__}, Python {platform.python_version()}, {versions}",
        peer_version,
    ]


def describe_round(measured: Measured) -> str:
    """One line while it runs."""
    return (
        f"{measured.exporter}: CPU {measured.cpu * 1000:.2f} ms, "
        f"p50 {measured.p50 * 1000:.1f} ms, {measured.rate:.1f} scrapes/s, "
        f"{len(measured.wall_seconds)} scrapes, agents {max(measured.agents_load):.0%} of a core"
    )


def _row(result: Result) -> list[str]:
    ours, peers, case = result.ours, result.peers, result.case
    return [
        case.name,
        *_against(ours.cpu * 1e3, peers.cpu * 1e3, target=case.cpu_target),
        *_against(ours.p50 * 1e3, peers.p50 * 1e3, target=case.wall_target),
        *_against(ours.p99 * 1e3, peers.p99 * 1e3),
        *_against(ours.rate, peers.rate),
        *_against(ours.peak_rss_bytes / 1e6, peers.peak_rss_bytes / 1e6),
        *_against(ours.packets, peers.packets),
        f"{ours.samples}",
        f"{len(ours.wall_seconds)} / {len(peers.wall_seconds)}",
    ]


def _against(ours: float, peers: float, *, target: float | None = None) -> tuple[str, str]:
    ratio = ours / peers if peers else float("inf")
    mark = "" if target is None or ratio <= target else " !"
    return f"{_short(ours)} / {_short(peers)}", f"{ratio:.3g}{mark}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _notes(results: Sequence[Result]) -> Iterator[str]:
    if results:
        yield "each cell is netexporters / snmp_exporter; `!` marks a ratio that misses its target"
    for result in results:
        name = result.case.name
        if result.differences:
            yield f"{name}: THE ANSWERS DIFFER: {'; '.join(result.differences)}"
        for measured in (result.ours, result.peers):
            if measured.failures:
                count = len(measured.failures)
                yield f"{name}: {measured.exporter} failed {count} times: {measured.failures[0]}"
            if max(measured.agents_load) > _AGENTS_ARE_BUSY:
                yield (
                    f"{name}: under {measured.exporter} the simulated devices took "
                    f"{max(measured.agents_load):.0%} of a core, which bounds its wall times"
                )


def _memory(loaded: LoadedModules | None) -> Iterator[str]:
    if loaded is None:
        return
    if not loaded.modules:
        yield "RSS with snmp_exporter's own modules: not measured, their file is not here"
        return
    verdict = "met" if loaded.peak_rss_bytes <= RSS_TARGET_BYTES else "MISSED"
    yield (
        f"RSS with snmp_exporter's {loaded.modules} modules: "
        f"{loaded.idle_rss_bytes / 1e6:.0f} MB after start, "
        f"{loaded.peak_rss_bytes / 1e6:.0f} MB at most (target 100 MB: {verdict}); "
        f"ready after {loaded.start_seconds:.1f} s"
    )


def _verdict(results: Sequence[Result]) -> Iterator[str]:
    yield from _target(
        "CPU, v2c <= 0.25",
        [(r.case.name, r.ours.cpu / r.peers.cpu) for r in results if r.case.version == "v2c"],
        0.25,
    )
    yield from _target(
        "CPU, v3 <= 0.5",
        [(r.case.name, r.ours.cpu / r.peers.cpu) for r in results if r.case.version == "v3"],
        0.5,
    )
    for target, network in ((0.5, "loopback"), (0.25, "50ms")):
        yield from _target(
            f"wall p50, {network} <= {target:g}",
            [
                (r.case.name, r.ours.p50 / r.peers.p50)
                for r in results
                if r.case.network.name == network
            ],
            target,
        )


def _target(what: str, ratios: Sequence[tuple[str, float]], most: float) -> Iterator[str]:
    if not ratios:
        return
    missed = [f"{name} {ratio:.3g}" for name, ratio in ratios if ratio > most]
    values = [ratio for _, ratio in ratios]
    found = f"{min(values):.3g} to {max(values):.3g}"
    verdict = f"MISSED in {len(missed)} of {len(values)}: {', '.join(missed)}" if missed else "met"
    yield f"{what}: {found}: {verdict}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return sys.platform
