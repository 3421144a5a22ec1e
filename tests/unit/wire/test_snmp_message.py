"""Messages of version 1 and 2c and their PDUs: hand-written bytes, round trips, and quirks."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import WireError
from exporters.wire import snmp_message
from exporters.wire.ber import encode_oid, encode_tlv, read_header
from exporters.wire.snmp_message import (
    CommunityMessage,
    ErrorStatus,
    Pdu,
    VarBind,
    Version,
    _decode_varbind,
    decode_community_message,
    decode_pdu,
    decode_varbinds,
    encode_community_message,
    encode_names,
    encode_pdu,
    encode_varbinds,
    error_status_name,
    peek_version,
)
from exporters.wire.tags import (
    COUNTER32,
    END_OF_MIB_VIEW,
    GET_BULK_REQUEST,
    GET_REQUEST,
    INTEGER,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    PDU_TYPES,
    RESPONSE,
    SEQUENCE,
    TRAP_V1,
)

SYS_UP_TIME = encode_oid("1.3.6.1.2.1.1.3.0")

OIDS = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=128).map(
    lambda arcs: encode_oid(".".join(map(str, [1, 3, *arcs[:126]])))
)
VARBINDS = st.lists(st.tuples(OIDS, st.integers(0, 255), st.binary(max_size=300)), max_size=8)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
PDUS = st.builds(
    Pdu, st.sampled_from(sorted(PDU_TYPES - {TRAP_V1})), NUMBERS, NUMBERS, NUMBERS, VARBINDS
)


def encode(pdu: Pdu) -> bytes:
    return encode_pdu(
        pdu.type, pdu.request_id, pdu.error_status, pdu.error_index, encode_varbinds(pdu.varbinds)
    )


def response(*varbinds: str) -> bytes:
    """A response whose varbinds are given in hex, tag and length included."""
    return encode_community_message(
        Version.V2C,
        b"public",
        encode_pdu(RESPONSE, 1, 0, 0, encode_tlv(SEQUENCE, bytes.fromhex("".join(varbinds)))),
    )


# Whole messages


def test_get_request_is_encoded_byte_for_byte() -> None:
    pdu = encode_pdu(GET_REQUEST, 0x12345678, 0, 0, encode_names([SYS_UP_TIME]))
    assert encode_community_message(Version.V1, b"public", pdu) == bytes.fromhex(
        "3029 020100 0406 7075626c6963"
        "a01c 0204 12345678 020100 020100"
        "300e 300c 0608 2b06010201010300 0500"
    )


def test_response_is_decoded_byte_for_byte() -> None:
    data = bytes.fromhex(
        "302c 020101 0406 7075626c6963"
        "a21f 0204 fffffffe 020100 020100"
        "3011 300f 0608 2b06010201010300 4303 01e240"
    )
    assert decode_community_message(data) == CommunityMessage(
        version=Version.V2C,
        community=b"public",
        pdu=Pdu(RESPONSE, -2, 0, 0, [(SYS_UP_TIME, 0x43, b"\x01\xe2\x40")]),
    )


@given(st.sampled_from([Version.V1, Version.V2C]), st.binary(max_size=300), PDUS)
def test_message_round_trips(version: Version, community: bytes, pdu: Pdu) -> None:
    data = encode_community_message(version, community, encode(pdu))
    assert decode_community_message(data) == CommunityMessage(version, community, pdu)
    assert peek_version(data) == version


@given(st.lists(OIDS, max_size=20))
def test_names_are_varbinds_of_null(oids: list[bytes]) -> None:
    assert encode_names(oids) == encode_varbinds([(oid, NULL, b"") for oid in oids])


@pytest.mark.parametrize("size", [0x7B, 0x7C, 0x7F, 0x80])
def test_names_at_the_border_of_the_short_length_form(size: int) -> None:
    oid = b"\x2b" + b"\x01" * (size - 1)
    pdu = encode_pdu(GET_REQUEST, 1, 0, 0, encode_names([oid, oid]))
    assert decode_pdu(pdu, 0, len(pdu)).varbinds == [(oid, NULL, b"")] * 2


@pytest.mark.parametrize("version", [0, 1, 3, 77, -1])
def test_peek_version_reads_any_version(version: int) -> None:
    message = encode_tlv(SEQUENCE, bytes((INTEGER, 1, version & 0xFF)) + b"\xff\xff")
    assert peek_version(message) == version


@pytest.mark.parametrize("data", ["", "30", "3003", "3000", "3003040100", "a003020101"])
def test_peek_version_refuses_what_is_no_message(data: str) -> None:
    with pytest.raises(WireError):
        peek_version(bytes.fromhex(data))


@pytest.mark.parametrize("version", [2, 3, -1])
def test_version_without_community_is_refused(version: int) -> None:
    data = encode_community_message(version, b"public", encode(Pdu(RESPONSE, 1, 0, 0, [])))
    with pytest.raises(WireError, match=f"version {version} is neither SNMPv1"):
        decode_community_message(data)


def test_community_stays_out_of_the_repr() -> None:
    message = CommunityMessage(Version.V2C, b"s3cret", Pdu(RESPONSE, 1, 0, 0, []))
    assert "s3cret" not in repr(message)


# What agents really send


def test_padding_after_the_message_is_ignored() -> None:
    data = response("300d 0608 2b06010201010300 4301 05")
    assert decode_community_message(data + bytes(20)) == decode_community_message(data)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_needlessly_long_lengths_are_read(size: int) -> None:
    def tlv(tag: int, content: bytes) -> bytes:
        return bytes((tag, 0x80 | size)) + len(content).to_bytes(size, "big") + content

    varbind = tlv(SEQUENCE, tlv(OBJECT_IDENTIFIER, SYS_UP_TIME) + tlv(COUNTER32, b"\x07"))
    numbers = tlv(INTEGER, b"\x05") + tlv(INTEGER, b"\x00") + tlv(INTEGER, b"\x00")
    pdu = tlv(RESPONSE, numbers + tlv(SEQUENCE, varbind + varbind))
    data = tlv(SEQUENCE, tlv(INTEGER, b"\x01") + tlv(OCTET_STRING, b"public") + pdu)
    expected = [(SYS_UP_TIME, COUNTER32, b"\x07")] * 2
    assert decode_community_message(data).pdu == Pdu(RESPONSE, 5, 0, 0, expected)


def test_counter_of_5_bytes_keeps_its_bytes() -> None:
    data = response("3011 0608 2b06010201010300 4105 00ffffffff")
    assert decode_community_message(data).pdu.varbinds == [
        (SYS_UP_TIME, COUNTER32, b"\x00\xff\xff\xff\xff")
    ]


@pytest.mark.parametrize("request_id", [-(2**31), -1, 0, 2**31 - 1, 2**32 - 1])
def test_request_id_of_either_sign_is_kept(request_id: int) -> None:
    pdu = encode_pdu(RESPONSE, request_id, 0, 0, encode_varbinds([]))
    data = encode_community_message(Version.V2C, b"", pdu)
    assert decode_community_message(data).pdu.request_id == request_id


@pytest.mark.parametrize("status", ErrorStatus, ids=lambda status: status.name)
def test_error_status_and_index_are_given_as_they_stand(status: ErrorStatus) -> None:
    pdu = encode_pdu(RESPONSE, 1, status, 2, encode_names([SYS_UP_TIME, SYS_UP_TIME]))
    decoded = decode_pdu(pdu, 0, len(pdu))
    assert (decoded.error_status, decoded.error_index) == (status, 2)


def test_error_status_is_named_as_in_the_rfc() -> None:
    assert error_status_name(1) == "tooBig"
    assert error_status_name(18) == "inconsistentName"
    assert error_status_name(19) == "19"
    assert error_status_name(-1) == "-1"


def test_get_bulk_numbers_take_the_place_of_the_error_fields() -> None:
    pdu = encode_pdu(GET_BULK_REQUEST, 1, 3, 25, encode_names([SYS_UP_TIME]))
    decoded = decode_pdu(pdu, 0, len(pdu))
    assert (decoded.type, decoded.error_status, decoded.error_index) == (GET_BULK_REQUEST, 3, 25)


def test_exception_is_a_value_without_content() -> None:
    data = response("300c 0608 2b06010201010300 8200")
    assert decode_community_message(data).pdu.varbinds == [(SYS_UP_TIME, END_OF_MIB_VIEW, b"")]


@pytest.mark.parametrize("tag", [TRAP_V1, 0x30, 0xA9, 0x9F, 0x02])
def test_pdu_of_another_shape_is_refused(tag: int) -> None:
    pdu = encode_pdu(tag, 1, 0, 0, encode_varbinds([]))
    with pytest.raises(WireError, match="is not a request or response"):
        decode_pdu(pdu, 0, len(pdu))


# Varbinds: the short way through the hot loop and the long way give the same


@pytest.mark.parametrize(
    ("varbind", "message"),
    [
        ("310d 0608 2b06010201010300 4301 05", "a varbind at byte .* has tag 0x31"),
        ("300d 0408 2b06010201010300 4301 05", "a varbind's name at byte .* has tag 0x04"),
        ("3005 0600 4301 05", "object identifier at byte .* is empty or cut off"),
        ("3006 0601 ab 4301 05", "object identifier at byte .* is empty or cut off"),
        ("300e 0608 2b06010201010300 4301 05 00", "has bytes after its value"),
        ("300d 0608 2b06010201010300 4302 05", "1 bytes longer than its frame"),
        ("300d 0608 2b06010201010300 4301", "1 bytes longer than its frame"),
        ("300a 0608 2b06010201010300", "an element is cut off"),
        ("300b 0608 2b06010201010300 43", "an element is cut off"),
        ("3009 0608 2b060102010103", "1 bytes longer than its frame"),
        ("3000", "an element is cut off"),
        ("30", "an element is cut off"),
    ],
    ids=[
        "no-sequence",
        "name-no-oid",
        "empty-oid",
        "cut-oid",
        "bytes-after-value",
        "value-past-varbind",
        "varbind-past-list",
        "no-value",
        "value-without-length",
        "oid-past-varbind",
        "empty-varbind",
        "half-header",
    ],
)
def test_varbind_with_contradictory_lengths_is_refused(varbind: str, message: str) -> None:
    with pytest.raises(WireError, match=message):
        decode_community_message(response(varbind))


def test_varbinds_before_a_broken_one_do_not_hide_it() -> None:
    good = "300d 0608 2b06010201010300 4301 05"
    with pytest.raises(WireError):
        decode_community_message(response(good, good, "300d 0608 2b06010201010380 4301 05"))


def test_varbind_may_not_reach_past_its_list_into_bytes_that_follow() -> None:
    data = bytes.fromhex("300d 0608 2b06010201010300 4301 05")
    with pytest.raises(WireError):
        decode_varbinds(data, 0, len(data) - 1)


def decode_step_by_step(data: bytes, position: int, end: int) -> list[VarBind]:
    varbinds = []
    while position < end:
        varbind, position = _decode_varbind(data, position, end)
        varbinds.append(varbind)
    return varbinds


LENGTHS = st.integers(0, 0xFF)
NEARLY_VARBINDS = st.builds(
    lambda head, oid, value, lengths: (
        bytes(
            (
                head,
                lengths[0] if lengths else len(oid) + len(value) + 4,
                OBJECT_IDENTIFIER,
                lengths[1] if lengths else len(oid),
            )
        )
        + oid
        + bytes((OCTET_STRING, lengths[2] if lengths else len(value)))
        + value
    ),
    st.sampled_from([SEQUENCE, SEQUENCE, SEQUENCE, 0x31]),
    st.binary(max_size=6),
    st.binary(max_size=6),
    st.one_of(st.none(), st.none(), st.tuples(LENGTHS, LENGTHS, LENGTHS)),
)


@given(st.lists(NEARLY_VARBINDS, max_size=4).map(b"".join), st.integers(0, 4))
def test_short_way_agrees_with_the_long_way_about_any_bytes(data: bytes, cut: int) -> None:
    end = max(0, len(data) - cut)
    try:
        expected = decode_step_by_step(data, 0, end)
    except WireError:
        with pytest.raises(WireError):
            decode_varbinds(data, 0, end)
    else:
        assert decode_varbinds(data, 0, end) == expected


@pytest.mark.parametrize("size", [*range(110, 124), 127, 128, 240, 255, 256])
def test_short_way_agrees_with_the_long_way_where_lengths_change_form(size: int) -> None:
    data = encode_varbinds([(SYS_UP_TIME, OCTET_STRING, bytes(size)), (SYS_UP_TIME, NULL, b"")])
    _, start, _ = read_header(data, 0, len(data))
    expected = [(SYS_UP_TIME, OCTET_STRING, bytes(size)), (SYS_UP_TIME, NULL, b"")]
    assert decode_varbinds(data, start, len(data)) == expected
    assert decode_step_by_step(data, start, len(data)) == expected


def test_layouts_of_varbinds_are_bounded_in_number() -> None:
    layouts = snmp_message._Layouts()
    heads = product((SEQUENCE, 0x31), range(256), (OBJECT_IDENTIFIER, NULL), range(256))
    layouts_found = sum(layouts[bytes(head)] is not None for head in heads)
    assert 7_000 < layouts_found == len(layouts) < 8_000


@pytest.mark.parametrize("head", ["", "30", "300606", "30040601", "30100600", "30800604"])
def test_head_without_a_layout_is_not_remembered(head: str) -> None:
    layouts = snmp_message._Layouts()
    assert layouts[bytes.fromhex(head)] is None
    assert not layouts


def test_long_varbind_whose_bytes_could_be_read_as_a_short_one_is_read_as_it_is() -> None:
    # Length 0x0610 begins with the tag of an OID, and the "n" stands where the short way would
    # look for the length of a value that ends after 0x82 bytes.
    text = b"\0\0\0n".ljust(0x0602)
    data = encode_tlv(
        SEQUENCE, encode_tlv(OBJECT_IDENTIFIER, SYS_UP_TIME) + encode_tlv(OCTET_STRING, text)
    )
    assert data[:4] == bytes.fromhex("30820610")
    assert decode_varbinds(data, 0, len(data)) == [(SYS_UP_TIME, OCTET_STRING, text)]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_message_or_a_wire_error(data: bytes) -> None:
    for decode in (decode_community_message, peek_version):
        try:
            decode(data)
        except WireError:
            continue
