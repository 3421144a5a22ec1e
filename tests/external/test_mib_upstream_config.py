"""snmp_exporter's shipped snmp.yml against our dictionary: names, OIDs, types and indexes.

Its MIBs are of other revisions here and there, and its generator.yml overrides some of what the
MIBs say. Every difference that is left is explained below; the test prints what it met.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import NoMetricError, metric_of, sanitize_name
from exporters.smi.mib_objects import MibObject
from exporters.smi.mib_store import DirectoryFiles, MibStore
from exporters.wire.ber import encode_oid

OTHER_NAMES = {
    "dell_network": "dellNetCpuFlashUsage was renamed in a later revision",
    "kemp_loadmaster": "a later revision spells its names in another case",
    "synology": "a later revision has controllerNumber where this one has a node",
}
"""Modules with objects of another name at the same OID, and why."""

OTHER_TYPES = {
    "kemp_loadmaster": "rSActiveConns was a counter before it was a gauge",
    "mikrotik": "fan speeds were texts before they were numbers",
    "readynas": "temperatures were texts before they were numbers",
}

OTHER_INDEXES = {
    "cisco_device": "a later revision names the numbers of ciscoMemoryPoolType",
    "keepalived": "this revision names one number of vrrpInstanceIndex",
    "kemp_loadmaster": "a later revision spells its names in another case",
}


@dataclass
class Comparison:
    """What was compared, and what was different: module of snmp.yml and words."""

    agreeing: int = 0
    unknown: int = 0
    names: list[tuple[str, str]] = field(default_factory=list)
    types: list[tuple[str, str]] = field(default_factory=list)
    indexes: list[tuple[str, str]] = field(default_factory=list)


def read_yaml(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


@pytest.fixture(scope="module")
def comparison(shared_dir: Path, repository: Path) -> Comparison:
    modules = read_yaml(shared_dir / "peers" / "snmp_exporter-snmp.yml")["modules"]
    rules = read_yaml(shared_dir / "peers" / "snmp_exporter-generator.yml")["modules"]
    dictionary = Dictionary((MibStore(DirectoryFiles(repository / "modules" / "mibs")),))
    result = Comparison()
    for name, module in modules.items():
        overrides = rules[name].get("overrides", {})
        for metric in module.get("metrics", ()):
            compare(result, dictionary, name, metric, overrides)
    return result


def compare(
    result: Comparison,
    dictionary: Dictionary,
    module: str,
    metric: dict[str, Any],
    overrides: dict[str, dict[str, Any]],
) -> None:
    items = dictionary.at(encode_oid(metric["oid"]))
    if not items:
        result.unknown += 1
        return
    renamed = {key for key, rule in overrides.items() if rule.get("name") == metric["name"]}
    item = next((i for i in items if sanitize_name(i.name) in {metric["name"], *renamed}), None)
    if item is None:
        where = f"{metric['name']} {metric['oid']}: {items[0].qualified_name}"
        result.names.append((module, where))
        return
    result.agreeing += 1
    compare_shape(result, dictionary, module, metric, item, overrides)


def compare_shape(
    result: Comparison,
    dictionary: Dictionary,
    module: str,
    metric: dict[str, Any],
    item: MibObject,
    overrides: dict[str, dict[str, Any]],
) -> None:
    try:
        shape = metric_of(dictionary, item)
    except NoMetricError as error:
        result.types.append((module, f"{item.qualified_name}: {error}"))
        return
    rule = {**overrides.get(item.name, {}), **overrides.get(item.qualified_name, {})}
    if shape.type != metric["type"] and "type" not in rule:
        result.types.append((module, f"{item.qualified_name}: {shape.type}, {metric['type']}"))
    ours = [
        (index.labelname, index.type, index.fixed_size, index.implied) for index in shape.indexes
    ]
    theirs = [
        (index["labelname"], index["type"], index.get("fixed_size", 0), index.get("implied", False))
        for index in metric.get("indexes", ())
    ]
    # Lookups that are chained append their labels to the indexes.
    if theirs[: len(ours)] != ours:
        result.indexes.append((module, f"{item.qualified_name}: {ours}, {theirs}"))


def show(what: str, found: list[tuple[str, str]], reasons: dict[str, str]) -> None:
    print(f"{len(found)} {what}")
    for module, words in found:
        print(f"  {module}: {words} ({reasons.get(module, 'UNEXPLAINED')})")


def test_names_and_oids_agree_wherever_the_mib_is_there(comparison: Comparison) -> None:
    show("names differ", comparison.names, OTHER_NAMES)

    assert comparison.agreeing > 3000
    assert {module for module, _ in comparison.names} == set(OTHER_NAMES)
    assert len(comparison.names) == 27


def test_types_agree_but_for_overrides_and_revisions(comparison: Comparison) -> None:
    show("types differ", comparison.types, OTHER_TYPES)

    assert Counter(module for module, _ in comparison.types) == {
        "kemp_loadmaster": 1, "mikrotik": 2, "readynas": 2,
    }  # fmt: skip


def test_indexes_agree_but_for_revisions(comparison: Comparison) -> None:
    show("indexes differ", comparison.indexes, OTHER_INDEXES)

    assert {module for module, _ in comparison.indexes} == set(OTHER_INDEXES)
