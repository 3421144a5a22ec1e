from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporters.errors import ConfigError, FailureReason, TargetError
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.polling.cursor import Range
from exporters.polling.walk import Instance
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.snmp.sheet import Sheet
from exporters.wire.ber import Oid, encode_oid, encode_subids, format_oid

from .scraping import device, expected, load_module, load_modules, outcome, read, read_cases, scrape

IF_MIB = {
    "walk": ["1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.31.1.1.1.18"],
    "metrics": [
        {
            "name": "ifInOctets",
            "oid": "1.3.6.1.2.1.2.2.1.10",
            "type": "counter",
            "indexes": [{"labelname": "ifIndex", "type": "gauge"}],
            "lookups": [
                {
                    "labels": ["ifIndex"],
                    "labelname": "ifAlias",
                    "oid": "1.3.6.1.2.1.31.1.1.1.18",
                    "type": "DisplayString",
                }
            ],
        },
        {
            "name": "ifDescr",
            "oid": "1.3.6.1.2.1.2.2.1.2",
            "type": "DisplayString",
            "indexes": [{"labelname": "ifIndex", "type": "gauge"}],
        },
    ],
}
IF_TABLE, IF_X_TABLE = encode_oid("1.3.6.1.2.1.2.2.1"), encode_oid("1.3.6.1.2.1.31.1.1.1")


def column(table: Oid, number: int) -> Oid:
    return table + encode_subids([number])


@pytest.mark.parametrize("case", read_cases("plans"), ids=lambda case: case["id"])
def test_rows_of_case(case: dict[str, Any], tmp_path: Path) -> None:
    assert outcome(case, tmp_path) == expected(case)


def compile_dict(module: dict[str, Any], folder: Path) -> ModulePlan:
    return compile_module("module", load_module(module, folder))


def test_columns_that_labels_need_are_read_first(tmp_path: Path) -> None:
    plan = compile_dict(IF_MIB, tmp_path)

    assert [(item.root, item.column, item.table) for item in plan.ranges] == [
        (column(IF_X_TABLE, 18), column(IF_X_TABLE, 18), IF_X_TABLE),
        (column(IF_TABLE, 2), column(IF_TABLE, 2), IF_TABLE),
        (column(IF_TABLE, 10), column(IF_TABLE, 10), IF_TABLE),
    ]
    assert plan.instances == ()


def test_columns_that_nothing_needs_are_not_read(tmp_path: Path) -> None:
    plan = compile_dict({**IF_MIB, "walk": ["1.3.6.1.2.1"]}, tmp_path)

    assert {item.column for item in plan.ranges} == {
        column(IF_X_TABLE, 18),
        column(IF_TABLE, 2),
        column(IF_TABLE, 10),
    }


def test_metric_needs_the_columns_of_its_lookups_alone(tmp_path: Path) -> None:
    plan = compile_dict(IF_MIB, tmp_path)

    assert [metric.needs for metric in plan.metrics] == [{column(IF_X_TABLE, 18)}, set()]


def test_metric_needs_the_column_of_its_subtype(tmp_path: Path) -> None:
    metric = {"name": "address", "oid": "1.1.3", "type": "InetAddress"}
    plan = compile_dict({"walk": ["1.1"], "metrics": [metric]}, tmp_path)

    assert [planned.needs for planned in plan.metrics] == [{encode_oid("1.1.2")}]
    assert {item.column for item in plan.ranges} == {encode_oid("1.1.2"), encode_oid("1.1.3")}


def test_no_column_stands_before_the_first(tmp_path: Path) -> None:
    metric = {"name": "address", "oid": "1.1.1", "type": "InetAddress"}
    plan = compile_dict({"walk": ["1.1"], "metrics": [metric]}, tmp_path)

    assert [item.column for item in plan.ranges] == [encode_oid("1.1.1")]


def test_scalar_is_known_as_one(tmp_path: Path) -> None:
    metrics = [
        {"name": "number", "oid": "1.3.6.1.2.1.2.1", "type": "gauge"},
        *IF_MIB["metrics"],
    ]
    plan = compile_dict({"walk": ["1.3.6.1.2.1.2"], "metrics": metrics}, tmp_path)

    assert [format_oid(item.root) for item in plan.ranges if item.scalar] == ["1.3.6.1.2.1.2.1"]


def test_column_of_a_lookup_is_no_scalar_even_if_a_metric_says_so(tmp_path: Path) -> None:
    metrics = [{"name": "ifAlias", "oid": "1.3.6.1.2.1.31.1.1.1.18"}, *IF_MIB["metrics"]]
    plan = compile_dict({**IF_MIB, "metrics": metrics}, tmp_path)

    assert not any(item.scalar for item in plan.ranges)


def test_walk_of_one_row_is_a_range_and_an_instance(tmp_path: Path) -> None:
    metric = {**IF_MIB["metrics"][1], "lookups": []}
    plan = compile_dict({"walk": ["1.3.6.1.2.1.2.2.1.2.7"], "metrics": [metric]}, tmp_path)
    row = column(IF_TABLE, 2) + b"\x07"

    assert plan.ranges == (Range(row, column(IF_TABLE, 2), row, scalar=False),)
    assert plan.instances == (Instance(row, column(IF_TABLE, 2)),)


def test_instances_that_no_metric_needs_are_not_asked_for(tmp_path: Path) -> None:
    metric = {"name": "sysUpTime", "oid": "1.3.6.1.2.1.1.3", "type": "gauge"}
    get = ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.3.0"]
    plan = compile_dict({"get": get, "metrics": [metric]}, tmp_path)

    assert [format_oid(item.oid) for item in plan.instances] == ["1.3.6.1.2.1.1.3.0"]


ROWS = """
1.3.6.1.2.1.2.2.1.2.1|4|eth0
1.3.6.1.2.1.2.2.1.10.1|65|5
1.3.6.1.2.1.31.1.1.1.18.1|4|uplink
"""


def test_metrics_whose_labels_would_be_wrong_are_left_out(tmp_path: Path) -> None:
    plan = compile_dict(IF_MIB, tmp_path)
    result = read(plan.ranges, plan.instances, device(ROWS))
    result.incomplete.add(column(IF_X_TABLE, 18))
    exposition = Exposition()

    for _ in plan.write(Sheet(result, exposition, wrap_counters=True)):
        pass

    assert "ifDescr{" in exposition.text(TextFormat.PROMETHEUS)
    assert "ifInOctets" not in exposition.text(TextFormat.PROMETHEUS)


def test_rows_of_a_metric_that_was_not_read_to_its_end_are_served(tmp_path: Path) -> None:
    plan = compile_dict(IF_MIB, tmp_path)
    result = read(plan.ranges, plan.instances, device(ROWS))
    result.incomplete.add(column(IF_TABLE, 10))
    result.fail(TargetError(FailureReason.TIMEOUT, "no answer"))
    exposition = Exposition()

    for _ in plan.write(Sheet(result, exposition, wrap_counters=True)):
        pass

    assert 'ifInOctets{ifAlias="uplink",ifIndex="1"} 5\n' in exposition.text(TextFormat.PROMETHEUS)


def test_large_table_is_written_in_small_steps(tmp_path: Path) -> None:
    plan = compile_dict(IF_MIB, tmp_path)
    rows = "".join(
        f"1.3.6.1.2.1.2.2.1.2.{i}|4|eth{i}\n1.3.6.1.2.1.2.2.1.10.{i}|65|{i}\n"
        for i in range(1, 3272)
    )
    exposition = Exposition()
    sheet = Sheet(read(plan.ranges, plan.instances, device(rows)), exposition, wrap_counters=True)

    steps = [exposition.sample_count() for _ in plan.write(sheet)]

    assert exposition.sample_count() == 2 * 3271
    # Before the samples of each metric come several steps that only build labels.
    assert steps.count(0) >= 6
    assert steps.count(3271) >= 6


def test_states_of_a_large_table_are_written_in_small_steps(tmp_path: Path) -> None:
    names = {number: f"state{number}" for number in range(40)}
    metric = {"name": "state", "oid": "1.1.1", "type": "EnumAsStateSet", "enum_values": names}
    index = {"labelname": "i", "type": "gauge"}
    plan = compile_dict({"walk": ["1.1"], "metrics": [{**metric, "indexes": [index]}]}, tmp_path)
    agent = device("".join(f"1.1.1.{row}|2|{row % 40}\n" for row in range(1, 501)))
    exposition = Exposition()
    sheet = Sheet(read(plan.ranges, plan.instances, agent), exposition, wrap_counters=True)

    steps = sum(1 for _ in plan.write(sheet))

    assert exposition.sample_count() == 20_000
    assert exposition.text(TextFormat.PROMETHEUS).count(" 1\n") == 500
    assert steps >= 4


def test_same_metric_in_two_modules_is_served_once(tmp_path: Path) -> None:
    modules = load_modules({"if_mib": IF_MIB, "again": IF_MIB}, tmp_path)
    plans = [compile_module(name, module) for name, module in modules.items()]

    scraped = scrape(plans, device(ROWS))

    assert scraped.samples == [
        'ifDescr{ifDescr="eth0",ifIndex="1"} 1',
        'ifInOctets{ifAlias="uplink",ifIndex="1"} 5',
    ]
    assert scraped.duplicates == 2


def test_same_metric_with_other_labels_in_two_modules_is_served_twice(tmp_path: Path) -> None:
    plain = {**IF_MIB, "metrics": [{**IF_MIB["metrics"][0], "lookups": []}]}
    modules = load_modules({"if_mib": IF_MIB, "plain": plain}, tmp_path)
    plans = [compile_module(name, module) for name, module in modules.items()]

    scraped = scrape(plans, device(ROWS))

    assert scraped.samples[1:] == [
        'ifInOctets{ifAlias="uplink",ifIndex="1"} 5',
        'ifInOctets{ifIndex="1"} 5',
    ]
    assert scraped.duplicates == 0


def test_index_larger_than_an_oid_is_refused_at_load(tmp_path: Path) -> None:
    index = {"labelname": "i", "type": "OctetString", "fixed_size": 999}
    module = {"walk": ["1.1"], "metrics": [{"name": "m", "oid": "1.1.1", "indexes": [index]}]}

    with pytest.raises(ConfigError) as caught:
        compile_dict(module, tmp_path)

    (problem,) = caught.value.problems
    assert problem.key_path == "modules.module.metrics[m]"
    assert problem.problem == "invalid index size 999: expected 0 to 128"
