from __future__ import annotations

import asyncio

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.polling.scrape_places import ALWAYS, BEGIN_AT_ONCE, TICK_SECONDS, ScrapePlaces

from ..sockets.pretend_time import STARTED_AT, PretendTimeLoop, in_pretend_time


class Scrapes:
    """Scrapes of a second each."""

    def __init__(self, most: int) -> None:
        self.dropped = 0
        self.places = ScrapePlaces(most, self.drop)
        self.begun: list[tuple[int, float]] = []

    def drop(self) -> None:
        self.dropped += 1

    async def run(self, number: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        async with self.places.take(STARTED_AT + seconds):
            self.begun.append((number, round(loop.time() - STARTED_AT, 3)))
            await asyncio.sleep(1)


@in_pretend_time
async def test_scrapes_beyond_the_bound_wait_first_come_first_served() -> None:
    scrapes = Scrapes(2)
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(scrapes.run(number, 10))
        await asyncio.sleep(0.5)
        assert scrapes.places.waiting == 3
    assert scrapes.begun == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)]
    assert (scrapes.places.waiting, scrapes.dropped) == (0, 0)


@in_pretend_time
async def test_scrape_that_gets_no_place_fails_with_its_deadline() -> None:
    scrapes = Scrapes(1)
    first = asyncio.ensure_future(scrapes.run(0, 10))
    await asyncio.sleep(0)
    with pytest.raises(TargetError, match="1 scrapes were under way, and it was") as caught:
        await scrapes.run(1, 0.25)
    assert caught.value.reason is FailureReason.OVERLOAD
    assert asyncio.get_running_loop().time() == STARTED_AT + 0.25
    assert (scrapes.places.waiting, scrapes.dropped) == (0, 1)
    await first
    await scrapes.run(2, 10)
    assert [number for number, _ in scrapes.begun] == [0, 2]


@in_pretend_time
async def test_place_of_a_cancelled_scrape_is_free_again() -> None:
    scrapes = Scrapes(1)
    running, waiting, last = (asyncio.ensure_future(scrapes.run(n, 10)) for n in range(3))
    await asyncio.sleep(0)
    waiting.cancel()
    running.cancel()
    await asyncio.gather(running, waiting, last, return_exceptions=True)
    assert scrapes.begun == [(0, 0), (2, 0)]
    assert (scrapes.places.waiting, scrapes.dropped) == (0, 0)


@in_pretend_time
async def test_scrapes_that_come_together_begin_one_after_another() -> None:
    scrapes = Scrapes(100)
    async with asyncio.TaskGroup() as group:
        for number in range(2 * BEGIN_AT_ONCE + 1):
            group.create_task(scrapes.run(number, 10))
    assert [number for number, _ in scrapes.begun] == list(range(2 * BEGIN_AT_ONCE + 1))
    times = [begun_at for _, begun_at in scrapes.begun]
    assert times[:BEGIN_AT_ONCE] == [0] * BEGIN_AT_ONCE
    assert times[BEGIN_AT_ONCE : 2 * BEGIN_AT_ONCE] == [TICK_SECONDS] * BEGIN_AT_ONCE
    assert times[-1] == 2 * TICK_SECONDS


async def be_busy(seconds: float, step_seconds: float) -> None:
    """Let the loop have no time for timers but each *step_seconds*."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PretendTimeLoop)
    until = loop.time() + seconds
    while loop.time() < until:
        loop._jumping.now += step_seconds
        await asyncio.sleep(0)


@in_pretend_time
async def test_scrapes_wait_while_the_loop_is_late() -> None:
    scrapes = Scrapes(100)
    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(scrapes.run(number, 10))
        await asyncio.sleep(0)
        await be_busy(0.9, 0.05)
        assert len(scrapes.begun) == ALWAYS
        await asyncio.sleep(0.05)
        assert len(scrapes.begun) == 30
    assert scrapes.dropped == 0


@in_pretend_time
async def test_some_scrapes_go_on_however_late_the_loop_is() -> None:
    scrapes = Scrapes(100)
    async with asyncio.TaskGroup() as group:
        for number in range(3 * ALWAYS):
            group.create_task(scrapes.run(number, 10))
        await asyncio.sleep(0)
        await be_busy(3.5, 0.05)
        assert len(scrapes.begun) == 3 * ALWAYS


@in_pretend_time
async def test_place_given_to_a_scrape_in_the_moment_of_its_end_is_not_lost() -> None:
    scrapes = Scrapes(1)
    async with scrapes.places.take(STARTED_AT + 10):
        waiting = asyncio.ensure_future(scrapes.run(1, 10))
        await asyncio.sleep(0)
    assert scrapes.places.waiting == 1
    waiting.cancel()  # it has its place, and does not know yet
    await asyncio.gather(waiting, return_exceptions=True)
    await scrapes.run(2, 10)
    assert scrapes.begun == [(2, 0)]
    assert scrapes.places.waiting == 0


@in_pretend_time
async def test_nothing_is_timed_while_there_are_no_scrapes() -> None:
    scrapes = Scrapes(1)
    await scrapes.run(0, 10)
    assert asyncio.get_running_loop()._scheduled == []
