"""The pages of events where several processes have them: as one, in the order of time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from exporters.events import event_questions
from exporters.events.event_numbers import EventNumbers
from exporters.events.intake import Intake
from exporters.web.shell import SHELL
from exporters.web.whole import OthersSilentError

from .conftest import make_message
from .watched import make_app, make_intake

PATIENCE_SECONDS = 10.0
WORKERS = 3


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intakes(clock: Clock) -> list[Intake]:
    """One of each worker."""
    found = []
    for place in range(WORKERS):
        intake = make_intake()
        intake.numbers = EventNumbers(clock)
        intake.numbers.become(place, WORKERS)
        found.append(intake)
    return found


@pytest.fixture
async def client(intakes: list[Intake]) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(make_app(*intakes))) as client:
        yield client


def happen(clock: Clock, intakes: Sequence[Intake], places: Sequence[int]) -> list[str]:
    """Let something happen to one worker after the other; the names, in the order of time."""
    names = []
    for place in places:
        clock.now += 0.001
        names.append(f"event-{round(clock.now * 1000)}-of-{place}")
        intakes[place].take(make_message(names[-1]))
    return names


async def found(client: TestClient, query: str = "") -> list[dict[str, object]]:
    response = await client.get(f"/events.json{query}")
    assert response.status == 200
    return await response.json()


async def test_events_of_all_are_in_the_order_of_time(client, clock, intakes):
    names = happen(clock, intakes, (0, 2, 1, 1, 0, 2))
    events = await found(client)
    assert [event["name"] for event in events] == names[::-1]
    assert len({event["id"] for event in events}) == len(names)
    page = await (await client.get("/events")).text()
    places = [page.index(name) for name in names]
    assert places == sorted(places, reverse=True)


async def test_pages_are_turned_by_the_number_of_the_last_event(client, clock, intakes):
    names = happen(clock, intakes, (0, 2, 1, 1, 0, 2, 2))
    turned: list[str] = []
    query = "?limit=2"
    while events := await found(client, query):
        turned += [str(event["name"]) for event in events]
        query = f"?limit=2&before={events[-1]['id']}"
    assert turned == names[::-1]


async def test_older_events_are_a_link_away(client, clock, intakes):
    happen(clock, intakes, (0, 1, 2))
    second = (await found(client))[1]["id"]
    page = await (await client.get("/events?limit=2")).text()
    assert f"events?limit=2&amp;before={second}" in page


async def test_filters_hold_everywhere(client, clock, intakes):
    happen(clock, intakes, (0, 1, 2))
    for intake in intakes:
        intake.take(make_message("linkDown"))
    events = await found(client, "?event=link&severity=error")
    assert [event["name"] for event in events] == ["linkDown"] * WORKERS


async def test_page_and_json_say_that_a_worker_is_silent(clock, intakes):
    async with TestClient(TestServer(make_app(intakes[0], None, intakes[2]))) as client:
        (name,) = happen(clock, intakes, (2,))
        response = await client.get("/events.json")
        assert response.headers["X-Workers-Silent"] == "1"
        assert [event["name"] for event in await response.json()] == [name]
        text = await (await client.get("/events")).text()
        assert "1 worker did not answer; events may be missing." in text


async def test_nothing_is_said_where_all_answer(client):
    assert "X-Workers-Silent" not in (await client.get("/events.json")).headers
    assert "did not answer" not in await (await client.get("/events")).text()


# --- the stream ----------------------------------------------------------------------------


async def frames(response: ClientResponse) -> AsyncIterator[dict[str, str]]:
    frame: dict[str, str] = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            frame[name] = value
        elif frame:
            yield frame
            frame = {}


async def streamed(coming: AsyncIterator[dict[str, str]], count: int) -> list[str]:
    return [json.loads((await anext(coming))["data"])["name"] for _ in range(count)]


async def test_stream_has_events_of_all_in_the_order_of_time(client, clock, intakes):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        coming = frames(response)
        assert await anext(coming) == {"retry": "3000"}
        names = happen(clock, intakes, (0, 2, 1, 1, 0, 2))
        clock.now += 1.0
        assert await streamed(coming, len(names)) == names
        assert [intake.recent.watchers for intake in intakes] == [1] * WORKERS
        response.close()


async def test_event_that_others_may_come_before_waits_for_them(client, clock, intakes):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        coming = frames(response)
        await anext(coming)
        # The second worker's clock of events is ahead: its numbers are those of the future.
        intakes[1].numbers.take(5_000_000)
        intakes[1].take(make_message("early"))
        names = happen(clock, intakes, (0, 2))
        clock.now += 1.0
        assert await streamed(coming, 2) == names
        clock.now += 10.0
        assert await streamed(coming, 1) == ["early"]
        response.close()


async def test_client_that_comes_back_gets_what_it_missed_of_all(client, clock, intakes):
    names = happen(clock, intakes, (0, 2, 1, 1, 0, 2))
    last = (await found(client))[3]["id"]
    clock.now += 1.0
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream", headers={"Last-Event-ID": str(last)})
        coming = frames(response)
        await anext(coming)
        assert await streamed(coming, 3) == names[3:]
        response.close()


async def test_stream_goes_on_with_a_successor_and_its_first_events(client, clock, intakes):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        coming = frames(response)
        await anext(coming)
        before = happen(clock, intakes, (1, 0))
        clock.now += 1.0
        assert await streamed(coming, 2) == before

        successor = make_intake()
        successor.numbers = intakes[1].numbers
        (first,) = happen(clock, [intakes[0], successor], (1,))
        questions = event_questions.EventQuestions(successor.recent, successor.numbers)
        client.app[SHELL].whole.everybody[1] = questions.answers()
        clock.now += 1.0
        assert await streamed(coming, 1) == [first]
        (second,) = happen(clock, [intakes[0], successor], (1,))
        clock.now += 1.0
        assert await streamed(coming, 1) == [second]
        response.close()


async def test_worker_that_was_silent_and_has_forgotten_the_watch_gives_no_event_again(
    client, clock, intakes
):
    whole = client.app[SHELL].whole
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        coming = frames(response)
        await anext(coming)
        before = happen(clock, intakes, (1, 0))
        clock.now += 1.0
        assert await streamed(coming, 2) == before

        everybody, whole.everybody = whole.everybody, [None] * WORKERS
        asked = len(whole.asked)
        while len(whole.asked) < asked + 2:  # noqa: ASYNC110 - sets no event
            await asyncio.sleep(0)
        again = event_questions.EventQuestions(intakes[1].recent, intakes[1].numbers)
        whole.everybody = [everybody[0], again.answers(), everybody[2]]
        after = happen(clock, intakes, (1,))
        clock.now += 1.0
        assert await streamed(coming, 1) == after
        response.close()


async def test_what_was_too_much_of_any_worker_is_told(client, clock, intakes):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        coming = frames(response)
        await anext(coming)
        for place in (1, 2):
            happen(clock, intakes, [place] * 600)
        clock.now += 1.0
        shown = missed = 0
        while shown + missed < 1200:
            frame = await anext(coming)
            if frame["event"] == "missed":
                missed += int(frame["data"])
            else:
                shown += 1
        response.close()
    assert missed == sum(intake.recent.dropped for intake in intakes) > 0


async def test_watch_ends_everywhere_when_the_client_goes(client, intakes):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        await anext(frames(response))
        response.close()
        while any(one.recent.watchers for one in intakes):  # noqa: ASYNC110 - sets no event
            await asyncio.sleep(0)


async def test_stream_ends_in_order_when_the_others_cannot_be_asked(client, intakes):
    async def nobody(question: str, argument: object) -> list[object]:
        raise OthersSilentError("The parent of the workers does not answer.")

    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        client.app[SHELL].whole.ask_all = nobody
        assert await response.read() == b"retry: 3000\n\n"
        refused = await client.get("/events/stream")
        assert refused.status == 503
        assert await refused.text() == "The parent of the workers does not answer.\n"


async def test_watch_that_nobody_asks_for_any_more_is_forgotten(intakes, monkeypatch):
    monkeypatch.setattr(event_questions, "_FORGET_SECONDS", 0.0)
    intake = intakes[0]
    questions = event_questions.EventQuestions(intake.recent, intake.numbers)
    questions.watch({"watch": "a", "parameters": [], "now": 0.0, "after": None})
    assert questions.watchers == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        while questions.watchers:  # noqa: ASYNC110 - sets no event
            await asyncio.sleep(0)
    assert questions.end_watch("a") is False
