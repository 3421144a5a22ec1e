from __future__ import annotations

import pytest

from exporters.smi.dictionary import Dictionary
from exporters.smi.oid_names import has_oids, name_oid, name_oids
from exporters.wire.ber import encode_oid

DESCRIPTION = "IF-MIB::ifDescr.3 (1.3.6.1.2.1.2.2.1.2.3)"


@pytest.mark.parametrize(
    ("oid", "text"),
    [
        ("1.3.6.1.2.1.2.2.1.2.3", DESCRIPTION),
        ("1.3.6.1.4.1.99999.1", "SNMPv2-SMI::enterprises.99999.1 (1.3.6.1.4.1.99999.1)"),
        ("2.999", "2.999"),
    ],
)
def test_an_oid_has_its_name_beside_it(shipped: Dictionary, oid: str, text: str) -> None:
    assert name_oid(shipped, encode_oid(oid)) == text


def test_what_is_no_oid_is_hexadecimal(shipped: Dictionary) -> None:
    assert name_oid(shipped, b"\x2b\x86") == "2b86"
    assert name_oid(shipped, b"") == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("at 1.3.6.1.2.1.2.2.1.2.3", f"at {DESCRIPTION}"),
        ("oids=1.3.6.1.2.1.1.5,1.3.6.1.2.1.2.2.1.2.3: x.",
         f"oids=SNMPv2-MIB::sysName (1.3.6.1.2.1.1.5),{DESCRIPTION}: x."),
        ("1.3.6.1.2.1.2.2.1.2.3.", f"{DESCRIPTION}."),
        ("a\n1.3.6.1.2.1.2.2.1.2.3\nb", f"a\n{DESCRIPTION}\nb"),
        (DESCRIPTION, DESCRIPTION),
    ],
)  # fmt: skip
def test_oids_in_a_text_have_their_names_beside_them(
    shipped: Dictionary, text: str, named: str
) -> None:
    assert has_oids(text) == (text != named)
    assert name_oids(shipped, text) == named


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2.1 port 161", "1.3.6.1", "udp 1.2.3.4 port 161 is silent", "version 11.3.6.1.2.1",
     "1.3.6.1.4.1.x", "v1.3.6.1.4.1", "9.3.6.1.4.1", "0x1.3.6.1.4.1"],
)  # fmt: skip
def test_what_is_no_oid_stays_as_it_is(shipped: Dictionary, text: str) -> None:
    assert not has_oids(text)
    assert name_oids(shipped, text) == text


def test_numbers_that_no_oid_can_have_stay_as_they_are(shipped: Dictionary) -> None:
    text = "1.3.6.1.4.1.4294967296 1.99.6.1.4.1"

    assert name_oids(shipped, text) == text


def test_a_text_of_very_many_oids_is_named_in_part(shipped: Dictionary) -> None:
    oids = [f"1.3.6.1.2.1.2.2.1.2.{number}" for number in range(1, 10_002)]
    named = name_oids(shipped, "\n".join([*oids, oids[0]])).split("\n")

    assert named[9_999] == f"IF-MIB::ifDescr.10000 ({oids[9_999]})"
    assert named[10_000] == oids[10_000]
    assert named[10_001] == f"IF-MIB::ifDescr.1 ({oids[0]})"
