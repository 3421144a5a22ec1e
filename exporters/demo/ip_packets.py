"""IP packets with ICMP in them, as the hosts of a pretend network read and write them.

Written apart from ``exporters.wire.icmp``, so that a mistake of one is not the other's too. Only
what an answering host needs: echo, and errors that quote the packet they are about. No fragments,
no IPv6 extension headers.

    IPv4 (RFC 791)                              IPv6 (RFC 8200)
    0  version 4 | words of header              0  version 6 | class | flow label
    1  type of service                          4  payload length
    2  total length                             6  next header, 58 for ICMPv6
    4  id, flags (DF = 0x4000), offset          7  hop limit
    8  time to live, protocol (1), checksum     8  source, destination (16 each)
    12 source, destination (4 each)

Sources: RFC 792, RFC 4443 (ICMP and ICMPv6), RFC 4884 s4 and s7 (extensions), RFC 4950 (MPLS).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from exporters.errors import WireError

Address = IPv4Address | IPv6Address

_ICMP: Final = 1
_ICMPV6: Final = 58
_DONT_FRAGMENT: Final = 0x4000
_FRAGMENT: Final = 0x3FFF
_IPV4_QUOTE_BYTES: Final = 548
"""So that an error is no longer than 576 bytes (RFC 1812 s4.3.2.3)."""
_IPV6_QUOTE_BYTES: Final = 1232
"""So that an error fits the least MTU of IPv6, 1280 bytes (RFC 4443 s2.4)."""
_EXTENDED_QUOTE_BYTES: Final = 128
_MPLS_LABEL: Final = bytes.fromhex("2000 0000 0008 0101 186a 1101")
"""Extension header of version 2, its checksum left out, and one label, 100001, of class 1."""


@dataclass(frozen=True, slots=True)
class IcmpPacket:
    """One IP packet that carries ICMP; *rest* is all that follows type, code and checksum."""

    source: Address
    destination: Address
    type: int
    code: int
    rest: bytes
    hop_limit: int = 64
    traffic_class: int = 0
    dont_fragment: bool = False

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.source.version

    @property
    def is_echo_request(self) -> bool:
        """Whether it asks for an echo."""
        return self.type == (8 if self.version == 4 else 128)


def decode_packet(data: bytes) -> IcmpPacket:
    """Read an IP packet.

    Raises:
        WireError: It has no ICMP, is a fragment, or is cut short.
    """
    try:
        if data[0] >> 4 == 4:
            return _decode_ipv4(data)
        if data[0] >> 4 == 6:
            return _decode_ipv6(data)
    except (struct.error, IndexError) as error:
        raise WireError("the packet is cut short") from error
    raise WireError("neither IPv4 nor IPv6")


def encode_packet(packet: IcmpPacket) -> bytes:
    """Write an IP packet with its checksums."""
    body = struct.pack("!BBH", packet.type, packet.code, 0) + packet.rest
    source, destination = packet.source.packed, packet.destination.packed
    if packet.version == 6:
        pseudo_header = source + destination + struct.pack("!II", len(body), _ICMPV6)
        body = _with_checksum(body, 2, pseudo_header)
        first = 6 << 28 | packet.traffic_class << 20
        header = struct.pack("!IHBB", first, len(body), _ICMPV6, packet.hop_limit)
        return header + source + destination + body
    header = struct.pack(
        "!BBHHHBBH",
        0x45,
        packet.traffic_class,
        20 + len(body),
        0,
        _DONT_FRAGMENT if packet.dont_fragment else 0,
        packet.hop_limit,
        _ICMP,
        0,
    )
    return _with_checksum(header + source + destination, 10) + _with_checksum(body, 2)


def make_error(
    reporter: str,
    about: bytes,
    type_code: tuple[int, int],
    *,
    mtu: int = 0,
    extended: bool = False,
) -> IcmpPacket:
    """Make the ICMP error that *reporter* sends about the packet *about*.

    Args:
        reporter: Address of the router or host that complains.
        about: The packet as it arrived there.
        type_code: Type and code of the error, of the packet's own IP version.
        mtu: Of the next hop, where the error tells it.
        extended: Append an MPLS label as RFC 4884 has it, and pad the quote for it.
    """
    source = ip_address(reporter)
    is_ipv4 = source.version == 4
    destination = IPv4Address(about[12:16]) if is_ipv4 else IPv6Address(about[8:24])
    quote = about[: _IPV4_QUOTE_BYTES if is_ipv4 else _IPV6_QUOTE_BYTES]
    words = 0
    if extended:
        quote = quote[:_EXTENDED_QUOTE_BYTES].ljust(_EXTENDED_QUOTE_BYTES, b"\0")
        words = len(quote) // (4 if is_ipv4 else 8)
        quote += _with_checksum(_MPLS_LABEL, 2)
    fields = (
        struct.pack("!BBH", 0, words, mtu) if is_ipv4 else struct.pack("!I", mtu or words << 24)
    )
    return IcmpPacket(source, destination, *type_code, fields + quote)


def _decode_ipv4(data: bytes) -> IcmpPacket:
    words, traffic_class, length, _, fragment, hop_limit, protocol = struct.unpack_from(
        "!BBHHHBB", data
    )
    header_bytes = (words & 15) * 4
    if protocol != _ICMP or fragment & _FRAGMENT or header_bytes < 20 or length > len(data):
        raise WireError("no whole ICMP message")
    icmp_type, code, _ = struct.unpack_from("!BBH", data, header_bytes)
    return IcmpPacket(
        IPv4Address(data[12:16]),
        IPv4Address(data[16:20]),
        icmp_type,
        code,
        data[header_bytes + 4 : length],
        hop_limit,
        traffic_class,
        bool(fragment & _DONT_FRAGMENT),
    )


def _decode_ipv6(data: bytes) -> IcmpPacket:
    first, length, protocol, hop_limit = struct.unpack_from("!IHBB", data)
    if protocol != _ICMPV6 or 40 + length > len(data):
        raise WireError("no whole ICMPv6 message")
    icmp_type, code, _ = struct.unpack_from("!BBH", data, 40)
    return IcmpPacket(
        IPv6Address(data[8:24]),
        IPv6Address(data[24:40]),
        icmp_type,
        code,
        data[44 : 40 + length],
        hop_limit,
        first >> 20 & 0xFF,
        dont_fragment=True,
    )


def _with_checksum(data: bytes, offset: int, pseudo_header: bytes = b"") -> bytes:
    """Fill in the internet checksum (RFC 1071) of *data* at *offset*, which must be zero."""
    summed = pseudo_header + data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(summed) // 2}H", summed))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:offset] + struct.pack("!H", total ^ 0xFFFF) + data[offset + 2 :]
