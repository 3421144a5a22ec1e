"""Scrapes without sockets: a recording or made-up rows, read as the exporter reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording
from exporters.demo.responder import Responder, View
from exporters.demo.snmprec import load_recording
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.polling.agent_memory import AgentMemory
from exporters.polling.walk import Walker
from exporters.rmon.collect import Outcome, collect
from exporters.rmon.groups import DEFAULT_GROUPS
from exporters.rmon.memory import TargetMemory
from exporters.rmon.scrape import Bounds
from exporters.wire.ber import encode_integer_content, encode_oid
from exporters.wire.snmp_message import VarBind, Version
from exporters.wire.tags import COUNTER32, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, TIME_TICKS

from ..polling.fake_session import FakeSession, Intervene, Request

NOW = 1_700_000_000.0
RMON = "1.3.6.1.2.1.16"
BOUNDS = Bounds(top=10, rows=5000, peak_seconds=300.0)


@dataclass
class Samples:
    """The samples of a scrape: by name, and by some of their labels."""

    outcome: Outcome
    values: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def all(self, name: str, **labels: str) -> list[float]:
        return [
            value
            for sample, found, value in self.values
            if sample == name and labels.items() <= found.items()
        ]

    def one(self, name: str, **labels: str) -> float:
        (value,) = self.all(name, **labels)
        return value

    def labels(self, name: str, **labels: str) -> list[dict[str, str]]:
        return [
            found
            for sample, found, _ in self.values
            if sample == name and labels.items() <= found.items()
        ]

    def names(self) -> set[str]:
        return {name for name, _, _ in self.values}

    def findings(self) -> dict[str, float]:
        return {
            labels["check"]: value
            for name, labels, value in self.values
            if name == "rmon_data_quality" and value
        }


@dataclass
class Target:
    """A target that is scraped again and again, with what is remembered of it."""

    view: View
    memory: TargetMemory = field(default_factory=TargetMemory)
    agent: AgentMemory = field(default_factory=AgentMemory)
    intervene: Intervene | None = None
    duplicates: int = 0
    """Samples of the latest scrape whose series was there already."""

    def scrape(
        self,
        *groups: str,
        now: float = NOW,
        bounds: Bounds = BOUNDS,
        version: int = Version.V2C,
    ) -> Samples:
        return asyncio.run(self._scrape(groups or DEFAULT_GROUPS, now, bounds, version))

    async def _scrape(
        self, groups: Sequence[str], now: float, bounds: Bounds, version: int
    ) -> Samples:
        session = FakeSession(Responder(self.view), version=version, intervene=self.intervene)
        walker = Walker(
            session, self.agent, concurrency=asyncio.Semaphore(4), chains=4, max_repetitions=25
        )
        outcome = await collect(walker, self.agent.row_counts, self.memory, groups, bounds, now=now)
        exposition = Exposition()
        outcome.samples.write(exposition)
        self.duplicates = exposition.duplicates
        families = text_string_to_metric_families(exposition.text(TextFormat.PROMETHEUS))
        samples = Samples(outcome, requests=session.requests)
        for family in families:
            for sample in family.samples:
                samples.values.append((sample.name, sample.labels, sample.value))
        return samples


@cache
def recorded(folder: Path, name: str) -> Recording:
    (path,) = folder.rglob(f"{name}.snmprec*")
    return load_recording(path)


def recorded_target(folder: Path, name: str) -> Target:
    return Target(MibView(recorded(folder, name)))


def target(rows: Iterable[VarBind]) -> Target:
    return Target(MibView(Recording.from_varbinds(rows)))


def row(oid: str, tag: int, value: int | str | bytes) -> VarBind:
    """A varbind below rmon, such as ``row("1.1.1.4.7", COUNTER32, 5)``, or of a whole OID."""
    whole = oid if oid.startswith("1.3.") else f"{RMON}.{oid}"
    if isinstance(value, int):
        content = encode_integer_content(value)
    elif isinstance(value, bytes):
        content = value
    else:
        content = encode_oid(value) if tag == OBJECT_IDENTIFIER else value.encode()
    return encode_oid(whole), tag, content


def uptime(ticks: int) -> VarBind:
    return row("1.3.6.1.2.1.1.3.0", TIME_TICKS, ticks)


def interface(index: int, *, name: str = "", megabits: int = 1000) -> list[VarBind]:
    return [
        row(f"1.3.6.1.2.1.31.1.1.1.1.{index}", OCTET_STRING, name or f"port{index}"),
        row(f"1.3.6.1.2.1.31.1.1.1.15.{index}", INTEGER, megabits),
    ]


def control(index: int, if_index: int, interval: int, granted: int = 50) -> list[VarBind]:
    below = "2.1.1"
    return [
        row(f"{below}.2.{index}", OBJECT_IDENTIFIER, f"1.3.6.1.2.1.2.2.1.1.{if_index}"),
        row(f"{below}.4.{index}", INTEGER, granted),
        row(f"{below}.5.{index}", INTEGER, interval),
        row(f"{below}.6.{index}", OCTET_STRING, "monitor"),
        row(f"{below}.7.{index}", INTEGER, 1),
    ]


def bucket(
    index: int, sample: int, start: int, *, packets: int, octets: int, columns: int = 15
) -> list[VarBind]:
    """A bucket with packets and octets, up to a column; utilization is reported as 1 %."""
    values = {3: start, 4: 0, 5: octets, 6: packets, 15: 100}
    return [
        row(
            f"2.2.1.{column}.{index}.{sample}",
            {3: TIME_TICKS, 15: INTEGER}.get(column, COUNTER32),
            values.get(column, 0),
        )
        for column in range(3, columns + 1)
    ]
