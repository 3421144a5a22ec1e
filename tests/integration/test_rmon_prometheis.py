"""Two Prometheus servers that scrape one RMON exporter as often as each likes, through restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .agents import SYSTEM_ROWS, interface_rows, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import NETEXPORTERS, Program, Programs, until
from .prometheus import Prometheus

HISTORY = 'interval="1",if_index="1"'
PACKETS = f"rmon_history_packets_total{{{HISTORY}}}"
RATE_AT_LEAST = 100
"""Packets a second; the pretend interface has some 200 to 270."""
ALIKE_SECONDS = 0.3
"""Scrapes so close to each other may have come in either order."""


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path]:
    """A device that has run for a while, and the same after a restart."""
    files = tmp_path / "switch.snmprec", tmp_path / "restarted.snmprec"
    for file, ticks in zip(files, ("100000", "200"), strict=True):
        system = [row for row in SYSTEM_ROWS if row[0] != "1.3.6.1.2.1.1.3.0"]
        uptime = ("1.3.6.1.2.1.1.3.0", 67, ticks)
        write_recording(file, system, [uptime], interface_rows(1))
    return files


def configuration(exporter: Exporter, agent: str, seconds: int) -> dict[str, Any]:
    job = {
        "job_name": "rmon",
        "metrics_path": "/rmon",
        "params": {"target": [agent], "groups": ["history"]},
        "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}],
    }
    times = {"scrape_interval": f"{seconds}s", "scrape_timeout": "1s"}
    return {"global": times, "scrape_configs": [job]}


def start_agent(programs: Programs, recording: Path, address: str) -> Program:
    flags = ("--moving", "--rmon=1", "--rmon-intervals=1", f"--listen-address={address}")
    program = programs.start(NETEXPORTERS, "simulate", *flags, recording)
    program.until(lambda: address in program.output, "the agent listens")
    return program


def check_they_agree(servers: tuple[Prometheus, Prometheus]) -> None:
    """All samples of both servers, in their order, are one counter that never goes back."""
    often, seldom = (server.samples(PACKETS) for server in servers)
    for at, value in seldom:
        before = [each for then, each in often if then < at - ALIKE_SECONDS]
        after = [each for then, each in often if then > at + ALIKE_SECONDS]
        assert not before or before[-1] <= value, (at, often, seldom)
        assert not after or value <= after[0], (at, often, seldom)
    for samples in (often, seldom):
        values = [value for _, value in samples]
        assert values == sorted(values)
        (first_at, first), (last_at, last) = samples[0], samples[-1]
        assert last - first >= RATE_AT_LEAST * (last_at - first_at - 3)


@pytest.mark.peer("prometheus", "prometheus")
def test_two_prometheis_at_different_intervals_get_one_counter_through_restarts(
    programs: Programs, recordings: tuple[Path, Path]
) -> None:
    before, after = recordings
    flags = ("--moving", "--rmon=1", "--rmon-intervals=1")
    device, agent = start_simulation(programs, *flags, before)
    exporter = start_exporter(programs, name="rmon")
    servers = (
        Prometheus(programs, configuration(exporter, agent, 1), name="often"),
        Prometheus(programs, configuration(exporter, agent, 3), name="seldom"),
    )
    often, seldom = servers

    # Both see the same counter.
    until(lambda: len(seldom.samples(PACKETS)) >= 4, "the seldom one has four samples")
    check_they_agree(servers)

    # The device starts again: its sample indexes go back to 1, and the counter goes on.
    device.kill()
    start_agent(programs, after, agent)
    seldom.wait_for(f"rmon_history_restarts_total{{{HISTORY}}} == 1")
    until(lambda: len(seldom.samples(PACKETS)) >= 7, "and three more")
    check_they_agree(servers)
    for server in servers:
        assert server.query(f"rmon_history_sample_index{{{HISTORY}}} < 100")
        assert server.query(f"rmon_history_buckets_missed_total{{{HISTORY}}} == 0")
        assert server.query(f"max_over_time(rmon_history_restarts_total{{{HISTORY}}}[5m]) == 1")
        assert server.query(f"resets({PACKETS}[5m]) == 0")

    # The exporter is killed: to both, that is one reset of a counter.
    exporter.program.kill()
    start_exporter(programs, name="rmon", address=f"127.0.0.1:{exporter.port}")
    for server in servers:
        server.wait_for(f"resets({PACKETS}[5m]) == 1")
    already = len(often.samples(PACKETS))
    until(lambda: len(often.samples(PACKETS)) >= already + 3, "and goes on from there")
    for server in servers:
        assert server.query(f"resets({PACKETS}[5m]) == 1")
