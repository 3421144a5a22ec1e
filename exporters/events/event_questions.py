"""What the processes of one exporter ask each other about events: each remembers its own.

    latest_events       the newest first
    watch_events        those that are new since the last time; the first time, those after a number
    end_event_watch     no more of them

What is asked for is said as the client did, in the parameters of its query. Whoever watches asks
again and again. A watch that is not asked for any more ends by itself, because the process that did
may have been killed; one that a successor does not know begins anew, after the number that all is
known to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from multidict import MultiDict

from exporters.events.event import Event
from exporters.events.event_numbers import EventNumbers
from exporters.events.event_query import EventQuery, read_event_query
from exporters.events.event_rows import row, shown
from exporters.events.recent import Recent, Watcher
from exporters.web.service import Question

LATEST: Final = "latest_events"
WATCH: Final = "watch_events"
END_WATCH: Final = "end_event_watch"
_FORGET_SECONDS: Final = 30.0
"""Longer than a client may take to read what it was sent."""


class Asked(TypedDict):
    """What a client asks for, and when."""

    parameters: list[tuple[str, str]]
    now: float


class LatestQuestion(Asked):
    """The latest events."""

    as_rows: bool
    """As ``event_rows.row`` gives them, or else as ``Event.as_json`` does."""


class WatchQuestion(Asked):
    """New events."""

    watch: str
    """Its name."""
    after: int | None
    """The number that a watch that is not known begins after; None: with what comes."""


class WatchAnswer(TypedDict):
    """New events."""

    events: list[dict[str, Any]]
    """The oldest first: ``Event.as_json``, and ``shown`` beside it."""
    missed: int
    """How many came too fast."""
    bound: int
    """What the number of no event in a later answer is less than."""


@dataclass(slots=True)
class _Watch:
    """One client that watches, as each process has it."""

    watcher: Watcher
    forgetting: asyncio.TimerHandle


class EventQuestions:
    """Answers for the events of this process."""

    def __init__(self, recent: Recent, numbers: EventNumbers) -> None:
        self._recent = recent
        self._numbers = numbers
        self._watches: dict[str, _Watch] = {}

    def answers(self) -> Mapping[str, Question]:
        """Give what answers them, for ``Service.questions``."""
        return {LATEST: self.latest, WATCH: self.watch, END_WATCH: self.end_watch}

    def latest(self, question: LatestQuestion) -> list[dict[str, Any]]:
        """Give the latest events."""
        asked = _read(question)
        found = self._recent.search(asked.query, limit=asked.limit, before=asked.before)
        return list(map(row if question["as_rows"] else Event.as_json, found))

    def watch(self, question: WatchQuestion) -> WatchAnswer:
        """Give new events; the watch goes on."""
        name = question["watch"]
        if (known := self._watches.get(name)) is None:
            asked = _read(question)
            watcher = self._recent.watch(asked.query)
            events = self._after(question["after"], asked)
        else:
            known.forgetting.cancel()
            watcher = known.watcher
            events = watcher.take()
        forgetting = asyncio.get_running_loop().call_later(_FORGET_SECONDS, self.end_watch, name)
        self._watches[name] = _Watch(watcher, forgetting)
        first = watcher.first_waiting()
        return {
            "events": [{**event.as_json(), "shown": shown(event)} for event in events],
            "missed": watcher.take_missed(),
            "bound": self._numbers.least_to_come() if first is None else first.number,
        }

    def end_watch(self, name: str) -> bool:
        """End a watch; false where there is none."""
        watch = self._watches.pop(name, None)
        if watch is None:
            return False
        watch.forgetting.cancel()
        watch.watcher.close()
        return True

    async def arrival(self, name: str, patience_seconds: float) -> None:
        """Wait until an event of this process has come for a watch, or for a time."""
        if watch := self._watches.get(name):
            await watch.watcher.arrival(patience_seconds)

    @property
    def watchers(self) -> int:
        """How many watch, whichever process they have asked."""
        return self._recent.watchers

    def _after(self, number: int | None, asked: EventQuery) -> list[Event]:
        """Give what came after an event, as far as that is remembered."""
        if number is None:
            return []
        found = self._recent.search(asked.query, limit=asked.limit)
        return [event for event in reversed(found) if event.number > number]


def _read(asked: Asked) -> EventQuery:
    return read_event_query(MultiDict(asked["parameters"]), asked["now"])
