"""Metrics that two modules of one scrape would both give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from exporters.authoring.module_faults import emitted_names, labels_of
from exporters.config.snmp_module import Module
from exporters.wording import counted

_SHOWN = 5


def overlaps(
    modules: Mapping[str, Module], pairs: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Give the later module of each pair, and what it has in common with the other one.

    Args:
        modules: All of them, by name.
        pairs: Those that are scraped together.
    """
    given = {
        name: {
            (emitted, labels_of(metric), frozenset(module.labels.items()))
            for metric in module.metrics
            for emitted in emitted_names(metric)
        }
        for name, module in modules.items()
    }
    for first, second in pairs:
        shared = sorted(name for name, *_ in given[first] & given[second])
        if shared:
            names = ", ".join(shared[:_SHOWN]) + (", ..." if len(shared) > _SHOWN else "")
            count = counted(len(shared), "metric")
            yield second, f"gives {count} that {first} gives too: {names}"
