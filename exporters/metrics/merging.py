"""The telemetry of several processes as one, so that it does not matter which of them is asked.

A snapshot is what a registry holds at one moment, as values that JSON can carry:

    [["snmp_packets", "Packets sent to agents.", "counter",
      [["snmp_packets_total", {}, 3.0]]], ...]

Values of one series become one as ``combining`` says. What is about one process (``process_*``,
``python_*``) stays apart, told from the others by the label ``worker``.

Not here: which processes there are, and how their snapshots come together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from exporters.metrics.combining import Rule, outlives_its_process, rule_of

Snapshot = list[list[Any]]
"""Families of samples: ``[name, help, type, [[sample name, labels, value], ...]]`` each."""

_Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]

_OF_ONE_PROCESS = ("process_", "python_")
_OF_RELOADS = "_config_last_reload_"
_COMBINE: Final[dict[Rule, Callable[[float, float], float]]] = {
    Rule.SUM: operator.add,
    Rule.MOST: max,
    Rule.LEAST: min,
}


def snapshot(registry: CollectorRegistry) -> Snapshot:
    """Return all that *registry* holds now."""
    return [
        [
            family.name,
            family.documentation,
            family.type,
            [[sample.name, sample.labels, sample.value] for sample in family.samples],
        ]
        for family in registry.collect()
    ]


def never_falling(families: Snapshot) -> Snapshot:
    """Keep what must stay in the sum when its process does not answer or is gone."""
    return [
        family
        for family in families
        if outlives_its_process(family[0], family[2]) and not family[0].startswith(_OF_ONE_PROCESS)
    ]


def of_a_parent(families: Snapshot) -> Snapshot:
    """Keep what a process that only watches over others has to tell: of itself, and of reloads."""
    return [
        family
        for family in families
        if family[0].startswith(_OF_ONE_PROCESS) or _OF_RELOADS in family[0]
    ]


def merge(parts: Iterable[tuple[str, Snapshot]]) -> Snapshot:
    """Merge snapshots, each with the label that its process has as ``worker``."""
    merged: dict[str, tuple[str, str, _Samples]] = {}
    for worker, families in parts:
        for name, help_text, family_type, samples in families:
            _, _, found = merged.setdefault(name, (help_text, family_type, {}))
            own_labels = {"worker": worker} if name.startswith(_OF_ONE_PROCESS) else {}
            combine = _COMBINE[rule_of(name, family_type)]
            for sample_name, labels, value in samples:
                key = (sample_name, tuple((labels | own_labels).items()))
                found[key] = combine(found[key], value) if key in found else value
    return [
        [name, help_text, family_type, [[key[0], dict(key[1]), value] for key, value in f.items()]]
        for name, (help_text, family_type, f) in merged.items()
    ]


def registry_of(families: Snapshot) -> CollectorRegistry:
    """Return a registry that holds *families*, to render it."""
    registry = CollectorRegistry()
    registry.register(_Families(families))
    return registry


class _Families(Collector):
    def __init__(self, families: Snapshot) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for name, help_text, family_type, samples in self._families:
            metric = Metric(name, help_text, family_type)
            for sample_name, labels, value in samples:
                metric.add_sample(sample_name, labels, value)
            yield metric
