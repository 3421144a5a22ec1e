"""``/events``: the recent events as a page, as JSON, and as a stream.

The page works without a script, which only adds new events while the page is open. All that senders
wrote is escaped, in HTML and in JSON; communities and users are not among what can be shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import hdrs, web

from exporters.config.event_taxonomy import EVENTS, SEVERITIES
from exporters.events.event_query import EventQuery, read_event_query
from exporters.events.event_rows import table
from exporters.events.event_stream import MOST_WATCHERS, stream_events
from exporters.events.intake import Intake
from exporters.web.markup import Html, element, join
from exporters.web.pages import Script, render_framed
from exporters.web.responses import plain_text
from exporters.web.service import Route

_SCRIPT: Final = Script("events.js")


def event_routes(
    title: str,
    intake: Intake,
    devices: Callable[[], Sequence[str]],
    *,
    clock: Callable[[], float] = time.time,
) -> list[Route]:
    """Give the routes of recent events.

    Args:
        title: Of the exporter, "SNMP trap exporter".
        intake: Whose events they are.
        devices: Gives the names to offer while somebody types one.
        clock: Unix time.
    """

    async def page(request: web.Request) -> web.Response:
        asked = read_event_query(request.query, clock())
        events = intake.recent.search(asked.query, limit=asked.limit, before=asked.before)
        last = events[-1].number if len(events) == asked.limit else 0
        return render_framed(
            title,
            f"Events · {title}",
            element("h1", "Events"),
            _form(request, devices()),
            _bar(is_live=not asked.before),
            table(events),
            "" if events else element("p", _nothing(asked), id="events-empty"),
            _older(request, last),
            script=None if asked.before else _SCRIPT,
        )

    async def as_json(request: web.Request) -> web.Response:
        asked = read_event_query(request.query, clock())
        events = intake.recent.search(asked.query, limit=asked.limit, before=asked.before)
        body = json.dumps([event.as_json() for event in events])
        return web.Response(text=f"{body}\n", content_type="application/json")

    async def stream(request: web.Request) -> web.StreamResponse:
        asked = read_event_query(request.query, clock())
        if intake.recent.watchers >= MOST_WATCHERS:
            text = "Too many clients watch events; try again later."
            return plain_text(503, text, {hdrs.RETRY_AFTER: "10"})
        return await stream_events(request, intake.recent, asked)

    return [
        Route("GET", "/events", page, "recent events, and new ones as they come"),
        Route("GET", "/events.json", as_json, "recent events as JSON"),
        Route("GET", "/events/stream", stream, "new events as server-sent events"),
    ]


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
