"""BER primitives: what X.690 and RFC 3417 section 8 say, and where SNMP stops."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import WireError
from exporters.wire.ber import (
    decode_oid,
    decode_subids,
    encode_integer,
    encode_integer_content,
    encode_length,
    encode_oid,
    encode_subids,
    encode_tlv,
    expect,
    format_oid,
    read_header,
    read_integer,
)

SUBIDS = st.integers(0, 2**32 - 1)


# Lengths


@pytest.mark.parametrize(
    ("length", "encoded"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8180"),
        (255, "81ff"),
        (256, "820100"),
        (65535, "82ffff"),
        (65536, "83010000"),
    ],
)
def test_length_takes_as_few_bytes_as_it_can(length: int, encoded: str) -> None:
    assert encode_length(length).hex() == encoded


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65536])
def test_tlv_round_trips_at_the_borders_of_the_length_forms(size: int) -> None:
    content = b"x" * size
    encoded = encode_tlv(0x04, content)
    tag, start, stop = read_header(encoded, 0, len(encoded))
    assert (tag, encoded[start:stop], stop) == (0x04, content, len(encoded))


def test_length_in_needlessly_long_form_is_read() -> None:
    assert read_header(bytes.fromhex("0484000000024142"), 0, 8) == (0x04, 6, 8)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "an element is cut off at byte 0"),
        ("04", "an element is cut off at byte 0"),
        ("0401", "the element at byte 0 is 1 bytes longer than its frame"),
        ("0480410000", "byte 1 is not a definite length of at most 4 bytes"),
        ("04850000000001ff", "byte 1 is not a definite length of at most 4 bytes"),
        ("04ff", "byte 1 is not a definite length of at most 4 bytes"),
        ("048201", "byte 1 is not a definite length of at most 4 bytes"),
        ("0484ffffffff", "the element at byte 0 is 4294967295 bytes longer than its frame"),
    ],
    ids=["empty", "tag-only", "cut", "indefinite", "5-byte", "reserved", "cut-length", "huge"],
)
def test_broken_header_is_an_error_that_says_where(data: str, message: str) -> None:
    octets = bytes.fromhex(data)
    with pytest.raises(WireError, match=f"^{message}$"):
        read_header(octets, 0, len(octets))


def test_element_may_not_leave_its_frame_even_where_bytes_follow() -> None:
    with pytest.raises(WireError, match="2 bytes longer than its frame"):
        read_header(bytes.fromhex("04044142434445"), 0, 4)


def test_claimed_length_of_4_gigabytes_allocates_nothing() -> None:
    data = bytes.fromhex("0484ffffffff") + bytes(64)
    tracemalloc.start()
    with pytest.raises(WireError):
        read_header(data, 0, len(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64_000


def test_expect_names_the_tag_that_stands_there() -> None:
    with pytest.raises(WireError, match=r"^the community at byte 2 has tag 0x02, expected 0x04$"):
        expect(bytes.fromhex("0500020100"), 2, 5, 0x04, "the community")


# Integers


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "0080"),
        (255, "00ff"),
        (256, "0100"),
        (2**31 - 1, "7fffffff"),
        (2**32 - 1, "00ffffffff"),
        (-1, "ff"),
        (-128, "80"),
        (-129, "ff7f"),
        (-32768, "8000"),
        (-32769, "ff7fff"),
        (-(2**31), "80000000"),
    ],
)
def test_integer_takes_as_few_bytes_as_it_can(value: int, content: str) -> None:
    assert encode_integer_content(value).hex() == content
    assert encode_integer(value) == bytes((0x02, len(content) // 2)) + bytes.fromhex(content)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integer_round_trips(value: int) -> None:
    encoded = encode_integer(value)
    assert read_integer(encoded, 0, len(encoded), "it") == (value, len(encoded))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [("0205 00ffffffff", 2**32 - 1), ("0204 00000001", 1), ("0202 ffff", -1)],
    ids=["5-byte-unsigned", "padded-positive", "padded-negative"],
)
def test_integer_with_needless_bytes_is_read(encoded: str, value: int) -> None:
    data = bytes.fromhex(encoded)
    assert read_integer(data, 0, len(data), "it") == (value, len(data))


@pytest.mark.parametrize("size", [0, 9, 127])
def test_integer_of_impossible_size_is_refused(size: int) -> None:
    data = bytes((0x02, size)) + bytes(size)
    with pytest.raises(WireError, match=rf"^the version at byte 0 is an integer of {size} bytes$"):
        read_integer(data, 0, len(data), "the version")


# Object identifiers


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("1.3.6.1.2.1.1.3.0", "2b06010201010300"),
        (".1.3.6.1", "2b0601"),
        ("0.0", "00"),
        ("0.39", "27"),
        ("1.39", "4f"),
        ("2.39", "77"),
        ("2.999", "8837"),
        ("2.999.3", "883703"),
        ("2.47.128", "7f8100"),
        ("2.48", "8100"),
        ("1.3.127.128.16383.16384", "2b7f8100ff7f818000"),
        ("1.3.4294967295", "2b8fffffff7f"),
        ("2.4294967215", "8fffffff7f"),
    ],
)
def test_oid_encodes_as_x690_says_and_back(text: str, encoded: str) -> None:
    assert encode_oid(text).hex() == encoded
    assert format_oid(bytes.fromhex(encoded)) == text.removeprefix(".")


def test_oid_of_one_arc_is_read_as_its_first_node() -> None:
    assert format_oid(encode_oid("1")) == "1.0"


def test_oid_of_128_sub_identifiers_is_the_longest() -> None:
    longest = ".".join(["1", "3", *["7"] * 126])
    assert format_oid(encode_oid(longest)) == longest
    with pytest.raises(ValueError, match="more than 128 sub-identifiers"):
        encode_oid(longest + ".7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not an OID: expected dotted numbers"),
        (".", "'.' is not an OID: expected dotted numbers"),
        ("..1.3", "'..1.3' is not an OID: expected dotted numbers"),
        ("1..3", "'1..3' is not an OID: expected dotted numbers"),
        ("1.3.", "'1.3.' is not an OID: expected dotted numbers"),
        ("1.-3", "'1.-3' is not an OID: expected dotted numbers"),
        ("1.3 ", "'1.3 ' is not an OID: expected dotted numbers"),
        ("ifDescr", "'ifDescr' is not an OID: expected dotted numbers"),
        ("1.\u0663", "is not an OID: expected dotted numbers"),
        ("3.1", r"'3.1' is not an OID: the first arcs cannot be \[3, 1\]"),
        ("1.40", r"'1.40' is not an OID: the first arcs cannot be \[1, 40\]"),
        ("1.3.4294967296", "sub-identifier 4294967296 does not fit 32 unsigned bits"),
        ("2.4294967295", "sub-identifier 4294967375 does not fit 32 unsigned bits"),
    ],
)
def test_text_that_is_no_oid_is_refused_with_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_oid(text)


def test_negative_sub_identifier_is_refused() -> None:
    with pytest.raises(ValueError, match="sub-identifier -1 does not fit"):
        encode_subids([1, -1])


@given(st.lists(SUBIDS))
def test_sub_identifiers_round_trip(subids: list[int]) -> None:
    assert decode_subids(encode_subids(subids)) == tuple(subids)


@given(st.lists(SUBIDS, max_size=20), st.lists(SUBIDS, max_size=20))
def test_oid_lies_below_another_exactly_when_its_bytes_start_with_the_others(
    above: list[int], below: list[int]
) -> None:
    starts = encode_subids(below).startswith(encode_subids(above))
    assert starts == (below[: len(above)] == above)


def test_no_bytes_are_no_sub_identifiers() -> None:
    assert decode_subids(b"") == ()


def test_empty_oid_is_refused() -> None:
    with pytest.raises(WireError, match="an object identifier is empty"):
        decode_oid(b"")


@pytest.mark.parametrize("content", ["80", "2b81", "2b06ff"])
def test_oid_that_ends_inside_a_sub_identifier_is_refused(content: str) -> None:
    with pytest.raises(WireError, match="ends inside a sub-identifier"):
        decode_oid(bytes.fromhex(content))


def test_sub_identifier_of_2_to_the_32_is_refused() -> None:
    assert decode_subids(bytes.fromhex("8fffffff7f")) == (2**32 - 1,)
    with pytest.raises(WireError, match="does not fit 32 bits"):
        decode_subids(bytes.fromhex("9080808000"))


@pytest.mark.parametrize("decode", [decode_subids, decode_oid, format_oid])
def test_sub_identifier_as_long_as_a_datagram_is_refused_at_once(decode: object) -> None:
    # Collected into one integer it would take seconds, and its decimal text a ValueError.
    with pytest.raises(WireError, match="does not fit 32 bits"):
        decode(b"\xff" * 65000 + b"\x7f")  # type: ignore[operator]


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_an_oid_or_a_wire_error(content: bytes) -> None:
    try:
        text = format_oid(content)
    except WireError:
        return
    assert format_oid(encode_oid(text)) == text
