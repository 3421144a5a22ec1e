"""Which series and labels there are for an expression: those of golden scrapes, and recorded ones.

What Prometheus itself adds, labels of targets and ``up``, is told here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.golden import Series, golden_series

from .promql import Selector, read_expression

ALERT_RULES: Final = Path(__file__).resolve().parents[2] / "alert_rules"
TARGET_LABELS: Final = frozenset(
    ("job", "instance", "exporter", "device", "site", "role", "parent")
)
"""From prometheus.yml and devices.yml."""
_OF_PROMETHEUS: Final = (
    *(Series(name, frozenset()) for name in ("up", "scrape_duration_seconds")),
    *(Series(f"scrape_{name}", frozenset()) for name in ("samples_scraped", "series_added")),
    Series("ALERTS", frozenset({("alertname", ""), ("alertstate", ""), ("severity", "")})),
    Series("ALERTS_FOR_STATE", frozenset({("alertname", ""), ("severity", "")})),
)
_FREE: Final = TARGET_LABELS | {"alertname", "alertstate"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a file: an alert, or a recording."""

    file: str
    name: str
    alert: bool
    expression: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    holds: str = ""


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule that ships."""
    return tuple(
        Rule(
            path.name,
            rule.get("alert") or rule["record"],
            "alert" in rule,
            rule["expr"],
            rule.get("labels", {}),
            rule.get("annotations", {}),
            rule.get("for", ""),
        )
        for path in sorted(ALERT_RULES.glob("*.rules.yml"))
        for group in _load(path)["groups"]
        for rule in group["rules"]
    )


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@cache
def _recorded() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules():
        if not rule.alert:
            found.setdefault(rule.name, []).append(rule)
    return found


@cache
def _series() -> tuple[Series, ...]:
    return (*golden_series(), *_OF_PROMETHEUS)


@cache
def labels_of(name: str) -> frozenset[str]:
    """The labels that series of that name may have; empty if there are none."""
    return _labels_of(name, frozenset())


def _labels_of(name: str, within: frozenset[str]) -> frozenset[str]:
    """The same, inside of the expressions of some recordings: one may remember itself."""
    if name in _recorded():
        if name in within:
            return frozenset()
        found: set[str] = set()
        for rule in _recorded()[name]:
            found |= _labels_in(rule.expression, within | {name}) | rule.labels.keys()
        return frozenset(found)
    own = [frozenset(label for label, _ in one.labels) for one in _series() if one.name == name]
    return frozenset().union(*own, TARGET_LABELS) if own else frozenset()


@cache
def labels_in(expression: str) -> frozenset[str]:
    """The labels that what an expression comes to may have."""
    return _labels_in(expression, frozenset())


def _labels_in(expression: str, within: frozenset[str]) -> frozenset[str]:
    read = read_expression(expression)
    names = {name for selector in read.selectors for name in names_of(selector)}
    return frozenset().union(read.made, *(_labels_of(name, within) for name in names))


def names_of(selector: Selector) -> Iterable[str]:
    """The metrics that a selector selects."""
    if selector.name:
        return (selector.name,)
    names = {series.name for series in _series()} | _recorded().keys()
    return [name for name in names if selector.selects(name, {}, _everything(selector))]


def _everything(selector: Selector) -> frozenset[str]:
    return frozenset(label for label, *_ in selector.matchers if label != "__name__")


def faults_of(text: str) -> list[str]:
    """What an expression names and nothing has, in words."""
    read = read_expression(text)
    faults = [fault for selector in read.selectors for fault in _faults_of_selector(selector)]
    known = labels_in(text)
    return faults + [
        f"label {label}: of none of its metrics" for label in sorted(read.listed - known)
    ]


def _faults_of_selector(selector: Selector) -> list[str]:
    names = list(names_of(selector))
    if not any(_exists(name) for name in names):
        return [
            f"{selector.name or selector.matchers}: no golden scrape has it, no rule records it"
        ]
    if any(name in _recorded() for name in names):
        known = frozenset().union(*(labels_of(name) for name in names), {"__name__"})
        return [
            f"{selector.name}: has no label {label}"
            for label, *_ in selector.matchers
            if label not in known
        ]
    if any(selector.selects(one.name, dict(one.labels), _FREE) for one in _series()):
        return []
    return [f"{selector.name}: no series of a golden scrape has {_text(selector)}"]


def _exists(name: str) -> bool:
    return name in _recorded() or any(one.name == name for one in _series())


def _text(selector: Selector) -> str:
    return ", ".join(f'{label}{sign}"{value}"' for label, sign, value in selector.matchers)
