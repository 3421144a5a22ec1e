"""A module without what only we have: what snmp_exporter reads, and what that leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from exporters.config.snmp_metric import Lookup, Metric
from exporters.config.snmp_module import Module

_LEFT_OUT: Mapping[str, Any] = {
    "labels": {},
    "relabel": (),
    "where": (),
    "constants": (),
    "lookup_cache": None,
    "concurrency": 0,
    "packets_per_second": 0.0,
}
"""Keys of a module that snmp_exporter does not know, and what they are without effect."""


def peer_form(module: Module) -> tuple[Module, list[str]]:
    """Give *module* as snmp_exporter can read it, and what it does not have then."""
    lost = [key for key, nothing in _LEFT_OUT.items() if getattr(module, key) != nothing]
    if module.constants:  # written as constants, or as info_labels
        lost.remove("constants")
        lost.append(f"the series {', '.join(item.name for item in module.constants)}")
    lost += dict.fromkeys(label for metric in module.metrics for label in _lost_labels(metric))
    if not lost:
        return module, []
    written = {**module.written(), **_LEFT_OUT}
    return replace(module, metrics=tuple(map(_metric, module.metrics)), **written), lost


def _lost_labels(metric: Metric) -> Iterator[str]:
    for lookup in metric.lookups:
        if lookup.if_empty:
            yield f"first_of of the label {lookup.labelname}, but for its first column"
    if metric.value_label is not None:
        yield f"the name {metric.value_label} of the label with the value of {metric.name}"


def _metric(metric: Metric) -> Metric:
    lookups = tuple(filter(_is_plain, metric.lookups))
    if lookups == metric.lookups and metric.value_label is None:
        return metric
    return replace(metric, lookups=lookups, value_label=None)


def _is_plain(lookup: Lookup) -> bool:
    return not lookup.if_empty
