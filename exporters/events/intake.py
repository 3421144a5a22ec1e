"""What becomes of every message, the same for traps and syslog: ``Intake.take``, top to bottom.

Judged, counted, noted as seen, its states changed, and shown. What an exporter counts beyond that,
datagrams and their outcomes, traps by name, is its own.

States belong to devices of the inventory: a sender that nobody knows could make up as many as it
likes. A reload exchanges rules and inventory; counters, states and recent events stay.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from exporters.config.event_settings import EventSettings
from exporters.config.event_taxonomy import EVENTS
from exporters.events.counters import CounterFamily, LastSeenFamily
from exporters.events.event import Action, Event, Message, Verdict
from exporters.events.event_counter import EventCounter
from exporters.events.event_numbers import EventNumbers
from exporters.events.exposition import Family, ValueFamily, accounting_families
from exporters.events.json_lines import JsonLines
from exporters.events.recent import Recent
from exporters.events.rules import RuleSet
from exporters.events.series import SeriesLimit
from exporters.events.state_families import state_families
from exporters.events.state_file import StateFile
from exporters.events.states import State, States, decode_state, encode_state
from exporters.logs import fields
from exporters.metrics.text import FamilyType

logger = logging.getLogger(__name__)

LimitedFamily = CounterFamily | LastSeenFamily

_STATES: Final = "state\t"
_SEEN: Final = "seen\t"
_SAVE_SECONDS: Final = 0.1
_TICK_SECONDS: Final = 1.0
_SYNC_SECONDS: Final = 5.0
_LAST_SEEN_SECONDS: Final = 60.0
_AT_ONCE: Final = 500
_PAUSES: Final = 10
"""What is done now and then may take a tenth of the time and no more."""


class Intake:
    """The one way in for messages that were received and decoded."""

    def __init__(
        self,
        name: str,
        rules: RuleSet,
        settings: EventSettings,
        *,
        devices: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with nothing; ``attach`` what outlives a process when it is to serve.

        Args:
            name: The exporter's, as in ``trap_exporter_build_info``: ``trap`` or ``syslog``.
            rules: What to judge messages by.
            settings: How much of everything there may be.
            devices: Names of the inventory's devices.
            clock: Unix time.
        """
        self.name = name
        self.rules = rules
        self.settings = settings
        self.state_file: StateFile | None = None
        self.json_lines: JsonLines | None = None
        self.recent = Recent(most_events=settings.recent_events, most_bytes=settings.recent_bytes)
        self.states = States(
            limit=settings.states_limit,
            device_limit=settings.device_states_limit,
            cleared_for_seconds=settings.cleared_for,
        )
        self.events = EventCounter(settings)
        self.last_seen = LastSeenFamily(
            "network_event_last_seen_timestamp_seconds",
            "Unix time of the last event.",
            ("device", "event"),
            limit=settings.series_limit,
        )
        self.unkept_states = 0
        """Changes of states that senders outside of the inventory asked for."""
        self._families: list[LimitedFamily] = [self.events.family, self.last_seen]
        self._devices: frozenset[str] = frozenset()
        self._clock = clock
        self.numbers = EventNumbers()
        self.replace(rules, devices)

    def attach(
        self, *, state_file: StateFile | None = None, json_lines: JsonLines | None = None
    ) -> None:
        """Take up what an earlier process left in *state_file*, and keep states there from now on.

        When the exporter begins to serve and not before: whoever only checks a configuration must
        not touch the file of a process that runs. *json_lines* is where events are logged, if they
        are.
        """
        self.state_file = state_file
        self.json_lines = json_lines
        self._restore()

    def take(self, message: Message) -> Verdict:
        """Judge a message, and do what the verdict says."""
        verdict = self.rules.judge(message)
        if verdict.action is Action.DROP:
            return verdict
        device, received_at = message.device, message.received_at
        self.count(device, verdict, 1, received_at)
        if verdict.changes or verdict.restarted:
            self.change_states(device, verdict, received_at, message.uptime_ticks)
        if verdict.action is Action.RECORD:
            self.record(message, verdict)
        return verdict

    def count(self, device: str, verdict: Verdict, amount: int, received_at: float) -> None:
        """Count messages of one device that came together, and have one verdict.

        Beside ``change_states`` and ``record`` it is what ``take`` does for each of them.
        """
        self.events.count(device, verdict, amount)
        self.last_seen.set((device, verdict.event), received_at)

    def change_states(
        self, device: str, verdict: Verdict, received_at: float, uptime_ticks: int | None = None
    ) -> None:
        """Do to the states of a device what a verdict says."""
        if device not in self._devices:
            self.unkept_states += len(verdict.changes)
            return
        if verdict.restarted:
            self.states.restarted(device, received_at)
        for change in verdict.changes:
            self.states.apply(device, change, received_at, uptime_ticks)

    def record(self, message: Message, verdict: Verdict) -> None:
        """Show a message among the recent events, and log it."""
        event = Event(self.numbers.take_one(), message, verdict)
        self.recent.add(event)
        if self.json_lines is not None:
            self.json_lines.write(event)

    def record_batch(self, events: Sequence[Event], size_bytes: int) -> None:
        """Show events that came together, and log them; their numbers are of ``numbers``."""
        self.recent.add_batch(events, size_bytes)
        if self.json_lines is not None:
            for event in events:
                self.json_lines.write(event)

    def keep_states(self) -> bool:
        """Put states that have changed into the state file, whose next flush writes them.

        As they are now: one that came and went a hundred times since then is encoded once.

        Returns:
            Whether there may be more, as a storm is kept in parts.
        """
        changed = self.states.take_changed()
        if self.state_file is not None:
            self.state_file.update(
                (_STATES + "\t".join(key), None if state is None else encode_state(state))
                for key, state in changed
            )
        return bool(changed)

    def replace(self, rules: RuleSet, devices: Collection[str]) -> None:
        """Judge by other rules from now on, and set series aside for these devices."""
        self.rules = rules
        self._devices = frozenset(devices)
        for family in self._families:
            family.series.reserve(devices)
        self.events.replace(rules, devices)
        self.states.keep_only(self._devices, self._clock())

    def add_family(self, family: LimitedFamily) -> None:
        """Show a family of the exporter's own with those of events, and account for its series."""
        family.series.reserve(self._devices)
        self._families.append(family)

    def families(self) -> list[Family]:
        """Give all families of events and of what keeps them, for ``/metrics``."""
        return [
            *self._families,
            *state_families(self.states),
            *accounting_families(f"{self.name}_exporter", self._limits),
            *self._own_families(),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let time pass for states, and keep what changes, for as long as the context lasts."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._save_last_seen()
            await self._sync()
            if self.json_lines is not None:
                await asyncio.to_thread(self.json_lines.close)

    def _restore(self) -> None:
        if self.state_file is None:
            return
        states: list[State] = []
        wrong = 0
        for name, value in self.state_file.items(_STATES):
            try:
                states.append(decode_state(name.removeprefix(_STATES), value))
            except ValueError:
                wrong += 1
                self.state_file.delete(name)
        self.states.restore(states, self._clock())
        self.states.keep_only(self._devices, self._clock())
        for name, value in self.state_file.items(_SEEN):
            device, _, event = name.removeprefix(_SEEN).partition("\t")
            if event in EVENTS and isinstance(value, int | float):
                self.last_seen.set((device, event), float(value))
        if wrong:
            logger.error("saved states not understood", extra=fields(states=wrong))

    async def _keep(self) -> None:
        now = asyncio.get_running_loop().time
        steps: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (self._tick, _TICK_SECONDS),
            (self._save_last_seen, _LAST_SEEN_SECONDS),
            (self._save, _SAVE_SECONDS),
            (self._sync, _SYNC_SECONDS),
        ]
        due_at = [now() + seconds for _, seconds in steps]
        while True:
            await asyncio.sleep(_SAVE_SECONDS)
            for place, (step, seconds) in enumerate(steps):
                if now() < due_at[place]:
                    continue
                began_at = now()
                try:
                    await step()
                except Exception:
                    # Whatever it is, states must go on ending, and be kept.
                    logger.exception("keeping of events failed")
                # In a storm much has changed each time: messages come first then.
                took = now() - began_at
                due_at[place] = began_at + max(seconds, took * _PAUSES)

    async def _tick(self) -> None:
        self.states.tick(self._clock())

    async def _save(self) -> None:
        await self._keep_states()
        if self.state_file is not None and self.state_file.changed:
            await asyncio.to_thread(self.state_file.flush)

    async def _sync(self) -> None:
        await self._keep_states()
        if self.state_file is not None:
            await asyncio.to_thread(self.state_file.sync)

    async def _keep_states(self) -> None:
        for _ in iter(self.keep_states, False):
            await asyncio.sleep(0)

    async def _save_last_seen(self) -> None:
        """Note when events were last seen; a minute is exact enough for whoever restarts."""
        if self.state_file is None:
            return
        for count, ((device, event), seen_at) in enumerate(list(self.last_seen.items())):
            name = f"{_SEEN}{device}\t{event}"
            if self.state_file.get(name) != seen_at:
                self.state_file.put(name, seen_at)
            if count % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _limits(self) -> Iterator[tuple[str, SeriesLimit]]:
        for family in self._families:
            yield family.name, family.series

    def _own_families(self) -> Iterator[Family]:
        gauges: list[tuple[str, str, Callable[[], float]]] = [
            ("recent_events", "Events that /events holds.", lambda: len(self.recent)),
            ("recent_bytes", "Bytes that these take, about.", lambda: self.recent.size_bytes),
            ("event_watchers", "Clients of /events/stream.", lambda: self.recent.watchers),
        ]
        counters: list[tuple[str, str, Callable[[], float]]] = [
            (
                "event_watchers_missed_total",
                "Events that clients of /events/stream were too slow for.",
                lambda: self.recent.dropped,
            ),
            (
                "states_of_strangers_total",
                "Changes of states that were not made: the sender is not in the inventory.",
                lambda: self.unkept_states,
            ),
        ]
        if (lines := self.json_lines) is not None:
            counters += [
                ("events_logged_total", "Lines written by --events.log.", lambda: lines.written),
                (
                    "events_log_dropped_total",
                    "Events not logged, because the log was too slow.",
                    lambda: lines.dropped,
                ),
                (
                    "events_log_failed_total",
                    "Events that could not be written.",
                    lambda: lines.failed,
                ),
            ]
        if (file := self.state_file) is not None:
            gauges += [
                ("state_file_bytes", "Length of the state file.", lambda: file.size_bytes),
                (
                    "state_file_failing",
                    "Whether what has changed could not be written.",
                    lambda: int(file.failing),
                ),
                (
                    "state_file_damaged",
                    "Whether the state file was damaged at the start, and was set aside.",
                    lambda: int(file.damaged is not None),
                ),
            ]
            counters.append(("state_file_failures_total", "Failed writes.", lambda: file.failures))
        for kind, families in ((FamilyType.GAUGE, gauges), (FamilyType.COUNTER, counters)):
            for name, help_text, read in families:
                yield ValueFamily(
                    f"{self.name}_exporter_{name}", help_text, kind, partial(_alone, read)
                )


def _alone(read: Callable[[], float]) -> list[tuple[str, float]]:
    """Give a value without a label."""
    return [("", read())]
