"""The pages of events over HTTP: filters, JSON, the stream, hostile text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from exporters.events.event import Remarks
from exporters.events.intake import Intake
from exporters.web.shell import SHELL

from .conftest import Said, make_message
from .watched import HOSTILE, make_app, make_intake

PATIENCE_SECONDS = 10.0


@pytest.fixture
def intake() -> Intake:
    return make_intake()


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(make_app(intake))) as client:
        yield client


class Rows(HTMLParser):
    """The cells of the table of events, and every tag of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        self._in_cell = self._in_cell and tag != "td"

    def handle_data(self, data):
        if self._in_cell:
            self.rows[-1][-1] += data


async def rows(client: TestClient, query: str = "") -> list[list[str]]:
    response = await client.get(f"/events{query}")
    assert response.status == 200
    return Rows(await response.text()).rows[1:]


async def test_page_shows_events_the_newest_first(client, intake):
    intake.take(make_message("linkDown", "eth7 is down"))
    intake.take(make_message("linkUp", "eth7 is up", device="unknown"))

    assert await rows(client) == [
        ["1970-01-01 00:16:40", "unknown (192.0.2.1)", "info", "link", "linkUp", "eth7 is up"],
        ["1970-01-01 00:16:40", "core-1", "error", "link", "linkDown", "eth7 is down"],
    ]


async def test_time_of_the_device_stands_beside_another_of_arrival(client, intake):
    for device_time in (990.0, 1000.4, None):
        remarks = Remarks(device_time, faults=("double_priority",))
        intake.take(make_message("linkDown", details=Said({}, "", remarks)))

    times = [row[0] for row in await rows(client)]
    assert times[2] == "1970-01-01 00:16:40device: 1970-01-01 00:16:30"
    assert times[:2] == ["1970-01-01 00:16:40"] * 2
    shown = await (await client.get("/events.json")).json()
    assert [event.get("device_time") for event in shown] == [None, 1000.4, 990.0]
    assert [event["faults"] for event in shown] == [["double_priority"]] * 3
    assert "clock" not in shown[0]


async def test_page_says_that_there_is_nothing(client):
    assert "No event yet." in await (await client.get("/events")).text()
    assert "No such event is remembered." in await (await client.get("/events?text=x")).text()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?device=edge-1", ["linkUp"]),
        ("?severity=error", ["linkDown"]),
        ("?event=other", ["else"]),
        ("?text=ETH7", ["linkUp", "linkDown"]),
        ("?device=&event=&severity=&text=&since=&until=", ["else", "linkUp", "linkDown"]),
        ("?since=2100-01-01", []),
        ("?limit=1", ["else"]),
        ("?before=3&limit=1", ["linkUp"]),
    ],
)
async def test_page_and_json_show_what_is_asked_for(client, intake, query, names):
    intake.take(make_message("linkDown", "eth7 is down"))
    intake.take(make_message("linkUp", "eth7 is up", device="edge-1"))
    intake.take(make_message("else"))

    assert [row[4] for row in await rows(client, query)] == names
    response = await client.get(f"/events.json{query}")
    assert [event["name"] for event in await response.json()] == names


async def test_older_events_are_a_link_away_with_the_same_filters(client, intake):
    for _ in range(5):
        intake.take(make_message("linkDown"))
    page = Rows(await (await client.get("/events?event=link&limit=2")).text())

    assert "events?event=link&limit=2&before=4" in page.links


async def test_text_of_strangers_is_text(client, intake):
    intake.take(make_message(HOSTILE, HOSTILE))
    response = await client.get("/events")
    page = Rows(await response.text())

    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.rows[1][5].startswith('<script>document.title="taken"</script>')
    assert page.rows[1][5].isprintable()
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_query_that_cannot_be_is_refused_in_words(client):
    for path in ("/events", "/events.json", "/events/stream"):
        response = await client.get(f"{path}?event=lnk")
        assert response.status == 400
        assert "unknown event 'lnk'" in await response.text()


async def test_page_of_head_has_no_body(client):
    assert (await client.head("/events")).status == 200


async def frames(response: ClientResponse) -> AsyncIterator[dict[str, str]]:
    frame: dict[str, str] = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            frame[name] = value
        elif frame:
            yield frame
            frame = {}


async def test_stream_gives_new_events_that_are_asked_for(client, intake):
    intake.take(make_message("linkDown"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream?severity=error")
        assert response.headers["Content-Type"] == "text/event-stream"
        coming = frames(response)
        assert await anext(coming) == {"retry": "3000"}
        intake.take(make_message("linkUp"))
        intake.take(make_message("linkDown", HOSTILE))
        frame = await anext(coming)

    event = json.loads(frame["data"])
    assert (frame["id"], frame["event"], event["name"]) == ("3", "event", "linkDown")
    assert event["shown"]["time"] == "1970-01-01 00:16:40"
    response.close()


async def test_client_that_comes_back_gets_what_it_missed(client, intake):
    for number in range(4):
        intake.take(make_message(f"trap{number}"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream", headers={"Last-Event-ID": "2"})
        coming = frames(response)
        await anext(coming)
        found = [json.loads((await anext(coming))["data"])["id"] for _ in range(2)]

    assert found == [3, 4]
    response.close()


async def test_client_that_was_too_slow_is_told_how_many_it_missed(client, intake):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        coming = frames(response)
        await anext(coming)
        for _ in range(700):
            intake.take(make_message("linkDown"))
        shown = 0
        async for frame in coming:
            if frame["event"] == "missed":
                missed = int(frame["data"])
                break
            shown += 1

    assert missed == intake.recent.dropped
    assert shown + missed <= 700
    response.close()


async def test_stream_ends_when_the_server_does(client, intake):
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await client.get("/events/stream")
        late = await client.app[SHELL].in_flight.drain(PATIENCE_SECONDS)
        rest = await response.read()

    assert late == 0
    assert rest == b"retry: 3000\n\n"
    assert intake.recent.watchers == 0


async def test_number_of_watchers_is_limited(client, monkeypatch):
    monkeypatch.setattr("exporters.events.pages.MOST_WATCHERS", 1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await client.get("/events/stream")
        second = await client.get("/events/stream")

    assert (first.status, second.status) == (200, 503)
    assert second.headers["Retry-After"] == "10"
    first.close()
