"""The index of a table row: from the sub-identifiers after the column's OID to label text.

A row's instance is the concatenation of its INDEX objects. Each decoder takes its own part off and
says where the next one starts; it also gives the sub-identifiers it took, because lookups append
them to another column's OID.

Devices are met where they are: sub-identifiers that are missing at the end count as 0 (some agents
leave trailing zeros out), surplus ones are nobody's, and a length that no OID can have takes what
is there. Octets are sub-identifiers up to 255: a string with a larger one is no string but an
OBJECT IDENTIFIER under the wrong type, and is shown as dotted numbers rather than cut to 8 bits.

Sources: RFC 2578 section 7.7 (INDEX), RFC 4001 section 4.1 (InetAddress as an index), and
snmp_exporter's text where it is sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exporters.smi.addresses import (
    format_ipv4,
    format_ipv6,
    format_physical_address,
    value_type,
)
from exporters.smi.utf8 import decode_text
from exporters.smi.values import hex_text

SubIds = tuple[int, ...]

IndexDecoder = Callable[[SubIds, int], tuple[str, SubIds, int]]
"""``decoder(subids, start)`` gives the label text, the sub-identifiers taken (with their length
where one is encoded, and zeros for missing ones) and where the next index starts."""

_Take = Callable[[SubIds, int], SubIds]
_Render = Callable[[SubIds], str]

_MOST_SUBIDS = 128  # RFC 2578 s3.5
_ADDRESS_SIZES = {"InetAddressIPv4": 4, "InetAddressIPv6": 16, "PhysAddress48": 6}
_INTEGERS = frozenset({"Integer", "Integer32", "counter", "gauge"})
_STRINGS = frozenset({"DisplayString", "ObjectIdentifier", "OctetString"})

INDEX_TYPES = (
    _INTEGERS
    | _STRINGS
    | frozenset(_ADDRESS_SIZES)
    | {"EnumAsInfo", "InetAddress", "InetAddressMissingSize", "LldpPortId"}
)
"""Every type that an index may have."""


def compile_index(
    type_name: str,
    fixed_size: int = 0,
    implied: bool = False,
    enum_values: Mapping[int, str] | None = None,
) -> IndexDecoder:
    """Prepare the decoding of one INDEX object.

    Args:
        type_name: One of ``INDEX_TYPES``.
        fixed_size: Of a string: its number of sub-identifiers, where the MIB fixes it; 0 where the
            first sub-identifier tells.
        implied: Of a string: IMPLIED, it takes all that is left.
        enum_values: Of ``EnumAsInfo``: the names of numbers.

    Raises:
        ValueError: There is no such index type, or *fixed_size* is more than an OID holds.

    Example: ``compile_index("DisplayString")((2, 65, 66, 7), 0) == ("AB", (2, 65, 66), 3)``
    """
    if not 0 <= fixed_size <= _MOST_SUBIDS:
        raise ValueError(f"invalid index size {fixed_size}: expected 0 to {_MOST_SUBIDS}")
    if type_name in _INTEGERS:
        return _decode_integer
    if type_name == "EnumAsInfo":
        return _enumeration(enum_values or {})
    if type_name in _ADDRESS_SIZES:
        return _decoder(_exactly(_ADDRESS_SIZES[type_name]), _ADDRESS_TEXT[type_name])
    if type_name in _STRINGS:
        text = _STRING_TEXT[type_name]
        if implied:
            return _decoder(_rest, text)
        if fixed_size:
            return _decoder(_exactly(fixed_size), text)
        return _decoder(_counted, lambda taken: text(taken[1:]))
    if type_name == "InetAddress":
        return _decoder(_subtyped, _inet_address_text)
    if type_name == "InetAddressMissingSize":
        return _decoder(_subtyped_without_size, _inet_address_without_size_text)
    if type_name == "LldpPortId":
        return _decoder(_subtyped, _lldp_port_id_text)
    raise ValueError(
        f'invalid index type "{type_name}": expected one of {", ".join(sorted(INDEX_TYPES))}'
    )


def _decoder(take: _Take, render: _Render) -> IndexDecoder:
    def decode(subids: SubIds, start: int) -> tuple[str, SubIds, int]:
        taken = take(subids, start)
        return render(taken), taken, start + len(taken)

    return decode


def _decode_integer(subids: SubIds, start: int) -> tuple[str, SubIds, int]:
    """The commonest index by far."""
    taken = subids[start : start + 1] or (0,)
    return str(taken[0]), taken, start + 1


def _enumeration(enum_values: Mapping[int, str]) -> IndexDecoder:
    names = dict(enum_values)

    def decode(subids: SubIds, start: int) -> tuple[str, SubIds, int]:
        taken = subids[start : start + 1] or (0,)
        value = taken[0]
        return names[value] if value in names else str(value), taken, start + 1

    return decode


# --- which sub-identifiers are taken ---


def _exactly(count: int) -> _Take:
    def take(subids: SubIds, start: int) -> SubIds:
        taken = subids[start : start + count]
        return taken if len(taken) == count else _padded(taken, count)

    return take


def _rest(subids: SubIds, start: int) -> SubIds:
    return subids[start:]


def _counted(subids: SubIds, start: int) -> SubIds:
    """A length and as many sub-identifiers."""
    size = subids[start] if start < len(subids) else 0
    return _padded(subids[start : start + 1 + size], 1 + size)


def _subtyped(subids: SubIds, start: int) -> SubIds:
    """A subtype, a length and as many sub-identifiers."""
    size = subids[start + 1] if start + 1 < len(subids) else 0
    return _padded(subids[start : start + 2 + size], 2 + size)


def _subtyped_without_size(subids: SubIds, start: int) -> SubIds:
    """A subtype and as many sub-identifiers as it calls for; the rest where it does not tell."""
    subtype = subids[start] if start < len(subids) else 0
    size = _ADDRESS_SIZES.get(value_type("InetAddressMissingSize", subtype))
    if size is None:
        return subids[start:]
    return _padded(subids[start : start + 1 + size], 1 + size)


def _padded(taken: SubIds, count: int) -> SubIds:
    """Append the zeros an agent left out, never more than an OID could have held."""
    if len(taken) == count or count > _MOST_SUBIDS:
        return taken
    return taken + (0,) * (count - len(taken))


# --- how they are shown ---


def _dotted_text(content: SubIds) -> str:
    return ".".join(map(str, content))


def _octets_text(text: Callable[[bytes], str]) -> _Render:
    """*text* of the octets; dotted numbers where a sub-identifier is no octet."""

    def render(content: SubIds) -> str:
        try:
            return text(bytes(content))
        except ValueError:
            return _dotted_text(content)

    return render


_hex_octets_text = _octets_text(hex_text)
_STRING_TEXT: dict[str, _Render] = {
    "DisplayString": _octets_text(decode_text),
    "ObjectIdentifier": _dotted_text,
    "OctetString": _hex_octets_text,
}
_ADDRESS_TEXT: dict[str, _Render] = {
    "InetAddressIPv4": _octets_text(format_ipv4),
    "InetAddressIPv6": _octets_text(format_ipv6),
    "PhysAddress48": _octets_text(format_physical_address),
}


def _inet_address_text(taken: SubIds) -> str:
    """Address text where the length is right for the type, else all of it in hexadecimal.

    Type and length are part of the hexadecimal text, which is what existing labels show for
    zoned addresses, DNS names and unknown types.
    """
    address_type = value_type("InetAddress", taken[0])
    if len(taken) - 2 == _ADDRESS_SIZES.get(address_type):
        return _ADDRESS_TEXT[address_type](taken[2:])
    return _hex_octets_text(taken)


def _inet_address_without_size_text(taken: SubIds) -> str:
    if not taken:
        return ""
    address_type = value_type("InetAddressMissingSize", taken[0])
    if address_type in _ADDRESS_SIZES:
        return _ADDRESS_TEXT[address_type](taken[1:])
    return _hex_octets_text(taken)


def _lldp_port_id_text(taken: SubIds) -> str:
    """Text of the content where the subtype tells how; subtype and length included where not."""
    port_id_type = value_type("LldpPortId", taken[0])
    content = taken[2:]
    if port_id_type == "DisplayString":
        return _STRING_TEXT["DisplayString"](content)
    if port_id_type == "PhysAddress48":
        is_mac = len(content) == _ADDRESS_SIZES["PhysAddress48"]
        return _ADDRESS_TEXT["PhysAddress48"](content) if is_mac else _hex_octets_text(content)
    return _hex_octets_text(taken)
