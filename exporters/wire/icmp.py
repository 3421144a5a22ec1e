"""ICMP echo messages, and the error messages that quote them.

Layout (RFC 792, RFC 4443 s2.1 and s4)::

    echo       type 8/0 (v6: 128/129) | code 0 | checksum | identifier | sequence | payload
    error      type | code | checksum | 4 bytes that depend on the type | quoted packet
    extension  (RFC 4884) version 2 in 4 bits | 12 bits | checksum | objects
    object     length | class | c-type | content

An error quotes the packet that caused it: IP header with its options, then at least the first eight
bytes of our echo request. With extensions, a length field in the error's header tells where the
quotation ends. The checksum of ICMPv6 covers addresses, so the kernel computes and checks it.

Not here: what an error means for a ping (``exporters.wire.icmp_errors``) and what stands in a
payload (``exporters.wire.echo_payload``).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from struct import Struct
from typing import Final, Literal, NamedTuple

from exporters.errors import WireError

IpVersion = Literal[4, 6]

ECHO_REQUEST: Final = {4: 8, 6: 128}
ECHO_REPLY: Final = {4: 0, 6: 129}

HEADER_BYTES: Final = 8
IPV4_HEADER_BYTES: Final = 20
IPV6_HEADER_BYTES: Final = 40

_HEADER: Final = Struct("!BBHHH")
_DESTINATION_UNREACHABLE: Final = {4: 3, 6: 1}
_FRAGMENTATION_NEEDED: Final = 4
_PACKET_TOO_BIG: Final = 2
_IPPROTO_ICMP: Final = 1
_IPPROTO_ICMPV6: Final = 58

# Where RFC 4884 puts the length of the quotation, and in which unit: per IP version.
_QUOTE_LENGTH: Final = {4: (5, 4), 6: (4, 8)}
_EXTENSIBLE: Final = {4: frozenset((3, 11, 12)), 6: frozenset((1, 3))}
_LEAST_QUOTE_BYTES: Final = 128
_EXTENSION_VERSION: Final = 2

# IPv6 extension headers that may stand before ICMPv6, by how their length is counted (RFC 8200 s4).
_FRAGMENT_HEADER: Final = 44
_AUTHENTICATION_HEADER: Final = 51
_EXTENSION_HEADERS: Final = frozenset((0, 43, _FRAGMENT_HEADER, _AUTHENTICATION_HEADER, 60, 135))
_MOST_EXTENSION_HEADERS: Final = 8


class EchoReply(NamedTuple):
    """An echo reply. A tuple and no dataclass, because one is made for every ping."""

    identifier: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class QuotedEcho:
    """What an error quotes of an echo request; no addresses where it quotes no IP header."""

    identifier: int
    sequence: int
    payload: bytes
    source: str = ""
    destination: str = ""
    traffic_class: int | None = None


@dataclass(frozen=True, slots=True)
class ExtensionObject:
    """One object behind a quotation: MPLS labels are class 1 (RFC 4950), interfaces class 2."""

    object_class: int
    object_type: int
    content: bytes


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """An ICMP error about an echo request; *mtu* is 0 where it names none."""

    type: int
    code: int
    mtu: int
    quoted: QuotedEcho
    extensions: tuple[ExtensionObject, ...] = ()


def checksum(message: bytes) -> int:
    """Compute the Internet checksum (RFC 1071), of which the field itself must be 0.

    A sum of 16-bit words with the carries added again is the whole number modulo 65535.
    """
    if len(message) % 2:
        message += b"\0"
    return 0xFFFF - (int.from_bytes(message, "big") % 0xFFFF)


def encode_echo_request(
    version: IpVersion, identifier: int, sequence: int, payload: bytes, *, checksummed: bool
) -> bytes:
    """Encode an echo request.

    *checksummed* puts the checksum in, which raw ICMPv4 sockets need; all others do it themselves.
    """
    kind = ECHO_REQUEST[version]
    if not checksummed:
        return _HEADER.pack(kind, 0, 0, identifier, sequence) + payload
    blank = _HEADER.pack(kind, 0, 0, identifier, sequence) + payload
    return _HEADER.pack(kind, 0, checksum(blank), identifier, sequence) + payload


def decode_echo_reply(version: IpVersion, message: bytes) -> EchoReply:
    """Decode an echo reply, without an IP header.

    Raises:
        WireError: It is something else, or shorter than its header.
    """
    if len(message) < HEADER_BYTES:
        raise WireError(f"an ICMP message of {len(message)} bytes is shorter than its header")
    kind, code, _, identifier, sequence = _HEADER.unpack_from(message)
    if kind != ECHO_REPLY[version] or code != 0:
        raise WireError(f"ICMPv{version} type {kind} code {code} is no echo reply")
    return EchoReply(identifier, sequence, message[HEADER_BYTES:])


def decode_quoted_echo(version: IpVersion, message: bytes) -> QuotedEcho:
    """Decode an echo request of ours as an error gives it back, without an IP header.

    Raises:
        WireError: It is no echo request, or less than its header.
    """
    if len(message) < HEADER_BYTES:
        raise WireError(f"an error quotes {len(message)} bytes, less than an ICMP header")
    kind, _, _, identifier, sequence = _HEADER.unpack_from(message)
    if kind != ECHO_REQUEST[version]:
        raise WireError(f"an error quotes ICMPv{version} type {kind}, which is no echo request")
    return QuotedEcho(identifier, sequence, message[HEADER_BYTES:])


def decode_error(version: IpVersion, message: bytes) -> ErrorMessage:
    """Decode an error message with the echo request that it quotes.

    A broken extension is left out, as RFC 4884 s5.5 wants it; the error itself still counts.

    Raises:
        WireError: It is no error message, or what it quotes is no echo request.
    """
    if len(message) < HEADER_BYTES:
        raise WireError(f"an ICMP message of {len(message)} bytes is shorter than its header")
    kind, code, _, _, low = _HEADER.unpack_from(message)
    if not _is_error(version, kind):
        raise WireError(f"ICMPv{version} type {kind} is no error message")
    quote, extensions = _split_extensions(version, kind, message)
    decode_quote = _decode_quoted_ipv4 if version == 4 else _decode_quoted_ipv6
    mtu = 0
    if version == 4 and kind == _DESTINATION_UNREACHABLE[4] and code == _FRAGMENTATION_NEEDED:
        mtu = low
    elif version == 6 and kind == _PACKET_TOO_BIG:
        mtu = int.from_bytes(message[4:8], "big")
    return ErrorMessage(kind, code, mtu, decode_quote(quote), extensions)


def split_ipv4_header(packet: bytes) -> bytes:
    """Return what follows the IPv4 header, which raw ICMPv4 sockets give with every message.

    Raises:
        WireError: There is no whole IPv4 header.
    """
    return packet[_ipv4_header_bytes(packet) :]


def _is_error(version: IpVersion, kind: int) -> bool:
    """Whether messages of this type quote a packet (RFC 4443 s2.1 gives v6 one bit for it)."""
    return kind < 128 if version == 6 else kind in (3, 4, 5, 11, 12)


def _ipv4_header_bytes(packet: bytes) -> int:
    if len(packet) < IPV4_HEADER_BYTES or packet[0] >> 4 != 4:
        raise WireError("there is no IPv4 header")
    length = (packet[0] & 0x0F) * 4
    if not IPV4_HEADER_BYTES <= length <= len(packet):
        raise WireError(f"an IPv4 header of {length} bytes in a packet of {len(packet)}")
    return length


def _decode_quoted_ipv4(packet: bytes) -> QuotedEcho:
    header_bytes = _ipv4_header_bytes(packet)
    if packet[9] != _IPPROTO_ICMP:
        raise WireError(f"an error quotes protocol {packet[9]}, not ICMP")
    if int.from_bytes(packet[6:8], "big") & 0x1FFF:
        raise WireError("an error quotes a later fragment, which has no ICMP header")
    echo = decode_quoted_echo(4, packet[header_bytes:])
    return QuotedEcho(
        echo.identifier,
        echo.sequence,
        echo.payload,
        source=str(ipaddress.IPv4Address(packet[12:16])),
        destination=str(ipaddress.IPv4Address(packet[16:20])),
        traffic_class=packet[1],
    )


def _decode_quoted_ipv6(packet: bytes) -> QuotedEcho:
    if len(packet) < IPV6_HEADER_BYTES or packet[0] >> 4 != 6:
        raise WireError("an error quotes no IPv6 header")
    echo = decode_quoted_echo(6, packet[_skip_ipv6_headers(packet) :])
    return QuotedEcho(
        echo.identifier,
        echo.sequence,
        echo.payload,
        source=str(ipaddress.IPv6Address(packet[8:24])),
        destination=str(ipaddress.IPv6Address(packet[24:40])),
        traffic_class=(int.from_bytes(packet[:2], "big") >> 4) & 0xFF,
    )


def _skip_ipv6_headers(packet: bytes) -> int:
    """Find where the ICMPv6 message starts behind the extension headers (RFC 8200 s4)."""
    next_header, position = packet[6], IPV6_HEADER_BYTES
    for _ in range(_MOST_EXTENSION_HEADERS):
        if next_header == _IPPROTO_ICMPV6:
            return position
        if next_header not in _EXTENSION_HEADERS:
            break
        if position + 8 > len(packet):
            raise WireError("an error quotes less than the IPv6 extension headers")
        if next_header == _FRAGMENT_HEADER:
            if int.from_bytes(packet[position + 2 : position + 4], "big") & 0xFFF8:
                raise WireError("an error quotes a later fragment, which has no ICMP header")
            length = 8
        elif next_header == _AUTHENTICATION_HEADER:
            length = (packet[position + 1] + 2) * 4
        else:
            length = (packet[position + 1] + 1) * 8
        next_header = packet[position]
        position += length
    raise WireError(f"an error quotes next header {next_header}, not ICMPv6")


def _split_extensions(
    version: IpVersion, kind: int, message: bytes
) -> tuple[bytes, tuple[ExtensionObject, ...]]:
    """Split an error's body into the quoted packet and the extension objects (RFC 4884 s4)."""
    body = message[HEADER_BYTES:]
    if kind not in _EXTENSIBLE[version]:
        return body, ()
    at, unit = _QUOTE_LENGTH[version]
    length = message[at] * unit
    if not _LEAST_QUOTE_BYTES <= length < len(body):
        return body, ()
    return body[:length], _read_extension_objects(body[length:])


def _read_extension_objects(structure: bytes) -> tuple[ExtensionObject, ...]:
    if len(structure) < 4 or structure[0] >> 4 != _EXTENSION_VERSION:
        return ()
    if structure[2:4] != b"\0\0" and checksum(structure) not in (0, 0xFFFF):
        return ()
    objects = []
    position = 4
    while position + 4 <= len(structure):
        length = int.from_bytes(structure[position : position + 2], "big")
        if not 4 <= length <= len(structure) - position:
            return ()
        content = structure[position + 4 : position + length]
        objects.append(ExtensionObject(structure[position + 2], structure[position + 3], content))
        position += length
    return tuple(objects)
