"""``/events``: the recent events as a page, as JSON, and as a stream.

The page works without a script, which only adds new events while the page is open. All that senders
wrote is escaped, in HTML and in JSON; communities and users are not among what can be shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import hdrs, web

from exporters.config.event_taxonomy import EVENTS, SEVERITIES
from exporters.events.event_query import EventQuery, read_event_query
from exporters.events.event_questions import LATEST, EventQuestions, LatestQuestion
from exporters.events.event_rows import table
from exporters.events.event_stream import MOST_WATCHERS, stream_events
from exporters.web.markup import Html, element, join
from exporters.web.pages import Script, render_framed
from exporters.web.responses import plain_text
from exporters.web.service import Route
from exporters.web.shell import SHELL
from exporters.wording import counted

SILENT_HEADER: Final = "X-Workers-Silent"
"""How many workers' events an answer lacks, which its JSON cannot say."""

_SCRIPT: Final = Script("events.js")


def event_routes(
    title: str,
    questions: EventQuestions,
    devices: Callable[[], Sequence[str]],
    *,
    clock: Callable[[], float] = time.time,
) -> list[Route]:
    """Give the routes of recent events.

    Args:
        title: Of the exporter, "SNMP trap exporter".
        questions: Of its events; all its processes are asked them.
        devices: Gives the names to offer while somebody types one.
        clock: Unix time.
    """

    async def page(request: web.Request) -> web.Response:
        asked = read_event_query(request.query, now := clock())
        found = await _ask(request, asked, now, as_rows=True)
        events = found.events
        last = events[-1]["id"] if len(events) == asked.limit else 0
        return render_framed(
            title,
            f"Events · {title}",
            element("h1", "Events"),
            _form(request, devices()),
            _bar(is_live=not asked.before),
            element("p", _missing(found.silent), class_="bad") if found.silent else "",
            table(events),
            "" if events else element("p", _nothing(asked), id="events-empty"),
            _older(request, last),
            script=None if asked.before else _SCRIPT,
        )

    async def as_json(request: web.Request) -> web.Response:
        asked = read_event_query(request.query, now := clock())
        found = await _ask(request, asked, now, as_rows=False)
        body = json.dumps(found.events)
        headers = {SILENT_HEADER: str(found.silent)} if found.silent else None
        return web.Response(text=f"{body}\n", content_type="application/json", headers=headers)

    async def stream(request: web.Request) -> web.StreamResponse:
        read_event_query(request.query, now := clock())
        if questions.watchers >= MOST_WATCHERS:
            text = "Too many clients watch events; try again later."
            return plain_text(503, text, {hdrs.RETRY_AFTER: "10"})
        return await stream_events(request, questions, now)

    return [
        Route("GET", "/events", page, "recent events, and new ones as they come"),
        Route("GET", "/events.json", as_json, "recent events as JSON"),
        Route("GET", "/events/stream", stream, "new events as server-sent events"),
    ]


class _Found(NamedTuple):
    """What all processes of the exporter have answered."""

    events: list[dict[str, Any]]
    silent: int
    """How many have not."""


async def _ask(request: web.Request, asked: EventQuery, now: float, *, as_rows: bool) -> _Found:
    question: LatestQuestion = {
        "parameters": list(request.query.items()),
        "now": now,
        "as_rows": as_rows,
    }
    answers = await request.app[SHELL].whole.ask_all(LATEST, question)
    told = [answer for answer in answers if answer is not None]
    newest_first = merge(*told, key=itemgetter("id"), reverse=True)
    return _Found(list(islice(newest_first, asked.limit)), len(answers) - len(told))


def _missing(silent: int) -> str:
    return f"{counted(silent, 'worker')} did not answer; events may be missing."


def _form(request: web.Request, devices: Sequence[str]) -> Html:
    query = request.query
    form = element(
        "form",
        _input("device", "Device", query.get("device", ""), devices),
        _select("event", "Event", query.get("event", ""), EVENTS, "any"),
        _select("severity", "Severity", query.get("severity", ""), SEVERITIES, "any", " or worse"),
        _input("text", "Text", query.get("text", "")),
        _input("since", "Since", query.get("since", ""), placeholder="15m, 2026-01-31T12:00Z"),
        _input("until", "Until", query.get("until", ""), placeholder="now"),
        element("div", element("button", "Filter", type="submit"), class_="actions"),
        action="events",
        method="get",
        aria_label="Filter",
    )
    # Folded while nothing is filtered: on a telephone it is as large as the screen.
    heading = element("summary", "Filter")
    return element("details", heading, form, open=any(query.values()), class_="filter")


def _input(
    name: str, label: str, value: str, choices: Sequence[str] = (), placeholder: str = ""
) -> Html:
    field_id = f"filter-{name}"
    list_id = f"{field_id}-choices" if choices else None
    options = (element("option", value=choice) for choice in choices)
    return element(
        "div",
        element("label", label, for_=field_id),
        element(
            "input",
            id=field_id,
            name=name,
            type="text",
            value=value or None,
            placeholder=placeholder or None,
            list=list_id,
            autocomplete="off",
            spellcheck="false",
        ),
        element("datalist", *options, id=list_id) if list_id else "",
    )


def _select(
    name: str, label: str, chosen: str, choices: Sequence[str], none: str, suffix: str = ""
) -> Html:
    field_id = f"filter-{name}"
    options = (
        element("option", f"{choice}{suffix}", value=choice, selected=choice == chosen)
        for choice in choices
    )
    return element(
        "div",
        element("label", label, for_=field_id),
        element("select", element("option", none, value=""), *options, id=field_id, name=name),
    )


def _bar(*, is_live: bool) -> Html:
    text = "As of the time when this page was loaded." if is_live else "Earlier events."
    pause = element("button", "Pause", type="button", id="events-pause", hidden=True)
    return element(
        "div",
        element("p", text, id="events-status", role="status"),
        pause if is_live else element("a", "Newest events", href="events"),
        class_="bar",
    )


def _older(request: web.Request, last: int) -> Html:
    if not last:
        return join()
    kept = [(name, value) for name, value in request.query.items() if name != "before"]
    return element(
        "p", element("a", "Earlier events", href=f"events?{urlencode([*kept, ('before', last)])}")
    )


def _nothing(asked: EventQuery) -> str:
    return "No such event is remembered." if any(asked.query) else "No event yet."
