"""UDP datagrams of a packet capture, as tcpdump writes it.

Layout: a header of 24 bytes, whose first four tell byte order and units of time, and then for each
packet a header of 16 bytes, with its length, and the packet from its link layer on.

Not here: pcapng (``editcap -F pcap`` converts it), fragments, other link layers than those of
Ethernet, of "any" interface, and of none.

Source: draft-ietf-opsawg-pcap; pcap-linktype(7).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from exporters.errors import WireError

_ORDERS: Final = {
    b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">",
}  # fmt: skip
_FILE_HEADER_BYTES: Final = 24
_PACKET_HEADER_BYTES: Final = 16
_LINK_HEADER_BYTES: Final = {1: 14, 12: 0, 101: 0, 113: 16, 276: 20, 0: 4}
"""Ethernet, raw IP by two numbers, Linux' "any" in both versions, and BSD's loopback."""
_ETHERNET: Final = 1
_VLAN_TYPES: Final = (b"\x81\x00", b"\x88\xa8")
_UDP: Final = 17


class CapturedDatagram(NamedTuple):
    """What was sent, and by whom."""

    source: str
    destination_port: int
    content: bytes


def is_capture(data: bytes) -> bool:
    """Whether a file begins as a capture does."""
    return data[:4] in _ORDERS


def read_datagrams(data: bytes) -> Iterator[CapturedDatagram]:
    """Give the UDP datagrams of a capture; other packets are passed over.

    Raises:
        WireError: It is no capture, or of a link layer that is not known.
    """
    if not is_capture(data) or len(data) < _FILE_HEADER_BYTES:
        raise WireError("it does not begin as a pcap file does")
    order = _ORDERS[data[:4]]
    (link,) = struct.unpack_from(f"{order}I", data, 20)
    if link not in _LINK_HEADER_BYTES:
        raise WireError(f"link layer {link} is not known")
    position = _FILE_HEADER_BYTES
    while position + _PACKET_HEADER_BYTES <= len(data):
        (length,) = struct.unpack_from(f"{order}8xI4x", data, position)
        position += _PACKET_HEADER_BYTES
        packet = data[position : position + length]
        position += length
        start = _LINK_HEADER_BYTES[link]
        while link == _ETHERNET and packet[start - 2 : start] in _VLAN_TYPES:
            start += 4
        datagram = _read_ip(packet[start:])
        if datagram is not None:
            yield datagram


def _read_ip(packet: bytes) -> CapturedDatagram | None:
    if len(packet) >= 28 and packet[0] >> 4 == 4 and packet[9] == _UDP:
        source = socket.inet_ntop(socket.AF_INET, packet[12:16])
        return _read_udp(source, packet[(packet[0] & 0x0F) * 4 :])
    if len(packet) >= 48 and packet[0] >> 4 == 6 and packet[6] == _UDP:
        return _read_udp(socket.inet_ntop(socket.AF_INET6, packet[8:24]), packet[40:])
    return None


def _read_udp(source: str, segment: bytes) -> CapturedDatagram | None:
    if len(segment) < 8:
        return None
    port, length = struct.unpack_from("!2xHH", segment)
    return CapturedDatagram(source, port, segment[8:length])
