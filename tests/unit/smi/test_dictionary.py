from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.dictionary import Dictionary, UnknownNameError
from exporters.smi.mib_objects import Kind, LinkedModule, MibObject
from exporters.smi.mib_store import MemoryFiles, MibStore, build_files
from exporters.wire.ber import encode_oid, format_oid

IF_DESCR = "1.3.6.1.2.1.2.2.1.2"


def store_of(*modules: LinkedModule) -> MibStore:
    return MibStore(MemoryFiles(build_files(modules, lambda _: "")))


def module(name: str, **places: str) -> LinkedModule:
    objects = tuple(
        MibObject(module=name, name=key, oid=encode_oid(oid), kind=Kind.NODE)
        for key, oid in sorted(places.items(), key=lambda place: place[1])
    )
    return LinkedModule(name, 2, "", (), objects)


# By name


def test_a_qualified_name_is_one_object(examples: Dictionary) -> None:
    found = examples.by_qualified("IF-MIB::ifDescr")

    assert found is not None
    assert (found.dotted_oid, found.kind, found.access) == (IF_DESCR, Kind.COLUMN, "read-only")


@pytest.mark.parametrize("name", ["NO-MIB::ifDescr", "IF-MIB::no", "ifDescr", "::ifDescr", ""])
def test_a_qualified_name_that_is_not_there_is_none(examples: Dictionary, name: str) -> None:
    assert examples.by_qualified(name) is None


def test_a_module_may_be_named_in_another_case_unless_both_are_there() -> None:
    dictionary = Dictionary(
        [store_of(module("Power-MIB", a="1.3.6.1"), module("FAN-MIB", b="1.3.6.2"),
                  module("Fan-MIB", b="1.3.6.3"))]
    )  # fmt: skip

    assert [str(dictionary.by_qualified(f"{name}::a")) for name in ("POWER-MIB", "power-mib")] == [
        str(dictionary.by_qualified("Power-MIB::a"))
    ] * 2
    found = [dictionary.by_qualified(f"{name}::b") for name in ("FAN-MIB", "Fan-MIB")]
    assert [item and item.module for item in found] == ["FAN-MIB", "Fan-MIB"]


def test_the_definition_of_the_standard_in_use_comes_first(shipped: Dictionary) -> None:
    names = [item.qualified_name for item in shipped.by_name("ifDescr")]

    assert names == ["IF-MIB::ifDescr", "RFC1213-MIB::ifDescr"]
    assert shipped.find("sysDescr").module == "SNMPv2-MIB"
    assert shipped.find("enterprises").module == "SNMPv2-SMI"


def test_objects_of_one_name_are_all_found_the_current_one_first(examples: Dictionary) -> None:
    found = [item.qualified_name for item in examples.by_name("cpuLoad")]

    assert found[:2] == ["VENDOR-TWO-MIB::cpuLoad", "VENDOR-ONE-MIB::cpuLoad"]


@pytest.mark.parametrize(
    ("text", "oid"),
    [
        ("1.3.6.1", "1.3.6.1"),
        (".1.3.6.1", "1.3.6.1"),
        ("ifDescr", IF_DESCR),
        ("IF-MIB::ifDescr", IF_DESCR),
        ("ifDescr.3", f"{IF_DESCR}.3"),
        ("IF-MIB::ifDescr.1.4294967295", f"{IF_DESCR}.1.4294967295"),
        (" sysUpTime.0 ", "1.3.6.1.2.1.1.3.0"),
    ],
)
def test_oids_may_start_with_a_name(shipped: Dictionary, text: str, oid: str) -> None:
    assert format_oid(shipped.parse_oid(text)) == oid


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ifDecsr", "no MIB module has the name 'ifDecsr', did you mean ifDescr?"),
        ("IFDESCR.1", "no MIB module has the name 'IFDESCR', did you mean ifDescr?"),
        (
            "IFMIB::ifDescr",
            "no MIB module has the name 'IFMIB::ifDescr': there is no module IFMIB,"
            " did you mean IF-MIB?",
        ),
        (
            "IF-MIB::ifDesc",
            "no MIB module has the name 'IF-MIB::ifDesc', did you mean ifDescr?",
        ),
        ("qqqqqqqqqq", "no MIB module has the name 'qqqqqqqqqq'"),
        ("ifDescr.x", "'ifDescr.x': what follows ifDescr is no instance"),
        ("ifDescr.4294967296", "'ifDescr.4294967296': what follows ifDescr is no instance"),
        ("1.3.x", "'1.3.x' is not an OID"),
        ("", "no MIB module has the name ''"),
    ],
)
def test_a_name_that_is_not_known_is_told_with_what_may_be_meant(
    shipped: Dictionary, text: str, problem: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        shipped.parse_oid(text)

    assert str(caught.value).startswith(problem)


# By OID


@pytest.mark.parametrize(
    ("oid", "text"),
    [
        (IF_DESCR, "IF-MIB::ifDescr"),
        (f"{IF_DESCR}.1", "IF-MIB::ifDescr.1"),
        ("1.3.6.1.2.1.1.3.0", "SNMPv2-MIB::sysUpTime.0"),
        ("1.3.6.1.2.1.2.2.1.999.1", "IF-MIB::ifEntry.999.1"),
        ("1.3.6.1.4.1.4294967295.1", "SNMPv2-SMI::enterprises.4294967295.1"),
        ("1.0.8802.1.1.2.1.4.1.1.5.0.1.2", "LLDP-MIB::lldpRemChassisId.0.1.2"),
        ("1.3.6.1.6.3.1.1.5.3", "IF-MIB::linkDown"),
        ("0.0", "SNMPv2-SMI::zeroDotZero"),
        ("2.999.1", "2.999.1"),
    ],
)
def test_oids_are_written_by_name(shipped: Dictionary, oid: str, text: str) -> None:
    assert shipped.format_oid_named(encode_oid(oid)) == text


def test_bytes_that_are_no_oid_are_written_in_hexadecimal(shipped: Dictionary) -> None:
    assert shipped.format_oid_named(b"") == ""
    assert shipped.format_oid_named(b"\x2b\x86") == "2b86"
    # A name was found before; what follows it is cut off.
    shipped.by_oid(encode_oid(f"{IF_DESCR}.1"))
    assert shipped.format_oid_named(encode_oid(IF_DESCR) + b"\x86") == "2b0601020102020102" + "86"


def test_an_instance_is_what_follows_the_object(shipped: Dictionary) -> None:
    item, instance = shipped.by_oid(encode_oid("1.3.6.1.2.1.4.22.1.2.3.10.0.0.200"))

    assert item.qualified_name == "IP-MIB::ipNetToMediaPhysAddress"
    assert instance == b"\x03\x0a\x00\x00\x81\x48"


@given(suffix=st.lists(st.integers(0, 2**32 - 1), max_size=6))
def test_whatever_lies_below_a_column_is_an_instance_of_it(suffix: list[int]) -> None:
    column = encode_oid(IF_DESCR)
    oid = encode_oid(".".join(map(str, [IF_DESCR, *suffix])))

    item, instance = SHIPPED.by_oid(oid)

    assert (item.name, item.oid + instance) == ("ifDescr", oid)
    assert oid.startswith(column)


def test_nothing_is_known_of_an_oid_above_everything(shipped: Dictionary) -> None:
    assert shipped.by_oid(encode_oid("2.999")) is None
    assert Dictionary().by_oid(encode_oid("1.3.6.1")) is None
    assert Dictionary().format_oid_named(encode_oid("1.3.6.1")) == "1.3.6.1"


def test_the_answer_does_not_depend_on_what_was_asked_before(shipped: Dictionary) -> None:
    oids = ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.3", "1.3.6.1.2.1.1.30", "1.3.6.1.2.1.1.3.0"]

    assert [shipped.format_oid_named(encode_oid(oid)) for oid in oids] == [
        "SNMPv2-MIB::sysUpTime.0",
        "SNMPv2-MIB::sysUpTime",
        "SNMPv2-MIB::system.30",
        "SNMPv2-MIB::sysUpTime.0",
    ]


# The tree


def test_children_are_named_where_they_have_a_name(shipped: Dictionary) -> None:
    children = shipped.children(encode_oid("1.3.6.1"))

    assert [format_oid(child.oid) for child in children][:4] == [
        "1.3.6.1.1", "1.3.6.1.2", "1.3.6.1.3", "1.3.6.1.4",
    ]  # fmt: skip
    assert children[3].objects[0].name == "private"


def test_the_tree_starts_with_pairs_of_numbers(shipped: Dictionary) -> None:
    roots = [format_oid(child.oid) for child in shipped.children()]

    assert roots == ["0.0", "1.0", "1.2", "1.3"]


def test_roots_are_those_of_the_smi_whoever_repeats_them(shipped: Dictionary) -> None:
    for oid in ("1.3", "1.3.6", "1.3.6.1.4.1", "1.3.6.1.2.1"):
        assert shipped.at(encode_oid(oid))[0].module == "SNMPv2-SMI"


def test_a_number_without_a_name_leads_on() -> None:
    dictionary = Dictionary([store_of(module("A-MIB", top="1.3.6", deep="1.3.6.5.5"))])

    (child,) = dictionary.children(encode_oid("1.3.6"))

    assert (format_oid(child.oid), child.objects) == ("1.3.6.5", ())
    assert dictionary.children(child.oid)[0].objects[0].name == "deep"


def test_leaves_have_no_children(shipped: Dictionary) -> None:
    assert shipped.children(encode_oid(IF_DESCR)) == []


def test_a_subtree_is_what_going_down_by_children_finds(shipped: Dictionary) -> None:
    def down(oid: bytes) -> Iterator[tuple[MibObject, ...]]:
        for child in shipped.children(oid):
            if child.objects:
                yield child.objects
            yield from down(child.oid)

    ospf = encode_oid("1.3.6.1.2.1.14")

    assert list(shipped.subtree(ospf)) == [shipped.at(ospf), *down(ospf)]
    assert list(shipped.subtree(encode_oid("1.3.6.1.2.1.14.77"))) == []


# Several stores


def test_a_module_of_an_earlier_store_replaces_the_later_one_as_a_whole() -> None:
    user = store_of(module("A-MIB", kept="1.3.6.1", added="1.3.6.7"))
    base = store_of(
        module("A-MIB", kept="1.3.6.1", dropped="1.3.6.2", below="1.3.6.1.5"),
        module("B-MIB", other="1.3.6.3", root="1.3.6"),
    )
    dictionary = Dictionary((user, base))

    assert [item.name for item in dictionary.by_name("dropped")] == []
    assert dictionary.by_qualified("A-MIB::dropped") is None
    assert dictionary.format_oid_named(encode_oid("1.3.6.2")) == "B-MIB::root.2"
    assert dictionary.format_oid_named(encode_oid("1.3.6.1.5")) == "A-MIB::kept.5"
    assert dictionary.format_oid_named(encode_oid("1.3.6.7")) == "A-MIB::added"
    assert [child.objects[0].name for child in dictionary.children(encode_oid("1.3.6"))] == [
        "kept", "other", "added",
    ]  # fmt: skip
    assert [found[0].name for found in dictionary.subtree(encode_oid("1.3.6"))] == [
        "root", "kept", "other", "added",
    ]  # fmt: skip
    assert dictionary.search("dropped") == []
    assert dictionary.modules == ["A-MIB", "B-MIB"]


def test_the_user_is_right_where_two_stores_define_one_oid() -> None:
    user = store_of(module("USER-MIB", mine="1.3.6.1"))
    base = store_of(module("BASE-MIB", theirs="1.3.6.1"))

    dictionary = Dictionary((user, base))

    assert [item.name for item in dictionary.at(encode_oid("1.3.6.1"))] == ["mine", "theirs"]
    assert dictionary.format_oid_named(encode_oid("1.3.6.1.4")) == "USER-MIB::mine.4"


# Relations


def test_the_index_of_a_column_is_that_of_its_row(examples: Dictionary) -> None:
    item = examples.by_qualified("EXAMPLE-MIB::examplePortOctets")

    assert [(part.qualified_name, part.implied) for part, _ in examples.indexes_of(item)] == [
        ("IF-MIB::ifIndex", False),
        ("EXAMPLE-MIB::examplePortSide", False),
        ("EXAMPLE-MIB::examplePortName", True),
    ]
    assert examples.row_of(item).name == "examplePortEntry"


def test_the_index_of_a_row_that_augments_is_the_other_rows(examples: Dictionary) -> None:
    for name in ("EXAMPLE-MIB::exampleIfEnabled", "IF-MIB::ifHCInOctets"):
        ((part, found),) = examples.indexes_of(examples.by_qualified(name))

        assert (part.qualified_name, found.kind) == ("IF-MIB::ifIndex", Kind.COLUMN)


def test_rows_that_augment_each_other_have_no_index() -> None:
    rows = [
        MibObject(
            module="A-MIB", name=f"row{number}", oid=encode_oid(f"1.3.6.{number}"), kind=Kind.ROW,
            augments=f"A-MIB::row{3 - number}",
        )
        for number in (1, 2)
    ]  # fmt: skip
    dictionary = Dictionary([store_of(LinkedModule("A-MIB", 2, "", (), tuple(rows)))])

    assert dictionary.indexes_of(dictionary.find("row1")) == ()


def test_an_index_that_is_a_type_comes_without_an_object(examples: Dictionary) -> None:
    ((part, found),) = examples.indexes_of(examples.find("oldCount"))

    assert (part.module, part.name, found) == ("", "INTEGER", None)


def test_a_scalar_has_neither_row_nor_index(examples: Dictionary) -> None:
    item = examples.find("exampleUpTime")

    assert (examples.row_of(item), examples.indexes_of(item)) == (None, ())


@pytest.mark.parametrize("name", ["examplePortTable", "examplePortEntry"])
def test_columns_are_listed_in_their_order(examples: Dictionary, name: str) -> None:
    columns = [item.name for item in examples.columns_of(examples.find(name))]

    assert columns[:2] == ["examplePortSide", "examplePortName"]
    assert len(columns) == 8


# Searching


def test_search_puts_the_name_itself_first(shipped: Dictionary) -> None:
    found = [item.qualified_name for item in shipped.search("ifspeed")]

    assert found[0] == "IF-MIB::ifSpeed"
    assert len(found) > 1


def test_search_shows_an_object_once_as_the_best_module_has_it(shipped: Dictionary) -> None:
    found = [item.qualified_name for item in shipped.search("sysDescr")]

    assert found[0] == "SNMPv2-MIB::sysDescr"
    assert "RFC1213-MIB::sysDescr" not in found
    assert shipped.search("RFC1213-MIB::sysDescr")[0].module == "RFC1213-MIB"


def test_search_puts_starts_before_words_before_parts() -> None:
    names = ("transport", "ifPort", "portName", "port", "Port")
    places = {name: f"1.3.6.{number}" for number, name in enumerate(names)}
    dictionary = Dictionary([store_of(module("A-MIB", **places))])

    assert [item.name for item in dictionary.search("port")] == [
        "port", "Port", "portName", "ifPort", "transport",
    ]  # fmt: skip


def test_search_puts_what_devices_answer_before_what_holds_a_module_together(
    shipped: Dictionary,
) -> None:
    found = [item.kind for item in shipped.search("IF-MIB::if", limit=100)]
    framework = [kind in (Kind.NODE, Kind.GROUP, Kind.COMPLIANCE) for kind in found]

    assert True in framework
    assert framework == sorted(framework)


def test_search_can_stay_in_a_module(shipped: Dictionary) -> None:
    found = shipped.search("if-mib::octets")

    assert {item.module for item in found} == {"IF-MIB"}
    assert [item.name for item in found] == [
        "ifInOctets", "ifOutOctets", "ifHCInOctets", "ifHCOutOctets",
    ]  # fmt: skip


def test_two_letters_find_only_what_starts_with_them(shipped: Dictionary) -> None:
    assert all(item.name.lower().startswith("if") for item in shipped.search("if"))


def test_search_for_an_oid_gives_the_place_and_what_lies_below(shipped: Dictionary) -> None:
    found = [item.name for item in shipped.search(".1.3.6.1.2.1.2")]
    instance = [item.qualified_name for item in shipped.search(f"{IF_DESCR}.7")]

    assert found[0] == "interfaces"
    assert found[-2:] == ["ifNumber", "ifTable"]
    assert instance[0] == "IF-MIB::ifDescr"


@pytest.mark.parametrize("text", ["", "  ", "no such name", "ä", "9.9.9", "*", "\t"])
def test_search_that_finds_nothing_is_empty(shipped: Dictionary, text: str) -> None:
    assert shipped.search(text) == []


def test_search_ends_at_its_limit(shipped: Dictionary) -> None:
    assert len(shipped.search("table", limit=7)) == 7


# Weight


def test_looking_up_imports_neither_the_grammar_nor_anything_of_the_web(repository: Path) -> None:
    program = (
        "import sys, exporters.smi.dictionary; print([name for name in sys.modules"
        " if name.split('.')[0] in ('pysmi', 'ply', 'requests', 'aiohttp', 'pydantic')])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, check=True, capture_output=True, text=True
    )

    assert answer.stdout.strip() == "[]"


@pytest.fixture(autouse=True, scope="module")
def _share(shipped: Dictionary) -> None:
    global SHIPPED
    SHIPPED = shipped


SHIPPED: Dictionary
