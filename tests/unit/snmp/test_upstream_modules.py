"""The modules that snmp_exporter ships, unchanged, on devices that have all of it.

Everything that a module promises has to come out, and nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.config.snmp_config import Module, load_snmp_config
from exporters.snmp.plan import compile_module
from exporters.wire.ber import format_oid

from ..polling.fake_session import responder
from ..sockets.pretend_time import in_pretend_time
from .collecting import Collector
from .made_up_devices import made_up_device
from .scraping import scrape


@pytest.fixture(scope="module")
def modules(shared_dir: Path) -> Mapping[str, Module]:
    path = shared_dir / "peers" / "snmp_exporter-snmp.yml"
    return load_snmp_config([path], environment={}).modules


def promised(module: Module) -> set[str]:
    """The names of all families of a module."""
    names: set[str] = set()
    for metric in module.metrics:
        if metric.regex_extracts:
            names.update(metric.name + suffix for suffix in metric.regex_extracts)
        elif metric.type != "EnumAsInfo":
            names.add(metric.name)
        elif metric.name not in {index.labelname for index in metric.indexes}:
            names.add(f"{metric.name}_info")
    return names


def test_file_has_all_of_its_modules_and_metrics(modules: Mapping[str, Module]) -> None:
    assert len(modules) == 53
    assert sum(len(module.metrics) for module in modules.values()) == 4_802


def test_every_metric_of_every_module_appears(modules: Mapping[str, Module]) -> None:
    missing: dict[str, set[str]] = {}
    for name, module in modules.items():
        plan = compile_module(name, module)

        scraped = scrape([plan], made_up_device(module))
        families = list(text_string_to_metric_families(scraped.text))

        samples = [sample for family in families for sample in family.samples]
        # From the text: the parser gives counters the _total that they do not have.
        found = {re.split(r"[{ ]", line, maxsplit=1)[0] for line in scraped.samples}
        series = {(sample.name, frozenset(sample.labels.items())) for sample in samples}
        assert scraped.values_unreadable == 0, name
        assert len(series) == len(samples) == len(scraped.samples), name
        if promised(module) != found:
            missing[name] = promised(module) ^ found
    assert missing == {}


@in_pretend_time
async def test_labels_from_memory_are_those_that_were_read(modules: Mapping[str, Module]) -> None:
    """And the columns of lookups alone are not asked for again, in any module that has some."""
    remembered: set[str] = set()
    for name, module in modules.items():
        collector = Collector(compile_module(name, module), default_seconds=600.0)
        agent = responder(made_up_device(module))
        first, second = [await collector.scrape(agent) for _ in range(2)]
        assert second.samples == first.samples, name
        assert second.outcome.labels_remembered is bool(collector.plan.labels.recipes), name
        if second.outcome.labels_remembered:
            remembered.add(name)
            labels = set(map(format_oid, collector.plan.labels.columns))
            assert labels, name
            assert labels.isdisjoint(second.names), name
            assert not labels.isdisjoint(first.names), name
    assert {"if_mib", "cisco_device", "juniper", "hrStorage"} <= remembered
