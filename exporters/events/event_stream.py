"""``/events/stream``: new events as they come, as server-sent events.

    id: 4711
    event: event
    data: {"id": 4711, "device": "core-1", ...}

``missed`` events tell how many a slow client has not got. A browser that was disconnected says
which was the last it has, and gets what it missed as far as that is remembered.

Where several processes serve one exporter, each is asked for its new events again and again, and
what all of them are known to stands in one order: so a number says which events a client has. A
hundred clients with nothing to see take 4 % of a core from each of two workers, and 6 % from their
parent.

Source: the HTML standard, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
import secrets
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from operator import itemgetter
from typing import Any, Final, NamedTuple

from aiohttp import hdrs, web

from exporters.events.event_questions import (
    END_WATCH,
    WATCH,
    EventQuestions,
    WatchAnswer,
    WatchQuestion,
)
from exporters.web.shell import SHELL
from exporters.web.whole import OthersSilentError, WholeExporter

MOST_WATCHERS: Final = 100
_LOOK_SECONDS: Final = 0.5
_ROUND_SECONDS: Final = 0.2
_COMMENT_SECONDS: Final = 15.0
_WRITE_SECONDS: Final = 10.0
_RETRY: Final = b"retry: 3000\n\n"
_NUMBER: Final = itemgetter("id")
_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",  # or nginx keeps events until it has some kilobytes of them
    "X-Content-Type-Options": "nosniff",
}


async def stream_events(
    request: web.Request, questions: EventQuestions, now: float
) -> web.StreamResponse:
    """Answer with events until the client goes, reads too slowly, or the server ends.

    Raises:
        OthersSilentError: The other processes of this exporter cannot be asked.
    """
    response = web.StreamResponse(headers=_HEADERS)
    watch = _JointWatch(request, questions, now)
    try:
        first = await watch.news()
        await response.prepare(request)
        await _write(response, _RETRY + _frames(first))
        await _follow(request, response, watch)
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    except OthersSilentError:
        if not response.prepared:
            raise
    finally:
        await watch.end()
    return response


async def _follow(request: web.Request, response: web.StreamResponse, watch: _JointWatch) -> None:
    in_flight = request.app[SHELL].in_flight
    loop = asyncio.get_running_loop()
    wrote_at = loop.time()
    while not in_flight.draining:
        await watch.pause()
        frames = _frames(await watch.news())
        if not frames and loop.time() - wrote_at >= _COMMENT_SECONDS:
            frames = b":\n\n"  # so that proxies do not take the connection for dead
        if frames:
            await _write(response, frames)
            wrote_at = loop.time()


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_WRITE_SECONDS):
        await response.write(data)


class _News(NamedTuple):
    """What there is to tell a client."""

    events: Iterable[dict[str, Any]]
    missed: int


class _JointWatch:
    """What all processes have for one client, in the order of the numbers of events."""

    def __init__(self, request: web.Request, questions: EventQuestions, now: float) -> None:
        self._whole: WholeExporter = request.app[SHELL].whole
        self._questions = questions
        self._question: WatchQuestion = {
            "watch": secrets.token_hex(8),
            "parameters": list(request.query.items()),
            "now": now,
            "after": _last_event(request),
        }
        self._is_alone = True
        self._early: list[dict[str, Any]] = []
        """Events that others may come before."""

    async def news(self) -> _News:
        """Ask all, and give the events that nothing can come before any more.

        Raises:
            OthersSilentError: The other processes of this exporter cannot be asked.
        """
        answers = await self._whole.ask_all(WATCH, self._question)
        self._is_alone = len(answers) == 1
        told: list[WatchAnswer] = [answer for answer in answers if answer is not None]
        if not told:
            return _News((), 0)
        events = sorted((*self._early, *(e for one in told for e in one["events"])), key=_NUMBER)
        bound = min(one["bound"] for one in told)
        place = bisect_left(events, bound, key=_NUMBER)
        self._early = events[place:]
        self._question["after"] = bound - 1
        return _News(events[:place], sum(one["missed"] for one in told))

    async def pause(self) -> None:
        """Wait until there may be more."""
        if self._is_alone:
            await self._questions.arrival(self._question["watch"], _LOOK_SECONDS)
        else:
            await asyncio.sleep(_ROUND_SECONDS)

    async def end(self) -> None:
        """Tell all that nobody watches any more; who does not hear it will forget."""
        with suppress(OthersSilentError):
            await self._whole.ask_all(END_WATCH, self._question["watch"])


def _last_event(request: web.Request) -> int | None:
    """Give the number of the event that a client which was disconnected had last."""
    last = request.headers.get("Last-Event-ID", "")
    return int(last[:18]) if last.isascii() and last.isdigit() else None


def _frames(news: _News) -> bytes:
    frames = b"".join(
        b"id: %d\nevent: event\ndata: %s\n\n" % (event["id"], json.dumps(event).encode())
        for event in news.events
    )
    return frames + b"event: missed\ndata: %d\n\n" % news.missed if news.missed else frames
