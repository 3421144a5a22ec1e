"""The SNMP exporter: ``/snmp`` polls a target when Prometheus asks for it.

A request is told by ``SnmpExporter.scrape``, from its query to its text. URL, parameters,
configuration and samples are snmp_exporter's (docs/compatibility.md has the differences).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import hdrs, web

from exporters.build import this_build
from exporters.config.discovery import discovery_groups
from exporters.config.snmp_config import AUTO
from exporters.config.snmp_dump import dump_snmp_config
from exporters.errors import BadRequest, FailureReason, Forbidden, TargetError
from exporters.logs import fields
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.polling.poller import Access, PolledAgent, Poller, where
from exporters.polling.scrape_log import ScrapeLog
from exporters.polling.single_flight import SingleFlight
from exporters.smi.oid_names import has_oids
from exporters.snmp.arguments import (
    Settings,
    add_arguments,
    load,
    prepare_dictionary,
    read_settings,
)
from exporters.snmp.collect import ModuleOutcome, ScrapeContext, collect_module
from exporters.snmp.label_cache import LabelCache, TargetLabels
from exporters.snmp.loaded import Loaded
from exporters.snmp.module_choice import ModuleChoices
from exporters.snmp.plan import ModulePlan
from exporters.snmp.query import SnmpQuery, read_query
from exporters.snmp.scrape_metrics import add_outcomes, add_session, failure_text
from exporters.snmp.telemetry import SnmpTelemetry
from exporters.sockets.resolution import Endpoint
from exporters.sockets.snmp_session import (
    SessionSettings,
    SnmpSession,
    Trace,
    Traffic,
    oid_text,
)
from exporters.web.oid_pages import oid_routes
from exporters.web.responses import plain_text
from exporters.web.service import DiscoveryGroup, Form, FormField, Route, Service
from exporters.wording import counted

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

NAME: Final = "snmp"
TITLE: Final = "SNMP exporter"

logger = logging.getLogger(__name__)


def build(arguments: argparse.Namespace) -> Service:
    """Load the configuration and make the service.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return SnmpExporter(read_settings(arguments)).service()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a scrape came to, for everybody who asked for it at the same time."""

    text: bytes
    answered: bool
    outcomes: Sequence[ModuleOutcome]


class SnmpExporter:
    """One exporter: its configuration, its memory of agents, its counters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dictionary = prepare_dictionary(settings)
        self._loaded = load(settings, self._dictionary.get)
        self._registry = build_registry(NAME, this_build())
        self._telemetry = SnmpTelemetry(self._registry, self._loaded.plans)
        self._poller = Poller(
            settings.polling, self._loaded.inventory, self._telemetry.scrapes_dropped.inc
        )
        self._choices = ModuleChoices(settings.auto_refresh_seconds)
        self._labels = LabelCache(settings.lookup_cache_bytes)
        self._telemetry.lookup_cache_bytes.set_function(lambda: self._labels.size_bytes)
        self._telemetry.circuits_open.set_function(self._poller.breaker.open_count)
        self._telemetry.scrapes_waiting.set_function(lambda: self._poller.places.waiting)
        self._flights = SingleFlight[tuple[object, ...], _Answer](
            self._telemetry.scrapes_shared.inc
        )

    def service(self) -> Service:
        """What the HTTP shell serves."""
        inventory = self._loaded.inventory
        return Service(
            name=NAME,
            title=TITLE,
            description="Polls SNMP agents when Prometheus asks for them.",
            registry=self._registry,
            routes=(
                Route("GET", "/snmp", self.scrape, "poll a target", asks=True),
                *oid_routes(TITLE, lambda: self._dictionary.get()),
            ),
            forms=self._forms,
            running_config=lambda: dump_snmp_config(self._loaded.config),
            reload=self._reload,
            summary=self._summary,
            discovery=None if inventory is None else self._discover,
        )

    async def scrape(self, request: web.Request) -> web.Response:
        """One scrape: read the query, reach the target, read its modules, answer."""
        loaded = self._loaded
        try:
            query = read_query(request.query, modules=loaded.plans, auths=loaded.config.auths)
        except BadRequest:
            self._telemetry.request_errors.inc()
            raise
        clock = asyncio.get_running_loop().time
        deadline_at = clock() + self._poller.allowed_seconds(request.headers)
        log = ScrapeLog(clock) if query.debug else None
        trace = self._trace(query, log)
        try:
            endpoint = await self._reach(loaded, query, deadline_at)
            work = partial(self._take_place, loaded, query, endpoint, deadline_at, trace)
            if trace is None:
                scrape = (id(loaded), endpoint, *query.what)
                answer = await self._flights.run(scrape, deadline_at, work)
            else:
                answer = await work()
        except TargetError as error:
            outcomes = [ModuleOutcome(name, [error]) for name in query.modules]
            answer = self._finish(query, Exposition(), outcomes)
        return await self._respond(query, answer, log)

    async def _reach(self, loaded: Loaded, query: SnmpQuery, deadline_at: float) -> Endpoint:
        try:
            return await self._poller.reach(
                query.target, deadline_at, loaded.credentials, query.auth
            )
        except Forbidden:
            self._telemetry.targets_refused.inc()
            raise

    async def _take_place(
        self,
        loaded: Loaded,
        query: SnmpQuery,
        endpoint: Endpoint,
        deadline_at: float,
        trace: Trace | None,
    ) -> _Answer:
        """Read the modules when it is this scrape's turn."""
        async with self._poller.take_place(endpoint, deadline_at):
            return await self._collect(loaded, query, endpoint, deadline_at, trace)

    async def _collect(
        self,
        loaded: Loaded,
        query: SnmpQuery,
        endpoint: Endpoint,
        deadline_at: float,
        trace: Trace | None,
    ) -> _Answer:
        """Read the modules, as many side by side as the flag says, one after another by default."""
        agent = self._poller.agent(
            query.target,
            endpoint,
            loaded.credentials,
            Access(query.auth, query.context_name, query.context_engine_id),
            deadline_at=deadline_at,
            trace=trace,
        )
        breaker = self._poller.breaker
        clock = asyncio.get_running_loop().time
        wanted = self._choices.of(agent.key, query.modules, loaded.candidates, clock)
        unread = set(wanted.names)

        def open_module_session(plan: ModulePlan, traffic: Traffic) -> SnmpSession:
            # A part of the agent that stays silent must leave time for the other modules.
            patience_seconds = (deadline_at - clock()) / len(unread)
            module = plan.module
            settings = SessionSettings(
                module.timeout, module.retries, patience_seconds=patience_seconds
            )
            limiter = agent.device.limiter(plan.name, module)
            connected = loaded.connects(wanted.names)
            return agent.session(settings, traffic, limiter, connected=connected)

        def open_own_session(traffic: Traffic) -> SnmpSession:
            # Modules that are wanted anyway must get their time if auto does not.
            patience_seconds = (deadline_at - clock()) / (1 + len(unread))
            settings = SessionSettings(patience_seconds=patience_seconds)
            connected = loaded.connects(loaded.plans)
            return agent.session(settings, traffic, agent.device.limiter(), connected=connected)

        if breaker.is_open(where(endpoint)):
            first, *others = wanted.names or (AUTO,)
            probe = await self._probe(first, agent)
            if probe.failures:
                outcomes = [probe, *(ModuleOutcome(name, probe.failures) for name in others)]
                return self._finish(query, Exposition(), outcomes)

        if wanted.due:
            self._telemetry.auto_surveys.labels(wanted.due.value).inc()
            await wanted.ask(open_own_session, agent.memory)
            unread = set(wanted.names)

        context = ScrapeContext(
            open_session=open_module_session,
            memory=agent.memory,
            exposition=Exposition(),
            concurrency=asyncio.Semaphore(self._settings.polling.concurrency),
            chains=self._settings.polling.concurrency,
            wrap_counters=self._settings.wrap_large_counters,
            clock=clock,
            trace=trace,
            labels=TargetLabels(
                self._labels,
                agent.key,
                clock(),
                self._settings.lookup_cache_seconds,
            ),
        )
        side_by_side = asyncio.Semaphore(self._settings.module_concurrency)

        async def collect(plan: ModulePlan) -> ModuleOutcome:
            async with side_by_side:
                with self._telemetry.in_flight.track_inprogress():
                    outcome = await collect_module(plan, context)
            unread.discard(plan.name)
            return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(collect(loaded.plans[name])) for name in wanted.names]
        outcomes = [task.result() for task in tasks]
        if any(outcome.answered for outcome in outcomes):
            add_session(context.exposition, loaded.config.auths[query.auth])
            await wanted.look_for_restart(context.read_before, open_own_session, agent.memory)
        if wanted.asked:
            outcomes.append(wanted.outcome)
        if trace is not None:
            for line in wanted.describe():
                trace(line)
        breaker.note(where(endpoint), silent=all(outcome.silent for outcome in outcomes))
        return self._finish(query, context.exposition, outcomes)

    async def _probe(self, module: str, agent: PolledAgent) -> ModuleOutcome:
        """Ask a target that was silent for long one thing; the outcome stands for a module."""
        outcome = ModuleOutcome(module)
        failure = await agent.probe(outcome.traffic)
        if failure is not None:
            outcome.failures.append(failure)
        self._telemetry.circuit_probes.labels("answered" if failure is None else "silent").inc()
        return outcome

    def _finish(
        self, query: SnmpQuery, exposition: Exposition, outcomes: Sequence[ModuleOutcome]
    ) -> _Answer:
        """Write the answer, count the scrape, and log what failed: once, here."""
        telemetry = self._telemetry
        for outcome in outcomes:
            telemetry.count_outcome(outcome)
            _log_failures(query, outcome)
        telemetry.duplicates.inc(exposition.duplicates)
        telemetry.samples.inc(exposition.sample_count())
        add_outcomes(exposition, outcomes)
        text = exposition.text(TextFormat.PROMETHEUS)
        return _Answer(text.encode(), any(outcome.answered for outcome in outcomes), outcomes)

    async def _respond(
        self, query: SnmpQuery, answer: _Answer, log: ScrapeLog | None
    ) -> web.Response:
        """Answer 200 if anything was read, else 500; with debug=1 always 200, and the log first."""
        failure = "" if answer.answered else failure_text(str(query.target), answer.outcomes)
        if log is not None:
            told = await self._with_names(f"{log.text()}{failure}\n")
            return web.Response(text=f"{told}# Metrics of this scrape:\n{answer.text.decode()}")
        if failure and not query.failure_as_metrics:
            return plain_text(500, await self._with_names(failure))
        content_type = TextFormat.PROMETHEUS.value
        return web.Response(body=answer.text, headers={hdrs.CONTENT_TYPE: content_type})

    async def _with_names(self, text: str) -> str:
        """Write names beside the OIDs of what people read; in a thread, as that reads files."""
        if not has_oids(text):
            return text
        return await asyncio.to_thread(self._dictionary.name_oids, text)

    def _trace(self, query: SnmpQuery, log: ScrapeLog | None) -> Trace | None:
        """Where packets are written down: the answer of debug=1, the log, or nowhere."""
        if log is not None:
            return log
        if (self._settings.debug_packets or query.log_packets) and logger.isEnabledFor(
            logging.DEBUG
        ):
            return partial(_log_packet, str(query.target))
        return None

    async def _reload(self) -> None:
        dictionary = await asyncio.to_thread(prepare_dictionary, self._settings)
        loaded = await asyncio.to_thread(load, self._settings, dictionary.get)
        self._telemetry.set_modules(loaded.plans)
        self._loaded, self._dictionary = loaded, dictionary
        self._labels.clear()
        self._choices.clear()
        self._poller.use_inventory(loaded.inventory)

    def _summary(self) -> str:
        loaded = self._loaded
        text = (
            f"{counted(len(loaded.plans), 'module')}, {counted(len(loaded.config.auths), 'auth')}"
        )
        if loaded.inventory is not None:
            text += f", {counted(len(loaded.inventory.devices), 'device')}"
        return text

    def _discover(self) -> list[DiscoveryGroup]:
        inventory = self._loaded.inventory
        return [] if inventory is None else discovery_groups(inventory, metrics_path="/snmp")

    def _forms(self) -> Sequence[Form]:
        loaded = self._loaded
        return (
            Form(
                "/snmp",
                "Poll a target",
                (
                    FormField("target", "Target", "192.0.2.1 or switch:161", required=True),
                    FormField(
                        "module", "Module", default="if_mib", choices=[AUTO, *sorted(loaded.plans)]
                    ),
                    FormField(
                        "auth",
                        "Auth",
                        default="public_v2",
                        choices=sorted(loaded.config.auths),
                    ),
                ),
                submit="Poll",
            ),
        )


def _log_failures(query: SnmpQuery, outcome: ModuleOutcome) -> None:
    """Log why a module was not read completely: the first reason, and OIDs that go back.

    Those are a mistake of the agent, which stays until somebody knows of it.
    """
    where = {"target": query.target, "module": outcome.module, "auth": query.auth}
    loops = [error for error in outcome.failures if error.reason is FailureReason.LOOP]
    others = [error for error in outcome.failures if error.reason is not FailureReason.LOOP]
    if others:
        reason, detail = others[0].reason, others[0].detail
        logger.info(
            "module not read completely", extra=fields(**where, reason=reason, error=detail)
        )
    if loops:
        oid, detail = oid_text(loops[0].oid), loops[0].detail
        logger.warning(
            "OIDs not increasing, rows may be missing",
            extra=fields(**where, oid=oid, columns=len(loops), error=detail),
        )


def _log_packet(target: str, line: str) -> None:
    logger.debug("packet", extra=fields(target=target, packet=line))
