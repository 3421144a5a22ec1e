from __future__ import annotations

import asyncio

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.snmp.scrape_places import ScrapePlaces

from ..sockets.pretend_time import STARTED_AT, in_pretend_time


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
            self.begun.append((number, loop.time() - STARTED_AT))
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
    with pytest.raises(TargetError, match="1 scrapes were under way, and none ended") as caught:
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
