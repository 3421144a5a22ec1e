"""The ICMP exporter: pings all the time, for ``/metrics``, and when it is asked to, at ``/probe``.

A request for a probe is told by ``IcmpExporter.probe``, from its query to its text. Its URL,
parameters, modules and metrics are blackbox_exporter's (docs/compatibility.md has the differences).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic_ns, time_ns
from typing import Final

from aiohttp import hdrs, web

from exporters import __version__
from exporters.build import this_build
from exporters.config.discovery import discovery_groups, first_address
from exporters.config.icmp_dump import dump_icmp_config, dump_module
from exporters.errors import BadRequest, Forbidden
from exporters.icmp import exposition
from exporters.icmp.arguments import Loaded, Settings, add_arguments, load, read_settings
from exporters.icmp.groups import wanted_targets
from exporters.icmp.legacy_names import ExporterState, ping_exporter_text, smokeping_text
from exporters.icmp.pinging import Pinging
from exporters.icmp.probe import Prober
from exporters.icmp.probe_log import ProbeLog
from exporters.icmp.probe_metrics import probe_text
from exporters.icmp.probe_sockets import ProbeSockets
from exporters.icmp.probe_telemetry import ProbeTelemetry
from exporters.icmp.query import ProbeQuery, UnknownModule, WrongTimeout, read_query
from exporters.icmp.survey_exposition import write_surveys
from exporters.icmp.target import TargetSettings
from exporters.icmp.target_list import TARGET_PATH, render_list, target_id
from exporters.icmp.target_page import render_target
from exporters.icmp.telemetry import PingTelemetry
from exporters.logs import fields
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.sockets.host_resolution import HostResolver
from exporters.web.markup import Html
from exporters.web.pages import render_framed
from exporters.web.responses import plain_text
from exporters.web.service import DiscoveryGroup, Form, FormField, Route, Service, Shares
from exporters.wording import counted

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

NAME: Final = "icmp"
TITLE: Final = "ICMP exporter"

logger = logging.getLogger(__name__)


def build(arguments: argparse.Namespace) -> Service:
    """Load the configuration and make the service.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return IcmpExporter(read_settings(arguments)).service()


class IcmpExporter:
    """One exporter: its configuration, its sockets, its counters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded = load(settings)
        self._registry = build_registry(NAME, this_build())
        self._telemetry = ProbeTelemetry(self._registry)
        self._sockets = ProbeSockets(self._telemetry.replies_rejected.inc)
        resolver = HostResolver()
        self._pinging = Pinging(resolver, self._sockets, settings.max_pings_per_second)
        PingTelemetry(self._registry, self._pinging)
        self._prober = Prober(
            self._sockets,
            resolver,
            allowed=settings.allowed,
            most_at_once=settings.probe_concurrency,
        )
        _tell_of_other_probers(self._loaded)

    def service(self) -> Service:
        """What the HTTP shell serves."""
        return Service(
            name=NAME,
            title=TITLE,
            description="Pings hosts all the time, and when Prometheus asks for one.",
            registry=self._registry,
            samples=self._samples,
            routes=(
                Route("GET", "/probe", self.probe, "ping a target", asks=True),
                Route(
                    "GET", TARGET_PATH, self.target_page, "what is known of one target", asks=True
                ),
            ),
            overview=self._overview,
            forms=self._forms,
            running_config=lambda: dump_icmp_config(self._loaded.config),
            reload=self._reload,
            summary=self._summary,
            discovery=None if self._loaded.inventory is None else self._discover,
            lifespan=self._lifespan,
            shares=Shares.NOTHING,
        )

    async def probe(self, request: web.Request) -> web.Response:
        """One probe: read the query, ping the target, answer 200 whatever came of it."""
        try:
            query = read_query(
                request.query,
                request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", ""),
                modules=self._loaded.config.modules,
                offset_seconds=self._settings.timeout_offset_seconds,
            )
        except UnknownModule:
            self._telemetry.module_unknown.inc()
            raise
        except WrongTimeout as error:
            return plain_text(500, str(error))
        log = ProbeLog(module=query.module_name, target=query.target, kept=query.debug)
        try:
            with self._telemetry.in_flight.track_inprogress():
                result = await self._prober.probe(query, log)
        except Forbidden:
            self._telemetry.targets_refused.inc()
            raise
        self._telemetry.probes.labels("success" if result.success else "failure").inc()
        return _respond(query, probe_text(query, result), log)

    async def target_page(self, request: web.Request) -> web.Response:
        """The page of one target, which the list on the landing page links to."""
        wanted = request.query.get("id", "")
        pinging = self._pinging
        for target in pinging.engine.targets.values():
            if target_id(target) == wanted:
                content = render_target(
                    target,
                    pinging.surveys.path_of(target),
                    pinging.surveys.pmtu_of(target),
                    to_unix_ns=time_ns() - monotonic_ns(),
                )
                return render_framed(TITLE, f"{target.settings.host}: {TITLE}", content)
        raise BadRequest("no target has this id; the list at / has the address of each")

    async def _overview(self, query: Mapping[str, str]) -> Html:
        return await render_list(self._pinging.engine.targets.values(), query)

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        """Find out whether there can be sockets before anything is served.

        Raises:
            SocketDenied: This user may have none; says what would help.
        """
        try:
            self._sockets.try_out()
            async with self._pinging.running(_wanted(self._loaded)):
                yield
        finally:
            self._sockets.close()

    def _samples(self, text_format: TextFormat) -> Iterator[str]:
        """Write what continuous pings have told."""
        targets = list(self._pinging.engine.targets.values())
        yield from exposition.write(targets, text_format)
        yield from write_surveys(targets, self._pinging.surveys, text_format)
        legacy_names = self._loaded.config.legacy_names
        if "smokeping" in legacy_names:
            yield from smokeping_text(targets, self._state(), text_format)
        if "ping_exporter" in legacy_names:
            yield from ping_exporter_text(targets, __version__, text_format)

    def _state(self) -> ExporterState:
        value = self._registry.get_sample_value
        reload = f"{NAME}_exporter_config_last_reload"
        build = this_build()
        return ExporterState(
            receive_errors=sum(o.garbage() for o in self._pinging.engine.origins.values()),
            reload_successful=bool(value(f"{reload}_successful")),
            loaded_at=value(f"{reload}_success_timestamp_seconds") or 0,
            build={
                "branch": build.branch,
                "revision": build.revision,
                "version": build.version,
            },
        )

    async def _reload(self) -> None:
        loaded = await asyncio.to_thread(load, self._settings)
        wanted = await asyncio.to_thread(_wanted, loaded)
        _tell_of_other_probers(loaded)
        self._loaded = loaded
        self._pinging.roster.load(wanted)

    def _summary(self) -> str:
        config = self._loaded.config
        hosts = sum(len(group.hosts) for group in config.groups.values())
        probing = sum(module.is_ours for module in config.modules.values())
        text = ", ".join(
            (
                counted(len(config.groups), "group"),
                counted(hosts, "host"),
                counted(probing, "module"),
            )
        )
        if self._loaded.inventory is not None:
            text += f", {counted(len(self._loaded.inventory.devices), 'device')}"
        return text

    def _discover(self) -> list[DiscoveryGroup]:
        inventory = self._loaded.inventory
        if inventory is None:
            return []
        return discovery_groups(
            inventory, metrics_path="/probe", auth_label="", module_label="", target=first_address
        )

    def _forms(self) -> Sequence[Form]:
        modules = [name for name, module in self._loaded.config.modules.items() if module.is_ours]
        return (
            Form(
                "/probe",
                "Ping a target",
                (
                    FormField("target", "Target", "192.0.2.1 or switch", required=True),
                    FormField("module", "Module", default="icmp", choices=sorted(modules)),
                    FormField("count", "Pings", default="1"),
                ),
                submit="Ping",
            ),
        )


def _respond(query: ProbeQuery, metrics: str, log: ProbeLog) -> web.Response:
    """Answer with the metrics; with debug=true the log comes before them, the module after."""
    if query.debug:
        return web.Response(
            text=f"Logs for the probe:\n{log.text()}\n\n\n"
            f"Metrics that would have been returned:\n{metrics}\n\n\n"
            f"Module configuration:\n{dump_module(query.module)}"
        )
    headers = {hdrs.CONTENT_TYPE: TextFormat.PROMETHEUS.value}
    return web.Response(body=metrics.encode(), headers=headers)


def _wanted(loaded: Loaded) -> list[TargetSettings]:
    return list(wanted_targets(loaded.config, loaded.inventory))


def _tell_of_other_probers(loaded: Loaded) -> None:
    """A blackbox.yml may have modules that we do not serve: name them, once per load."""
    others = [
        f"{name} ({module.prober})"
        for name, module in loaded.config.modules.items()
        if not module.is_ours
    ]
    if others:
        logger.warning(
            "modules of other probers are not served", extra=fields(modules=", ".join(others))
        )
