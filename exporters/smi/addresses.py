"""Addresses as label text, and the types whose meaning stands in the column before them.

An InetAddress says nothing of itself: the InetAddressType object that precedes it tells whether the
octets are IPv4, IPv6 or something else. LLDP's port identifiers work the same way. Reading that
preceding column is the caller's work; what its number means is decided here.

Sources: RFC 4001 section 4 (InetAddressType: 1 ipv4, 2 ipv6, 3 ipv4z, 4 ipv6z, 16 dns),
IEEE 802.1AB-2005 section 12.2 (LldpPortIdSubtype: 1 interfaceAlias, 2 portComponent, 3 macAddress,
4 networkAddress, 5 interfaceName, 6 agentCircuitId, 7 local).
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address
from types import MappingProxyType

_INET_ADDRESS_TYPES: Mapping[int, str] = MappingProxyType(
    {1: "InetAddressIPv4", 2: "InetAddressIPv6"}
)
_LLDP_PORT_ID_SUBTYPES: Mapping[int, str] = MappingProxyType(
    {
        1: "DisplayString",
        2: "DisplayString",
        3: "PhysAddress48",
        5: "DisplayString",
        7: "DisplayString",
    }
)
_TYPES_BY_SUBTYPE: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "InetAddress": _INET_ADDRESS_TYPES,
        "InetAddressMissingSize": _INET_ADDRESS_TYPES,
        "LldpPortId": _LLDP_PORT_ID_SUBTYPES,
    }
)

SUBTYPED_TYPES = frozenset(_TYPES_BY_SUBTYPE)
"""The types that need the number of the preceding column: the caller has to fetch it."""


def value_type(type_name: str, subtype: int | None) -> str:
    """The type to render a value by.

    Args:
        type_name: The configured type. One outside ``SUBTYPED_TYPES`` is given back unchanged.
        subtype: The number in the preceding column of the same row, None where there is none.

    Example: ``value_type("InetAddress", 2) == "InetAddressIPv6"``; a subtype without a rendering
    of its own, or none, gives ``"OctetString"``.
    """
    types = _TYPES_BY_SUBTYPE.get(type_name)
    if types is None:
        return type_name
    if subtype is None:
        return "OctetString"
    return types.get(subtype, "OctetString")


def format_physical_address(raw: bytes) -> str:
    """Six octets as ``00:1A:2B:3C:4D:5E``; missing ones are 00 and surplus ones are dropped."""
    if len(raw) != 6:
        raw = raw[:6].ljust(6, b"\0")
    return raw.hex(":").upper()


def format_ipv4(raw: bytes) -> str:
    """Four octets as ``192.0.2.1``; missing ones are 0 and surplus ones are dropped."""
    if len(raw) != 4:
        raw = raw[:4].ljust(4, b"\0")
    first, second, third, fourth = raw
    return f"{first}.{second}.{third}.{fourth}"


def format_ipv6(raw: bytes) -> str:
    """Sixteen octets as eight groups of four hexadecimal digits, never compressed.

    Upper case and all zeros written out, because this text is the value of existing labels.
    Missing octets are 00 and surplus ones are dropped.
    """
    if len(raw) != 16:
        raw = raw[:16].ljust(16, b"\0")
    return raw.hex(":", 2).upper()


def format_ip_address(raw: bytes) -> str | None:
    """The content of an IpAddress: dotted, compressed IPv6 where an agent puts 16 octets there.

    Returns:
        None where it is neither; "" where it is empty, as broken agents send it.
    """
    if len(raw) == 4:
        return format_ipv4(raw)
    if len(raw) == 16:
        return str(IPv6Address(raw))
    return None if raw else ""
