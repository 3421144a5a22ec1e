"""The outline of a trap: what has one decodes to the same."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import WireError
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import (
    decode_varbinds,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import (
    SNMP_TRAP_ADDRESS,
    SNMP_TRAP_ENTERPRISE,
    SNMP_TRAP_OID,
    SYS_UP_TIME,
    decode_community_trap,
)
from exporters.wire.tags import (
    INFORM_REQUEST,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    TRAP_V2,
)
from exporters.wire.trap_outline import outline_trap

TRAP = encode_oid("1.3.6.1.6.3.1.1.5.3")
OBJECT = (encode_oid("1.3.6.1.2.1.2.2.1.2.7"), OCTET_STRING, b"Gi0/7")
HEAD = ((SYS_UP_TIME, TIME_TICKS, b"\x30\x39"), (SNMP_TRAP_OID, OBJECT_IDENTIFIER, TRAP))


def message(*varbinds: tuple[bytes, int, bytes], pdu: int = TRAP_V2, request: int = 7) -> bytes:
    encoded = encode_pdu(pdu, request, 0, 0, encode_varbinds(varbinds))
    return encode_community_message(1, b"public", encoded)


def agrees(data: bytes) -> bool:
    """Whether a message has an outline, which must be what decoding gives."""
    outline = outline_trap(data)
    if outline is None:
        return False
    trap = decode_community_trap(data)
    told = trap.notification
    assert (outline.community, outline.trap_oid) == (trap.community, told.trap_oid)
    assert outline.uptime_ticks == told.uptime_ticks
    assert decode_varbinds(data, outline.objects_at, len(data)) == list(told.varbinds)
    return True


@pytest.mark.parametrize("count", [0, 1, 3, 30, 2000])
def test_trap_of_any_length_has_an_outline(count: int) -> None:
    assert agrees(message(*HEAD, *[OBJECT] * count))


@pytest.mark.parametrize("request_id", [0, 127, -1, 255, 65535, 2**24, 2**31 - 1, -(2**31)])
def test_trap_of_any_request_id_has_an_outline(request_id: int) -> None:
    assert agrees(message(*HEAD, request=request_id))


@pytest.mark.parametrize(
    "ticks", [b"\0", b"\x7f", b"\0\xff", b"\x01\x02\x03", b"\0\xff\xff\xff\xff"]
)
def test_trap_of_any_uptime_has_an_outline(ticks: bytes) -> None:
    assert agrees(message((SYS_UP_TIME, TIME_TICKS, ticks), HEAD[1]))


@pytest.mark.parametrize(
    "data",
    [
        message(*HEAD, pdu=INFORM_REQUEST),
        message(HEAD[1], HEAD[0]),
        message(HEAD[1]),
        message(),
        message(*HEAD, (SNMP_TRAP_ADDRESS, IP_ADDRESS, bytes(4))),
        message(*HEAD, (SNMP_TRAP_ENTERPRISE, OBJECT_IDENTIFIER, b"\x2b")),
        message(*HEAD, (*OBJECT[:2], b"x" * 200)),
        message(*HEAD) + b"padding",
        message(*HEAD)[:-1],
        b"",
    ],
)
def test_what_is_out_of_the_ordinary_has_none(data: bytes) -> None:
    assert outline_trap(data) is None


def test_mutations_that_have_an_outline_decode_to_it() -> None:
    chance = random.Random(3)
    good = message(*HEAD, OBJECT, OBJECT)
    outlined = 0
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        outlined += agrees(bytes(data))
    assert outlined > 1000


@given(st.binary(max_size=200))
def test_noise_never_raises(data: bytes) -> None:
    if outline_trap(data) is None:
        return
    try:
        agrees(data)
    except WireError as error:
        raise AssertionError from error
