"""Lookups of modules by name: for which metrics they are, and what they add."""

from __future__ import annotations

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_store import MemoryFiles, MibStore, build_files
from exporters.wire.ber import format_oid

PORT = "1.3.6.1.4.1.32473.1.1.10.1"
IF_DESCR = "1.3.6.1.2.1.2.2.1.2"


def lookups(metric):
    return [
        (list(item.labels), item.labelname, format_oid(item.oid) if item.oid else "", item.type)
        for item in metric.lookups
    ]


def test_a_lookup_is_for_every_metric_with_its_indexes(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled, examplePeerStatus, exampleUpTime]
        lookups: [{source_indexes: [ifIndex], lookup: 'IF-MIB::ifDescr'}]
        """
    )

    enabled = (["ifIndex"], "ifDescr", IF_DESCR, "DisplayString")
    assert {metric.name: lookups(metric) for metric in found.module.metrics} == {
        "exampleIfEnabled": [enabled],
        "examplePeerStatus": [],
        "exampleUpTime": [],
    }
    assert IF_DESCR in [format_oid(oid) for oid in found.module.walk]
    assert found.unused_lookups == ()


def test_a_lookup_that_no_metric_has_the_indexes_of_is_unused(resolve):
    found = resolve(
        "walk: [exampleUpTime]\nlookups: [{source_indexes: [ifIndex], lookup: ifDescr}]"
    )

    assert found.unused_lookups == (0,)
    assert found.module.walk == ()


def test_dropped_indexes_are_dropped_after_all_lookups(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled]
        lookups:
          - {source_indexes: [ifIndex], lookup: ifDescr, drop_source_indexes: true}
          - {source_indexes: [ifIndex], lookup: ifAlias}
        """
    )

    assert [item[1] for item in lookups(found.module.metrics[0])] == [
        "ifDescr",
        "ifAlias",
        "ifIndex",
    ]
    assert found.module.metrics[0].lookups[2].labels == ()


def test_names_of_numbers_are_the_text_of_a_label(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled]
        lookups: [{source_indexes: [ifIndex], lookup: ifOperStatus}]
        """
    )

    (lookup,) = found.module.metrics[0].lookups
    assert (lookup.type, lookup.enum_values[1]) == ("EnumAsInfo", "up")


def test_an_override_leaves_numbers_as_they_are(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled]
        lookups: [{source_indexes: [ifIndex], lookup: ifOperStatus}]
        overrides: {ifOperStatus: {type: gauge}}
        """
    )

    (lookup,) = found.module.metrics[0].lookups
    assert (lookup.type, lookup.enum_values) == ("gauge", {})


def test_a_lookup_may_start_from_the_label_of_another(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled]
        lookups:
          - {source_indexes: [ifIndex], lookup: ifMtu}
          - {source_indexes: [ifMtu], lookup: ifDescr}
        """
    )

    (metric,) = found.module.metrics
    assert [item[:2] for item in lookups(metric)] == [
        (["ifIndex"], "ifMtu"),
        (["ifMtu"], "ifDescr"),
    ]
    assert [index.labelname for index in metric.indexes] == ["ifIndex", "ifMtu"]


def test_no_index_comes_after_one_that_takes_all_that_is_left(resolve):
    found = resolve(
        """
        walk: [examplePortOctets]
        lookups:
          - source_indexes: [ifIndex, examplePortSide, examplePortName]
            lookup: examplePortSpeed
          - {source_indexes: [examplePortSpeed], lookup: 'IF-MIB::ifDescr'}
        """
    )

    (metric,) = found.module.metrics
    assert [item[1] for item in lookups(metric)] == ["examplePortSpeed", "ifDescr"]
    assert metric.indexes[-1].labelname == "examplePortName"


def test_a_plain_name_means_the_column_of_the_same_row(resolve, link, shipped):
    modules = [
        result.module
        for name, number in (("ONE-MIB", 1), ("TWO-MIB", 2))
        for result in link(TABLE % {"module": name, "number": number}).values()
    ]
    store = MibStore(MemoryFiles(build_files(modules, lambda _: "")))
    found = resolve(
        "walk: ['TWO-MIB::load']\nlookups: [{source_indexes: [row], lookup: title}]",
        Dictionary((store, *shipped.stores)),
    )

    assert lookups(found.module.metrics[0])[0][2] == "1.3.6.1.4.1.32473.2.1.2"


TABLE = """%(module)s DEFINITIONS ::= BEGIN
IMPORTS enterprises, OBJECT-TYPE, Integer32 FROM SNMPv2-SMI DisplayString FROM SNMPv2-TC;
rows OBJECT-TYPE SYNTAX SEQUENCE OF Row MAX-ACCESS not-accessible STATUS current
  DESCRIPTION "" ::= { enterprises 32473 %(number)d }
entry OBJECT-TYPE SYNTAX Row MAX-ACCESS not-accessible STATUS current
  DESCRIPTION "" INDEX { row } ::= { rows 1 }
Row ::= SEQUENCE { row Integer32, title DisplayString, load Integer32 }
row OBJECT-TYPE SYNTAX Integer32 MAX-ACCESS read-only STATUS current
  DESCRIPTION "" ::= { entry 1 }
title OBJECT-TYPE SYNTAX DisplayString MAX-ACCESS read-only STATUS current
  DESCRIPTION "" ::= { entry 2 }
load OBJECT-TYPE SYNTAX Integer32 MAX-ACCESS read-only STATUS current
  DESCRIPTION "" ::= { entry 3 }
END
"""


def test_an_address_as_a_lookup_brings_the_column_of_its_type(resolve):
    found = resolve(
        """
        walk: [examplePeerStatus]
        lookups: [{source_indexes: [examplePeerAddress], lookup: examplePeerLocal}]
        """
    )

    assert [format_oid(oid)[-6:] for oid in found.module.walk] == ["12.1.3", "12.1.4", "12.1.7"]


def test_a_single_row_asks_for_its_lookups_alone(resolve):
    found = resolve(
        "walk: [exampleIfEnabled.7]\nlookups: [{source_indexes: [ifIndex], lookup: ifDescr}]"
    )

    assert found.module.walk == ()
    assert f"{IF_DESCR}.7" in [format_oid(oid) for oid in found.module.get]


def test_a_display_hint_is_that_of_the_mib_or_its_own(resolve):
    found = resolve(
        """
        walk: [exampleIfEnabled]
        lookups:
          - {source_indexes: [ifIndex], lookup: ifPhysAddress, display_hint: '@mib'}
          - {source_indexes: [ifIndex], lookup: ifDescr, display_hint: '1x-'}
        overrides: {ifPhysAddress: {type: OctetString}, ifDescr: {type: OctetString}}
        """
    )

    hints = [lookup.display_hint for lookup in found.module.metrics[0].lookups]
    assert hints == ["1x:", "1x-"]
