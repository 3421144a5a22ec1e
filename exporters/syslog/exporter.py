"""The syslog exporter: listens for messages, and serves what they tell.

What becomes of a message is told by ``exporters.syslog.receiver``, what becomes of an event by
``exporters.events.intake``, and what a connection may do by ``exporters.syslog.connections``.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from exporters.build import this_build
from exporters.config.syslog_dump import dump_syslog_config
from exporters.events.event_questions import EventQuestions
from exporters.events.explain_page import explain_routes
from exporters.events.exposition import write_families
from exporters.events.flags import state_path
from exporters.events.health import Health
from exporters.events.intake import Intake
from exporters.events.json_lines import JsonLines
from exporters.events.pages import event_routes
from exporters.events.shares import Share
from exporters.events.state_file import StateFile
from exporters.events.state_parts import open_divided, open_part, open_whole
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.sockets.mailboxes import Mailboxes
from exporters.sockets.shared_port import check_can_share
from exporters.syslog.arguments import (
    NAME,
    Loaded,
    Settings,
    add_arguments,
    load,
    read_settings,
)
from exporters.syslog.cases import shipped_cases
from exporters.syslog.connections import Connections
from exporters.syslog.explaining import explain
from exporters.syslog.handover import Handover
from exporters.syslog.listening import Listeners, listening, open_sockets
from exporters.syslog.outcomes import NOT_HANDED_OVER
from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.series import SyslogSeries
from exporters.syslog.telemetry import SyslogTelemetry
from exporters.syslog.watch import Watch
from exporters.web.service import Service, Shares
from exporters.wording import counted

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

TITLE: Final = "Syslog exporter"

_EXAMPLE_SOURCE: Final = "192.0.2.1"
_EXAMPLE: Final = (
    "<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface GigabitEthernet0/7, changed state to down"
)


@dataclass(slots=True)
class Inherited:
    """What workers have of their parent: it was opened before the fork."""

    listeners: Sequence[Listeners] = ()
    mailboxes: Mailboxes = field(default_factory=lambda: Mailboxes(0))
    damaged_state: Path | None = None
    """Where a state file was set aside to, if one was damaged."""


def build(arguments: argparse.Namespace) -> Service:
    """Load the configuration and make the service.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return SyslogExporter(read_settings(arguments)).service()


class SyslogExporter:
    """One exporter: its configuration, its sockets, its counters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded = load(settings)
        self._share = Share.before_fork(settings.workers)
        config = self._loaded.config
        limits = self._share.of_settings(config.events)
        devices = self._loaded.own_names(self._share)
        self._intake = Intake(NAME, self._loaded.rules, limits, devices=devices)
        series = SyslogSeries(limits)
        self._watch = Watch(limits, series.faults, self._loaded.zones)
        for family in (*series.families, *self._watch.counters):
            self._intake.add_family(family)
        self._receiver = SyslogReceiver(
            self._intake, series, self._loaded.policy(self._share), observer=self._watch
        )
        self._connections = Connections(self._receiver, config.connections, self._loaded.tls)
        self._listeners = Listeners()
        self._inherited = Inherited()
        self._handover: Handover | None = None
        self._events = EventQuestions(self._intake.recent, self._intake.numbers)
        self._registry = build_registry(NAME, this_build())
        SyslogTelemetry(
            self._registry,
            self._receiver,
            self._connections,
            self._intake,
            Health(
                lambda: self._listeners.datagrams,
                self._intake,
                time.monotonic,
                not_handed_over=lambda: self._receiver.outcomes[NOT_HANDED_OVER],
                others={
                    "connections_full": lambda: self._connections.is_full,
                    "certificate_expired": lambda: self._connections.has_expired(time.time()),
                },
            ),
            lambda: self._listeners.datagrams,
            lambda: self._handover,
        )

    def service(self) -> Service:
        """What the HTTP shell serves."""
        return Service(
            name=NAME,
            title=TITLE,
            description="Listens for syslog messages.",
            registry=self._registry,
            samples=self._samples,
            questions=self._events.answers(),
            routes=(
                *event_routes(TITLE, self._events, lambda: self._loaded.device_names),
                *explain_routes(
                    TITLE,
                    self._explain,
                    hint="A message as a device sends it, or the name of an example that ships, "
                    "such as cisco-bgp-down or junos-bgp-down. Nothing is counted or kept.",
                    example=_EXAMPLE,
                ),
            ),
            running_config=lambda: dump_syslog_config(self._loaded.config),
            reload=self._reload,
            summary=self._summary,
            lifespan=self._lifespan,
            shares=Shares.SENDERS,
            divide=self._divide,
            become=self._become,
        )

    def _explain(self, text: str, source: str) -> list[str]:
        shipped = {case.name: case.message for case in shipped_cases()}
        message = shipped.get(text.strip(), text.encode())
        return list(explain(self._loaded, message, source or _EXAMPLE_SOURCE))

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        """Listen for as long as the server serves.

        Raises:
            ConfigError: An address cannot be listened on.
        """
        async with AsyncExitStack() as stack:
            self._attach(stack)
            await stack.enter_async_context(self._intake.running())
            await stack.enter_async_context(self._receiver.running())
            if self._handover is None:
                opened = stack.enter_context(ExitStack())
                (self._listeners,) = open_sockets(self._settings, opened)
            else:
                self._listeners = self._inherited.listeners[self._share.number]
                stack.enter_context(self._handover.post.open())
            await stack.enter_async_context(
                listening(self._listeners, self._connections, self._receiver)
            )
            yield

    @contextmanager
    def _divide(self, count: int) -> Iterator[None]:
        """Open what *count* workers inherit.

        Raises:
            ConfigError: An address cannot be listened on, or the state file not be divided.
        """
        check_can_share(count)
        with ExitStack() as stack:
            path = state_path(self._settings.state_file, NAME)
            if path is not None:
                whole = open_divided(path, count, self._owner_of_state)
                stack.callback(whole.close)
                self._inherited.damaged_state = whole.damaged
            self._inherited.listeners = open_sockets(self._settings, stack, count)
            self._inherited.mailboxes = Mailboxes(count)
            stack.callback(self._inherited.mailboxes.close)
            yield

    def _become(self, number: int) -> None:
        """Be the worker with a number."""
        self._share = replace(self._share, number=number)
        handover = self._handover = Handover(
            self._inherited.mailboxes, number, self._receiver, self._connections.go_on
        )
        self._receiver.keep_own = handover.keep_own
        self._connections.strains = lambda: handover.strains
        self._intake.numbers.become(number, self._share.count)
        self._go_by(self._loaded)

    def _owner_of_state(self, key: str) -> int | None:
        return self._share.owner_of_state(key, self._loaded.inventory)

    def _attach(self, stack: AsyncExitStack) -> None:
        """Take up what an earlier process left.

        Raises:
            ConfigError: A file is in use, or cannot be written.
        """
        target = self._settings.events_log
        path = state_path(self._settings.state_file, NAME)
        state_file = None if path is None else self._open_state_file(path)
        if state_file is not None:
            stack.callback(state_file.close)
        self._intake.attach(state_file=state_file, json_lines=JsonLines(target) if target else None)

    def _open_state_file(self, path: Path) -> StateFile:
        if self._handover is None:
            return open_whole(path)
        return open_part(path, self._share.number, self._inherited.damaged_state)

    def _samples(self, text_format: TextFormat) -> Iterator[str]:
        self._receiver.settle()
        self._watch.settle()
        families = [*self._intake.families(), *self._watch.gauges()]
        return write_families(families, text_format)

    async def _reload(self) -> None:
        self._go_by(await asyncio.to_thread(load, self._settings))

    def _go_by(self, loaded: Loaded) -> None:
        self._loaded = loaded
        devices = loaded.own_names(self._share)
        self._intake.replace(loaded.rules, devices)
        self._receiver.replace(loaded.policy(self._share))
        self._watch.replace(set(devices), loaded.zones)
        self._connections.replace(loaded.config.connections, loaded.tls)

    def _summary(self) -> str:
        loaded = self._loaded
        text = counted(len(loaded.rules), "rule")
        if loaded.inventory is not None:
            text += f", {counted(len(loaded.inventory.devices), 'device')}"
        return text
