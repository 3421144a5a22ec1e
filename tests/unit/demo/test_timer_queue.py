"""Callbacks at their instants, in order, in bounded number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from exporters.demo import timer_queue
from exporters.demo.timer_queue import TimerQueue

from .clients import until

EPSILON_SECONDS = 1e-6


@pytest.fixture(params=["timerfd", "loop"])
async def queue(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TimerQueue]:
    """A queue on each of the two kinds of timers."""
    loop = asyncio.get_running_loop()
    if request.param == "loop":

        def refuse() -> None:
            raise OSError("this system has no timerfd")

        monkeypatch.setattr(timer_queue, "_load_libc", refuse)
    else:
        try:
            timer_queue._load_libc()
        except OSError as error:
            pytest.skip(str(error))
    queue = TimerQueue(loop, most=10)
    yield queue
    queue.close()


async def test_callbacks_run_in_the_order_of_their_instants_and_not_before(
    queue: TimerQueue,
) -> None:
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    ran: list[tuple[float, float]] = []
    for delay in (0.006, 0.002, 0.004, 0.0, 0.002):
        queue.call_later(delay, lambda delay=delay: ran.append((delay, loop.time())))
    assert len(queue) == 5
    await until(lambda: not len(queue))
    assert [delay for delay, _ in ran] == [0.0, 0.002, 0.002, 0.004, 0.006]
    assert all(at - started_at + EPSILON_SECONDS >= delay for delay, at in ran)


async def test_of_two_with_one_delay_the_earlier_goes_first(queue: TimerQueue) -> None:
    ran: list[str] = []
    for name in "abcdef":
        queue.call_later(0.001, lambda name=name: ran.append(name))
    await until(lambda: not len(queue))
    assert ran == list("abcdef")


async def test_callback_may_ask_for_another(queue: TimerQueue) -> None:
    ran: list[int] = []

    def again() -> None:
        ran.append(len(ran))
        if len(ran) < 3:
            queue.call_later(0.0, again)

    queue.call_later(0.0, again)
    await until(lambda: len(ran) == 3)
    assert not len(queue)


async def test_no_more_wait_than_may(queue: TimerQueue) -> None:
    assert all(queue.call_later(3600.0, lambda: None) for _ in range(10))
    assert not queue.call_later(3600.0, lambda: None)
    assert len(queue) == 10


async def test_closed_queue_runs_nothing_any_more() -> None:
    ran: list[int] = []
    queue = TimerQueue(asyncio.get_running_loop(), most=10)
    queue.call_later(0.0, lambda: ran.append(1))
    queue.close()
    witness = asyncio.Event()
    asyncio.get_running_loop().call_later(0.002, witness.set)
    await witness.wait()
    assert ran == []
