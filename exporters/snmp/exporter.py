"""The SNMP exporter: ``/snmp`` polls a target when Prometheus asks for it.

A request is told by ``SnmpExporter.scrape``, from its query to its text. URL, parameters,
configuration and samples are snmp_exporter's (docs/compatibility.md has the differences).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from exporters.polling.agent_memory import AgentMemory, BoundedCache
from exporters.polling.circuit import PROBE_SECONDS, CircuitBreaker
from exporters.polling.device_limits import DeviceLimits, Queues
from exporters.polling.guard import check_target
from exporters.polling.scrape_log import ScrapeLog
from exporters.polling.scrape_places import ScrapePlaces
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
from exporters.snmp.scrape_metrics import add_outcomes, failure_text
from exporters.snmp.telemetry import SnmpTelemetry
from exporters.sockets.device_queue import DeviceQueue, SendLimiter
from exporters.sockets.resolution import Endpoint, NameLookups, resolve
from exporters.sockets.snmp_session import (
    SessionSettings,
    SnmpSession,
    Trace,
    Traffic,
    oid_text,
)
from exporters.sockets.snmp_usm import EngineMemory
from exporters.web.oid_pages import oid_routes
from exporters.web.responses import plain_text
from exporters.web.service import DiscoveryGroup, Form, FormField, Route, Service
from exporters.wire.ber import encode_oid

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

NAME: Final = "snmp"
TITLE: Final = "SNMP exporter"

OpenSession = Callable[[SessionSettings, Traffic, SendLimiter | None], SnmpSession]

_PROBED: Final = encode_oid("1.3.6.1.2.1.1")

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
        self._agents = BoundedCache[tuple[object, ...], AgentMemory](AgentMemory)
        self._engines = BoundedCache[tuple[object, ...], EngineMemory](EngineMemory)
        self._choices = ModuleChoices(settings.auto_refresh_seconds)
        self._labels = LabelCache(settings.lookup_cache_bytes)
        self._telemetry.lookup_cache_bytes.set_function(lambda: self._labels.size_bytes)
        self._breaker = CircuitBreaker(settings.silent_scrapes)
        self._telemetry.circuits_open.set_function(self._breaker.open_count)
        self._flights = SingleFlight[tuple[object, ...], _Answer](
            self._telemetry.scrapes_shared.inc
        )
        self._names = NameLookups()
        self._places = ScrapePlaces(settings.most_scrapes, self._telemetry.scrapes_dropped.inc)
        self._telemetry.scrapes_waiting.set_function(lambda: self._places.waiting)
        self._queues: Queues = BoundedCache(DeviceQueue)
        self._limits = self._device_limits(self._loaded)
        self._chance = random.SystemRandom().random
        self._request_ids = _counting(31)
        self._salts = _counting(64)

    def service(self) -> Service:
        """What the HTTP shell serves."""
        inventory = self._loaded.inventory
        return Service(
            name=NAME,
            title=TITLE,
            description="Polls SNMP agents when Prometheus asks for them.",
            registry=self._registry,
            routes=(
                Route("GET", "/snmp", self.scrape, "poll a target"),
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
        deadline_at = clock() + self._allowed_seconds(request)
        log = ScrapeLog(clock) if query.debug else None
        trace = self._trace(query, log)
        try:
            endpoint = await resolve(query.target, deadline_at, self._names.find)
            self._check_target(loaded, query, endpoint)
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

    def _allowed_seconds(self, request: web.Request) -> float:
        """How long the scrape may take: what Prometheus says it waits for, less the offset."""
        header = request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", "")
        try:
            announced = float(header)
        except ValueError:
            return self._settings.longest_scrape_seconds
        if not 0 < announced < 86_400:
            return self._settings.longest_scrape_seconds
        return max(announced - self._settings.timeout_offset_seconds, announced / 2)

    def _check_target(self, loaded: Loaded, query: SnmpQuery, endpoint: Endpoint) -> None:
        try:
            auth_targets = loaded.config.auths[query.auth].targets
            check_target(endpoint.ip, self._settings.allowed, query.auth, auth_targets)
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
        """Read the modules when it is this scrape's turn; probes are spread before they queue."""
        if self._breaker.is_open(_where(endpoint)):
            delay_seconds = self._breaker.delay_seconds(self._chance())
            left_seconds = deadline_at - asyncio.get_running_loop().time() - PROBE_SECONDS
            await asyncio.sleep(max(0.0, min(delay_seconds, left_seconds)))
        async with self._places.take(deadline_at):
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
        where = _where(endpoint)
        device = self._limits.device(query.target, endpoint)
        memory = self._agents.get((*where, query.auth, query.context_name))
        clock = asyncio.get_running_loop().time
        agent_view = (*where, query.auth, query.context_name, query.context_engine_id)
        wanted = self._choices.of(agent_view, query.modules, loaded.candidates, clock)
        unread = set(wanted.names)
        security = loaded.security(
            query.auth,
            self._engines.get(where),
            context_name=query.context_name,
            context_engine_id=query.context_engine_id,
            clock=clock,
            salts=self._salts,
        )

        def open_session(
            settings: SessionSettings, traffic: Traffic, limiter: SendLimiter | None
        ) -> SnmpSession:
            connected = settings.connected and loaded.connects(wanted.names)
            return SnmpSession(
                endpoint,
                security,
                replace(settings, source=self._settings.source, connected=connected),
                deadline_at=deadline_at,
                request_ids=self._request_ids,
                rtt=memory.rtt,
                traffic=traffic,
                trace=trace,
                limiter=limiter,
            )

        def open_module_session(plan: ModulePlan, traffic: Traffic) -> SnmpSession:
            # A part of the agent that stays silent must leave time for the other modules.
            patience_seconds = (deadline_at - clock()) / len(unread)
            module = plan.module
            settings = SessionSettings(
                module.timeout, module.retries, patience_seconds=patience_seconds
            )
            return open_session(settings, traffic, device.limiter(plan.name, module))

        def open_own_session(traffic: Traffic) -> SnmpSession:
            # Modules that are wanted anyway must get their time if auto does not.
            patience_seconds = (deadline_at - clock()) / (1 + len(unread))
            settings = SessionSettings(
                patience_seconds=patience_seconds, connected=loaded.connects(loaded.plans)
            )
            return open_session(settings, traffic, device.limiter())

        if self._breaker.is_open(where):
            first, *others = wanted.names or (AUTO,)
            probe = await self._probe(first, open_session, device.limiter())
            if probe.failures:
                outcomes = [probe, *(ModuleOutcome(name, probe.failures) for name in others)]
                return self._finish(query, Exposition(), outcomes)

        if wanted.due:
            self._telemetry.auto_surveys.labels(wanted.due.value).inc()
            await wanted.ask(open_own_session, memory)
            unread = set(wanted.names)

        context = ScrapeContext(
            open_session=open_module_session,
            memory=memory,
            exposition=Exposition(),
            concurrency=asyncio.Semaphore(self._settings.concurrency),
            chains=self._settings.concurrency,
            wrap_counters=self._settings.wrap_large_counters,
            clock=clock,
            trace=trace,
            labels=TargetLabels(
                self._labels,
                agent_view,
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
            await wanted.look_for_restart(context.read_before, open_own_session, memory)
        if wanted.asked:
            outcomes.append(wanted.outcome)
        if trace is not None:
            for line in wanted.describe():
                trace(line)
        self._breaker.note(where, silent=all(outcome.silent for outcome in outcomes))
        return self._finish(query, context.exposition, outcomes)

    async def _probe(
        self, module: str, open_session: OpenSession, limiter: SendLimiter | None
    ) -> ModuleOutcome:
        """Ask a target that was silent for long one thing; the outcome stands for a module."""
        outcome = ModuleOutcome(module)
        try:
            settings = SessionSettings(PROBE_SECONDS, 0)
            async with open_session(settings, outcome.traffic, limiter) as session:
                await session.get_next([_PROBED])
        except TargetError as error:
            outcome.failures.append(error)
        self._telemetry.circuit_probes.labels("silent" if outcome.failures else "answered").inc()
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
        self._limits = self._device_limits(loaded)

    def _device_limits(self, loaded: Loaded) -> DeviceLimits:
        return DeviceLimits(loaded.inventory, self._settings.device_limits, self._queues)

    def _summary(self) -> str:
        loaded = self._loaded
        text = f"{len(loaded.plans)} modules, {len(loaded.config.auths)} auths"
        if loaded.inventory is not None:
            text += f", {len(loaded.inventory.devices)} devices"
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


def _where(endpoint: Endpoint) -> tuple[object, ...]:
    """What an agent is remembered by."""
    return (endpoint.ip, endpoint.socket_address[1], endpoint.stream)


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


def _counting(bits: int) -> Iterator[int]:
    """Count on from a random number below 2**bits, and around; never 0, which some agents mean."""
    value = random.SystemRandom().getrandbits(bits)
    while True:
        value = (value + 1) & ((1 << bits) - 1)
        if value:
            yield value
