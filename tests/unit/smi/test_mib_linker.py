from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.smi.mib_findings import Severity
from exporters.smi.mib_linker import LinkResult, parse_revision
from exporters.smi.mib_objects import IndexPart, Kind, MibObject

Link = Callable[..., dict[str, LinkResult]]

SMI = "IMPORTS enterprises, OBJECT-TYPE, Integer32 FROM SNMPv2-SMI;"


def objects(result: LinkResult) -> dict[str, MibObject]:
    return {item.name: item for item in result.module.objects}


def module(name: str, body: str, imports: str = SMI) -> str:
    return f"{name} DEFINITIONS ::= BEGIN\n{imports}\n{body}\nEND\n"


def scalar(name: str, place: str, syntax: str = "Integer32") -> str:
    return (
        f"{name} OBJECT-TYPE SYNTAX {syntax} MAX-ACCESS read-only STATUS current"
        f' DESCRIPTION "" ::= {{ {place} }}\n'
    )


def errors(result: LinkResult) -> list[str]:
    return [finding.text for finding in result.findings if finding.severity is Severity.ERROR]


def warnings(result: LinkResult) -> list[str]:
    return [finding.text for finding in result.findings if finding.severity is Severity.WARNING]


@pytest.fixture(scope="module")
def example(link: Link) -> LinkResult:
    return link("EXAMPLE-MIB.txt")["EXAMPLE-MIB"]


@pytest.fixture(scope="module")
def old(link: Link) -> LinkResult:
    return link("EXAMPLE-V1-MIB.txt")["EXAMPLE-V1-MIB"]


@pytest.mark.parametrize("fixture", ["example", "old"])
def test_a_right_module_has_nothing_wrong(fixture: str, request: pytest.FixtureRequest) -> None:
    result: LinkResult = request.getfixturevalue(fixture)

    assert (result.findings, result.lost) == ((), 0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("exampleMIB", Kind.IDENTITY), ("exampleObjects", Kind.NODE),
        ("exampleDevice", Kind.IDENTITY), ("exampleUpTime", Kind.SCALAR),
        ("examplePortTable", Kind.TABLE), ("examplePortEntry", Kind.ROW),
        ("examplePortSide", Kind.COLUMN), ("exampleIfEntry", Kind.ROW),
        ("exampleIfEnabled", Kind.COLUMN), ("examplePortFailed", Kind.NOTIFICATION),
        ("exampleGroup", Kind.GROUP), ("exampleCompliance", Kind.COMPLIANCE),
    ],
)  # fmt: skip
def test_objects_have_their_kind(example: LinkResult, name: str, kind: Kind) -> None:
    assert objects(example)[name].kind is kind


def test_objects_are_in_the_order_of_their_oids(example: LinkResult) -> None:
    places = [tuple(map(int, item.dotted_oid.split("."))) for item in example.module.objects]

    assert places == sorted(places)
    assert objects(example)["examplePortOctets"].dotted_oid == "1.3.6.1.4.1.32473.1.1.10.1.4"


def test_an_index_names_objects_of_other_modules(example: LinkResult) -> None:
    assert objects(example)["examplePortEntry"].indexes == (
        IndexPart("IF-MIB", "ifIndex"),
        IndexPart("EXAMPLE-MIB", "examplePortSide"),
        IndexPart("EXAMPLE-MIB", "examplePortName", implied=True),
    )


def test_a_row_that_augments_another_says_which(example: LinkResult) -> None:
    row = objects(example)["exampleIfEntry"]

    assert (row.augments, row.indexes) == ("IF-MIB::ifEntry", ())


def test_a_notification_names_what_it_carries(example: LinkResult) -> None:
    assert objects(example)["examplePortFailed"].objects == (
        "IF-MIB::ifIndex",
        "EXAMPLE-MIB::examplePortState",
    )


@pytest.mark.parametrize(
    ("name", "base", "hint", "enumeration", "ranges"),
    [
        ("exampleTemperature", "Integer32", "", (), ((-40, 125),)),
        (
            "exampleAlarms", "BITS", "", ((0, "fan"), (1, "power"), (9, "door-open")), (),
        ),
        ("exampleSecret", "OCTET STRING", "", (), ((8, 8), (16, 16))),
        ("examplePortName", "OCTET STRING", "32a", (), ((1, 32),)),
        ("examplePortState", "INTEGER", "", ((-1, "failed"), (0, "off"), (1, "on")), ()),
        ("examplePortMac", "OCTET STRING", "1x:", (), ((6, 6),)),
        ("examplePortLabel", "OCTET STRING", "32a", (), ((1, 32),)),
    ],
)  # fmt: skip
def test_a_syntax_has_what_its_conventions_say(
    example: LinkResult,
    name: str,
    base: str,
    hint: str,
    enumeration: tuple[tuple[int, str], ...],
    ranges: tuple[tuple[int, int], ...],
) -> None:
    syntax = objects(example)[name].syntax

    assert syntax is not None
    assert (syntax.base, syntax.display_hint) == (base, hint)
    assert (syntax.enumeration, syntax.effective_ranges) == (enumeration, ranges)


def test_a_module_keeps_the_conventions_that_it_defines_and_needs(example: LinkResult) -> None:
    names = [item.qualified_name for item in example.module.conventions]

    assert names[:3] == [
        "EXAMPLE-MIB::ExampleDerivedName",
        "EXAMPLE-MIB::ExampleName",
        "EXAMPLE-MIB::ExampleState",
    ]
    assert "SNMPv2-TC::MacAddress" in names
    assert "SNMPv2-TC::DisplayString" not in names  # imported, and used by nothing


def test_other_facts_are_kept(example: LinkResult) -> None:
    named = objects(example)

    assert named["exampleTemperature"].units == "degrees Celsius"
    assert named["exampleSecret"].status == "obsolete"
    assert named["exampleSecret"].access == "read-write"
    assert named["exampleUpTime"].help == "How long it is up"
    assert (example.module.smi_version, example.module.revision) == (2, "2024-05-06")


def test_a_trap_lies_below_its_enterprise_and_zero(old: LinkResult) -> None:
    trap = objects(old)["oldFailed"]

    assert trap.dotted_oid == "1.3.6.1.4.1.32473.9.0.7"
    assert trap.objects == ("EXAMPLE-V1-MIB::oldName", "RFC1213-MIB::ifIndex")


def test_a_generic_trap_is_the_notification_of_snmpv2(old: LinkResult) -> None:
    # RFC 3584 s3.1: linkDown is trap 2 of "snmp", and snmpTraps.3.
    assert objects(old)["oldLinkDown"].dotted_oid == "1.3.6.1.6.3.1.1.5.3"


def test_smiv1_is_told_apart(old: LinkResult) -> None:
    named = objects(old)

    assert old.module.smi_version == 1
    assert named["oldEntry"].indexes == (IndexPart("", "INTEGER"),)
    assert named["oldCount"].syntax.base == "Counter32"
    assert named["oldGauge"].status == "current"


def test_names_on_the_way_are_nodes(old: LinkResult) -> None:
    assert objects(old)["example"].dotted_oid == "1.3.6.1.4.1.32473"


def test_a_missing_import_costs_what_stands_on_it_and_nothing_else(link: Link) -> None:
    result = link("IMPORTS-MISSING-MIB.txt")["IMPORTS-MISSING-MIB"]

    assert list(objects(result)) == ["known", "knownObject", "objectOfUnknownType"]
    assert result.lost == 2
    assert errors(result) == [
        "VendorType is imported from NOT-PUBLISHED-MIB, which is not there; 1 object has no type",
        "vendorRoot is imported from NOT-PUBLISHED-MIB, which is not there; 2 objects have no OID",
    ]


def test_an_object_of_unknown_type_has_no_base(link: Link) -> None:
    result = link("IMPORTS-MISSING-MIB.txt")["IMPORTS-MISSING-MIB"]
    syntax = objects(result)["objectOfUnknownType"].syntax

    assert (syntax.type_name, syntax.base) == ("VendorType", "")


def test_modules_may_import_each_other(link: Link) -> None:
    results = link("CYCLES.txt")
    leaf = objects(results["CYCLE-ONE-MIB"])["cycleLeaf"]

    assert [errors(result) for result in results.values()] == [[], []]
    assert leaf.dotted_oid == "1.3.6.1.4.1.32473.4.1.1"
    assert leaf.syntax.enumeration == ((0, "no"), (1, "yes"))


def test_definitions_in_a_circle_are_told(link: Link) -> None:
    body = "a OBJECT IDENTIFIER ::= { b 1 }\nb OBJECT IDENTIFIER ::= { a 1 }\nA ::= B\nB ::= A\n"
    result = link(module("X-MIB", body + scalar("c", "enterprises 32473 7", "A")))["X-MIB"]

    assert list(objects(result)) == ["c"]
    assert result.lost == 2
    assert any("defined by itself" in text for text in errors(result))


def test_a_chain_that_is_too_long_for_an_oid_ends(link: Link) -> None:
    chain = "".join(f"n{i} OBJECT IDENTIFIER ::= {{ n{i + 1} 1 }}\n" for i in range(3000))

    result = link(module("X-MIB", chain + "n3000 OBJECT IDENTIFIER ::= { enterprises 32473 }"))

    assert 0 < len(result["X-MIB"].module.objects) <= 128


def test_objects_of_one_name_stay_apart(link: Link) -> None:
    results = link("SAME-NAMES.txt")
    one = objects(results["VENDOR-ONE-MIB"])["cpuLoad"]
    two = objects(results["VENDOR-TWO-MIB"])["cpuLoad"]

    assert (one.qualified_name, one.syntax.base) == ("VENDOR-ONE-MIB::cpuLoad", "Integer32")
    assert (two.qualified_name, two.syntax.base) == ("VENDOR-TWO-MIB::cpuLoad", "OCTET STRING")


def test_a_name_from_the_wrong_module_is_found_in_another_import(link: Link) -> None:
    imports = SMI.replace(";", " DisplayString FROM SNMPv2-SMI TEXTUAL-CONVENTION FROM SNMPv2-TC;")
    result = link(module("X-MIB", scalar("a", "enterprises 32473 7", "DisplayString"), imports))

    assert warnings(result["X-MIB"]) == ["DisplayString is not in SNMPv2-SMI; taken from SNMPv2-TC"]
    assert objects(result["X-MIB"])["a"].syntax.display_hint == "255a"


@pytest.mark.parametrize("name", ["DisplayString", "InterfaceIndex", "TruthValue"])
def test_a_familiar_type_needs_no_import(link: Link, name: str) -> None:
    result = link(module("X-MIB", scalar("a", "enterprises 32473 7", name)))["X-MIB"]

    assert errors(result) == []
    assert objects(result)["a"].syntax.convention.name == name


def test_a_module_that_passes_a_name_on_is_followed(link: Link) -> None:
    one = module("A-MIB", "a OBJECT IDENTIFIER ::= { enterprises 32473 7 }")
    two = module("B-MIB", "", "IMPORTS a FROM A-MIB;")
    three = module("C-MIB", "c OBJECT IDENTIFIER ::= { a 1 }", "IMPORTS a FROM B-MIB;")

    result = link(one + two + three)["C-MIB"]

    assert objects(result)["c"].dotted_oid == "1.3.6.1.4.1.32473.7.1"
    assert result.findings == ()


@pytest.mark.parametrize(
    ("owner", "place", "is_found"),
    [
        ("VENDOR-ROOT-MIB", "enterprises 32473 8", True),  # the same vendor
        ("OTHER-MIB", "enterprises 32473 8", False),
        ("OTHER-MIB", "enterprises 32473", True),  # the root of a vendor
        ("OTHER-MIB", "mib-2 999", True),  # a standard
    ],
    ids=["same vendor", "another vendor", "vendor's root", "standard"],
)
def test_a_name_that_is_not_imported_is_found_where_there_is_no_doubt(
    link: Link, owner: str, place: str, is_found: bool
) -> None:
    one = module(owner, f"theRoot OBJECT IDENTIFIER ::= {{ {place} }}")
    two = module("VENDOR-LEAF-MIB", "leaf OBJECT IDENTIFIER ::= { theRoot 1 }")

    result = link(one + two)["VENDOR-LEAF-MIB"]

    assert ("leaf" in objects(result)) is is_found
    assert warnings(result) == (
        [f"theRoot is not imported; taken from {owner}"] if is_found else []
    )


def test_a_root_that_older_registers_lack_is_known(link: Link) -> None:
    register = module("NETGEAR-REF-MIB", "netgear OBJECT IDENTIFIER ::= { enterprises 4526 }")
    imports = "IMPORTS ng700smartswitch FROM NETGEAR-REF-MIB;"
    user = module("NETGEAR-X-MIB", "x OBJECT IDENTIFIER ::= { ng700smartswitch 1 }", imports)

    result = link(register + user)["NETGEAR-X-MIB"]

    assert objects(result)["x"].dotted_oid == "1.3.6.1.4.1.4526.11.1"
    assert len(warnings(result)) == 1


def test_roots_need_no_import(link: Link) -> None:
    result = link(module("X-MIB", "a OBJECT IDENTIFIER ::= { mib-2 999 }", ""))["X-MIB"]

    assert objects(result)["a"].dotted_oid == "1.3.6.1.2.1.999"
    assert result.findings == ()


def test_an_object_named_where_a_type_was_meant_lends_its_own(link: Link) -> None:
    result = link(module("X-MIB", scalar("a", "enterprises 32473 7", "ifIndex")))["X-MIB"]

    assert objects(result)["a"].syntax.base == "Integer32"
    assert errors(result) == []


def test_names_that_lead_nowhere_are_told_where_they_stand(link: Link) -> None:
    body = (
        "T ::= SEQUENCE { a INTEGER }\n"
        "t OBJECT-TYPE SYNTAX SEQUENCE OF T MAX-ACCESS not-accessible STATUS current"
        ' DESCRIPTION "" ::= { enterprises 32473 7 }\n'
        "e OBJECT-TYPE SYNTAX T MAX-ACCESS not-accessible STATUS current"
        ' DESCRIPTION "" INDEX { nobody } ::= { t 1 }\n'
        "n NOTIFICATION-TYPE OBJECTS { noOne } STATUS current"
        ' DESCRIPTION "" ::= { enterprises 32473 9 }\n'
    )

    result = link(module("X-MIB", body))["X-MIB"]

    assert errors(result) == [
        "the index nobody of e is defined nowhere",
        "the object noOne of n is defined nowhere",
    ]
    assert objects(result)["n"].objects == ("noOne",)


def test_an_index_makes_no_row_of_what_has_a_value(link: Link) -> None:
    body = scalar("a", "enterprises 32473 7", "TruthValue").replace("::=", "INDEX { ifIndex } ::=")

    result = link(module("X-MIB", body))["X-MIB"]

    assert objects(result)["a"].kind is Kind.SCALAR


def test_an_index_makes_a_row_of_a_type_that_nobody_knows(link: Link) -> None:
    body = scalar("a", "enterprises 32473 7", "NoEntry").replace("::=", "INDEX { ifIndex } ::=")

    result = link(module("X-MIB", body + scalar("b", "a 1")))["X-MIB"]

    assert [item.kind for item in result.module.objects] == [Kind.ROW, Kind.COLUMN]


def test_a_name_that_is_defined_twice_is_told(link: Link) -> None:
    body = "a OBJECT IDENTIFIER ::= { enterprises 32473 }\na OBJECT IDENTIFIER ::= { mib-2 999 }"

    result = link(module("X-MIB", body))["X-MIB"]

    assert [item.name for item in result.module.objects] == ["a", "a"]
    assert warnings(result) == ["a is defined at line 3 already"]


def test_a_hint_that_is_none_is_left_out(link: Link) -> None:
    body = (
        'A ::= TEXTUAL-CONVENTION DISPLAY-HINT "see the manual" STATUS current'
        ' DESCRIPTION "" SYNTAX OCTET STRING\n'
    )
    result = link(module("X-MIB", body + scalar("a", "enterprises 32473 7", "A")))["X-MIB"]

    assert objects(result)["a"].syntax.display_hint == ""
    assert warnings(result) == ["A has a DISPLAY-HINT that is none"]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("202405061200Z", "2024-05-06"), ("9905061200Z", "1999-05-06"),
        ("0305061200Z", "2003-05-06"), ("200012312359z", "2000-12-31"),
        ("", ""), ("yesterday", ""), ("20240506", ""), ("２０２４０５０６１２００Z", ""),
    ],
)  # fmt: skip
def test_revisions_are_read(text: str, date: str) -> None:
    assert parse_revision(text) == date
