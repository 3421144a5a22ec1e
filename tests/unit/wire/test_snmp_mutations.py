"""Every truncation and every flipped bit of every recorded packet: a value or a WireError."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from exporters.errors import WireError
from exporters.wire import tags
from exporters.wire.ber import encode_oid, encode_tlv, format_oid
from exporters.wire.snmp_message import (
    Pdu,
    Version,
    decode_community_message,
    decode_varbinds,
    peek_version,
)
from exporters.wire.usm import (
    SecurityLevel,
    UserKeys,
    V3Message,
    decode_scoped_pdu,
    decode_v3_message,
    open_v3_message,
)
from exporters.wire.usm_crypto import decrypt

KeysFor = Callable[[V3Message], UserKeys]


def truncations(data: bytes) -> Iterator[bytes]:
    return (data[:length] for length in range(len(data)))


def bit_flips(data: bytes) -> Iterator[bytes]:
    flipped = bytearray(data)
    for at in range(len(data)):
        for bit in range(8):
            flipped[at] ^= 1 << bit
            yield bytes(flipped)
            flipped[at] ^= 1 << bit


def huge_lengths(data: bytes) -> Iterator[bytes]:
    """Put the largest length there is in the place of every byte."""
    return (data[:at] + b"\x84\xff\xff\xff\xff" + data[at + 1 :] for at in range(len(data)))


def read_everything(pdu: Pdu) -> None:
    for oid, _, _ in pdu.varbinds:
        try:
            format_oid(oid)
        except WireError:
            continue


def decoder_for(packet: bytes, keys_for: KeysFor) -> Callable[[bytes], object]:
    """How a receiver would decode a packet of this version, to the last varbind."""
    if peek_version(packet) != Version.V3:
        return lambda data: read_everything(decode_community_message(data).pdu)
    keys = keys_for(decode_v3_message(packet))
    return lambda data: read_everything(open_v3_message(decode_v3_message(data), keys).pdu)


@pytest.mark.parametrize("mutate", [truncations, bit_flips, huge_lengths])
def test_mutated_packet_is_a_value_or_a_wire_error(
    packet: bytes, recorded_keys: KeysFor, mutate: Callable[[bytes], Iterator[bytes]]
) -> None:
    decode = decoder_for(packet, recorded_keys)
    refused = 0
    for data in mutate(packet):
        try:
            peek_version(data)
            decode(data)
        except WireError:
            refused += 1
    assert refused


def test_truncated_packet_is_always_refused(packet: bytes, recorded_keys: KeysFor) -> None:
    decode = decoder_for(packet, recorded_keys)
    for data in truncations(packet):
        with pytest.raises(WireError):
            decode(data)


def test_flipped_bit_of_a_signed_message_never_passes(
    signed_packet: bytes, recorded_keys: KeysFor
) -> None:
    keys = recorded_keys(decode_v3_message(signed_packet))
    for data in bit_flips(signed_packet):
        try:
            mutated = decode_v3_message(data)
            opened = open_v3_message(mutated, keys, minimum_level=SecurityLevel.authNoPriv)
        except WireError:
            continue
        # A report that lost its flag of authentication is a hint like any unsigned report.
        assert (mutated.level, opened.pdu.type) == (SecurityLevel.noAuthNoPriv, tags.REPORT)


@pytest.mark.parametrize("mutate", [truncations, bit_flips, huge_lengths])
def test_mutated_scoped_pdu_is_a_value_or_a_wire_error(
    v3_packet: bytes, recorded_keys: KeysFor, mutate: Callable[[bytes], Iterator[bytes]]
) -> None:
    message = decode_v3_message(v3_packet)
    keys = recorded_keys(message)
    plaintext = message.payload
    if message.level == SecurityLevel.authPriv == keys.level:
        plaintext = decrypt(keys, message.boots, message.time, message.priv_params, plaintext)
    for data in mutate(plaintext):
        try:
            read_everything(decode_scoped_pdu(data).pdu)
        except WireError:
            continue


def test_claimed_lengths_allocate_no_more_than_the_packet_holds(
    packet: bytes, recorded_keys: KeysFor
) -> None:
    decode = decoder_for(packet, recorded_keys)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for data in huge_lengths(packet):
        with suppress(WireError):
            decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 20_000 + 50 * len(packet)


# The worst that fits a datagram


@pytest.mark.parametrize(
    "content",
    [
        bytes.fromhex("30050601000500") * 9000,
        bytes.fromhex("3006 0601 00 0500 30") * 8000,
        b"\x30\x00" * 32000,
        b"\x30\x80" * 32000,
        b"\x30\x84" * 32000,
        b"\x30\x82\xff\xff" * 16000,
        encode_tlv(tags.SEQUENCE, encode_tlv(tags.OBJECT_IDENTIFIER, b"\xff" * 65000)),
    ],
    ids=["tiny", "overlapping", "empty", "indefinite", "huge", "nested", "endless-oid"],
)
def test_full_datagram_of_the_worst_varbinds_ends(content: bytes) -> None:
    try:
        varbinds = decode_varbinds(content, 0, len(content))
    except WireError:
        return
    assert len(varbinds) <= len(content) // 7


def test_oid_as_long_as_a_datagram_is_formatted_or_refused() -> None:
    oid = encode_oid("1.3") + b"\x01" * 60000
    content = encode_tlv(
        tags.SEQUENCE, encode_tlv(tags.OBJECT_IDENTIFIER, oid) + encode_tlv(tags.NULL, b"")
    )
    [(decoded, _, _)] = decode_varbinds(content, 0, len(content))
    assert format_oid(decoded).count(".") == 60001
