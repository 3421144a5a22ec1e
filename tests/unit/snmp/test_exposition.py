from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType
from exporters.smi.utf8 import decode_text
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.wire.ber import encode_oid, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import COUNTER64, INTEGER, OCTET_STRING

from .scraping import load_module, scrape


def test_family_is_written_once_with_its_first_help_and_type() -> None:
    exposition = Exposition()

    exposition.add("m", FamilyType.GAUGE, "First.", ['m{a="1"} 1\n'], unique=True)
    exposition.add("n", FamilyType.GAUGE, "", ["n 1\n"], unique=True)
    exposition.add("m", FamilyType.COUNTER, "Second.", ['m{a="2"} 2\n'], unique=True)

    assert exposition.text(TextFormat.PROMETHEUS) == (
        '# HELP m First.\n# TYPE m gauge\nm{a="1"} 1\nm{a="2"} 2\n# TYPE n gauge\nn 1\n'
    )
    assert exposition.sample_count() == 3
    assert exposition.duplicates == 0


def test_families_stand_in_the_order_of_their_names() -> None:
    exposition = Exposition()
    for name in ("b", "c", "a"):
        exposition.add(name, FamilyType.GAUGE, "", [f"{name} 1\n"], unique=True)

    lines = exposition.text(TextFormat.PROMETHEUS).splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["a 1", "b 1", "c 1"]


def test_family_without_samples_is_not_written() -> None:
    exposition = Exposition()

    exposition.add("m", FamilyType.GAUGE, "Help.", [], unique=True)

    assert exposition.text(TextFormat.PROMETHEUS) == ""


@pytest.mark.parametrize("unique_first", [True, False], ids=["promised", "not-promised"])
def test_series_that_is_there_already_is_counted_and_left_out(unique_first: bool) -> None:
    exposition = Exposition()

    exposition.add(
        "m", FamilyType.GAUGE, "", ['m{a="1"} 1\n', 'm{a="x y"} 1\n'], unique=unique_first
    )
    exposition.add("m", FamilyType.GAUGE, "", ['m{a="x y"} 2\n', 'm{a="x"} 3\n'], unique=True)
    exposition.add("m", FamilyType.GAUGE, "", ['m{a="x"} 4\n', "m 5\n", "m 6\n"], unique=False)

    assert exposition.text(TextFormat.PROMETHEUS) == (
        '# TYPE m gauge\nm{a="1"} 1\nm{a="x y"} 1\nm{a="x"} 3\nm 5\n'
    )
    assert exposition.duplicates == 3
    assert exposition.sample_count() == 4


def test_series_are_told_apart_by_all_of_their_labels() -> None:
    exposition = Exposition()

    exposition.add("m", FamilyType.GAUGE, "", ['m{a="1\\n"} 1\n', 'm{a="1"} 1\n'], unique=False)
    exposition.add("m", FamilyType.GAUGE, "", ['m{a="1\\n2"} 1\n'], unique=False)

    assert exposition.duplicates == 0


TABLE = "1.3.6.1.4.1.99999.1"
INDEX = {"labelname": "row", "type": "gauge"}
NAME = {"labels": ["row"], "labelname": "name", "oid": f"{TABLE}.9", "type": "DisplayString"}
METRICS: list[dict[str, Any]] = [
    {"name": "number", "oid": f"{TABLE}.1", "type": "gauge"},
    {"name": "text", "oid": f"{TABLE}.2", "type": "DisplayString"},
    {"name": "state_info", "oid": f"{TABLE}.3", "type": "EnumAsInfo"},
    {"name": "state", "oid": f"{TABLE}.4", "type": "EnumAsStateSet"},
    {"name": "extract", "oid": f"{TABLE}.5", "regex_extracts": {"": [{"regex": r"(?s).*?(\d).*"}]}},
    {"name": "number", "oid": f"{TABLE}.6", "type": "counter"},
]


@pytest.fixture(scope="module")
def table_plan(tmp_path_factory: pytest.TempPathFactory) -> ModulePlan:
    """A table whose rows have names that a device chooses, and no other label."""
    enum = {1: "up", 2: "down"}
    metrics = [
        {
            "help": 'A "help" \\ of\ntwo lines.',
            "indexes": [INDEX],
            "lookups": [NAME, {"labelname": "row"}],
            **({"enum_values": enum} if "state" in metric["name"] else {}),
            **metric,
        }
        for metric in METRICS
    ]
    folder = tmp_path_factory.mktemp("table")
    return compile_module("table", load_module({"walk": [TABLE], "metrics": metrics}, folder))


def _column(number: int) -> bytes:
    return encode_oid(f"{TABLE}.{number}")


_OCTETS = st.binary(max_size=6) | st.text(max_size=6).map(str.encode)
_NUMBER = st.integers(0, 5).map(lambda value: (INTEGER, bytes([value])))
_VALUES = {
    1: _NUMBER | _OCTETS.map(lambda raw: (COUNTER64, raw)),
    2: _OCTETS.map(lambda raw: (OCTET_STRING, raw)),
    3: _NUMBER,
    4: _NUMBER,
    5: _OCTETS.map(lambda raw: (OCTET_STRING, raw)),
    6: _NUMBER,
    9: _OCTETS.map(lambda raw: (OCTET_STRING, raw)),
}


@st.composite
def devices(draw: st.DrawFn) -> list[VarBind]:
    """Rows of the table; of each column some rows may be missing."""
    varbinds: list[VarBind] = []
    for number, values in _VALUES.items():
        for row in draw(st.lists(st.integers(0, 300), max_size=4, unique=True)):
            tag, raw = draw(values)
            varbinds.append((_column(number) + encode_subids([row]), tag, raw))
    return sorted(varbinds)


# The fixture is the same for all examples.
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(devices())
def test_whatever_a_device_says_is_read_back(table_plan: ModulePlan, device: list[VarBind]) -> None:
    scraped = scrape([table_plan], device)
    families = list(text_string_to_metric_families(scraped.text))

    series = Counter(
        (sample.name, frozenset(sample.labels.items()))
        for family in families
        for sample in family.samples
    )
    names = {decode_text(raw) for oid, _, raw in device if oid.startswith(_column(9))} | {""}
    texts = {decode_text(raw) for oid, _, raw in device if oid.startswith(_column(2))}
    assert [found for found, times in series.items() if times > 1] == []
    assert {dict(labels)["name"] for _, labels in series} <= names
    assert {dict(labels)["text"] for name, labels in series if name == "text"} == texts
    assert {family.documentation.split(" (")[0] for family in families} <= {
        'A "help" \\ of\ntwo lines.'
    }
    assert len(scraped.samples) == series.total()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_label_value_is_read_back(table_plan: ModulePlan, name: str) -> None:
    row = encode_subids([1])
    device = [
        (_column(1) + row, INTEGER, b"\x01"),
        (_column(9) + row, OCTET_STRING, name.encode()),
    ]

    (family,) = text_string_to_metric_families(scrape([table_plan], device).text)

    assert [sample.labels for sample in family.samples] == [{"name": name}]
