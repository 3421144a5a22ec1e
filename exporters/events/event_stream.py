"""``/events/stream``: new events as they come, as server-sent events.

    id: 4711
    event: event
    data: {"id": 4711, "device": "core-1", ...}

``missed`` events tell how many a slow client has not got. A browser that was disconnected says
which was the last it has, and gets what it missed as far as that is remembered.

Source: the HTML standard, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Final

from aiohttp import hdrs, web

from exporters.events.event import Event
from exporters.events.event_query import EventQuery
from exporters.events.event_rows import shown
from exporters.events.recent import Recent, Watcher
from exporters.web.shell import SHELL

MOST_WATCHERS: Final = 100
_LOOK_SECONDS: Final = 0.5
_COMMENT_SECONDS: Final = 15.0
_WRITE_SECONDS: Final = 10.0
_RETRY: Final = b"retry: 3000\n\n"
_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",  # or nginx keeps events until it has some kilobytes of them
    "X-Content-Type-Options": "nosniff",
}


async def stream_events(
    request: web.Request, recent: Recent, asked: EventQuery
) -> web.StreamResponse:
    """Answer with events until the client goes, reads too slowly, or the server ends."""
    response = web.StreamResponse(headers=_HEADERS)
    with recent.watch(asked.query) as watcher:
        missed = _after_last_event(request, recent, asked)
        try:
            await response.prepare(request)
            await _write(response, _RETRY + _frames(missed))
            await _follow(request, response, watcher)
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
    return response


async def _follow(request: web.Request, response: web.StreamResponse, watcher: Watcher) -> None:
    in_flight = request.app[SHELL].in_flight
    loop = asyncio.get_running_loop()
    told_missed = 0
    wrote_at = loop.time()
    while not in_flight.draining:
        frames = _frames(await watcher.next_events(patience_seconds=_LOOK_SECONDS))
        if watcher.missed > told_missed:
            frames += b"event: missed\ndata: %d\n\n" % (watcher.missed - told_missed)
            told_missed = watcher.missed
        if not frames and loop.time() - wrote_at >= _COMMENT_SECONDS:
            frames = b":\n\n"  # so that proxies do not take the connection for dead
        if frames:
            await _write(response, frames)
            wrote_at = loop.time()


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_WRITE_SECONDS):
        await response.write(data)


def _after_last_event(request: web.Request, recent: Recent, asked: EventQuery) -> list[Event]:
    """Give what came since the event that a client which was disconnected had last."""
    last = request.headers.get("Last-Event-ID", "")
    if not (last.isascii() and last.isdigit()):
        return []
    found = recent.search(asked.query, limit=asked.limit)
    return [event for event in reversed(found) if event.number > int(last[:18])]


def _frames(events: Iterable[Event]) -> bytes:
    return b"".join(
        b"id: %d\nevent: event\ndata: %s\n\n" % (event.number, _json(event)) for event in events
    )


def _json(event: Event) -> bytes:
    return json.dumps({**event.as_json(), "shown": shown(event)}).encode()
