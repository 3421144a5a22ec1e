"""What modules by name become: metrics, and what is asked for."""

from __future__ import annotations

import pytest

from exporters.smi.dictionary import Dictionary
from exporters.wire.ber import format_oid

ROOT = "1.3.6.1.4.1.32473.1.1"
PORT = f"{ROOT}.10.1"


def oids(encoded):
    return [format_oid(oid) for oid in encoded]


def names(resolution):
    return [metric.name for metric in resolution.module.metrics]


def metric(resolution, name):
    return next(metric for metric in resolution.module.metrics if metric.name == name)


# --- what is asked for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["examplePortTable", "EXAMPLE-MIB::examplePortTable", f"{ROOT}.10", f".{ROOT}.10"]
)
def test_a_table_is_walked_by_whatever_name(resolve, name):
    found = resolve(f"walk: ['{name}']")

    assert oids(found.module.walk) == [f"{ROOT}.10"]
    assert found.module.get == ()
    assert names(found)[:3] == ["examplePortSide", "examplePortName", "examplePortState"]


@pytest.mark.parametrize(
    "text",
    [
        "walk: [exampleUpTime]",
        "walk: [exampleUpTime.0]",
        "get: [exampleUpTime]",
        "get: [EXAMPLE-MIB::exampleUpTime.0]",
        f"get: [{ROOT}.1.0]",
    ],
)
def test_a_scalar_is_got(resolve, text):
    found = resolve(text)

    assert (found.module.walk, oids(found.module.get)) == ((), [f"{ROOT}.1.0"])
    assert [(m.name, m.type, format_oid(m.oid)) for m in found.module.metrics] == [
        ("exampleUpTime", "gauge", f"{ROOT}.1")
    ]


def test_what_lies_below_something_walked_is_not_walked_again(resolve):
    found = resolve("walk: [exampleObjects, examplePortTable, exampleUpTime, examplePortState.1]")

    assert oids(found.module.walk) == [ROOT]
    assert found.module.get == ()
    assert names(found).count("examplePortState") == 1


def test_single_rows_are_got_for_one_metric(resolve):
    found = resolve("walk: [examplePortOctets.3.1.97, examplePortOctets.4.1.97]")

    assert names(found) == ["examplePortOctets"]
    assert oids(found.module.get) == [f"{PORT}.4.3.1.97", f"{PORT}.4.4.1.97"]


def test_an_address_brings_the_column_of_its_type(resolve):
    found = resolve("walk: [examplePeerLocal]")

    assert names(found) == ["examplePeerLocal"]
    assert oids(found.module.walk) == [f"{ROOT}.12.1.3", f"{ROOT}.12.1.4"]


def test_parameters_of_the_walk_are_kept(resolve):
    module = resolve(
        "walk: [exampleUpTime]\nmax_repetitions: 4\nretries: 0\ntimeout: 1500ms\n"
        "use_unconnected_udp_socket: true\nallow_nonincreasing_oids: true\n"
    ).module

    assert (module.max_repetitions, module.retries, module.timeout) == (4, 0, 1.5)
    assert module.use_unconnected_udp_socket
    assert module.allow_nonincreasing_oids


# --- metrics --------------------------------------------------------------------------------


def test_columns_have_the_types_indexes_and_names_of_the_mib(resolve):
    found = metric(resolve("walk: [examplePortTable]"), "examplePortState")

    assert (found.type, found.help) == ("gauge", f"Its state. - {PORT}.3")
    assert found.enum_values == {-1: "failed", 0: "off", 1: "on"}
    assert [(i.labelname, i.type, i.implied) for i in found.indexes] == [
        ("ifIndex", "gauge", False),
        ("examplePortSide", "EnumAsInfo", False),
        ("examplePortName", "DisplayString", True),
    ]
    assert found.indexes[1].enum_values == {1: "left", 2: "right"}


def test_what_becomes_no_metric_is_told(resolve):
    found = resolve("walk: [exampleObjects]")

    assert [(skipped.item.name, skipped.reason) for skipped in found.skipped] == [
        ("exampleChannel", "its access is accessible-for-notify, so that no agent shows it")
    ]


def test_the_module_that_is_named_comes_first_where_several_define_an_oid(
    examples: Dictionary, resolve
):
    shared = next(
        objects
        for objects in examples.subtree(examples.parse_oid("1.3.6.1.2.1"))
        if len({item.module for item in objects if item.kind == "column"}) > 1
        and objects[0].name == objects[-1].name
    )
    last = shared[-1]

    found = metric(resolve(f"walk: ['{last.qualified_name}']"), last.name)

    assert found.help.startswith(f"{last.module}::")


# --- overrides ------------------------------------------------------------------------------


def test_overrides_change_what_the_mib_says(resolve):
    found = resolve(
        """
        walk: [exampleTemperature, examplePortState, examplePortMac]
        overrides:
          exampleTemperature: {name: temperature_celsius, scale: 0.1, offset: -40, help: How warm}
          EXAMPLE-MIB::examplePortState: {type: EnumAsStateSet}
          1.3.6.1.4.1.32473.1.1.10.1.5: {type: OctetString, display_hint: '@mib'}
        """
    )

    warm = metric(found, "temperature_celsius")
    assert (warm.scale, warm.offset, warm.help) == (0.1, -40.0, "How warm")
    assert metric(found, "examplePortState").type == "EnumAsStateSet"
    mac = metric(found, "examplePortMac")
    assert (mac.type, mac.display_hint) == ("OctetString", "1x:")
    assert found.unused_overrides == ()


def test_an_ignored_object_is_no_metric_but_may_be_a_lookup(resolve):
    found = resolve(
        """
        walk: [examplePortOctets, examplePortLabel]
        lookups:
          - {source_indexes: [ifIndex, examplePortSide, examplePortName], lookup: examplePortLabel}
        overrides: {examplePortLabel: {ignore: true}}
        """
    )

    assert names(found) == ["examplePortOctets"]
    assert [lookup.labelname for lookup in found.module.metrics[0].lookups] == ["examplePortLabel"]


def test_the_most_specific_override_counts_alone(resolve):
    found = resolve(
        f"""
        walk: [exampleTemperature]
        overrides:
          exampleTemperature: {{scale: 2}}
          EXAMPLE-MIB::exampleTemperature: {{scale: 3}}
          {ROOT}.2: {{offset: 1}}
        """
    )

    assert (found.module.metrics[0].scale, found.module.metrics[0].offset) == (0.0, 1.0)
    assert found.unused_overrides == ("exampleTemperature", "EXAMPLE-MIB::exampleTemperature")


def test_a_type_is_that_of_the_index_too(resolve):
    found = metric(
        resolve("walk: [examplePortState]\noverrides: {examplePortSide: {type: gauge}}"),
        "examplePortState",
    )

    assert (found.indexes[1].type, found.indexes[1].enum_values) == ("gauge", {})


def test_a_type_that_no_label_can_have_is_left_to_the_metric(resolve):
    found = resolve(
        "walk: [examplePortTable]\noverrides: {examplePortSide: {type: EnumAsStateSet}}"
    )

    assert metric(found, "examplePortSide").type == "EnumAsStateSet"
    assert metric(found, "examplePortSide").indexes[1].type == "EnumAsInfo"


def test_numbers_are_found_in_strings(resolve):
    found = resolve(
        """
        walk: [examplePortLabel]
        overrides:
          examplePortLabel: {type: DisplayString, regex_extracts: {Number: [{regex: 'p(\\d+)'}]}}
        """
    )

    (extract,) = found.module.metrics[0].regex_extracts["Number"]
    assert extract.extract("p12") == "12"


# --- filters --------------------------------------------------------------------------------


def test_a_static_filter_reads_rows_instead_of_a_column(resolve):
    found = resolve(
        """
        walk: [examplePortOctets, examplePortState]
        filters: {static: [{targets: [examplePortOctets], indices: ['1.1.97', '2.1.97']}]}
        """
    )

    assert oids(found.module.walk) == [f"{PORT}.3"]
    assert oids(found.module.get) == [f"{PORT}.4.1.1.97", f"{PORT}.4.2.1.97"]


def test_a_static_filter_takes_its_column_out_of_a_table(resolve):
    found = resolve(
        """
        walk: [exampleIfTable, examplePeerTable]
        filters: {static: [{targets: [examplePeerOther, examplePeerStatus], indices: ['3']}]}
        """
    )

    assert oids(found.module.walk) == [
        f"{ROOT}.11",
        *(f"{ROOT}.12.1.{number}" for number in (1, 2, 3, 4)),
    ]
    assert oids(found.module.get) == [f"{ROOT}.12.1.6.3", f"{ROOT}.12.1.7.3"]


def test_a_metric_is_filtered_with_the_column_of_its_lookup(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled]
        lookups: [{source_indexes: [ifIndex], lookup: IF-MIB::ifDescr}]
        filters: {static: [{targets: ['IF-MIB::ifDescr'], indices: [2, 3]}]}
        """
    )

    assert found.module.walk == ()
    assert sorted(oids(found.module.get)) == [
        "1.3.6.1.2.1.2.2.1.2.2",
        "1.3.6.1.2.1.2.2.1.2.3",
        f"{ROOT}.11.1.1.2",
        f"{ROOT}.11.1.1.3",
    ]


def test_dynamic_filters_may_use_names(resolve):
    found = resolve(
        """
        walk: [ifTable]
        filters:
          dynamic: [{oid: ifDescr, targets: ['IF-MIB::ifInOctets', ifXTable], values: ['^eth']}]
        """
    )

    (row_filter,) = found.module.filters
    assert format_oid(row_filter.oid) == "1.3.6.1.2.1.2.2.1.2"
    assert oids(row_filter.targets) == ["1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.31.1.1"]
    assert [value.source for value in row_filter.values] == ["^eth"]
