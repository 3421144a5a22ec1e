"""The RMON exporter: ``/rmon`` reads the RMON tables of a target when Prometheus asks for it.

A request is told by ``RmonExporter.scrape``, from its query to its text. It reads and never writes.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import hdrs, web

from exporters.build import this_build
from exporters.config.discovery import discovery_groups
from exporters.config.snmp_dump import dump_snmp_config
from exporters.errors import BadRequest, FailureReason, Forbidden, TargetError
from exporters.logs import fields
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.polling.agent_memory import BoundedCache
from exporters.polling.poller import PolledAgent, Poller, where
from exporters.polling.question import DEFAULT_REPETITIONS
from exporters.polling.scrape_log import ScrapeLog
from exporters.polling.single_flight import SingleFlight
from exporters.polling.walk import Walker
from exporters.rmon.arguments import Loaded, Settings, add_arguments, load, read_settings
from exporters.rmon.collect import Outcome, collect
from exporters.rmon.groups import DEFAULT_GROUPS, GROUPS
from exporters.rmon.memory import TargetMemory
from exporters.rmon.query import RmonQuery, read_query
from exporters.rmon.telemetry import RmonTelemetry, add_outcome
from exporters.sockets.resolution import Endpoint
from exporters.sockets.snmp_session import SessionSettings
from exporters.web.responses import plain_text
from exporters.web.service import DiscoveryGroup, Form, FormField, Route, Service, Shares
from exporters.wording import counted

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

NAME: Final = "rmon"
TITLE: Final = "RMON exporter"

logger = logging.getLogger(__name__)


def build(arguments: argparse.Namespace) -> Service:
    """Load the configuration and make the service.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return RmonExporter(read_settings(arguments)).service()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a scrape came to, for everybody who asked for it at the same time."""

    text: bytes
    outcome: Outcome


class RmonExporter:
    """One exporter: its credentials, its memory of targets, its counters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded = load(settings)
        self._registry = build_registry(NAME, this_build())
        self._telemetry = telemetry = RmonTelemetry(self._registry)
        self._poller = Poller(
            settings.polling, self._loaded.inventory, telemetry.scrapes_dropped.inc
        )
        telemetry.circuits_open.set_function(self._poller.breaker.open_count)
        telemetry.scrapes_waiting.set_function(lambda: self._poller.places.waiting)
        self._targets = BoundedCache[tuple[object, ...], TargetMemory](TargetMemory)
        telemetry.targets.set_function(lambda: len(self._targets))
        self._flights = SingleFlight[tuple[object, ...], _Answer](telemetry.scrapes_shared.inc)

    def service(self) -> Service:
        """What the HTTP shell serves; by one process, which holds the cursors of all targets."""
        return Service(
            name=NAME,
            title=TITLE,
            description="Reads remote monitoring tables when Prometheus asks for them.",
            registry=self._registry,
            routes=(
                Route("GET", "/rmon", self.scrape, "read the RMON tables of a target", asks=True),
            ),
            forms=self._forms,
            running_config=lambda: dump_snmp_config(self._loaded.config),
            reload=self._reload,
            summary=self._summary,
            discovery=None if self._loaded.inventory is None else self._discover,
            shares=Shares.NOTHING,
        )

    async def scrape(self, request: web.Request) -> web.Response:
        """One scrape: read the query, reach the target, read its tables, answer."""
        loaded = self._loaded
        try:
            query = read_query(request.query, auths=loaded.credentials.auths)
        except BadRequest:
            self._telemetry.request_errors.inc()
            raise
        clock = asyncio.get_running_loop().time
        deadline_at = clock() + self._poller.allowed_seconds(request.headers)
        log = ScrapeLog(clock) if query.debug else None
        try:
            endpoint = await self._reach(loaded, query, deadline_at)
            work = partial(self._take_place, loaded, query, endpoint, deadline_at, log)
            if log is None:
                scrape = (id(loaded), endpoint, query.access, query.groups)
                answer = await self._flights.run(scrape, deadline_at, work)
            else:
                answer = await work()
        except TargetError as error:
            answer = self._finish(query, Outcome([error]))
        return _respond(query, answer, log)

    async def _reach(self, loaded: Loaded, query: RmonQuery, deadline_at: float) -> Endpoint:
        try:
            return await self._poller.reach(
                query.target, deadline_at, loaded.credentials, query.access.auth
            )
        except Forbidden:
            self._telemetry.targets_refused.inc()
            raise

    async def _take_place(
        self,
        loaded: Loaded,
        query: RmonQuery,
        endpoint: Endpoint,
        deadline_at: float,
        log: ScrapeLog | None,
    ) -> _Answer:
        """Read the target when it is this scrape's turn, and no other moves its cursors."""
        async with self._poller.take_place(endpoint, deadline_at):
            agent = self._poller.agent(
                query.target,
                endpoint,
                loaded.credentials,
                query.access,
                deadline_at=deadline_at,
                trace=log,
            )
            memory = self._targets.get(agent.key)
            try:
                async with asyncio.timeout_at(deadline_at):
                    await memory.lock.acquire()
            except TimeoutError:
                detail = "another scrape of this target, for other groups, was under way"
                raise TargetError(FailureReason.OVERLOAD, detail) from None
            try:
                with self._telemetry.in_flight.track_inprogress():
                    outcome = await self._read(query, agent, memory)
            finally:
                memory.lock.release()
        return self._finish(query, outcome)

    async def _read(self, query: RmonQuery, agent: PolledAgent, memory: TargetMemory) -> Outcome:
        """Read the target over a session of its own; a silent one is asked one thing first."""
        breaker, at = self._poller.breaker, where(agent.endpoint)
        clock = asyncio.get_running_loop().time
        started_at = clock()
        outcome = Outcome()
        traffic = outcome.traffic
        failure = await agent.probe(traffic) if breaker.is_open(at) else None
        if failure is not None:
            outcome.failures.append(failure)
        else:
            settings = SessionSettings(self._settings.timeout_seconds, self._settings.retries)
            try:
                async with agent.session(settings, traffic, agent.device.limiter()) as session:
                    walker = Walker(
                        session,
                        agent.memory,
                        concurrency=asyncio.Semaphore(self._settings.polling.concurrency),
                        chains=self._settings.polling.concurrency,
                        max_repetitions=DEFAULT_REPETITIONS,
                    )
                    outcome = await collect(
                        walker,
                        agent.memory.row_counts,
                        memory,
                        query.groups,
                        self._settings.bounds,
                        now=time.time(),
                    )
            except TargetError as error:
                outcome.failures.append(error)
        outcome.traffic, outcome.seconds = traffic, clock() - started_at
        breaker.note(at, silent=not outcome.answered)
        return outcome

    def _finish(self, query: RmonQuery, outcome: Outcome) -> _Answer:
        """Write the answer, count the scrape, and log what failed: once, here."""
        self._telemetry.count_outcome(outcome)
        if outcome.failures:
            first = outcome.failures[0]
            logger.info(
                "target not read completely",
                extra=fields(
                    target=query.target,
                    auth=query.access.auth,
                    reason=first.reason,
                    error=first.detail,
                ),
            )
        exposition = Exposition()
        outcome.samples.write(exposition)
        add_outcome(exposition, outcome)
        self._telemetry.samples.inc(exposition.sample_count())
        self._telemetry.duplicates.inc(exposition.duplicates)
        return _Answer(exposition.text(TextFormat.PROMETHEUS).encode(), outcome)

    async def _reload(self) -> None:
        loaded = await asyncio.to_thread(load, self._settings)
        self._loaded = loaded
        self._poller.use_inventory(loaded.inventory)

    def _summary(self) -> str:
        loaded = self._loaded
        text = counted(len(loaded.credentials.auths), "auth")
        if loaded.inventory is not None:
            text += f", {counted(len(loaded.inventory.devices), 'device')}"
        return text

    def _discover(self) -> list[DiscoveryGroup]:
        inventory = self._loaded.inventory
        return (
            []
            if inventory is None
            else discovery_groups(inventory, metrics_path="/rmon", module_label="")
        )

    def _forms(self) -> Sequence[Form]:
        auths = sorted(self._loaded.credentials.auths)
        return (
            Form(
                "/rmon",
                "Read a target",
                (
                    FormField("target", "Target", "192.0.2.1 or switch:161", required=True),
                    FormField("groups", "Groups", default="default", choices=_group_choices()),
                    FormField("auth", "Auth", default="public_v2", choices=auths),
                ),
                submit="Read",
            ),
        )


def _group_choices() -> list[str]:
    large = [name for name in GROUPS if name not in DEFAULT_GROUPS]
    return ["default", "all", *DEFAULT_GROUPS, *large]


def _respond(query: RmonQuery, answer: _Answer, log: ScrapeLog | None) -> web.Response:
    """Answer 200 if anything was read, else 500; with debug=1 always 200, and the log first."""
    outcome = answer.outcome
    failure = ""
    if not outcome.answered:
        reasons = "\n".join(dict.fromkeys(str(error) for error in outcome.failures))
        failure = f"error reading target {query.target}:\n{reasons}"
    if log is not None:
        text = f"{log.text()}{failure}\n# Metrics of this scrape:\n{answer.text.decode()}"
        return web.Response(text=text)
    if failure and not query.failure_as_metrics:
        return plain_text(500, failure)
    return web.Response(body=answer.text, headers={hdrs.CONTENT_TYPE: TextFormat.PROMETHEUS.value})
