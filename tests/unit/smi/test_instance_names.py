from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.dictionary import Dictionary, UnknownNameError
from exporters.smi.instance_names import InstancePart, format_instance, parse_instance
from exporters.wire.ber import encode_oid, format_oid

NUMBER = InstancePart()
STATUS = InstancePart(labels={1: "up", 2: "down"})
TEXT = InstancePart(size=0, is_octets=True)
FIXED = InstancePart(size=3, is_octets=True)
IMPLIED = InstancePart(size=-1, is_octets=True)
ADDRESS = InstancePart(size=4)
OID = InstancePart(size=0)
IMPLIED_OID = InstancePart(size=-1)

Parts = tuple[InstancePart, ...]


@pytest.mark.parametrize(
    ("parts", "subids", "text"),
    [
        pytest.param((NUMBER,), (7,), "7", id="a number"),
        pytest.param((STATUS, NUMBER), (2, 2), "down.2", id="a label"),
        pytest.param((STATUS,), (9,), "9", id="a number without a label"),
        pytest.param((TEXT, NUMBER), (2, 65, 66, 1), '"AB".1', id="text with its length"),
        pytest.param((TEXT,), (0,), '""', id="no text"),
        pytest.param((FIXED,), (65, 32, 46), '"A ."', id="text of a fixed size"),
        pytest.param((NUMBER, IMPLIED), (1, 65, 66), '1."AB"', id="text that is implied"),
        pytest.param((IMPLIED,), (), '""', id="no text that is implied"),
        pytest.param((TEXT,), (2, 0, 255), "2.0.255", id="octets that are no text"),
        pytest.param((TEXT,), (2, 65, 300), "2.65.300", id="numbers that are no octets"),
        pytest.param((TEXT,), (1, 34), "1.34", id="a quotation mark"),
        pytest.param((TEXT,), (1, 92), "1.92", id="a backslash"),
        pytest.param((ADDRESS, NUMBER), (192, 0, 2, 1, 5), "192.0.2.1.5", id="an address"),
        pytest.param((OID, NUMBER), (2, 1, 3, 5), "2.1.3.5", id="an OID"),
        pytest.param((IMPLIED_OID,), (1, 3, 6), "1.3.6", id="an OID that is implied"),
        pytest.param((), (1, 2), "1.2", id="an index that is not known"),
    ],
)
def test_an_instance_is_written_as_its_index_says_and_read_back(
    parts: Parts, subids: tuple[int, ...], text: str
) -> None:
    assert format_instance(parts, subids) == text
    assert tuple(parse_instance(parts, text)) == subids


@pytest.mark.parametrize(
    ("parts", "subids"),
    [
        pytest.param((NUMBER, STATUS), (1,), id="too few"),
        pytest.param((STATUS, TEXT), (1, 5, 65), id="a length past the end"),
        pytest.param((STATUS, FIXED), (1, 65, 65), id="less than the fixed size"),
        pytest.param((STATUS, TEXT), (1,), id="no length"),
        pytest.param((STATUS, OID), (1, 4294967295, 1), id="an absurd length"),
    ],
)
def test_an_instance_that_does_not_fit_its_index_is_numbers(
    parts: Parts, subids: tuple[int, ...]
) -> None:
    text = format_instance(parts, subids)

    assert text == ".".join(map(str, subids))
    assert tuple(parse_instance(parts, text)) == subids


def test_what_follows_a_whole_index_is_numbers() -> None:
    assert format_instance((STATUS,), (1, 2, 3)) == "up.2.3"
    assert tuple(parse_instance((STATUS,), "up.2.3")) == (1, 2, 3)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        pytest.param((NUMBER,), "up", id="a word for a number"),
        pytest.param((NUMBER,), '"1"', id="text for a number"),
        pytest.param((STATUS,), "Up", id="a label in another case"),
        pytest.param((TEXT,), "AB", id="text without quotation marks"),
        pytest.param((TEXT,), '"AB', id="text without an end"),
        pytest.param((TEXT,), '"AB"C', id="something after the text"),
        pytest.param((TEXT,), '"é"', id="text that is not ASCII"),
        pytest.param((FIXED,), '"AB"', id="text of another size"),
        pytest.param((NUMBER,), "1..2", id="two dots"),
        pytest.param((NUMBER,), "1.", id="a dot at the end"),
        pytest.param((NUMBER,), ".1", id="a dot at the start"),
        pytest.param((NUMBER,), "-1", id="a negative number"),
        pytest.param((NUMBER,), "٣", id="digits of another script"),
    ],
)
def test_what_is_no_instance_is_refused(parts: Parts, text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|ends with|has not|codec"):
        list(parse_instance(parts, text))


PARTS = st.lists(st.sampled_from((NUMBER, STATUS, TEXT, FIXED, ADDRESS, OID)), max_size=4).flatmap(
    lambda parts: st.sampled_from([(*parts,), (*parts, IMPLIED), (*parts, IMPLIED_OID)])
)


@given(PARTS, st.lists(st.integers(0, 130) | st.integers(0, 2**32 - 1), max_size=12))
def test_any_instance_is_read_back(parts: Parts, subids: list[int]) -> None:
    assert list(parse_instance(parts, format_instance(parts, subids))) == subids


@given(PARTS, st.text(alphabet='01.9"aup\\ \té', max_size=12))
def test_any_text_is_an_instance_or_refused(parts: Parts, text: str) -> None:
    try:
        list(parse_instance(parts, text))
    except ValueError:
        return
    assert not text.startswith(".")


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        (
            'SNMP-VIEW-BASED-ACM-MIB::vacmAccessStatus."ops"."".3.authPriv',
            "9.3.111.112.115.0.3.3",
        ),
        ('SNMP-VIEW-BASED-ACM-MIB::vacmGroupName.3."ops"', "3.3.3.111.112.115"),
        ("IP-MIB::ipAddressIfIndex.ipv4.4.127.0.0.1", "3.1.4.127.0.0.1"),
        ("IF-MIB::ifStackStatus.0.3", "3.0.3"),
        ('DISMAN-EVENT-MIB::mteEventComment."ops"."down"', "2.3.111.112.115.100.111.119.110"),
        ("BRIDGE-MIB::dot1dTpFdbPort.0.26.43.60.77.94", "2.0.26.43.60.77.94"),
    ],
)
def test_names_of_shipped_modules_hold_their_instances(
    shipped: Dictionary, name: str, numbers: str
) -> None:
    oid = shipped.parse_oid(name)

    assert format_oid(oid).endswith(f".1.{numbers}")
    assert shipped.format_oid_named(oid) == name


def test_an_instance_that_cannot_be_is_refused_in_words(shipped: Dictionary) -> None:
    with pytest.raises(
        UnknownNameError, match=r"what follows ifDescr is no instance of it: 'eth0'"
    ):
        shipped.parse_oid("ifDescr.eth0")


def test_an_augmenting_row_has_the_index_of_the_other(shipped: Dictionary) -> None:
    oid = encode_oid("1.3.6.1.2.1.31.1.1.1.6.7")

    assert shipped.format_oid_named(oid) == "IF-MIB::ifHCInOctets.7"
