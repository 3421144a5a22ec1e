"""The order of a soak, and what it reads of the exporter."""

from __future__ import annotations

import asyncio
import os

import pytest

from benchmarks.census import resident_bytes, take_census
from benchmarks.soak import mixed, packets_sent
from benchmarks.soak_clients import Latencies


def test_dead_targets_are_spread_among_the_live_ones() -> None:
    live, dead = [f"live{n}" for n in range(8)], ["dead0", "dead1"]
    order = mixed(live, dead)
    assert sorted(order) == sorted(live + dead)
    places = [order.index(target) for target in dead]
    assert places[1] - places[0] == 5


def test_packets_are_those_that_the_exporter_counts() -> None:
    text = "# TYPE snmp_packets_total counter\nsnmp_packets_total 1217.0\nsnmp_packets 3\n"
    assert packets_sent(text) == 1217
    with pytest.raises(RuntimeError, match="no snmp_packets_total"):
        packets_sent("up 1\n")


def test_latencies_of_some_targets_are_put_together() -> None:
    first = Latencies({"a": [1.0], "b": [2.0]}, ["a: HTTP 500"])
    first.add(Latencies({"b": [3.0], "c": [4.0]}, ["c: HTTP 500"]))
    assert first.of(["b", "c", "nobody"]) == [2.0, 3.0, 4.0]
    assert first.wrong == ["a: HTTP 500", "c: HTTP 500"]


async def test_census_counts_what_is_begun_and_what_is_over() -> None:
    loop = asyncio.get_running_loop()
    before = take_census(loop)
    assert 0 < before.rss_bytes <= 2 * resident_bytes(os.getpid())
    kept = [[number] for number in range(5000)]
    task = loop.create_task(asyncio.sleep(3600))
    timer = loop.call_later(3600, print)
    cancelled = loop.call_later(3600, print)
    cancelled.cancel()
    await asyncio.sleep(0)
    reading, writing = os.pipe()
    during = take_census(loop)
    assert during.tasks == before.tasks + 1
    assert during.timers == before.timers + 2
    assert during.descriptors == before.descriptors + 2
    assert during.objects >= before.objects + len(kept)
    assert during.blocks >= before.blocks + len(kept)
    os.close(reading)
    os.close(writing)
    timer.cancel()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    after = take_census(loop)
    assert (after.tasks, after.timers) == (before.tasks, before.timers)
    assert after.descriptors == before.descriptors
