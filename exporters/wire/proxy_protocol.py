r"""The header with which a load balancer says whose connection it passes on.

Version 1 is a line::

    PROXY TCP4 192.0.2.7 198.51.100.1 56324 514\r\n      or TCP6; or UNKNOWN and anything\r\n

Version 2 is binary::

    0             12       13      14       16
    | signature   | 2 | cmd| family | length | addresses, ports, extensions |
                          1 PROXY   0x11 TCP/IPv4: 4 + 4 octets, two ports
                          0 LOCAL   0x21 TCP/IPv6: 16 + 16 octets, two ports

A balancer that speaks for itself (LOCAL), or cannot say for whom (UNKNOWN, unspecified, a Unix
socket), gives no source. Everything else is wrong, as what follows would be believed to be of
whoever it names. Extensions are passed over.

Source: "The PROXY protocol, versions 1 & 2", HAProxy, 2020 (s2.1, s2.2).
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final, NamedTuple

from exporters.errors import WireError

_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED: Final = struct.Struct("!12sBBH")
_LONGEST_LINE: Final = 107
_LONGEST_BODY: Final = 4096
"""Of version 2; what balancers send has some hundred octets."""

_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_INTERNET: Final = {0x11: 4, 0x21: 16}
"""Families with addresses of IP, for streams, and how long these are."""
_WITHOUT_SOURCE: Final = {0x00: 0, 0x31: 216}
"""Families that tell no sender: unspecified, a stream of a Unix socket; and their least lengths."""
_LINE_FAMILIES: Final = {b"TCP4": 4, b"TCP6": 6}


class ProxyHeader(NamedTuple):
    """Who has connected to the balancer, and how many octets said so."""

    source: str
    """Its address; empty if the header tells none."""
    size: int


def decode_proxy_header(data: bytes) -> ProxyHeader | None:
    """Give the header that a connection begins with; ``None`` where it is not whole yet.

    Raises:
        WireError: It begins with something else.
    """
    if data.startswith(_SIGNATURE[: len(data)]):
        return _decode_binary(data)
    if data.startswith(b"PROXY "[: len(data)]):
        return _decode_line(data)
    raise WireError("no PROXY header")


def _decode_line(data: bytes) -> ProxyHeader | None:
    line, ending, _ = data[:_LONGEST_LINE].partition(b"\r\n")
    if not ending:
        if len(data) >= _LONGEST_LINE:
            raise WireError(f"a PROXY line without an end within {_LONGEST_LINE} octets")
        return None
    words = line.split(b" ")
    size = len(line) + len(ending)
    if words[1] == b"UNKNOWN":
        return ProxyHeader("", size)
    if words[1] not in _LINE_FAMILIES or len(words) != 6:
        raise WireError("a PROXY line that is not PROXY TCP4|TCP6 source destination port port")
    _, family, source, destination, *ports = words
    version = _LINE_FAMILIES[family]
    _parse_address(destination, version)
    for port in ports:
        if not (port.isdigit() and len(port) <= 5 and int(port) <= 0xFFFF):
            raise WireError("a PROXY line with a wrong port")
    return ProxyHeader(_parse_address(source, version), size)


def _parse_address(text: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(text.decode("ascii"))
    except ValueError as error:
        raise WireError("a PROXY line with a wrong address") from error
    if address.version != version or b"%" in text:
        raise WireError("a PROXY line with an address of another family")
    return str(address)


def _decode_binary(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED.size:
        return None
    _, command, family, length = _FIXED.unpack_from(data)
    if command not in (_LOCAL, _PROXY):
        raise WireError(f"a PROXY header of version and command 0x{command:02x}")
    if length > _LONGEST_BODY:
        raise WireError(f"a PROXY header of more than {_LONGEST_BODY} octets")
    size = _FIXED.size + length
    if len(data) < size:
        return None
    if command == _LOCAL:
        return ProxyHeader("", size)
    body = data[_FIXED.size : size]
    if family in _INTERNET:
        width = _INTERNET[family]
        if length < 2 * width + 4:
            raise WireError("a PROXY header too short for its addresses")
        return ProxyHeader(str(ipaddress.ip_address(body[:width])), size)
    if family not in _WITHOUT_SOURCE or length < _WITHOUT_SOURCE[family]:
        raise WireError(f"a PROXY header of family 0x{family:02x}, which no stream has")
    return ProxyHeader("", size)
