"""What all workers counted, while some of them are silent or end."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from exporters.metrics.merging import snapshot
from exporters.metrics.negotiation import TextFormat
from exporters.web.workers import totals as module
from exporters.web.workers.channel import Channel
from exporters.web.workers.process import WorkerProcess
from exporters.web.workers.totals import Totals


class Worker:
    """A worker without a process, and its parent's view of it."""

    def __init__(self, number: int) -> None:
        self.registry = CollectorRegistry()
        self.counter = Counter("counted", "What was counted.", registry=self.registry)
        self.gauge = Gauge("open", "What is open.", registry=self.registry)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()
        ours, theirs = socket.socketpair()
        self.channel = Channel(theirs)
        self.process = WorkerProcess(number, 0, ours, serving_at=1.0)

    async def answer(self, what: str, of: str) -> object:
        self.asked.set()
        await self.may_answer.wait()
        return snapshot(self.registry)

    def count(self, number: int) -> None:
        self.counter.inc(number)
        self.gauge.inc(number)


@pytest.fixture
async def start() -> AsyncIterator[Callable[[int], Worker]]:
    workers: list[Worker] = []
    running: list[asyncio.Task[None]] = []

    async def nothing(what: str, of: str) -> object:
        return None

    def start(number: int) -> Worker:
        worker = Worker(number)
        workers.append(worker)
        running.append(asyncio.create_task(worker.process.channel.run(nothing)))
        running.append(asyncio.create_task(worker.channel.run(worker.answer)))
        return worker

    yield start
    for worker in workers:
        worker.process.channel.close()
        worker.channel.close()
    async with asyncio.timeout(20):
        await asyncio.gather(*running)


@pytest.fixture
def totals() -> Totals:
    return Totals("tiny", CollectorRegistry(), 2)


async def read(totals: Totals, *workers: Worker) -> dict[str, float]:
    text = await totals.text([worker.process for worker in workers], TextFormat.PROMETHEUS)
    return {name: float(value) for name, value in re.findall(r"^(\w+) (.+)$", text, re.MULTILINE)}


async def test_workers_add_up(totals, start):
    first, second = start(0), start(1)
    first.count(3)
    second.count(4)
    metrics = await read(totals, first, second)
    assert (metrics["counted_total"], metrics["open"]) == (7, 7)
    assert metrics["tiny_exporter_workers"] == metrics["tiny_exporter_workers_answered"] == 2
    assert metrics["tiny_exporter_worker_restarts_total"] == 0


async def test_silent_worker_counts_as_it_was_last_seen(totals, start, monkeypatch):
    monkeypatch.setattr(module, "SAMPLES_SECONDS", 0.05)
    first, second = start(0), start(1)
    second.count(4)
    await read(totals, first, second)
    second.may_answer.clear()
    second.count(1)
    metrics = await read(totals, first, second)
    assert (metrics["counted_total"], metrics["open"]) == (4, 0)
    assert metrics["tiny_exporter_workers_answered"] == 1


async def test_worker_that_does_not_serve_yet_is_not_waited_for(totals, start):
    first, second = start(0), start(1)
    second.may_answer.clear()
    second.process.serving_at = None
    assert (await read(totals, first, second))["tiny_exporter_workers_answered"] == 1
    assert not second.asked.is_set()


async def test_counters_of_the_ended_stay_and_gauges_do_not(totals, start):
    first, second = start(0), start(1)
    first.count(1)
    second.count(4)
    await read(totals, first, second)
    totals.ended(second.process)
    metrics = await read(totals, first)
    assert (metrics["counted_total"], metrics["open"]) == (5, 1)
    third = start(1)
    third.count(2)
    await read(totals, first, third)
    totals.ended(third.process)
    assert (await read(totals, first))["counted_total"] == 7


async def test_worker_that_ends_while_others_are_asked_counts_once(totals, start):
    first, second = start(0), start(1)
    first.count(1)
    second.count(4)
    first.may_answer.clear()
    page = asyncio.create_task(read(totals, first, second))
    await first.asked.wait()
    await second.process.samples.answer(5.0)
    totals.ended(second.process)
    first.may_answer.set()
    metrics = await page
    assert (metrics["counted_total"], metrics["open"]) == (5, 1)
    assert metrics["tiny_exporter_workers_answered"] == 1
