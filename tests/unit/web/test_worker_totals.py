"""What all workers counted, while some of them are silent or end."""

from __future__ import annotations

import asyncio
import gzip
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
from exporters.web.workers.questions import ToWorker
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
        self.measured = 0
        self.is_active = False
        ours, theirs = socket.socketpair()
        self.channel = Channel(theirs)
        self.process = WorkerProcess(number, 0, ours, serving_at=1.0)

    async def answer(self, what: str, of: object) -> object:
        self.asked.set()
        await self.may_answer.wait()
        if what == ToWorker.TELEMETRY:
            return snapshot(self.registry)
        assert what == ToWorker.SAMPLES
        return (
            "# TYPE events_total counter\n"
            f"events_total {self.measured}\n"
            "# TYPE event_active gauge\n"
            f"event_active {int(self.is_active)}\n"
            "# TYPE event_last_seen_timestamp_seconds gauge\n"
            f"event_last_seen_timestamp_seconds {1000 + self.measured}\n"
        ).encode()

    def count(self, number: int) -> None:
        self.counter.inc(number)
        self.gauge.inc(number)
        self.measured += 10 * number


@pytest.fixture
async def start() -> AsyncIterator[Callable[[int], Worker]]:
    workers: list[Worker] = []
    running: list[asyncio.Task[None]] = []

    async def nothing(what: str, of: object) -> object:
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
    body = await totals.body(
        [worker.process for worker in workers], TextFormat.PROMETHEUS, gzipped=False
    )
    found = re.findall(r"^(\w+) (.+)$", body.decode(), re.MULTILINE)
    assert len(found) == len(dict(found)), "a sample is there twice"
    return {name: float(value) for name, value in found}


def measured(metrics: dict[str, float]) -> tuple[float | None, float | None, float | None]:
    """What was counted, whether something is active, and when something was seen."""
    names = ("events_total", "event_active", "event_last_seen_timestamp_seconds")
    events, active, seen = map(metrics.get, names)
    return events, active, seen


async def test_workers_add_up(totals, start):
    first, second = start(0), start(1)
    first.count(3)
    second.count(4)
    metrics = await read(totals, first, second)
    assert (metrics["counted_total"], metrics["open"]) == (7, 7)
    assert metrics["tiny_exporter_workers"] == metrics["tiny_exporter_workers_answered"] == 2
    assert metrics["tiny_exporter_worker_restarts_total"] == 0


async def test_silent_worker_counts_as_it_was_last_seen(totals, start, monkeypatch):
    monkeypatch.setattr(module, "SEEN_SECONDS", 0.05)
    first, second = start(0), start(1)
    second.count(4)
    await read(totals, first, second)
    second.may_answer.clear()
    second.count(1)
    metrics = await read(totals, first, second)
    assert (metrics["counted_total"], metrics["open"]) == (4, 0)
    assert metrics["tiny_exporter_workers_answered"] == 1


async def test_what_workers_measured_is_joined_in_the_format_that_is_asked_for(totals, start):
    first, second = start(0), start(1)
    first.count(3)
    second.count(4)
    second.is_active = True
    assert measured(await read(totals, first, second)) == (70, 1, 1040)
    processes = [first.process, second.process]
    body = await totals.body(processes, TextFormat.OPENMETRICS, gzipped=True)
    text = gzip.decompress(body).decode()
    assert "# TYPE events counter\nevents_total 70\n" in text
    assert text.endswith("# EOF\n")


async def test_what_a_silent_worker_measured_is_shown_as_it_was_last_seen(
    totals, start, monkeypatch
):
    monkeypatch.setattr(module, "SEEN_SECONDS", 0.05)
    first, second = start(0), start(1)
    second.count(4)
    second.is_active = True
    await read(totals, first, second)
    second.may_answer.clear()
    first.count(1)
    second.count(1)
    assert measured(await read(totals, first, second)) == (50, 1, 1040)


async def test_state_of_the_ended_is_shown_until_its_successor_has_told_what_there_is(
    totals, start, monkeypatch
):
    monkeypatch.setattr(module, "SEEN_SECONDS", 0.05)
    first, second = start(0), start(1)
    first.count(1)
    second.count(4)
    second.is_active = True
    await read(totals, first, second)
    totals.ended(second.process)
    assert measured(await read(totals, first)) == (50, 1, 1040)

    third = start(1)
    third.may_answer.clear()
    assert measured(await read(totals, first, third)) == (50, 1, 1040)
    third.may_answer.set()
    third.count(1)
    assert measured(await read(totals, first, third)) == (60, 0, 1040)


async def test_counters_of_several_that_ended_in_one_place_stay(totals, start):
    first = start(0)
    for _ in range(3):
        second = start(1)
        second.count(1)
        await read(totals, first, second)
        totals.ended(second.process)
    never_seen = start(1)
    totals.ended(never_seen.process)
    assert measured(await read(totals, first)) == (30, 0, 1010)


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
    await second.process.seeing.answer(5.0)
    totals.ended(second.process)
    first.may_answer.set()
    metrics = await page
    assert (metrics["counted_total"], metrics["open"]) == (5, 1)
    assert metrics["tiny_exporter_workers_answered"] == 1
