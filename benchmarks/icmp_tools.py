"""The pingers of the ICMP race: each on the same targets, at one ping a second, and watched."""

from __future__ import annotations

import gzip
import json
import resource
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.icmp_numbers import Pings, of_round_trips, read_fping, read_ours, read_smokeping
from benchmarks.processes import Program

_SETTLE_SECONDS: Final = 4.0
_PATIENCE_SECONDS: Final = 45.0
_SCRAPES: Final = 3
_MULTIPING_COUNT: Final = 8


class NotAble(Exception):  # noqa: N818 - no error: it is a result
    """A tool cannot ping so many targets; the text says what it did instead."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one tool did with some targets.

    Attributes:
        cpu: share of a core.
        per_second: pings; all tools are asked for one a target.
        cpu_seconds_per_ping: user and system time.
        rss_bytes: the most memory it had.
        scrape_seconds: from request to the last byte, where it can be scraped; the median.
    """

    pings: Pings
    per_second: float
    cpu: float
    cpu_seconds_per_ping: float
    rss_bytes: int
    scrape_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool runs: a folder of its own, its targets, and for how long."""

    stack: ExitStack
    folder: Path
    targets: Sequence[str]
    seconds: float


def run_ours(place: Place) -> Result:
    """Run netexporters."""
    port = _free_port()
    config = place.folder / "icmp.yml"
    hosts = "".join(f"      - {ip}\n" for ip in place.targets)
    config.write_text(f"groups:\n  bench:\n    hosts:\n{hosts}")
    program = Program(
        place.stack,
        place.folder,
        "netexporters",
        [
            str(Path(sys.executable).with_name("netexporters")),
            "icmp",
            f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    return _run_exporter(place, program, port, read_ours)


def run_smokeping(place: Place) -> Result:
    """Run smokeping_prober, with as little as its documentation asks for."""
    port = _free_port()
    config = place.folder / "smokeping.yml"
    hosts = "".join(f"  - {ip}\n" for ip in place.targets)
    config.write_text(f"targets:\n- hosts:\n{hosts}  interval: 1s\n  network: ip4\n  size: 56\n")
    program = Program(
        place.stack,
        place.folder,
        "smokeping_prober",
        [
            "prometheus-smokeping-prober",
            f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    return _run_exporter(place, program, port, read_smokeping)


def run_fping(place: Place) -> Result:
    """Run fping in a loop; it is asked for its summary when time is up."""
    listed = place.folder / "targets"
    listed.write_text("\n".join(place.targets) + "\n")
    gap = f"{1000 / len(place.targets) * 0.9:.3f}"
    program = Program(
        place.stack,
        place.folder,
        "fping",
        [
            *("fping", "-l", "-q", "-p", "1000", "-t", "900", "-Q", "100000"),
            *("-i", gap, "-f", str(listed)),
        ],
    )
    started_at = time.monotonic()
    time.sleep(_SETTLE_SECONDS)
    cpu, seconds = _watch(program, place.seconds)
    rss = program.peak_rss_bytes()
    program.signal(signal.SIGINT)
    lived_seconds = time.monotonic() - started_at
    program.wait()
    pings = read_fping(program.errors)
    if not pings.ended:
        raise NotAble(program.errors.strip().partition(" (")[0][:100])
    per_second = pings.ended / lived_seconds
    return Result(pings, per_second, cpu / seconds, cpu / (per_second * seconds), rss)


def run_icmplib(place: Place) -> Result:
    """Run icmplib's multiping, all targets at once; its CPU counts from start to end."""
    script = Path(__file__).with_name("icmplib_multiping.py")
    listed = place.folder / "targets"
    listed.write_text("\n".join(place.targets) + "\n")
    program = Program(
        place.stack,
        place.folder,
        "icmplib",
        [sys.executable, str(script), str(listed), str(_MULTIPING_COUNT)],
    )
    started_at = time.monotonic()
    give_up_at = started_at + _PATIENCE_SECONDS + _MULTIPING_COUNT
    while not program.output.endswith("\n"):
        if program.ended:
            raise NotAble(program.errors.strip().rpartition("\n")[2][:100])
        if time.monotonic() > give_up_at:
            raise NotAble(f"not done after {give_up_at - started_at:.0f} s")
        time.sleep(0.1)
    seconds = time.monotonic() - started_at
    said = json.loads(program.output)
    pings = of_round_trips(said["sent"], said["sent"] - said["received"], said["round_trips"])
    cpu, rss = program.cpu_seconds(), program.peak_rss_bytes()
    per_second = pings.ended / seconds
    return Result(pings, per_second, cpu / seconds, cpu / max(pings.ended, 1), rss)


TOOLS: Final[dict[str, Callable[[Place], Result]]] = {
    "netexporters": run_ours,
    "fping": run_fping,
    "smokeping_prober": run_smokeping,
    "icmplib multiping": run_icmplib,
}


def allow_many_files() -> None:
    """Let tools that want a socket for each target have them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _run_exporter(
    place: Place, program: Program, port: int, read: Callable[[str, str], Pings]
) -> Result:
    """Watch a program that serves metrics, and then scrape it several times."""
    url = f"http://127.0.0.1:{port}/metrics"
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while _fetch(url) is None:
        if program.ended:
            raise NotAble(program.errors.strip().rpartition("\n")[2][:100])
        if time.monotonic() > give_up_at:
            raise NotAble(f"no page within {_PATIENCE_SECONDS:g} s")
        time.sleep(0.3)
    time.sleep(_SETTLE_SECONDS)
    before_at, before = time.monotonic(), _fetch(url)  # it counts when it starts
    cpu, seconds = _watch(program, place.seconds)
    times = []
    for _ in range(_SCRAPES):  # what they cost the pings is seen as loss
        after_at, after = time.monotonic(), _fetch(url)
        times.append(time.monotonic() - after_at)
    if before is None or after is None:
        raise NotAble("no page while it pings")
    pings = read(before, after)
    per_second = pings.ended / (after_at - before_at)
    return Result(
        pings,
        per_second,
        cpu / seconds,
        cpu / max(per_second * seconds, 1),
        program.peak_rss_bytes(),
        median(times),
    )


def _watch(program: Program, seconds: float) -> tuple[float, float]:
    """Give the CPU seconds that a program took, and how long it was watched.

    Raises:
        NotAble: It has ended.
    """
    if program.ended:
        raise NotAble(program.errors.strip().rpartition("\n")[2].partition(" (")[0][:100])
    cpu, at = program.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    if program.ended:
        raise NotAble(program.errors.strip().rpartition("\n")[2].partition(" (")[0][:100])
    return program.cpu_seconds() - cpu, time.monotonic() - at


def _fetch(url: str) -> str | None:
    """Scrape as Prometheus does; None where there is no answer."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as response:
            body = response.read()
            packed = response.headers.get("Content-Encoding") == "gzip"
    except (urllib.error.URLError, OSError):
        return None
    return (gzip.decompress(body) if packed else body).decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
