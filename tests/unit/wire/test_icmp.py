"""The ICMP codec against what a Linux kernel answered, and against all that could go wrong."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import icmplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import WireError
from exporters.wire.echo_payload import (
    SIGNED_BYTES,
    EchoPayload,
    read_sequence,
)
from exporters.wire.icmp import (
    ExtensionObject,
    IpVersion,
    checksum,
    decode_echo_reply,
    decode_error,
    decode_quoted_echo,
    encode_echo_request,
    split_ipv4_header,
)
from exporters.wire.icmp_errors import ErrorKind, error_kind, error_name

RECORDINGS = Path(__file__).resolve().parents[2] / "packets" / "icmp"
PAYLOAD = bytes(range(56))
VERSIONS: tuple[IpVersion, ...] = (4, 6)


def recorded(path: Path) -> bytes:
    lines = path.read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


PACKETS = {path.stem: recorded(path) for path in sorted(RECORDINGS.glob("*.hex"))}
REPLIES = {name: data for name, data in PACKETS.items() if name.endswith("_reply")}
ERRORS = {name: data for name, data in PACKETS.items() if name not in REPLIES}


def version_of(name: str) -> IpVersion:
    return 4 if name.startswith("v4") else 6


def message_of(name: str) -> bytes:
    """The ICMP message of a recording, which raw IPv4 sockets give with the IP header."""
    return split_ipv4_header(PACKETS[name]) if version_of(name) == 4 else PACKETS[name]


def decode(name: str, data: bytes) -> object:
    """Decode as a receiver does, to the last byte."""
    version = version_of(name)
    message = split_ipv4_header(data) if version == 4 else data
    if name.endswith("_reply"):
        return decode_echo_reply(version, message)
    return decode_error(version, message)


# What the kernel answered


@pytest.mark.parametrize("name", REPLIES)
def test_recorded_reply_brings_back_identifier_sequence_and_payload(name: str) -> None:
    assert decode(name, PACKETS[name]) == (0x1234, 1, PAYLOAD)


@pytest.mark.parametrize(
    ("name", "kind", "mtu", "destination"),
    [
        ("v4_ttl_exceeded", ErrorKind.TTL_EXCEEDED, 0, "10.9.1.7"),
        ("v4_ttl_exceeded_options", ErrorKind.TTL_EXCEEDED, 0, "10.9.1.7"),
        ("v4_network_unreachable", ErrorKind.UNREACHABLE, 0, "192.0.2.1"),
        ("v4_prohibited", ErrorKind.PROHIBITED, 0, "10.9.1.13"),
        ("v4_too_big", ErrorKind.TOO_BIG, 1280, "10.9.1.7"),
        ("v6_hop_limit_exceeded", ErrorKind.TTL_EXCEEDED, 0, "fd09:1::7"),
        ("v6_no_route", ErrorKind.UNREACHABLE, 0, "2001:db8::1"),
        ("v6_prohibited", ErrorKind.PROHIBITED, 0, "fd09:1::13"),
        ("v6_too_big", ErrorKind.TOO_BIG, 1280, "fd09:1::7"),
    ],
)
def test_recorded_error_tells_its_kind_and_what_it_quotes(
    name: str, kind: ErrorKind, mtu: int, destination: str
) -> None:
    version = version_of(name)
    error = decode_error(version, message_of(name))
    assert error_kind(version, error.type, error.code) == kind
    assert error.mtu == mtu
    quoted = error.quoted
    assert (quoted.identifier, quoted.sequence) == (0x1234, 1)
    assert quoted.destination == destination
    assert quoted.source == ("10.9.0.1" if version == 4 else "fd09::1")
    assert quoted.payload.startswith(bytes(8) if kind is ErrorKind.TOO_BIG else PAYLOAD)


@pytest.mark.parametrize("name", ["v4_reply", "v4_ttl_exceeded"])
def test_checksum_of_a_recorded_message_comes_out_right(name: str) -> None:
    message = message_of(name)
    assert checksum(message[:2] + b"\0\0" + message[4:]) == int.from_bytes(message[2:4], "big")


# What goes wrong on the way


def truncations(data: bytes) -> Iterator[bytes]:
    return (data[:length] for length in range(len(data)))


def bit_flips(data: bytes) -> Iterator[bytes]:
    flipped = bytearray(data)
    for at in range(min(len(data), 160)):  # behind it is payload, which nobody reads
        for bit in range(8):
            flipped[at] ^= 1 << bit
            yield bytes(flipped)
            flipped[at] ^= 1 << bit


@pytest.mark.parametrize("mutate", [truncations, bit_flips])
@pytest.mark.parametrize("name", PACKETS)
def test_mutated_packet_is_a_value_or_a_wire_error(
    name: str, mutate: Callable[[bytes], Iterator[bytes]]
) -> None:
    refused = 0
    for data in mutate(PACKETS[name]):
        try:
            decode(name, data)
        except WireError:
            refused += 1
    assert refused


@given(st.sampled_from(VERSIONS), st.binary(max_size=300))
def test_garbage_is_a_value_or_a_wire_error(version: IpVersion, data: bytes) -> None:
    for decoder in (decode_echo_reply, decode_error, decode_quoted_echo):
        try:
            decoder(version, data)
        except WireError:
            continue


@given(st.sampled_from(sorted(ERRORS)), st.binary(max_size=40), st.integers(0, 255))
def test_error_with_garbage_behind_its_quotation_is_a_value_or_a_wire_error(
    name: str, garbage: bytes, length: int
) -> None:
    message = bytearray(message_of(name)[:136].ljust(136, b"\0") + garbage)
    message[5 if version_of(name) == 4 else 4] = length
    try:
        decode_error(version_of(name), bytes(message))
    except WireError:
        return


def test_error_about_another_protocol_is_refused() -> None:
    message = bytearray(message_of("v4_prohibited"))
    message[8 + 9] = 17
    with pytest.raises(WireError, match="protocol 17"):
        decode_error(4, bytes(message))


def test_error_about_a_later_fragment_is_refused() -> None:
    message = bytearray(message_of("v4_prohibited"))
    message[8 + 7] = 9
    with pytest.raises(WireError, match="fragment"):
        decode_error(4, bytes(message))


def test_error_about_a_reply_is_refused() -> None:
    message = bytearray(message_of("v4_prohibited"))
    message[8 + 20] = 0
    with pytest.raises(WireError, match="no echo request"):
        decode_error(4, bytes(message))


def test_own_request_is_no_reply() -> None:
    request = encode_echo_request(4, 1, 2, b"x", checksummed=True)
    with pytest.raises(WireError, match="type 8"):
        decode_echo_reply(4, request)


# The number of the first extension header, then the headers: each starts with the next number.
@pytest.mark.parametrize(
    ("first", "headers"),
    [
        (0, b"\x3a\x00" + bytes(6)),
        (0, b"\x3c\x00" + bytes(6) + b"\x2c\x01" + bytes(14) + b"\x3a\x00" + bytes(6)),
        (51, b"\x3a\x04" + bytes(22)),
    ],
    ids=["hop-by-hop", "options-and-fragment", "authentication"],
)
def test_quoted_extension_headers_are_skipped(first: int, headers: bytes) -> None:
    assert decode_error(6, quoting_ipv6(first, headers)).quoted.sequence == 8


@pytest.mark.parametrize(
    ("first", "headers", "expected"),
    [
        (44, b"\x3a\x00\x00\x08" + bytes(4), "later fragment"),
        (6, b"", "next header 6"),
        (0, b"\x00\x00" + bytes(6) + (b"\x00\x00" + bytes(6)) * 8, "next header 0"),
        (0, b"\x3a\xff", "bytes"),
        (60, b"\x3a\x00" + bytes(6) + b"\x87", "no echo request"),
    ],
    ids=["later-fragment", "tcp", "endless", "beyond-the-end", "another-message"],
)
def test_quotation_without_an_echo_behind_its_headers_is_refused(
    first: int, headers: bytes, expected: str
) -> None:
    with pytest.raises(WireError, match=expected):
        decode_error(6, quoting_ipv6(first, headers))


def quoting_ipv6(first: int, headers: bytes) -> bytes:
    header = b"\x60" + bytes(5) + bytes((first,)) + bytes(33)
    echo = struct.pack("!BBHHH", 128, 0, 0, 7, 8)
    return struct.pack("!BBHI", 3, 0, 0, 0) + header + headers + echo


# RFC 4884


def with_extension(structure: bytes, name: str = "v4_ttl_exceeded") -> bytes:
    """The recorded error, its quotation filled up to 128 bytes, with an extension behind it."""
    message = bytearray(message_of(name)[: 8 + 128].ljust(8 + 128, b"\0"))
    if version_of(name) == 4:
        message[5] = 32
    else:
        message[4] = 16
    return bytes(message) + structure


def extension(objects: bytes) -> bytes:
    blank = b"\x20\0\0\0" + objects
    return blank[:2] + checksum(blank).to_bytes(2, "big") + objects


MPLS_LABEL = (16 << 12 | 1 << 8 | 254).to_bytes(4, "big")


@pytest.mark.parametrize("name", ["v4_ttl_exceeded", "v6_hop_limit_exceeded"])
def test_extension_objects_are_read_behind_the_quotation(name: str) -> None:
    structure = extension(b"\0\x08\x01\x01" + MPLS_LABEL + b"\0\x04\x02\x07")
    error = decode_error(version_of(name), with_extension(structure, name))
    assert error.extensions == (ExtensionObject(1, 1, MPLS_LABEL), ExtensionObject(2, 7, b""))
    assert error.quoted.payload.startswith(PAYLOAD)


@pytest.mark.parametrize(
    "structure",
    [
        b"\x20",
        b"\x10\0\0\0\0\x08\x01\x01" + MPLS_LABEL,
        b"\x20\0\x12\x34\0\x08\x01\x01" + MPLS_LABEL,
        extension(b"\0\x00\x01\x01"),
        extension(b"\xff\xff\x01\x01"),
    ],
    ids=["short", "version", "checksum", "length-0", "length-beyond"],
)
def test_broken_extension_leaves_the_error_as_it_is(structure: bytes) -> None:
    error = decode_error(4, with_extension(structure))
    assert error.extensions == ()
    assert (error.type, error.quoted.sequence) == (11, 1)


def test_quotation_without_extension_is_not_cut() -> None:
    message = bytearray(message_of("v4_ttl_exceeded"))
    message[5] = 255
    assert decode_error(4, bytes(message)).quoted.payload.startswith(PAYLOAD)


# Requests and payloads


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=200).filter(lambda p: p))
def test_request_has_the_checksum_of_icmplib(
    identifier: int, sequence: int, payload: bytes
) -> None:
    request = encode_echo_request(4, identifier, sequence, payload, checksummed=True)
    blank = request[:2] + b"\0\0" + request[4:]
    expected = icmplib.sockets.ICMPSocket._checksum(None, blank)
    assert int.from_bytes(request[2:4], "big") in (expected, 0xFFFF if expected == 0 else expected)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 200))
def test_payload_says_whose_it_is_and_its_sequence_as_far_as_it_has_room(
    nonce: int, sequence: int, size: int
) -> None:
    payload = EchoPayload(nonce, size).encode(sequence)
    assert len(payload) == size
    assert payload[:12] == EchoPayload(nonce, 0).signature[:size]
    assert read_sequence(payload) == (sequence if size >= 20 else None)


@given(st.integers(0, 2**64 - 1), st.integers(SIGNED_BYTES, 100), st.integers(0, 2**64 - 1))
def test_checksum_stays_the_same_for_all_pings_of_a_destination(
    nonce: int, size: int, sequence: int
) -> None:
    payload = EchoPayload(nonce, size)
    first, other = (
        encode_echo_request(4, 99, number & 0xFFFF, payload.encode(number), checksummed=True)
        for number in (0, sequence)
    )
    assert first[2:4] == other[2:4]


@given(st.binary(max_size=30))
def test_foreign_payload_has_no_sequence(payload: bytes) -> None:
    assert read_sequence(payload) is None


# Names


@pytest.mark.parametrize(
    ("version", "error_type", "code", "name", "kind"),
    [
        (4, 3, 1, "Destination host unreachable", ErrorKind.UNREACHABLE),
        (4, 3, 10, "Destination host prohibited", ErrorKind.PROHIBITED),
        (4, 3, 99, "Destination unreachable, bad code: 99", ErrorKind.UNREACHABLE),
        (4, 5, 1, "Redirect", ErrorKind.INFORMATIONAL),
        (4, 12, 0, "Parameter problem", ErrorKind.INFORMATIONAL),
        (4, 11, 0, "Time to live exceeded", ErrorKind.TTL_EXCEEDED),
        (6, 1, 0, "No route to destination", ErrorKind.UNREACHABLE),
        (6, 1, 8, "Headers too long", ErrorKind.UNREACHABLE),
        (6, 2, 0, "Packet too big", ErrorKind.TOO_BIG),
        (6, 3, 0, "Hop limit exceeded", ErrorKind.TTL_EXCEEDED),
        (6, 200, 7, "Error type: 200, code: 7", ErrorKind.INFORMATIONAL),
    ],
)
def test_error_has_a_name_and_a_kind(
    version: IpVersion, error_type: int, code: int, name: str, kind: ErrorKind
) -> None:
    assert error_name(version, error_type, code) == name
    assert error_kind(version, error_type, code) == kind


@pytest.mark.parametrize(("version", "error_type", "code"), [(4, 3, 1), (6, 1, 3)])
def test_our_own_word_that_a_host_is_unreachable_means_its_neighbor_is_silent(
    version: IpVersion, error_type: int, code: int
) -> None:
    assert error_kind(version, error_type, code, reported_by_us=True) == ErrorKind.NEIGHBOR
    assert error_kind(version, error_type, code) == ErrorKind.UNREACHABLE
