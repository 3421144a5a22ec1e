"""What ``netexporters snmp module lint`` finds, and that it finds nothing where nothing is."""

from __future__ import annotations

import pytest

from exporters.config.devices import Device, Inventory

GOOD = """
modules:
  interfaces:
    walk: [ifTable, IF-MIB::ifAlias]
    lookups: [{source_indexes: [ifIndex], lookup: ifAlias}]
    overrides: {ifType: {type: EnumAsInfo}, ifAlias: {ignore: true}, ifOperStatus: {type: EnumAsStateSet}}
    filters: {static: [{targets: [ifInErrors], indices: [3]}]}
"""  # noqa: E501


def test_a_module_of_which_all_has_an_effect_is_left_alone(lint):
    assert lint(GOOD) == []


BY_NAME = {
    "lookup of no metric": (
        "walk: [ifTable]\n    lookups: [{source_indexes: [ifIndx], lookup: ifName}]",
        "4: modules.m.lookups[0].source_indexes: no metric has the index ifIndx; did you mean "
        '"ifIndex"?',
    ),
    "lookup of indexes that no metric has together": (
        "walk: [ifXTable, hrStorageTable]\n"
        "    lookups: [{source_indexes: [ifIndex, hrStorageIndex], lookup: ifName}]",
        "4: modules.m.lookups[0].source_indexes: no metric has the indexes ifIndex, "
        "hrStorageIndex; each is an index, but not of the same metric",
    ),
    "lookup of a scalar": (
        "walk: [ifMtu]\n    lookups: [{source_indexes: [ifIndex], lookup: sysName}]",
        "4: modules.m.lookups[0]: SNMPv2-MIB::sysName is a scalar, of which no row has a value; "
        "the label is always empty: name a column",
    ),
    "lookup through a scalar": (
        "walk: [ifMtu]\n    lookups: [{source_indexes: [ifIndex], through: [ifNumber], "
        "first_of: [ifIndex, ifName], labelname: a}]",
        "4: modules.m.lookups[0]: IF-MIB::ifNumber is a scalar, of which no row has a value; "
        "the label is always empty: name a column",
    ),
    "override of a name that no MIB has": (
        "walk: [ifXTable]\n    overrides: {ifNaem: {ignore: true}}",
        '4: modules.m.overrides.ifNaem: no MIB module has the name "ifNaem", did you mean ifName?',
    ),
    "override of what is not read": (
        "walk: [ifXTable]\n    overrides: {ifDescr: {ignore: true}}",
        "4: modules.m.overrides.ifDescr: IF-MIB::ifDescr is no metric, index or lookup of this "
        "module; add it below walk, or drop the override",
    ),
    "override of a table": (
        "walk: [ifXTable]\n    overrides: {ifXTable: {ignore: true}}",
        "4: modules.m.overrides.ifXTable: IF-MIB::ifXTable is neither a column nor a scalar; name "
        "its columns",
    ),
    "options of what is ignored": (
        "walk: [ifXTable]\n    overrides: {ifName: {ignore: true, scale: 2}}",
        "4: modules.m.overrides.ifName.scale: has no effect on what is ignored; drop it",
    ),
    "column below a table": (
        "walk: [ifXTable, ifName]",
        '3: modules.m.walk[1]: "ifName" is read already, below "ifXTable"; drop it',
    ),
    "name given twice": (
        "walk: [IF-MIB::ifName, ifName]",
        '3: modules.m.walk[1]: "ifName" is named already; drop it',
    ),
    "column that is not accessible": (
        "walk: [ipAddressIfIndex, ipAddressAddrType]",
        "3: modules.m.walk[1]: IP-MIB::ipAddressAddrType is not accessible: most agents do not "
        "show it; it is a label of the other columns of its row",
    ),
    "static filter of what is not read": (
        "walk: [ifName]\n    filters: {static: [{targets: [ifMtu], indices: [1]}]}",
        '4: modules.m.filters.static[0].targets[0]: nothing of "ifMtu" is read; add it below '
        "walk, or drop it",
    ),
    "scale of a state set": (
        "walk: [ifOperStatus]\n    overrides: {ifOperStatus: {type: EnumAsStateSet, scale: 2}}",
        "2: modules.m: scale has no effect on ifOperStatus, which is a EnumAsStateSet",
    ),
    "pattern for names where numbers come": (
        "walk: [ifOperStatus]\n    overrides:\n      ifOperStatus: {type: DisplayString, "
        "regex_extracts: {Up: [{regex: up, value: '1'}]}}",
        '2: modules.m: "up" matches no number that the value may be; values are compared as '
        "digits: 1 is up, 2 is down, 3 is testing, 4 is unknown, 5 is dormant",
    ),
    "dynamic filter for names where numbers come": (
        "walk: [ifOperStatus, ifInErrors]\n    filters:\n      dynamic: [{oid: ifOperStatus, "
        "targets: [ifInErrors], values: ['^up$', '1']}]",
        '2: modules.m: "^up$" matches no number that the value may be; values are compared as '
        "digits: 1 is up, 2 is down, 3 is testing, 4 is unknown, 5 is dormant",
    ),
    "type without names": (
        "walk: [ifMtu]\n    overrides: {ifMtu: {type: EnumAsInfo}}",
        "2: modules.m: type has no effect on ifMtu, whose numbers have no names: EnumAsInfo needs "
        "some",
    ),
}


@pytest.mark.parametrize(("text", "problem"), BY_NAME.values(), ids=BY_NAME)
def test_what_has_no_effect_in_a_module_by_name_is_told(lint, text, problem):
    assert lint(f"modules:\n  m:\n    {text}\n") == [problem]


METRIC = "{name: ifName, oid: 1.3.6.1.2.1.31.1.1.1.1, type: DisplayString%s}"
INDEXED = ", indexes: [{labelname: ifIndex, type: gauge}]"
BY_OID = {
    "metric that nothing reads": (
        "walk: [1.3.6.1.2.1.2]\n    metrics:\n    - " + METRIC % "",
        [
            "3: modules.m.walk[0]: no metric, lookup or filter needs 1.3.6.1.2.1.2; drop it, or "
            "add a metric",
            "5: modules.m.metrics[0]: nothing reads ifName, 1.3.6.1.2.1.31.1.1.1.1; add it below "
            "walk",
        ],
    ),
    "lookup that nothing reads": (
        "walk: [1.3.6.1.2.1.31.1.1.1.1]\n    metrics:\n    - "
        + METRIC
        % (INDEXED + ", lookups: [{labels: [ifIndex], labelname: a, oid: 1.3.6.1.2.1.2.2.1.2}]"),
        [
            "5: modules.m.metrics[0].lookups[0]: nothing reads a, 1.3.6.1.2.1.2.2.1.2; the label "
            "is always empty in ifName: add its OID below walk"
        ],
    ),
    "options of another type": (
        "get: [1.3.6.1.2.1.31.1.1.1.1.7]\n    metrics:\n    - "
        + METRIC % ", display_hint: 1x, datetime_pattern: '%Y'",
        [
            "5: modules.m.metrics[0].display_hint: display_hint has no effect on ifName, which is "
            "a DisplayString and no OctetString",
            "5: modules.m.metrics[0].datetime_pattern: datetime_pattern has no effect on ifName, "
            "which is a DisplayString and no ParseDateAndTime",
        ],
    ),
    "filter for nothing": (
        "walk: [1.3.6.1.2.1.31]\n    filters: [{oid: 1.3.6.1.2.1.31.1.1.1.1, "
        "targets: [1.3.6.1.2.1.2.2.1.10], values: [a]}]\n    metrics:\n    - " + METRIC % "",
        [
            "4: modules.m.filters[0].targets[0]: no metric reads 1.3.6.1.2.1.2.2.1.10, which this "
            "filter is for; drop it"
        ],
    ),
    "one name twice": (
        "walk: [1.3.6.1.2.1.31, 1.3.6.1.2.1.2]\n    metrics:\n    - "
        + METRIC % INDEXED
        + "\n    - {name: ifName, oid: 1.3.6.1.2.1.2.2.1.2"
        + INDEXED
        + "}",
        [
            "6: modules.m.metrics[1]: ifName below 1.3.6.1.2.1.2.2.1 have the names and labels of "
            "those below 1.3.6.1.2.1.31.1.1.1; where a device has both, the former are dropped: "
            "override their names"
        ],
    ),
}


@pytest.mark.parametrize(("text", "problems"), BY_OID.values(), ids=BY_OID)
def test_what_has_no_effect_in_a_module_by_oid_is_told(lint, text, problems):
    assert lint(f"modules:\n  m:\n    {text}\n") == problems


TWO = """
modules:
  a: {walk: [ifTable]}
  b: {walk: [ifMtu, ifName, sysUpTime]}
  c: {walk: [system]}
"""
SHARED = "; in one scrape, the first module gives them"


def test_metrics_that_two_modules_give_are_told(lint):
    assert lint(TWO) == [
        f"4: modules.b: gives 1 metric that a gives too: ifMtu{SHARED}",
        f"5: modules.c: gives 1 metric that b gives too: sysUpTime{SHARED}",
    ]


VARIANTS = """
modules:
  base: {walk: [ifMtu]}
  middle: {include: [base], walk: [ifName]}
  left: {include: [middle], labels: {site: x}}
  right: {include: [base], walk: [ifAlias]}
"""


def test_modules_that_are_made_of_one_another_are_taken_for_alternatives(lint):
    assert lint(VARIANTS) == []


def test_an_inventory_tells_of_alternatives_that_meet(lint):
    device = Device(name="d", addresses=["192.0.2.1"], modules=["base", "right"])

    assert lint(VARIANTS, Inventory(devices=(device,))) == [
        f"6: modules.right: gives 1 metric that base gives too: ifMtu{SHARED}"
    ]


def test_an_inventory_tells_which_modules_meet(lint):
    device = Device(name="d", addresses=["192.0.2.1"], modules=["c", "unknown", "b"])

    assert lint(TWO, Inventory(devices=(device,))) == [
        f"4: modules.b: gives 1 metric that c gives too: sysUpTime{SHARED}"
    ]


def test_a_column_that_an_included_module_has_with_other_labels_is_told(lint):
    found = lint(
        """
modules:
  a:
    include: [b]
    walk: [ifMtu]
  b:
    walk: [1.3.6.1.2.1.2.2.1.4, 1.3.6.1.2.1.31.1.1.1.18]
    metrics:
      - name: ifMtu
        oid: 1.3.6.1.2.1.2.2.1.4
        type: gauge
        indexes: [{labelname: ifIndex, type: gauge}]
        lookups: [{labels: [ifIndex], labelname: ifAlias, oid: 1.3.6.1.2.1.31.1.1.1.18}]
"""
    )
    assert found[0] == (
        "3: modules.a: ifMtu is there twice, with the labels ifAlias, ifIndex and ifIndex; sums "
        "would count each row twice: drop one of them"
    )


def test_what_an_included_module_says_for_nothing_is_told_of_that_alone(lint):
    found = lint(
        """
modules:
  a:
    include: [b]
    walk: [ifMtu]
  b:
    walk: [ifAlias]
    overrides: {sysName: {ignore: true}}
"""
    )
    own = [line for line in found if "overrides" in line]
    assert own == [
        "8: modules.b.overrides.sysName: SNMPv2-MIB::sysName is no metric, index or lookup of "
        "this module; add it below walk, or drop the override"
    ]


def test_columns_of_conditions_constants_and_second_choices_are_not_read_for_nothing(lint):
    assert not lint(
        """
modules:
  a:
    walk: [ifMtu]
    where: ifOperStatus == up and ifAlias != ""
    lookups: [{source_indexes: [ifIndex], first_of: [ifName, ifIndex], labelname: interface}]
    info_labels: true
    constants: [{name: a, rows_of: ifTable}]
"""
    )


@pytest.mark.parametrize(("other", "overlaps"), [("two", 0), ("one", 1)])
def test_modules_with_other_static_labels_do_not_overlap(lint, other: str, overlaps: int):
    a = "a: {walk: [ifMtu], labels: {vrf: one}}"
    b = f"b: {{walk: [ifMtu], labels: {{vrf: {other}}}}}"
    assert len(lint(f"modules: {{{a}, {b}}}")) == overlaps
