from __future__ import annotations

import asyncio

import pytest

from exporters.polling.single_flight import SingleFlight


class Work:
    """Work that ends when it is told to, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.release = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return f"result {self.begun}"


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_equal_work_is_done_once() -> None:
    joined: list[int] = []
    flights = SingleFlight[str, str](lambda: joined.append(1))
    work = Work()
    tasks = [asyncio.create_task(flights.run("key", 10.0, work)) for _ in range(3)]
    await turns()
    work.release.set()
    assert await asyncio.gather(*tasks) == ["result 1"] * 3
    assert (work.begun, len(joined)) == (1, 2)


async def test_work_is_done_again_once_it_has_ended() -> None:
    flights = SingleFlight[str, str](lambda: None)
    work = Work()
    work.release.set()
    assert [await flights.run("key", 10.0, work) for _ in range(2)] == ["result 1", "result 2"]


async def test_other_work_is_not_shared() -> None:
    flights = SingleFlight[str, str](lambda: None)
    work = Work()
    tasks = [asyncio.create_task(flights.run(key, 10.0, work)) for key in "ab"]
    await turns()
    assert work.begun == 2
    work.release.set()
    await asyncio.gather(*tasks)


async def test_work_that_may_end_too_late_is_not_joined() -> None:
    flights = SingleFlight[str, str](lambda: None)
    work = Work()
    tasks = [asyncio.create_task(flights.run("key", at, work)) for at in (10.0, 5.0)]
    await turns()
    assert work.begun == 2
    work.release.set()
    await asyncio.gather(*tasks)


async def test_one_who_leaves_does_not_end_the_work_of_others() -> None:
    flights = SingleFlight[str, str](lambda: None)
    work = Work()
    leaving, staying = (asyncio.create_task(flights.run("key", 10.0, work)) for _ in range(2))
    await turns()
    leaving.cancel()
    await turns()
    work.release.set()
    assert await staying == "result 1"
    assert work.cancelled == 0


async def test_work_that_nobody_waits_for_is_cancelled() -> None:
    flights = SingleFlight[str, str](lambda: None)
    work = Work()
    tasks = [asyncio.create_task(flights.run("key", 10.0, work)) for _ in range(2)]
    await turns()
    for task in tasks:
        task.cancel()
    await turns()
    assert work.cancelled == 1
    work.release.set()
    assert await flights.run("key", 10.0, work) == "result 2"


async def test_failure_reaches_everybody() -> None:
    flights = SingleFlight[str, str](lambda: None)

    async def fail() -> str:
        await turns(1)
        raise ValueError("no")

    tasks = [asyncio.create_task(flights.run("key", 10.0, fail)) for _ in range(2)]
    for task in tasks:
        with pytest.raises(ValueError, match="no"):
            await task
