"""What a soak is judged by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.census import Census
from benchmarks.soak import Plan
from benchmarks.soak_report import Soaked, checks, write_soak_report
from benchmarks.table import markdown

WARM = Census(
    rss_bytes=60_000_000, objects=50_000, blocks=400_000, descriptors=9, tasks=2, timers=0
)
FLAT = Soaked(
    scrapes=1000,
    live_targets=80,
    silent_targets=10,
    closed_targets=10,
    seconds=30.0,
    at_first=WARM,
    warm=WARM,
    after=WARM,
    rss_bytes=[60_000_000] * 50,
    live_cpu_seconds=0.004,
    dead_cpu_seconds=0.001,
    live_packets=19.0,
    dead_packets=1.0,
    silent_packets=1.0,
    alone_seconds=[0.007] * 10,
    together_seconds=[0.008] * 10,
    silent_seconds=[1.0] * 10,
    closed_seconds=[0.003] * 10,
    wrong=[],
)


def missed(soaked: Soaked) -> list[str]:
    return [check.what for check in checks(soaked) if not check.met]


def test_exporter_that_is_as_it_was_passes() -> None:
    assert missed(FLAT) == []
    assert "MISSED" not in write_soak_report(FLAT, markdown)


@pytest.mark.parametrize(
    ("soaked", "what"),
    [
        (replace(FLAT, wrong=["127.1.0.1:161: HTTP 500"]), "scrapes that went wrong"),
        (
            replace(FLAT, rss_bytes=[60_000_000 + 100_000 * number for number in range(50)]),
            "growth of RSS, MB",
        ),
        (replace(FLAT, after=replace(WARM, objects=50_501)), "growth of Python's objects"),
        (replace(FLAT, after=replace(WARM, blocks=404_001)), "growth of Python's blocks of memory"),
        (replace(FLAT, after=replace(WARM, descriptors=10)), "descriptors left over"),
        (replace(FLAT, after=replace(WARM, tasks=3)), "tasks left over"),
        (replace(FLAT, after=replace(WARM, timers=1)), "timers left over"),
        (replace(FLAT, dead_cpu_seconds=0.0029), "CPU of a dead target's scrape / a live one's"),
        (replace(FLAT, dead_packets=4.0), "packets of a dead target's scrape"),
        (replace(FLAT, silent_packets=4.0), "packets of a dead target's scrape"),
        (replace(FLAT, together_seconds=[0.02] * 10), "p50 of live targets / without dead ones"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_each_fault_is_found_and_alone(soaked: Soaked, what: str) -> None:
    assert missed(soaked) == [what]
    assert f"| {what} |" in write_soak_report(soaked, markdown)


@pytest.mark.parametrize(
    "rss_bytes",
    [
        pytest.param([60_000_000] * 20 + [90_000_000] * 5 + [60_000_000] * 25, id="given back"),
        pytest.param([60_000_000] * 10 + [66_000_000] * 40, id="kept, and filled again"),
    ],
)
def test_memory_of_a_moment_of_many_scrapes_is_no_leak(rss_bytes: list[int]) -> None:
    assert missed(replace(FLAT, rss_bytes=rss_bytes)) == []


def test_first_wrong_scrapes_are_shown() -> None:
    report = write_soak_report(replace(FLAT, wrong=["127.1.0.1:161: HTTP 500"]), markdown)
    assert report.endswith("127.1.0.1:161: HTTP 500")


def test_usual_plan_gives_a_dead_target_time_to_be_asked() -> None:
    """Scrapes of one target at the same time would share one question."""
    plan = Plan()
    assert plan.targets / plan.per_second > 1.5
