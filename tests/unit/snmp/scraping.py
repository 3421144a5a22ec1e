"""A scrape without a network: configuration and the rows of a device in, the text out.

``read`` stands for the walker. It finds what an agent with these rows would give for the ranges and
instances of a plan, and nothing else, so that what a plan forgets to ask for is missing here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporters.config.snmp_config import Module, load_snmp_config
from exporters.demo.recording import Recording
from exporters.demo.snmprec import read_recording
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.polling.cursor import Range
from exporters.polling.walk import Instance, WalkResult
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.snmp.sheet import Sheet
from exporters.wire.snmp_message import VarBind

CASES = Path(__file__).resolve().parents[2] / "cases" / "snmp"


def read_cases(subject: str) -> list[dict[str, Any]]:
    """Give the cases of ``tests/cases/snmp/<subject>.yml``, whose ids must be different."""
    cases = yaml.safe_load((CASES / f"{subject}.yml").read_text(encoding="utf-8"))
    ids = [case["id"] for case in cases]
    assert len(set(ids)) == len(ids), f"{subject}.yml: an id stands there twice"
    return cases


def load_modules(modules: Mapping[str, Any], folder: Path) -> dict[str, Module]:
    """Load modules as they stand in a configuration file."""
    path = folder / "snmp.yml"
    path.write_text(yaml.safe_dump({"auths": {"public_v2": {}}, "modules": dict(modules)}))
    return dict(load_snmp_config([path], environment={}).modules)


def load_module(module: Mapping[str, Any], folder: Path) -> Module:
    """Load one module."""
    return load_modules({"module": module}, folder)["module"]


def device(rows: str) -> Recording:
    """A device that has *rows*, in the format of ``exporters.demo.snmprec``."""
    recording = read_recording(rows.encode().splitlines())
    assert not recording.problems, recording.problems
    return recording


def read(
    ranges: Iterable[Range], instances: Iterable[Instance], agent: Iterable[VarBind]
) -> WalkResult:
    """What a walk of *ranges* and a GET of *instances* give."""
    result = WalkResult()
    varbinds = list(agent)
    values = {oid: (tag, raw) for oid, tag, raw in varbinds}
    for item in instances:
        rows = result.rows(item.column)
        if item.oid in values:
            rows[item.oid[len(item.column) :]] = values[item.oid]
    for wanted in ranges:
        rows = result.rows(wanted.column)
        behind = [v for v in varbinds if v[0].startswith(wanted.root) and v[0] != wanted.root]
        for oid, tag, raw in behind[:1] if wanted.scalar else behind:
            rows[oid[len(wanted.column) :]] = (tag, raw)
    return result


@dataclass(frozen=True)
class Scraped:
    """What came of a scrape."""

    text: str
    values_unreadable: int
    types_unexpected: int
    duplicates: int

    @property
    def samples(self) -> list[str]:
        return [line for line in self.text.split("\n") if line and line[0] != "#"]

    @property
    def headers(self) -> list[str]:
        return [line for line in self.text.split("\n") if line[:1] == "#"]


def scrape(
    plans: Sequence[ModulePlan], agent: Iterable[VarBind], *, wrap_counters: bool = True
) -> Scraped:
    """Read and write *plans*, one after another, into one exposition."""
    varbinds = list(agent)
    exposition = Exposition()
    sheets: list[Sheet] = []
    for plan in plans:
        result = read(plan.ranges, plan.instances, varbinds)
        sheet = Sheet(result, exposition, wrap_counters=wrap_counters)
        for _ in plan.write(sheet):
            pass
        sheets.append(sheet)
    return Scraped(
        exposition.text(TextFormat.PROMETHEUS),
        sum(sheet.values_unreadable for sheet in sheets),
        sum(sheet.types_unexpected for sheet in sheets),
        exposition.duplicates,
    )


def scrape_module(
    module: Mapping[str, Any], rows: str, folder: Path, *, wrap_counters: bool = True
) -> Scraped:
    """Load, compile, read and write one module."""
    plan = compile_module("module", load_module(module, folder))
    return scrape([plan], device(rows), wrap_counters=wrap_counters)


def outcome(case: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What comes of a case of ``tests/cases/snmp``, for comparison with ``expected``."""
    scraped = scrape_module(
        case_module(case),
        case.get("rows", ""),
        folder,
        wrap_counters=case.get("wrap_counters", True),
    )
    return {
        "samples": scraped.samples,
        "headers": scraped.headers if "headers" in case else None,
        "values_unreadable": scraped.values_unreadable,
        "types_unexpected": scraped.types_unexpected,
        "duplicates": scraped.duplicates,
    }


def expected(case: Mapping[str, Any]) -> dict[str, Any]:
    """What should come of it."""
    return {
        # Not splitlines(), which takes far more for the end of a line than a line feed
        "samples": [line for line in case.get("samples", "").split("\n") if line],
        "headers": case["headers"].split("\n") if "headers" in case else None,
        "values_unreadable": case.get("values_unreadable", 0),
        "types_unexpected": case.get("types_unexpected", 0),
        "duplicates": case.get("duplicates", 0),
    }


def case_module(case: Mapping[str, Any]) -> dict[str, Any]:
    """The module of a case."""
    module = {key: case[key] for key in ("walk", "get", "metrics", "filters") if key in case}
    if "metrics" not in module:
        module["metrics"] = [{"name": "metric", "oid": "1.1.1", **case["metric"]}]
    if not module.keys() & {"walk", "get"}:
        module["walk"] = ["1.1", "1.2"]
    return module
