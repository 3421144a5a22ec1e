"""The trap exporter: listens for SNMP traps and informs, and serves what they tell.

What becomes of a datagram is told by ``exporters.trap.receiver``, what becomes of an event by
``exporters.events.intake``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count as count_from
from pathlib import Path
from typing import Final

from aiohttp import web

from exporters.build import this_build
from exporters.config.trap_dump import dump_trap_config
from exporters.errors import BadRequest
from exporters.events.event_questions import EventQuestions
from exporters.events.explain_page import explain_routes
from exporters.events.exposition import write_families
from exporters.events.flags import state_path
from exporters.events.health import Health
from exporters.events.intake import Intake
from exporters.events.json_lines import JsonLines
from exporters.events.listening import log_listening
from exporters.events.pages import event_routes
from exporters.events.shares import Share
from exporters.events.state_file import StateFile
from exporters.events.state_parts import open_divided, open_part, open_whole
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.sockets.datagrams import (
    DatagramSocket,
    open_datagram_sockets,
    open_shared_datagram_sockets,
)
from exporters.sockets.draining import draining
from exporters.sockets.mailboxes import Mailboxes
from exporters.sockets.shared_port import check_can_share
from exporters.trap.arguments import (
    LISTEN_FLAG,
    NAME,
    Loaded,
    Settings,
    add_arguments,
    load,
    read_settings,
)
from exporters.trap.engines import Engines, engine_of_state
from exporters.trap.example import read_trap, shipped_cases
from exporters.trap.explaining import explain
from exporters.trap.handover import Handover
from exporters.trap.outcomes import NOT_HANDED_OVER
from exporters.trap.own_engine import OwnEngine, start_engine
from exporters.trap.policy import device_names, make_policy, own_names
from exporters.trap.receiver import Policy, TrapReceiver
from exporters.trap.seen import Seen
from exporters.trap.series import TrapSeries
from exporters.trap.telemetry import TrapTelemetry
from exporters.web.responses import plain_text
from exporters.web.service import Route, Service, Shares
from exporters.web.shell import SHELL
from exporters.web.whole import OthersSilentError
from exporters.wording import counted

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

TITLE: Final = "Trap exporter"

FORGET_PATH: Final = "/-/forget-engine"
_FORGET_ENGINE: Final = "forget_engine"

_EXAMPLE_SOURCE: Final = "192.0.2.1"
_MOST_REPLAYS: Final = 500_000
_ENGINE_FILE_SUFFIX: Final = ".engine"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Inherited:
    """What workers have of their parent: it was opened before the fork."""

    listeners: Sequence[Sequence[DatagramSocket]] = ()
    mailboxes: Mailboxes = field(default_factory=lambda: Mailboxes(0))
    damaged_state: Path | None = None
    """Where a state file was set aside to, if one was damaged."""


def build(arguments: argparse.Namespace) -> Service:
    """Load the configuration and make the service.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return TrapExporter(read_settings(arguments)).service()


class TrapExporter:
    """One exporter: its configuration, its sockets, its counters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded = load(settings)
        self._share = Share.before_fork(settings.workers)
        config = self._loaded.config
        limits = self._share.of_settings(config.events)
        devices = own_names(self._loaded, self._share)
        self._intake = Intake(NAME, self._loaded.rules, limits, devices=devices)
        series = TrapSeries(limits)
        for family in series.families():
            self._intake.add_family(family)
        self._engines = Engines(
            self._share.part(config.engines_limit), clock=time.time, monotonic=time.monotonic
        )
        self._own_engine = self._start_engine(None)
        self._replays = Seen(self._share.part(_MOST_REPLAYS))
        self._salts = count_from(secrets.randbits(63))
        self._receiver = TrapReceiver(self._intake, series, self._policy(self._loaded))
        self._events = EventQuestions(self._intake.recent, self._intake.numbers)
        self._listeners: Sequence[DatagramSocket] = ()
        self._inherited = Inherited()
        self._handover: Handover | None = None
        self._registry = build_registry(NAME, this_build())
        health = Health(
            lambda: self._listeners,
            self._intake,
            time.monotonic,
            not_handed_over=lambda: self._receiver.outcomes[NOT_HANDED_OVER],
            others={
                "engine_conflict": lambda: bool(self._engines.conflicts()),
                "engines_full": lambda: self._engines.is_full,
            },
        )
        TrapTelemetry(
            self._registry,
            self._receiver,
            self._intake,
            self._engines,
            health,
            lambda: self._listeners,
            lambda: self._handover,
        )

    def service(self) -> Service:
        """What the HTTP shell serves."""
        return Service(
            name=NAME,
            title=TITLE,
            description="Listens for SNMP traps and informs.",
            registry=self._registry,
            samples=self._samples,
            questions={**self._events.answers(), _FORGET_ENGINE: self._forget_engine},
            routes=(
                *event_routes(TITLE, self._events, lambda: device_names(self._loaded)),
                *explain_routes(
                    TITLE,
                    self._explain,
                    hint="A datagram in hexadecimal, the name of a trap, which gets made-up "
                    f"values, or of a case that ships: {', '.join(shipped_cases())}. "
                    "Nothing is counted or kept.",
                    example="linkDown",
                ),
                Route("POST", FORGET_PATH, self.forget_engine, "forget an SNMPv3 engine"),
            ),
            running_config=lambda: dump_trap_config(self._loaded.config),
            reload=self._reload,
            summary=self._summary,
            lifespan=self._lifespan,
            shares=Shares.SENDERS,
            divide=self._divide,
            become=self._become,
        )

    async def forget_engine(self, request: web.Request) -> web.Response:
        """Forget the clock of an engine whose boots have gone back, so that it is believed again.

        Raises:
            BadRequest: The parameter ``engine_id`` is none.
            OthersSilentError: A process that may know it does not answer.
        """
        text = request.query.get("engine_id", "")
        try:
            engine_id = bytes.fromhex(text.lower().removeprefix("0x"))
        except ValueError:
            engine_id = b""
        if not engine_id:
            raise BadRequest(f"engine_id={text!r} is no engine id in hexadecimal")
        whole = request.app[SHELL].whole
        answers = await whole.ask_all(_FORGET_ENGINE, engine_id.hex())
        if None in answers:
            raise OthersSilentError(f"A worker did not answer; it may know {engine_id.hex()}.")
        if not any(answers):
            return plain_text(404, f"no engine {engine_id.hex()} is known")
        return plain_text(200, f"Forgotten {engine_id.hex()}")

    def _forget_engine(self, engine_id: str) -> bool:
        return self._engines.forget(bytes.fromhex(engine_id))

    def _explain(self, text: str, source: str) -> list[str]:
        loaded = self._loaded
        return list(explain(loaded, read_trap(loaded.dictionary, text), source or _EXAMPLE_SOURCE))

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        """Listen for as long as the server serves.

        Raises:
            ConfigError: An address cannot be listened on.
        """
        async with AsyncExitStack() as stack:
            self._attach(stack)
            await stack.enter_async_context(self._intake.running())
            if self._handover is None:
                self._listeners = open_datagram_sockets(
                    self._settings.addresses,
                    receive_buffer_bytes=self._settings.receive_buffer_bytes,
                    flag=LISTEN_FLAG,
                    answers=True,
                )
                log_listening(logger, "traps", self._listeners)
            else:
                self._listeners = self._inherited.listeners[self._share.number]
                stack.enter_context(self._handover.post.open())
            for listener in self._listeners:
                stack.callback(listener.close)
                take = partial(self._receiver.take, line=listener)
                stack.enter_context(draining(listener, take))
            yield

    @contextmanager
    def _divide(self, count: int) -> Iterator[None]:
        """Open what *count* workers inherit, and start our engine, which all of them are.

        Raises:
            ConfigError: An address cannot be listened on, or a file not be divided or written.
        """
        check_can_share(count)
        with ExitStack() as stack:
            path = state_path(self._settings.state_file, NAME)
            if path is not None:
                whole = open_divided(path, count, self._owner_of_state)
                stack.callback(whole.close)
                self._inherited.damaged_state = whole.damaged
            self._own_engine = self._start_engine(path)
            self._inherited.listeners = open_shared_datagram_sockets(
                self._settings.addresses,
                count,
                receive_buffer_bytes=self._settings.receive_buffer_bytes,
                flag=LISTEN_FLAG,
                answers=True,
            )
            log_listening(logger, "traps", self._inherited.listeners[0])
            self._inherited.mailboxes = Mailboxes(count)
            stack.callback(self._inherited.mailboxes.close)
            yield

    def _become(self, number: int) -> None:
        """Be the worker with a number."""
        self._share = replace(self._share, number=number)
        self._salts = count_from(secrets.randbits(63))
        now = self._own_engine.time(time.monotonic())
        self._own_engine = replace(self._own_engine, heard_from=now)
        self._handover = Handover(self._inherited.mailboxes, self._share, self._receiver)
        self._receiver.others = self._handover
        self._intake.numbers.become(number, self._share.count)
        self._go_by(self._loaded)

    def _owner_of_state(self, key: str) -> int | None:
        engine_id = engine_of_state(key)
        if engine_id:
            return self._share.home(engine_id)
        return self._share.owner_of_state(key, self._loaded.inventory)

    def _attach(self, stack: AsyncExitStack) -> None:
        """Take up what an earlier process left, and count this start of our engine.

        Raises:
            ConfigError: A file is damaged, in use, or cannot be written.
        """
        target = self._settings.events_log
        path = state_path(self._settings.state_file, NAME)
        state_file = None if path is None else self._open_state_file(path)
        if state_file is not None:
            stack.callback(state_file.close)
            self._engines.attach(state_file)
        self._intake.attach(state_file=state_file, json_lines=JsonLines(target) if target else None)
        if self._handover is None:
            self._own_engine = self._start_engine(path)
            self._receiver.replace(self._policy(self._loaded))

    def _open_state_file(self, path: Path) -> StateFile:
        if self._handover is None:
            return open_whole(path)
        return open_part(path, self._share.number, self._inherited.damaged_state)

    def _start_engine(self, state_path: Path | None) -> OwnEngine:
        """Start our engine; its file stands beside that of states."""
        path = state_path and state_path.with_name(state_path.name + _ENGINE_FILE_SUFFIX)
        engine_id = bytes.fromhex(self._loaded.config.engine_id)
        return start_engine(path, engine_id, time.monotonic())

    def _samples(self, text_format: TextFormat) -> Iterator[str]:
        return write_families(self._intake.families(), text_format)

    async def _reload(self) -> None:
        self._go_by(await asyncio.to_thread(load, self._settings))

    def _go_by(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._engines.limit = self._share.part(loaded.config.engines_limit)
        self._receiver.replace(self._policy(loaded))
        self._intake.replace(loaded.rules, own_names(loaded, self._share))

    def _policy(self, loaded: Loaded) -> Policy:
        return make_policy(
            loaded, self._engines, self._own_engine, self._replays, self._salts, self._share
        )

    def _summary(self) -> str:
        loaded = self._loaded
        text = f"{counted(len(loaded.rules), 'rule')}, {counted(len(loaded.config.users), 'user')}"
        if loaded.inventory is not None:
            text += f", {counted(len(loaded.inventory.devices), 'device')}"
        return text
