"""Upstream's generator.yml, loaded by name, against the snmp.yml that the generator made of it.

    pytest -s tests/external/test_generator_modules.py

prints a line a module: metrics that are equal but for their HELP, metrics that only one side has,
fields that differ, names that no MIB here has, and why. Subtrees to walk, instances to get and the
parameters of the walk are compared too. docs/compatibility.md has the same table.
Every figure is pinned.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.config.snmp_config import Module, load_snmp_config
from exporters.config.snmp_metric import Metric
from exporters.errors import ConfigError
from exporters.mibs.opening import open_with_directories
from exporters.smi.dictionary import Dictionary

ABSENT = "the MIB is not here"
PARTLY = "five of nine MIBs are not here"
OTHER = "another revision of the MIB"
NAMES = "another revision of the MIB names other numbers"
ONE_NAME = "another revision of the MIB, which names a number of an index"
MORE = "more MIBs are known below what is walked; upstream's revision has other texts and names"
CASE = "another revision of the MIB, with names in the case of upstream's lookups, which so apply"

METRIC_FIELDS = (
    "name", "type", "indexes", "lookups", "enum_values", "offset", "scale", "datetime_pattern",
    "display_hint",
)  # fmt: skip
MODULE_FIELDS = (
    "walk", "get", "max_repetitions", "retries", "timeout", "use_unconnected_udp_socket",
    "allow_nonincreasing_oids",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What a module has in common with upstream's."""

    equal: int = 0
    ours_only: int = 0
    theirs_only: int = 0
    differ: Mapping[str, int] = field(default_factory=dict)
    unknown_names: int = 0
    why: str = ""


def absent(metrics: int, names: int) -> Row:
    return Row(theirs_only=metrics, unknown_names=names, why=ABSENT)


EXPECTED = {
    "system": Row(12),
    "if_mib": Row(38, differ={"enum_values": 1}, why=NAMES),
    "ip_mib": Row(4),
    "readynas": Row(92, ours_only=1415, theirs_only=6, differ={"type": 2}, why=MORE),
    "cisco_wlc": Row(18, differ={"enum_values": 2}, why=NAMES),
    "cisco_device": Row(14, differ={"lookups": 8}, why=NAMES),
    "cisco_fc_fe": Row(9),
    "dell": Row(499, theirs_only=6, differ={"enum_values": 7}, why=OTHER),
    "dell_rac": Row(21),
    "dell_network": Row(
        21, theirs_only=6, differ={"name": 1, "walk": 1}, unknown_names=1, why=OTHER
    ),
    "dlink": Row(6),
    "eltex_mes": absent(4, 4),
    "hpe": Row(
        528, theirs_only=166, differ={"enum_values": 16, "walk": 1}, unknown_names=3, why=OTHER
    ),
    "apcups": Row(161, theirs_only=134, differ={"enum_values": 7}, why=OTHER),
    "servertech_sentry3": Row(52),
    "servertech_sentry4": Row(52, theirs_only=2, differ={"walk": 1}, unknown_names=3, why=OTHER),
    "paloalto_fw": Row(90, theirs_only=70, why=OTHER),
    "arista_sw": Row(46),
    "sophos_xg": absent(70, 5),
    "synology": Row(141, theirs_only=69, differ={"walk": 1}, unknown_names=7, why=PARTLY),
    "ucd_la_table": Row(3),
    "ucd_memory": Row(28),
    "ucd_system_stats": Row(29),
    "ubiquiti_airfiber": Row(146, differ={"enum_values": 4}, why=NAMES),
    "ubiquiti_airmax": Row(63, theirs_only=16, why=OTHER),
    "ubiquiti_airos": Row(5),
    "ubiquiti_unifi": Row(54),
    "keepalived": Row(90, theirs_only=88, differ={"enum_values": 8, "indexes": 19}, why=ONE_NAME),
    "kemp_loadmaster": Row(
        11,
        theirs_only=36,
        differ={"enum_values": 1, "indexes": 36, "lookups": 21, "name": 25, "type": 17},
        why=CASE,
    ),
    "printer_mib": Row(13),
    "nec_ix": absent(265, 11),
    "raritan": Row(10),
    "raritan_pdu2": Row(83, theirs_only=86, differ={"enum_values": 16, "indexes": 40}, why=OTHER),
    "raritan_assetmanagement": Row(36),
    "infrapower_pdu": absent(3, 7),
    "liebert_pdu": Row(95, theirs_only=20, differ={"enum_values": 1}, why=OTHER),
    "mikrotik": Row(
        247, theirs_only=166, differ={"enum_values": 2, "type": 2}, unknown_names=2, why=OTHER
    ),
    "cyberpower": absent(475, 4),
    "eap": absent(1, 1),
    "hrSystem": Row(7),
    "hrStorage": Row(5),
    "hrDevice": Row(25),
    "hrSWRun": Row(8),
    "hrSWRunPerf": Row(2),
    "hrSWInstalled": Row(7),
    "powercom": Row(56, theirs_only=2, differ={"get": 1}, unknown_names=2, why=OTHER),
    "tplink-ddm": absent(7, 7),
    "cisco_imc": Row(2, differ={"enum_values": 1}, why=NAMES),
    "juniper": Row(24, theirs_only=8, differ={"enum_values": 1}, why=OTHER),
    "juniper_optics": Row(4, differ={"enum_values": 1}, why=NAMES),
    "yamaha_rt": absent(10, 10),
    "fieldserver": absent(6, 12),
    "ups_mib": Row(59),
}


@dataclass
class Side:
    """A module of ours, and what of it had to be left out."""

    module: Module | None
    unknown_names: int


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return open_with_directories([], None).dictionary


@pytest.fixture(scope="module")
def theirs(shared_dir: Path) -> Mapping[str, Module]:
    return load_snmp_config(
        [shared_dir / "peers" / "snmp_exporter-snmp.yml"], environment={}
    ).modules


@pytest.fixture(scope="module")
def generator(shared_dir: Path) -> dict[str, Any]:
    path = shared_dir / "peers" / "snmp_exporter-generator.yml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def ours(
    generator: dict[str, Any], dictionary: Dictionary, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Side]:
    folder = tmp_path_factory.mktemp("generator")
    return {
        name: load_what_is_known(module, dictionary, folder / f"{name}.yml")
        for name, module in generator["modules"].items()
    }


def load_what_is_known(module: dict[str, Any], dictionary: Dictionary, path: Path) -> Side:
    """Load a module without the names that no MIB has."""
    unknown = 0
    while module["walk"]:
        content = {"auths": {"a": {}}, "modules": {"m": module}}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        try:
            config = load_snmp_config([path], environment={}, open_dictionary=lambda: dictionary)
        except ConfigError as error:
            unknown += len(error.problems)
            module = without(module, {problem.key_path for problem in error.problems})
        else:
            return Side(config.modules["m"], unknown)
    return Side(None, unknown)


def without(module: dict[str, Any], key_paths: set[str]) -> dict[str, Any]:
    """A module without the entries of its lists that have faults."""
    kept = {
        key: [
            entry
            for number, entry in enumerate(module.get(key, ()))
            if not {f"modules.m.{key}[{number}]", f"modules.m.{key}[{number}].lookup"} & key_paths
        ]
        for key in ("walk", "lookups")
    }
    assert kept != {key: module.get(key, []) for key in kept}, key_paths
    return {**module, **kept}


def compare(side: Side, theirs: Module) -> Row:
    if side.module is None:
        return Row(theirs_only=len(theirs.metrics), unknown_names=side.unknown_names)
    mine = {metric.oid: metric for metric in side.module.metrics}
    upstream = {metric.oid: metric for metric in theirs.metrics}
    both = mine.keys() & upstream.keys()
    differences = {oid: list(differing(mine[oid], upstream[oid])) for oid in both}
    differ = Counter(name for names in differences.values() for name in names)
    for name in MODULE_FIELDS:
        left, right = getattr(side.module, name), getattr(theirs, name)
        if (set(left) != set(right)) if isinstance(left, tuple) else left != right:
            differ[name] += 1
    return Row(
        equal=sum(not names for names in differences.values()),
        ours_only=len(mine.keys() - upstream.keys()),
        theirs_only=len(upstream) - len(both),
        differ=dict(sorted(differ.items())),
        unknown_names=side.unknown_names,
    )


def differing(ours: Metric, theirs: Metric) -> Iterator[str]:
    for name in METRIC_FIELDS:
        if getattr(ours, name) != getattr(theirs, name):
            yield name
    if extracts(ours) != extracts(theirs):
        yield "regex_extracts"


def extracts(metric: Metric) -> dict[str, list[tuple[str | None, str]]]:
    """As they are, but for the anchors that the generator writes around patterns."""
    return {
        suffix: [
            (
                extract.regex and extract.regex.source.removeprefix("^(?:").removesuffix(")$"),
                extract.value.source,
            )
            for extract in found
        ]
        for suffix, found in metric.regex_extracts.items()
    }


def table(rows: Mapping[str, Row]) -> str:
    lines = ["module                    equal   ours theirs  names  differ"]
    for name, row in rows.items():
        differ = ", ".join(f"{field} {count}" for field, count in row.differ.items())
        figures = f"{row.equal:6} {row.ours_only:6} {row.theirs_only:6} {row.unknown_names:6}"
        why = f"({row.why})" if row.why else ""
        lines.append(f"{name:24} {figures}  {differ}{' ' if differ else ''}{why}".rstrip())
    return "\n".join(lines)


def documented(name: str, row: Row) -> str:
    """A line of the table in docs/compatibility.md."""
    differ = ", ".join(f"`{field}` {count}" for field, count in row.differ.items())
    figures = (row.equal, row.ours_only, row.theirs_only)
    cells = [f"`{name}`", *(str(figure or "") for figure in figures), differ]
    return f"| {' | '.join([*cells, str(row.unknown_names or ''), row.why])} |"


def test_the_documentation_has_the_comparison_of_every_module() -> None:
    text = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text(encoding="utf-8")
    rows = text.partition("| module | equal |")[2].partition("\n\n")[0].splitlines()[2:]

    assert rows == [documented(name, row) for name, row in EXPECTED.items()]


def test_every_module_is_what_the_generator_made_of_it_or_the_difference_is_known(
    ours: dict[str, Side], theirs: Mapping[str, Module]
) -> None:
    found = {name: compare(side, theirs[name]) for name, side in ours.items()}
    known = {
        name: Row(**{**vars(row), "why": EXPECTED[name].why if name in EXPECTED else "?"})
        for name, row in found.items()
    }
    print(f"\n{table(known)}")

    assert known == EXPECTED


def test_modules_whose_mibs_are_here_load_unchanged_in_a_second_or_two(
    generator: dict[str, Any], tmp_path: Path
) -> None:
    known = {
        name: module
        for name, module in generator["modules"].items()
        if not EXPECTED[name].unknown_names
    }
    path = tmp_path / "generator.yml"
    path.write_text(yaml.safe_dump({**generator, "modules": known}), encoding="utf-8")
    started_at = time.process_time()

    config = load_snmp_config(
        [path], environment={}, open_dictionary=lambda: open_with_directories([], None).dictionary
    )

    assert list(config.auths) == ["public_v1", "public_v2"]
    assert list(config.modules) == sorted(known)
    assert sum(len(module.metrics) for module in config.modules.values()) > 3000
    assert time.process_time() - started_at < 3
