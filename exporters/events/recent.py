"""The last events, in memory: what stands behind a counter that has increased.

Bounded by number and by bytes of the messages, whose text is written when somebody looks. Events
that came together may be kept as a batch, which makes them then too. Whoever watches gets new
events through a queue of its own; one that cannot keep up misses some and is told how many, and the
receiver never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from exporters.config.event_taxonomy import SEVERITIES
from exporters.events.event import Event

_OVERHEAD_BYTES: Final = 1000
"""What an event takes beside the bytes of its message, about: tuples, numbers, short texts."""

_WAITING_EVENTS: Final = 500
_MOST_LOOKED_AT: Final = 5000
"""How many events a search for text reads, so that it does not hold up the receiver."""


class Query(NamedTuple):
    """Which events to show; what is empty does not matter.

    Attributes:
        devices: Names of devices.
        events: Of the taxonomy.
        severity: This one or a worse one.
        text: What text, name, device or source has in it, in any case.
        since: Unix time of the first.
        until: Unix time of the last.
    """

    devices: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    severity: str = ""
    text: str = ""
    since: float = 0.0
    until: float = 0.0

    def matches(self, event: Event) -> bool:
        """Whether to show an event."""
        return self.may_match(event) and self._has_text(event)

    def may_match(self, event: Event) -> bool:
        """Whether to show an event, as far as can be said without reading its text."""
        message, verdict = event.message, event.verdict
        if self.devices and message.device not in self.devices:
            return False
        if self.events and verdict.event not in self.events:
            return False
        if self.severity and verdict.severity not in _THIS_OR_WORSE[self.severity]:
            return False
        is_after = bool(self.until) and message.received_at > self.until
        return message.received_at >= self.since and not is_after

    def _has_text(self, event: Event) -> bool:
        if not self.text:
            return True
        message = event.message
        wanted = self.text.casefold()
        parts = (message.name, message.device, message.source)
        return any(wanted in part.casefold() for part in parts) or wanted in event.text().casefold()


_THIS_OR_WORSE: Final = {
    severity: frozenset(SEVERITIES[: place + 1]) for place, severity in enumerate(SEVERITIES)
}


class Recent:
    """The last events, at most *most_events* of at most *most_bytes* together."""

    def __init__(self, *, most_events: int, most_bytes: int) -> None:
        self.dropped = 0
        """How many events those who watch have missed."""
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._bytes = 0
        self._count = 0
        self._batches: deque[tuple[Sequence[Event], int]] = deque()
        self._watchers: list[Watcher] = []

    def __len__(self) -> int:
        return min(self._count, self._most_events)

    @property
    def size_bytes(self) -> int:
        """What the events take, about."""
        return self._bytes

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def add(self, event: Event) -> None:
        """Take an event in; the oldest go."""
        self._keep((event,), event.message.size_bytes + _OVERHEAD_BYTES)
        for watcher in self._watchers:
            watcher.offer(event)

    def add_batch(self, events: Sequence[Event], size_bytes: int) -> None:
        """Take in events that came together, whose messages have *size_bytes*; the oldest go.

        They are looked at when somebody searches or watches, and may be made then.
        """
        size_bytes += _OVERHEAD_BYTES * len(events)
        if self._watchers or size_bytes > self._most_bytes:
            for event in events:
                self.add(event)
        else:
            self._keep(events, size_bytes)

    def _keep(self, events: Sequence[Event], size_bytes: int) -> None:
        """Take a batch in; those go that the others are enough without."""
        batches = self._batches
        batches.append((events, size_bytes))
        self._count += len(events)
        self._bytes += size_bytes
        while len(batches) > 1 and (
            self._bytes > self._most_bytes or self._count - len(batches[0][0]) >= self._most_events
        ):
            oldest, oldest_bytes = batches.popleft()
            self._count -= len(oldest)
            self._bytes -= oldest_bytes

    def search(self, query: Query, *, limit: int, before: int = 0) -> list[Event]:
        """Give the latest events that *query* asks for, the newest first.

        With *before*, those whose number is less: the next page.
        """
        newest_first: Iterator[Event] = islice(self._newest_first(), self._most_events)
        if before:
            newest_first = (event for event in newest_first if event.number < before)
        looked_at = islice(newest_first, _MOST_LOOKED_AT)
        return list(islice(filter(query.matches, looked_at), limit))

    def watch(self, query: Query) -> Watcher:
        """Give new events that *query* asks for, until the watcher is closed."""
        watcher = Watcher(query, self)
        self._watchers.append(watcher)
        return watcher

    def count_dropped(self) -> None:
        """Count an event that somebody who watches has missed."""
        self.dropped += 1

    def forget(self, watcher: Watcher) -> None:
        """Give it no more events."""
        self._watchers.remove(watcher)

    def _newest_first(self) -> Iterator[Event]:
        for events, _ in reversed(self._batches):
            yield from reversed(events)


class Watcher:
    """Somebody who watches."""

    def __init__(self, query: Query, recent: Recent) -> None:
        self._query = query
        self._recent = recent
        self._missed = 0
        self._waiting: deque[Event] = deque()
        self._arrived = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Take an event for later, if there is room; its text is looked at then."""
        if not self._query.may_match(event):
            return
        if len(self._waiting) >= _WAITING_EVENTS:
            self._missed += 1
            self._recent.count_dropped()
            return
        self._waiting.append(event)
        self._arrived.set()

    async def arrival(self, patience_seconds: float) -> None:
        """Wait until there is an event to take, or for a time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await self._arrived.wait()

    def take(self, most: int = 100) -> list[Event]:
        """Give what has come, the oldest first."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if not self._waiting:
            self._arrived.clear()
        return [event for event in taken if self._query.matches(event)]

    def first_waiting(self) -> Event | None:
        """Give the event that would be taken next."""
        return self._waiting[0] if self._waiting else None

    def take_missed(self) -> int:
        """Give how many events found no room since this was asked for the last time."""
        missed, self._missed = self._missed, 0
        return missed

    def close(self) -> None:
        """Take no more events."""
        self._recent.forget(self)
