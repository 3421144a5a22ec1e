from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import (
    IndexShape,
    MetricShape,
    NoMetricError,
    fixed_size,
    metric_of,
    metric_type,
    sanitize_name,
)
from exporters.smi.mib_linker import LinkResult
from exporters.smi.mib_objects import Convention, Kind, MibObject, Syntax
from exporters.smi.mib_store import MemoryFiles, MibStore, build_files
from exporters.wire.ber import encode_oid

Link = Callable[..., dict[str, LinkResult]]

OCTETS = "OCTET STRING"


def shape(dictionary: Dictionary, name: str) -> MetricShape:
    item = dictionary.find(name)
    assert item is not None
    return metric_of(dictionary, item)


def convention(
    name: str, base: str = OCTETS, hint: str = "", ranges: tuple[tuple[int, int], ...] = ()
) -> Syntax:
    return Syntax(name, Convention("X-MIB", name, Syntax(base, ranges=ranges), hint))


def of_size(size: int) -> tuple[tuple[int, int], ...]:
    return ((size, size),)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("INTEGER", "gauge"), ("Integer32", "gauge"), ("Unsigned32", "gauge"),
        ("UInteger32", "gauge"), ("Gauge32", "gauge"), ("TimeTicks", "gauge"),
        ("Counter32", "counter"), ("Counter64", "counter"), (OCTETS, "OctetString"),
        ("OBJECT IDENTIFIER", "OctetString"), ("BITS", "Bits"), ("IpAddress", "InetAddressIPv4"),
        ("NetworkAddress", "InetAddressIPv4"), ("Opaque", None), ("NULL", None),
        ("NsapAddress", None), ("Unknown", None),
    ],
)  # fmt: skip
def test_base_types_have_their_metric_type(base: str, expected: str | None) -> None:
    assert metric_type(Syntax(base)) == expected


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [
        (convention("MyMac", hint="1x:"), "PhysAddress48"),
        (convention("MyMac", hint="1x:", ranges=of_size(6)), "PhysAddress48"),
        (convention("MyEui64", hint="1x:", ranges=of_size(8)), "OctetString"),
        (convention("MyText", hint="32a"), "DisplayString"),
        (convention("MyText", hint="255t"), "DisplayString"),
        (convention("MyText", hint="2d32a"), "OctetString"),
        (convention("DisplayString"), "DisplayString"),
        (convention("PhysAddress"), "PhysAddress48"),
        (convention("Float", "Opaque"), "Float"),
        (convention("Double", "Opaque"), "Double"),
        (convention("DateAndTime", hint="2d-1d"), "DateAndTime"),
        (convention("ParseDateAndTime"), "ParseDateAndTime"),
        (convention("NTPTimeStamp"), "NTPTimeStamp"),
        (convention("InetAddress"), "InetAddress"),
        (convention("InetAddressIPv4", hint="1d.1d.1d.1d"), "InetAddressIPv4"),
        (convention("InetAddressIPv6"), "InetAddressIPv6"),
        (convention("LldpPortId"), "LldpPortId"),
        (convention("TruthValue", "INTEGER"), "gauge"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.type_name,
)
def test_conventions_and_hints_change_the_type(syntax: Syntax, expected: str) -> None:
    assert metric_type(syntax) == expected


def test_only_the_convention_itself_counts_not_what_it_is_built_on() -> None:
    text = Convention("SNMPv2-TC", "DisplayString", Syntax(OCTETS, ranges=of_size(6)), "255a")
    derived = Syntax("MyText", Convention("X-MIB", "MyText", Syntax("DisplayString", text)))

    assert metric_type(derived) == "OctetString"
    assert fixed_size(derived) == 0


def test_a_size_at_the_object_is_not_seen() -> None:
    assert fixed_size(Syntax(OCTETS, ranges=of_size(8))) == 0
    assert fixed_size(convention("Key", ranges=of_size(8))) == 8
    assert fixed_size(convention("Key", ranges=((1, 8),))) == 0
    assert fixed_size(convention("Key", ranges=((4, 4), (8, 8)))) == 0


def test_a_scalar_becomes_a_metric_without_indexes(examples: Dictionary) -> None:
    assert shape(examples, "exampleUpTime") == MetricShape(
        name="exampleUpTime",
        oid="1.3.6.1.4.1.32473.1.1.1",
        type="gauge",
        help="How long it is up - 1.3.6.1.4.1.32473.1.1.1",
    )


def test_a_column_has_the_indexes_of_its_row(examples: Dictionary) -> None:
    assert shape(examples, "examplePortOctets").indexes == (
        IndexShape("ifIndex", "gauge"),
        IndexShape("examplePortSide", "EnumAsInfo", enum_values=((1, "left"), (2, "right"))),
        IndexShape("examplePortName", "DisplayString", implied=True),
    )


def test_a_column_of_an_augmenting_row_has_the_other_rows_indexes(examples: Dictionary) -> None:
    assert shape(examples, "exampleIfEnabled").indexes == (IndexShape("ifIndex", "gauge"),)


def test_names_of_numbers_stay_with_a_gauge(examples: Dictionary) -> None:
    found = shape(examples, "examplePortState")

    assert found.type == "gauge"
    assert found.enum_values == ((-1, "failed"), (0, "off"), (1, "on"))


def test_bits_keep_their_names(examples: Dictionary) -> None:
    found = shape(examples, "exampleAlarms")

    assert (found.type, dict(found.enum_values)[9]) == ("Bits", "door-open")


def test_an_address_and_the_type_before_it_are_one_index(examples: Dictionary) -> None:
    assert shape(examples, "examplePeerStatus").indexes == (
        IndexShape("examplePeerAddress", "InetAddress"),
    )


def test_an_address_needs_the_column_of_its_type_right_before(examples: Dictionary) -> None:
    assert shape(examples, "examplePeerLocal").type == "InetAddress"
    assert shape(examples, "examplePeerOther").type == "OctetString"


ROW = """X-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises, OBJECT-TYPE, Integer32 FROM SNMPv2-SMI
        InetAddress, InetAddressType FROM INET-ADDRESS-MIB
        DateAndTime FROM SNMPv2-TC;
t OBJECT-TYPE SYNTAX SEQUENCE OF T MAX-ACCESS not-accessible STATUS current
  DESCRIPTION "" ::= { enterprises 32473 7 }
e OBJECT-TYPE SYNTAX T MAX-ACCESS not-accessible STATUS current
  DESCRIPTION "" INDEX { %s } ::= { t 1 }
T ::= SEQUENCE { value Integer32 }
%s
END
"""
COLUMNS = {
    "kind": "InetAddressType",
    "safi": "Integer32",
    "more": "Integer32",
    "address": "InetAddress",
    "date": "DateAndTime",
    "value": "Integer32",
}


def indexes_of(link: Link, names: str) -> tuple[IndexShape, ...]:
    columns = "\n".join(
        f"{name} OBJECT-TYPE SYNTAX {syntax} MAX-ACCESS read-only STATUS current"
        f' DESCRIPTION "" ::= {{ e {number} }}'
        for number, (name, syntax) in enumerate(COLUMNS.items(), start=1)
    )
    result = link(ROW % (names, columns))["X-MIB"]
    dictionary = Dictionary([MibStore(MemoryFiles(build_files([result.module], lambda _: "")))])
    return shape(dictionary, "X-MIB::value").indexes


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ("kind, address", ["address"]),
        ("kind, safi, address", ["kind", "safi", "address"]),
        ("safi, kind, address", ["safi", "address"]),
    ],
)
def test_the_type_of_an_address_stands_before_it_or_one_further(
    link: Link, names: str, labels: list[str]
) -> None:
    assert [index.labelname for index in indexes_of(link, names)] == labels


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ("address", "needs an InetAddressType right before it"),
        ("address, kind", "needs an InetAddressType right before it"),
        ("kind, safi, more, address", "needs an InetAddressType right before it"),
        ("date", "the index date of type DateAndTime cannot be a label"),
        ("nobody", "the index nobody is defined nowhere"),
    ],
)
def test_an_index_that_cannot_be_a_label_costs_the_metric(
    link: Link, names: str, problem: str
) -> None:
    with pytest.raises(NoMetricError, match=problem):
        indexes_of(link, names)


def test_an_index_that_is_named_twice_has_two_labels(shipped: Dictionary) -> None:
    assert [index.labelname for index in shape(shipped, "RMON2-MIB::alHostInPkts").indexes] == [
        "hlHostControlIndex",
        "alHostTimeMark",
        "protocolDirLocalIndex",
        "nlHostAddress",
        "protocolDirLocalIndex_2",
    ]


def test_smiv1_names_the_entry_where_the_index_is_a_type(examples: Dictionary) -> None:
    assert shape(examples, "oldCount").indexes == (IndexShape("oldEntry", "gauge"),)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("examplePortTable", "table objects have no value of their own"),
        ("exampleMIB", "identity objects have no value"),
        ("exampleChannel", "accessible-for-notify"),
        ("oldAddress", "write-only"),
    ],
)
def test_what_becomes_no_metric_says_why(examples: Dictionary, name: str, problem: str) -> None:
    with pytest.raises(NoMetricError, match=problem):
        shape(examples, name)


def test_an_opaque_has_no_value(examples: Dictionary) -> None:
    item = MibObject(
        module="X-MIB", name="a", oid=encode_oid("1.3"), kind=Kind.SCALAR, syntax=Syntax("Opaque")
    )

    with pytest.raises(NoMetricError, match="Opaque"):
        metric_of(examples, item)


@pytest.mark.parametrize(
    ("name", "sanitized"), [("digital-sen1-1", "digital_sen1_1"), ("a.b/c", "a_b_c"), ("a", "a")]
)
def test_names_become_names_of_metrics(name: str, sanitized: str) -> None:
    assert sanitize_name(name) == sanitized


def test_the_standard_interface_table_becomes_what_the_peer_ships(shipped: Dictionary) -> None:
    found = shape(shipped, "ifHCInOctets")

    assert (found.name, found.type, found.oid) == (
        "ifHCInOctets",
        "counter",
        "1.3.6.1.2.1.31.1.1.1.6",
    )
    assert shape(shipped, "ifPhysAddress").type == "PhysAddress48"
    assert shape(shipped, "ifType").type == "gauge"
