"""Which modules ``auto`` stands for: what is asked, what is inferred, what is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.demo.recording import Recording
from exporters.snmp.plan import compile_module
from exporters.snmp.survey import Candidates, Survey, telling_roots
from exporters.wire.ber import encode_oid, format_oid
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import END_OF_MIB_VIEW, INTEGER

from .scraping import load_modules

VENDOR = "1.3.6.1.4.1.99999"
IF_ENTRY = "1.3.6.1.2.1.2.2.1"
INDEX = [{"labelname": "index", "type": "gauge"}]


def column(name: str, oid: str, *lookups: str) -> dict[str, Any]:
    looked_up = [
        {"labels": ["index"], "labelname": f"label{number}", "oid": lookup, "type": "gauge"}
        for number, lookup in enumerate(lookups)
    ]
    return {"name": name, "oid": oid, "type": "gauge", "indexes": INDEX, "lookups": looked_up}


def scalar(name: str, oid: str) -> dict[str, Any]:
    return {"name": name, "oid": oid, "type": "gauge"}


def walking(*metrics: dict[str, Any]) -> dict[str, Any]:
    oids = [oid for metric in metrics for oid in (metric["oid"], *_looked_up(metric))]
    return {"walk": list(dict.fromkeys(oids)), "metrics": list(metrics)}


def _looked_up(metric: dict[str, Any]) -> list[str]:
    return [lookup["oid"] for lookup in metric.get("lookups", ())]


def candidates(modules: Mapping[str, Any], folder: Path) -> Candidates:
    loaded = load_modules(modules, folder)
    return Candidates({name: compile_module(name, module) for name, module in loaded.items()})


def answered(found: Candidates, rows: Iterable[str], *, at_once: int = 4) -> dict[str, str]:
    """Ask an agent that has these instances; it must not take more questions than roots."""
    recording = Recording.from_varbinds([(encode_oid(row), INTEGER, b"\1") for row in rows])
    varbinds = list(recording)
    survey = Survey(found)
    questions = 0
    while places := survey.next_places(at_once):
        for place in places:
            questions += 1
            position = recording.position_after(survey.asked(place))
            end: VarBind = (survey.asked(place), END_OF_MIB_VIEW, b"")
            survey.take(place, varbinds[position] if position < len(varbinds) else end)
    assert questions <= len(found.roots)
    return {module: format_oid(oid) for module, oid in survey.answered.items()}


def test_the_modules_that_have_an_object_are_answered(tmp_path: Path) -> None:
    found = candidates(
        {
            "fans": walking(column("fan", f"{VENDOR}.1.1.2")),
            "cpu": walking(scalar("cpu", f"{VENDOR}.2.1")),
            "other": walking(column("disk", "1.3.6.1.4.1.88888.1.1.1")),
        },
        tmp_path,
    )

    rows = [f"{VENDOR}.1.1.3.7", f"{VENDOR}.2.1.0"]

    assert answered(found, rows) == {"fans": rows[0], "cpu": rows[1]}
    assert answered(found, []) == {}


def test_a_vendors_module_needs_an_object_of_the_vendor(tmp_path: Path) -> None:
    vendors = column("fan", f"{VENDOR}.1.1.2", f"{IF_ENTRY}.2")
    found = candidates({"m": walking(column("ifMtu", f"{IF_ENTRY}.4"), vendors)}, tmp_path)

    assert answered(found, [f"{IF_ENTRY}.2.1", f"{IF_ENTRY}.4.1"]) == {}
    assert answered(found, [f"{IF_ENTRY}.4.1", f"{VENDOR}.1.1.2.1"]) == {"m": f"{VENDOR}.1.1.2.1"}


def test_what_only_labels_are_made_of_does_not_count(tmp_path: Path) -> None:
    found = candidates(
        {"m": walking(column("wireless", "1.2.840.10036.1.1.1.1", f"{IF_ENTRY}.2"))}, tmp_path
    )

    assert answered(found, [f"{IF_ENTRY}.2.1"]) == {}
    assert answered(found, ["1.2.840.10036.1.1.1.1.5"]) != {}


def test_the_group_system_counts_only_for_a_module_that_has_nothing_else(tmp_path: Path) -> None:
    uptime = scalar("sysUpTime", "1.3.6.1.2.1.1.3")
    found = candidates(
        {"system": walking(uptime), "if": walking(uptime, column("ifMtu", f"{IF_ENTRY}.4"))},
        tmp_path,
    )

    assert answered(found, ["1.3.6.1.2.1.1.3.0"]) == {"system": "1.3.6.1.2.1.1.3.0"}
    assert answered(found, [f"{IF_ENTRY}.4.1"]) == {"if": f"{IF_ENTRY}.4.1"}


@pytest.mark.parametrize("instance", [f"{VENDOR}.1.0", f"{VENDOR}.1.40", f"{VENDOR}.1.0.40"])
def test_an_instance_that_is_got_is_found_itself(instance: str, tmp_path: Path) -> None:
    metric = scalar("one", instance)
    found = candidates({"get": {"get": [instance], "metrics": [metric]}}, tmp_path)

    assert answered(found, [f"{VENDOR}.0.9", instance, f"{VENDOR}.9.0"]) == {"get": instance}
    assert answered(found, [f"{VENDOR}.0.9", f"{VENDOR}.1.39", f"{VENDOR}.1.41"]) == {}


def test_a_module_without_metrics_is_never_answered(tmp_path: Path) -> None:
    found = candidates({"none": {"walk": [VENDOR], "metrics": []}}, tmp_path)

    assert answered(found, [f"{VENDOR}.1.0"]) == {}


def test_one_answer_tells_of_all_roots_before_what_came(tmp_path: Path) -> None:
    many = {f"m{n}": walking(column(f"m{n}", f"1.3.6.1.4.1.{1000 + n}.1.1.1")) for n in range(200)}
    survey = Survey(candidates(many, tmp_path))

    [first] = survey.next_places(1)
    survey.take(first, (encode_oid("1.3.6.1.4.1.1198.1.1.1.5"), INTEGER, b"\1"))

    assert survey.answered.keys() == {"m198"}
    assert [format_oid(survey.asked(place)) for place in survey.next_places(9)] == [
        "1.3.6.1.4.1.1199.1.1"
    ]


def test_an_agent_that_goes_back_tells_of_the_root_alone(tmp_path: Path) -> None:
    survey = Survey(
        candidates(
            {
                n: walking(column(n, f"1.3.6.1.4.1.{number}.1.1.1"))
                for number, n in enumerate("abc")
            },
            tmp_path,
        )
    )

    survey.take(2, (encode_oid("1.3.6.1.4.1.1.1.1.1.5"), INTEGER, b"\1"))
    survey.take(1, None)

    assert survey.next_places(9) == [0]
    assert not survey.answered


def test_modules_with_the_metrics_of_a_larger_one_are_left_out(tmp_path: Path) -> None:
    mtu, speed = column("ifMtu", f"{IF_ENTRY}.4"), column("ifSpeed", f"{IF_ENTRY}.5")
    found = candidates(
        {
            "small": walking(mtu),
            "large": walking(mtu, speed),
            "same": walking(speed, mtu),
            "apart": walking(speed, column("ifType", f"{IF_ENTRY}.3")),
        },
        tmp_path,
    )

    assert found.choose(["small", "large", "same", "apart"]) == (
        ["apart", "large"],
        {"small": "large", "same": "large"},
    )
    assert found.choose(["small", "apart"]) == (["apart", "small"], {})


def test_a_module_with_a_series_of_its_own_is_not_left_out(tmp_path: Path) -> None:
    fan = column("fan", f"{VENDOR}.1.1.2")
    info = {"name": "fan_info", "rows_of": [f"{VENDOR}.1.1.2"], "indexes": INDEX}
    more = walking(fan, column("temperature", f"{VENDOR}.1.1.3"))
    found = candidates({"more": more, "own": walking(fan) | {"constants": [info]}}, tmp_path)

    assert found.choose(["more", "own"]) == (["more", "own"], {})


OIDS = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(
    lambda arcs: ".".join(map(str, (VENDOR, *arcs)))
)


@given(
    tables=st.lists(OIDS, min_size=1, max_size=12, unique=True),
    rows=st.lists(OIDS, max_size=12, unique=True),
    at_once=st.integers(1, 5),
)
def test_what_is_inferred_is_what_asking_for_every_root_gives(
    tables: list[str], rows: list[str], at_once: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    modules = {
        f"m{number}": walking(column(f"m{number}", f"{table}.300"))
        if number % 2
        else {"get": [table], "metrics": [scalar(f"m{number}", table)]}
        for number, table in enumerate(tables)
    }
    found = candidates(modules, tmp_path_factory.mktemp("survey"))
    rows = [row for row in rows if row not in tables[1::2]]  # no agent has a table as an instance
    instances = {encode_oid(row) for row in rows}
    truth = {
        module
        for root, names in zip(found.roots, found.modules, strict=True)
        if any(oid.startswith(root.oid) and oid != root.asked for oid in instances)
        for module in names
    }

    assert answered(found, rows, at_once=at_once).keys() == truth


def test_every_module_that_snmp_exporter_ships_has_roots_that_tell(shared_dir: Path) -> None:
    from exporters.snmp.arguments import load_files
    from exporters.snmp.loaded import Loaded

    config = load_files([str(shared_dir / "peers/snmp_exporter-snmp.yml")])
    loaded = Loaded.compile(config, None)

    assert {name for name, plan in loaded.plans.items() if not telling_roots(plan)} == set()
