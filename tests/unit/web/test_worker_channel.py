"""Questions and answers between two processes, here in one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from exporters.web.workers.channel import Answer, Channel, SharedQuestion

Connect = Callable[[Answer], Awaitable[tuple[Channel, asyncio.Task[None], Channel]]]


async def nothing(what: str, of: object) -> object:
    return None


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return a channel, and the task and channel of its other end, which answers."""
    channels: list[Channel] = []
    running: list[asyncio.Task[None]] = []

    async def connect(answer: Answer) -> tuple[Channel, asyncio.Task[None], Channel]:
        ours, theirs = map(Channel, socket.socketpair())
        channels.extend((ours, theirs))
        running.append(asyncio.create_task(ours.run(nothing)))
        running.append(asyncio.create_task(theirs.run(answer)))
        return ours, running[-1], theirs

    yield connect
    for channel in channels:
        channel.close()
    async with asyncio.timeout(20):
        await asyncio.gather(*running)


async def test_question_and_argument_arrive_and_so_does_the_answer(connect):
    async def answer(what: str, of: object) -> object:
        return {"asked": what, "of": of, "size": ["x" * 1_000_000, float("inf"), None]}

    ours, _, theirs = await connect(answer)
    assert await ours.ask("telemetry", "TEXT") == {
        "asked": "telemetry",
        "of": "TEXT",
        "size": ["x" * 1_000_000, float("inf"), None],
    }
    assert await theirs.ask("anything") is None


async def test_answer_may_be_bytes_of_any_number(connect):
    contents = [b"", b"\x00\xff{", bytes(range(256)) * 20_000]

    async def answer(what: str, of: object) -> object:
        return contents[int(what)]

    ours, _, _ = await connect(answer)
    answers = await asyncio.gather(*(ours.ask(str(place)) for place in range(len(contents))))
    assert answers == contents


async def test_question_does_not_wait_for_an_earlier_one(connect):
    go_on = asyncio.Event()

    async def answer(what: str, of: object) -> object:
        if what == "slow":
            await go_on.wait()
        return what

    ours, _, _ = await connect(answer)
    slow = asyncio.create_task(ours.ask("slow"))
    assert await ours.ask("quick") == "quick"
    assert not slow.done()
    go_on.set()
    assert await slow == "slow"


async def test_question_of_who_gave_up_leaves_the_others_alone(connect):
    go_on = asyncio.Event()

    async def answer(what: str, of: object) -> object:
        await go_on.wait()
        return what

    ours, _, _ = await connect(answer)
    first, second = (asyncio.create_task(ours.ask(what)) for what in ("first", "second"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go_on.set()
    assert await second == "second"


async def test_end_of_the_other_process_fails_questions_open_and_later(connect):
    asked = asyncio.Event()

    async def answer(what: str, of: object) -> object:
        asked.set()
        await asyncio.Event().wait()
        return None

    ours, _, theirs = await connect(answer)
    question = asyncio.create_task(ours.ask("never"))
    await asked.wait()
    theirs.close()
    with pytest.raises(ConnectionResetError):
        await question
    with pytest.raises(ConnectionResetError):
        await ours.ask("more")


async def test_end_of_the_other_process_ends_what_is_answered_to_it(connect):
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(what: str, of: object) -> object:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return None

    ours, answering, _ = await connect(answer)
    question = asyncio.create_task(ours.ask("never"))
    await asked.wait()
    ours.close()
    await answering
    assert cancelled.is_set()
    question.cancel()


async def test_fault_of_an_answer_is_logged_and_told_and_the_channel_goes_on(connect, caplog):
    async def answer(what: str, of: object) -> object:
        if what == "fault":
            raise RuntimeError("a fault")
        return what

    ours, _, _ = await connect(answer)
    with pytest.raises(ConnectionAbortedError):
        await ours.ask("fault")
    assert await ours.ask("more") == "more"
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "a fault"


class Oracle:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = asyncio.get_running_loop().create_future()

    async def ask(self) -> str:
        self.asked += 1
        return await self.answer


async def test_shared_question_is_asked_once_for_all():
    oracle = Oracle()
    question = SharedQuestion(oracle.ask)
    askers = [asyncio.create_task(question.answer(10.0)) for _ in range(3)]
    await asyncio.sleep(0)
    oracle.answer.set_result("yes")
    assert await asyncio.gather(*askers) == ["yes"] * 3
    assert oracle.asked == 1
    assert await question.answer(10.0) == "yes"
    assert oracle.asked == 2


async def test_shared_question_that_is_open_for_long_keeps_nobody_waiting():
    oracle = Oracle()
    question = SharedQuestion(oracle.ask)
    with pytest.raises(TimeoutError):
        await question.answer(0.01)
    async with asyncio.timeout(5.0):
        with pytest.raises(TimeoutError):
            await question.answer(0.01)
    assert oracle.asked == 1
    oracle.answer.set_result("late")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await question.answer(10.0) == "late"
    assert oracle.asked == 2


async def test_shared_question_that_fails_fails_for_all_and_is_asked_anew():
    oracle = Oracle()
    question = SharedQuestion(oracle.ask)
    askers = [asyncio.create_task(question.answer(10.0)) for _ in range(2)]
    await asyncio.sleep(0)
    oracle.answer.set_exception(ConnectionResetError())
    outcomes = await asyncio.gather(*askers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionResetError] * 2
    oracle.answer = asyncio.get_running_loop().create_future()
    oracle.answer.set_result("yes")
    assert await question.answer(10.0) == "yes"
