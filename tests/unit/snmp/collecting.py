"""Scrapes of one module, one after another, from an agent that changes in between.

What is remembered between scrapes is, as in the exporter; there is no socket and no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

from exporters.demo.responder import Responder
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.polling.agent_memory import AgentMemory
from exporters.snmp.collect import ModuleOutcome, ScrapeContext, collect_module
from exporters.snmp.label_cache import LabelCache, TargetLabels
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.sockets.snmp_session import SnmpSession, Traffic
from exporters.wire.ber import format_oid
from exporters.wire.snmp_message import VarBind

from ..polling.fake_session import FakeSession, Intervene, Request, responder
from .scraping import device, load_module


class _OpenSession(FakeSession):
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class Scrape:
    outcome: ModuleOutcome
    samples: list[str]
    requests: list[Request]
    trace: list[str]

    @property
    def names(self) -> set[str]:
        """All that was asked for, dotted."""
        return {format_oid(name) for request in self.requests for name in request.oids}

    def asked_below(self, oid: str) -> bool:
        return any(f"{name}.".startswith(f"{oid}.") for name in self.names)

    def named(self, name: str) -> list[str]:
        return [line for line in self.samples if line.startswith((f"{name}{{", f"{name} "))]


@dataclass
class Collector:
    """An exporter's memory of one target, and the module that it reads there."""

    plan: ModulePlan
    memory: AgentMemory = field(default_factory=AgentMemory)
    cache: LabelCache = field(default_factory=lambda: LabelCache(1 << 20))
    target: str = "192.0.2.1"
    default_seconds: float = 0.0

    @classmethod
    def of(cls, module: Mapping[str, Any], folder: Path, **options: Any) -> Collector:
        return cls(compile_module("module", load_module(module, folder)), **options)

    async def scrape(
        self,
        agent: Responder | str | Sequence[VarBind],
        *,
        intervene: Intervene | None = None,
        **session: Any,
    ) -> Scrape:
        """Scrape an agent, or one that has these rows (``exporters.demo.snmprec``)."""
        if isinstance(agent, str):
            agent = list(device(agent))
        if not isinstance(agent, Responder):
            agent = responder(agent)
        opened = _OpenSession(agent, intervene=intervene, **session)
        clock = asyncio.get_running_loop().time
        trace: list[str] = []

        def open_session(_plan: ModulePlan, _traffic: Traffic) -> SnmpSession:
            return cast(SnmpSession, opened)

        context = ScrapeContext(
            open_session=open_session,
            memory=self.memory,
            exposition=Exposition(),
            concurrency=asyncio.Semaphore(4),
            chains=4,
            wrap_counters=True,
            clock=clock,
            trace=trace.append,
            labels=TargetLabels(self.cache, self.target, clock(), self.default_seconds),
        )
        outcome = await collect_module(self.plan, context)
        text = context.exposition.text(TextFormat.PROMETHEUS)
        lines = [line for line in text.split("\n") if line and line[0] != "#"]
        return Scrape(outcome, lines, opened.requests, trace)
