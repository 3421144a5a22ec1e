"""Notifications of version 1 and 2c: net-snmp's, made-up ones of the odd kinds, and broken ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.errors import WireError
from exporters.wire.ber import encode_integer, encode_oid, encode_tlv, format_oid
from exporters.wire.snmp_message import (
    Pdu,
    VarBind,
    decode_community_message,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import (
    COLD_START,
    SNMP_TRAP_ADDRESS,
    SNMP_TRAP_ENTERPRISE,
    SNMP_TRAP_OID,
    SYS_UP_TIME,
    Notification,
    TrapError,
    acknowledge_community_inform,
    decode_community_trap,
    oid_forms,
    refuse_as_too_big,
)
from exporters.wire.tags import (
    COUNTER64,
    GET_REQUEST,
    INFORM_REQUEST,
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    RESPONSE,
    SEQUENCE,
    TIME_TICKS,
    TRAP_V1,
    TRAP_V2,
)

V1, V2C = 0, 1
LINK_DOWN = encode_oid("1.3.6.1.6.3.1.1.5.3")
ENTERPRISE = encode_oid("1.3.6.1.4.1.8072.4")
IF_INDEX: VarBind = (encode_oid("1.3.6.1.2.1.2.2.1.1.7"), INTEGER, b"\x07")
UPTIME: VarBind = (SYS_UP_TIME, TIME_TICKS, b"\x30\x39")
TRAP_OID: VarBind = (SNMP_TRAP_OID, OBJECT_IDENTIFIER, LINK_DOWN)


def trap_v2(
    *varbinds: VarBind, pdu_type: int = TRAP_V2, version: int = V2C, community: bytes = b"public"
) -> bytes:
    pdu = encode_pdu(pdu_type, 77, 0, 0, encode_varbinds(varbinds))
    return encode_community_message(version, community, pdu)


def trap_v1(
    generic: int = 6,
    specific: int = 2,
    *,
    enterprise: bytes = ENTERPRISE,
    address: tuple[int, bytes] = (IP_ADDRESS, bytes((192, 0, 2, 7))),
    varbinds: tuple[VarBind, ...] = (),
    version: int = V1,
) -> bytes:
    pdu = encode_tlv(
        TRAP_V1,
        encode_tlv(OBJECT_IDENTIFIER, enterprise)
        + encode_tlv(*address)
        + encode_integer(generic)
        + encode_integer(specific)
        + encode_tlv(TIME_TICKS, b"\x30\x39")
        + encode_varbinds(varbinds),
    )
    return encode_community_message(version, b"public", pdu)


def read(data: bytes) -> Notification:
    return decode_community_trap(data).notification


def test_net_snmps_trap_of_version_1_is_told_as_one_of_version_2(
    conversation: Callable[[str], list[bytes]],
) -> None:
    (packet,) = conversation("v1_trap")
    trap = decode_community_trap(packet)
    assert (trap.version, trap.community) == (V1, b"public")
    found = trap.notification
    assert format_oid(found.trap_oid) == "1.3.6.1.4.1.8072.4.0.2"
    assert (found.uptime_ticks, found.agent_address) == (12345, "192.0.2.7")
    assert found.enterprise == ENTERPRISE
    assert found.varbinds == [(encode_oid("1.3.6.1.4.1.8072.9999.9999.2.0"), OCTET_STRING, b"down")]


def test_net_snmps_trap_of_version_2_is_read(conversation: Callable[[str], list[bytes]]) -> None:
    (packet,) = conversation("v2c_trap")
    trap = decode_community_trap(packet)
    assert (trap.version, trap.community) == (V2C, b"public")
    assert trap.notification == Notification(
        TRAP_V2, 0x3482CFC3, LINK_DOWN, 12345, [IF_INDEX], "", b""
    )


def test_net_snmps_inform_is_read_and_acknowledged_as_it_came(
    conversation: Callable[[str], list[bytes]],
) -> None:
    packet = conversation("v2c_inform")[0]
    inform = read(packet)
    assert inform.pdu_type == INFORM_REQUEST
    assert format_oid(inform.trap_oid) == "1.3.6.1.6.3.1.1.5.4"
    answer = decode_community_message(acknowledge_community_inform(packet))
    asked = decode_community_message(packet)
    assert (answer.version, answer.community) == (asked.version, asked.community)
    assert answer.pdu == Pdu(RESPONSE, inform.request_id, 0, 0, asked.pdu.varbinds)


def test_refusal_as_too_big_has_no_varbinds() -> None:
    data = encode_community_message(V2C, b"public", refuse_as_too_big(77))
    assert decode_community_message(data).pdu == Pdu(RESPONSE, 77, 1, 0, [])


@pytest.mark.parametrize("generic", range(6))
def test_generic_trap_has_the_oid_of_version_2(generic: int) -> None:
    assert format_oid(read(trap_v1(generic, 0)).trap_oid) == f"1.3.6.1.6.3.1.1.5.{generic + 1}"


def test_cold_start_has_its_constant() -> None:
    assert read(trap_v1(0, 0)).trap_oid == COLD_START


@pytest.mark.parametrize(
    ("enterprise", "specific", "oid"),
    [
        ("1.3.6.1.4.1.8072.4", 0, "1.3.6.1.4.1.8072.4.0.0"),
        ("1.3.6.1.4.1.8072.4.0", 3, "1.3.6.1.4.1.8072.4.0.0.3"),
        ("1.3.6.1.4.1.9", 2**31 - 1, "1.3.6.1.4.1.9.0.2147483647"),
    ],
)
def test_specific_trap_is_its_enterprise_a_zero_and_its_number(
    enterprise: str, specific: int, oid: str
) -> None:
    data = trap_v1(6, specific, enterprise=encode_oid(enterprise))
    assert format_oid(read(data).trap_oid) == oid


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (trap_v1(7, 0), "bad_v1"),
        (trap_v1(-1, 0), "bad_v1"),
        (trap_v1(6, -1), "bad_v1"),
        (trap_v1(6, 2**31), "bad_v1"),
        (trap_v1(enterprise=b""), "bad_v1"),
        (trap_v1(enterprise=b"\x2b\x86"), "bad_v1"),
        (trap_v1(version=V2C), "unsupported_pdu"),
        (trap_v2(TRAP_OID, pdu_type=GET_REQUEST), "unsupported_pdu"),
        (trap_v2(TRAP_OID, pdu_type=RESPONSE), "unsupported_pdu"),
        (trap_v2(TRAP_OID, version=2), "bad_version"),
        (trap_v2(TRAP_OID, version=3), "bad_version"),
        (trap_v2(TRAP_OID, version=77), "bad_version"),
    ],
)
def test_message_that_is_no_notification_says_why(data: bytes, outcome: str) -> None:
    with pytest.raises(TrapError) as caught:
        decode_community_trap(data)
    assert caught.value.outcome == outcome


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ((IP_ADDRESS, bytes((10, 0, 0, 1))), "10.0.0.1"),
        ((IP_ADDRESS, bytes(4)), ""),
        ((IP_ADDRESS, b""), ""),
        ((IP_ADDRESS, bytes(15) + b"\x01"), "::1"),
        ((IP_ADDRESS, b"\x0a\x00"), ""),
        ((OCTET_STRING, bytes((10, 0, 0, 1))), "10.0.0.1"),
    ],
)
def test_agent_address_is_text_or_unknown(address: tuple[int, bytes], text: str) -> None:
    assert read(trap_v1(address=address)).agent_address == text


def test_counter64_in_version_1_is_kept() -> None:
    varbind = (encode_oid("1.3.6.1.2.1.31.1.1.1.6.1"), COUNTER64, b"\x01\x00\x00\x00\x00")
    assert read(trap_v1(varbinds=(varbind,))).varbinds == [varbind]


@pytest.mark.parametrize(
    "varbinds",
    [
        (UPTIME, TRAP_OID, IF_INDEX),
        (TRAP_OID, UPTIME, IF_INDEX),
        (IF_INDEX, UPTIME, TRAP_OID),
    ],
    ids=["as it should be", "swapped", "last"],
)
def test_what_a_trap_is_stands_anywhere_among_its_varbinds(varbinds: tuple[VarBind, ...]) -> None:
    assert read(trap_v2(*varbinds)) == Notification(TRAP_V2, 77, LINK_DOWN, 12345, [IF_INDEX])


@pytest.mark.parametrize(
    ("varbinds", "trap_oid", "uptime_ticks"),
    [
        ((), b"", None),
        ((TRAP_OID,), LINK_DOWN, None),
        ((UPTIME, IF_INDEX), b"", 12345),
        ((UPTIME, (SNMP_TRAP_OID, OBJECT_IDENTIFIER, b"")), b"", 12345),
        ((UPTIME, (SNMP_TRAP_OID, OBJECT_IDENTIFIER, b"\x00")), b"", 12345),
    ],
    ids=["nothing", "no uptime", "no trap OID", "an empty trap OID", "zeroDotZero"],
)
def test_trap_that_does_not_say_all_is_read_as_far_as_it_does(
    varbinds: tuple[VarBind, ...], trap_oid: bytes, uptime_ticks: int | None
) -> None:
    found = read(trap_v2(*varbinds))
    assert (found.trap_oid, found.uptime_ticks) == (trap_oid, uptime_ticks)


def test_address_and_enterprise_that_a_proxy_adds_are_found() -> None:
    data = trap_v2(
        UPTIME,
        TRAP_OID,
        IF_INDEX,
        (SNMP_TRAP_ADDRESS, IP_ADDRESS, bytes((192, 0, 2, 9))),
        (SNMP_TRAP_ENTERPRISE, OBJECT_IDENTIFIER, ENTERPRISE),
    )
    found = read(data)
    assert (found.agent_address, found.enterprise) == ("192.0.2.9", ENTERPRISE)
    assert found.varbinds == [IF_INDEX]


def test_uptime_that_does_not_fit_is_cut_to_its_32_bits() -> None:
    found = read(trap_v2((SYS_UP_TIME, TIME_TICKS, b"\x01\x00\x00\x00\x05"), TRAP_OID))
    assert found.uptime_ticks == 5


def test_trap_of_version_2_in_a_message_of_version_1_is_read() -> None:
    assert decode_community_trap(trap_v2(UPTIME, TRAP_OID, version=V1)).version == V1


@pytest.mark.parametrize("community", [b"", b"\xff\x00", bytes(255)])
def test_any_community_is_given_as_it_came(community: bytes) -> None:
    assert decode_community_trap(trap_v2(TRAP_OID, community=community)).community == community


@pytest.mark.parametrize(
    ("oid", "forms"),
    [
        ("1.3.6.1.2.1.15.7.1", ["1.3.6.1.2.1.15.7.0.1"]),
        ("1.3.6.1.2.1.15.7.0.1", ["1.3.6.1.2.1.15.7.1"]),
        ("1.3.6.1.4.1.9.5.0.0.3", ["1.3.6.1.4.1.9.5.0.3", "1.3.6.1.4.1.9.5.3"]),
        ("1.3.6.1.4.1.2636.4.1.4000", ["1.3.6.1.4.1.2636.4.1.0.4000"]),
        ("1.3.6.1.4.1.2636.4.1.0.4000", ["1.3.6.1.4.1.2636.4.1.4000"]),
        ("1.3.6.1.2.1.11.0.2", ["1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.11.2"]),
        ("1.3.6.1.2.1.11.0.6", ["1.3.6.1.2.1.11.6"]),
        ("0.0", []),
    ],
)
def test_oid_has_the_forms_that_proxies_make_of_it(oid: str, forms: list[str]) -> None:
    own, *others = map(format_oid, oid_forms(encode_oid(oid)))
    assert own == oid
    assert others == forms


def test_empty_oid_has_no_other_form() -> None:
    assert list(oid_forms(b"")) == [b""]


PACKETS = {
    "v1": trap_v1(varbinds=(IF_INDEX,)),
    "v2c": trap_v2(UPTIME, TRAP_OID, IF_INDEX),
    "long": trap_v2(UPTIME, TRAP_OID, (IF_INDEX[0], OCTET_STRING, bytes(700))),
}


@pytest.mark.parametrize("data", PACKETS.values(), ids=PACKETS.keys())
def test_every_truncation_of_a_trap_is_refused(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(WireError):
            decode_community_trap(data[:length])


@pytest.mark.parametrize("data", PACKETS.values(), ids=PACKETS.keys())
def test_every_flipped_bit_of_a_trap_is_a_value_or_a_wire_error(data: bytes) -> None:
    refused = 0
    for at in range(min(len(data), 200)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            try:
                found = read(bytes(flipped))
            except WireError:
                refused += 1
                continue
            assert found.pdu_type in (TRAP_V1, TRAP_V2, INFORM_REQUEST)
            list(oid_forms(found.trap_oid))
    assert refused


def test_bytes_behind_the_message_are_ignored() -> None:
    data = trap_v2(UPTIME, TRAP_OID)
    assert read(data + b"padding") == read(data)


def test_message_without_a_pdu_is_refused() -> None:
    with pytest.raises(WireError, match="ends before its PDU"):
        decode_community_trap(encode_community_message(V2C, b"public", b""))


def test_indefinite_length_is_refused() -> None:
    data = trap_v2(UPTIME, TRAP_OID)
    with pytest.raises(WireError, match="definite length"):
        decode_community_trap(bytes((SEQUENCE, 0x80)) + data[2:] + b"\0\0")
