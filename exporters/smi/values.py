"""What the value of a varbind means: its number, and its text as a label value.

A value is the pair of BER tag and content octets, as ``exporters.wire`` leaves it. What the device
sent decides first and the configured type second: an INTEGER is decimal text even where a MIB says
DisplayString, because agents and MIBs disagree. Nothing here raises: a value without a number is 0
and octets without a better rendering are hexadecimal.

Dates, enumerations and BITS have modules of their own; so have indexes, which are parts of OIDs.

Sources: RFC 2578 section 7.1, X.690 section 8.3 (integers), draft-perkins-opaque-01 (floats inside
Opaque), and snmp_exporter's behaviour where existing labels depend on it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal
from math import isfinite, isnan
from typing import Final

from exporters.errors import WireError
from exporters.smi.addresses import (
    SUBTYPED_TYPES,
    format_ip_address,
    format_ipv4,
    format_ipv6,
    format_physical_address,
)
from exporters.smi.display_hint import compile_hint
from exporters.smi.utf8 import decode_text
from exporters.wire.ber import format_oid
from exporters.wire.tags import (
    COUNTER64,
    INTEGER,
    INTEGER_TAGS,
    IP_ADDRESS,
    NSAP,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    OPAQUE_DOUBLE_PREFIX,
    OPAQUE_FLOAT_PREFIX,
    TIME_TICKS,
)

TextFormatter = Callable[[int, bytes], str]
"""Renders a value, given its tag and content, as a label value."""

BYTE_STRING_TAGS: Final = frozenset({OCTET_STRING, OPAQUE, NSAP})
"""Tags whose content is octets to show; Opaque only where it does not wrap a float."""

# A float64 holds every integer of 53 bits; beyond, neighbouring counts become one.
_EXACT_FLOAT_MASK: Final = (1 << 53) - 1
_UNSIGNED_32: Final = 0xFFFFFFFF
_MOST_OCTETS: Final = 8


def number(tag: int, raw: bytes, *, wrap_counters: bool) -> int | float:
    """The number of a value; 0 for octets, addresses and OIDs, which have none.

    Args:
        tag: The BER tag the device sent, which decides alone; the configured type does not.
        raw: The content octets.
        wrap_counters: Give a Counter64 modulo 2^53, so that ``rate()`` stays exact, rather than
            rounded to the nearest float64.
    """
    if tag in INTEGER_TAGS:  # As integer(), written out: this runs once for every sample
        if len(raw) > _MOST_OCTETS:
            raw = raw[-_MOST_OCTETS:]
        if tag == INTEGER:
            return int.from_bytes(raw, signed=True)
        value = int.from_bytes(raw)
        if value <= _UNSIGNED_32:
            return value
        if tag != COUNTER64:
            return _beyond_32_bits(tag, value, len(raw))
        if wrap_counters:
            return value & _EXACT_FLOAT_MASK
        return value if value <= _EXACT_FLOAT_MASK else float(value)
    if tag == OPAQUE:
        opaque = _opaque_float(raw)
        return 0 if opaque is None else opaque
    return 0


def integer(tag: int, raw: bytes) -> int:
    """The whole number of a value, as enumerations, subtypes and chained lookups need it.

    INTEGER is signed and everything else is not, whatever the first bit says: agents leave out the
    00 octet that BER wants before it. Content of more than 8 octets counts by its last 8. A float
    loses its fraction, and what is no finite number is 0. A Counter64 is not wrapped.
    """
    if tag in INTEGER_TAGS:
        if len(raw) > _MOST_OCTETS:
            raw = raw[-_MOST_OCTETS:]
        if tag == INTEGER:
            return int.from_bytes(raw, signed=True)
        value = int.from_bytes(raw)
        if value > _UNSIGNED_32 and tag != COUNTER64:
            return _beyond_32_bits(tag, value, len(raw))
        return value
    if tag == OPAQUE:
        opaque = _opaque_float(raw)
        if opaque is not None and isfinite(opaque):
            return int(opaque)
    return 0


def _beyond_32_bits(tag: int, value: int, size: int) -> int:
    """An unsigned 32-bit type with a larger number in it: undo sign extension, keep the rest.

    Some agents widen a Counter32 as if it were signed (FF FF FF FF 80 00 00 00), others put 64 bits
    into a Gauge32. TimeTicks wrap by definition (RFC 2578 s7.1.8).
    """
    sign_extension = (1 << (size - 4) * 8) - 1
    if tag == TIME_TICKS or value >> 32 == sign_extension:
        return value & _UNSIGNED_32
    return value


def _opaque_float(raw: bytes) -> float | None:
    """The float inside an Opaque: 9F 78 04 and 4 octets, or 9F 79 08 and 8."""
    value: float
    if len(raw) == 7 and raw.startswith(OPAQUE_FLOAT_PREFIX):
        (value,) = struct.unpack_from(">f", raw, 3)
        return value
    if len(raw) == 11 and raw.startswith(OPAQUE_DOUBLE_PREFIX):
        (value,) = struct.unpack_from(">d", raw, 3)
        return value
    return None


def hex_text(raw: bytes) -> str:
    """Octets as ``0x`` and upper-case hexadecimal; nothing for no octets."""
    return "0x" + raw.hex().upper() if raw else ""


_OCTETS_TEXT: Final[dict[str, Callable[[bytes], str]]] = {
    "DisplayString": decode_text,
    "InetAddressIPv4": format_ipv4,
    "InetAddressIPv6": format_ipv6,
    "IpAddress": format_ipv4,
    "PhysAddress48": format_physical_address,
}


def compile_text(type_name: str, display_hint: str | None = None) -> TextFormatter:
    """Prepare the rendering of a column's values as label text.

    Args:
        type_name: ``DisplayString``, ``PhysAddress48``, ``InetAddressIPv4`` (or ``IpAddress``),
            ``InetAddressIPv6``; any other type, and "", shows octets in hexadecimal. Of a type
            whose rendering another column tells, ``addresses.value_type`` gives the one to use.
        display_hint: A DISPLAY-HINT (RFC 2579 s3.1), which applies to OctetString alone. One that
            does not parse is left aside, as is one that does not fit a value.

    Returns:
        A function of tag and content, which never raises.
    """
    if type_name == "DisplayString":
        return _display_string
    octets_text = _OCTETS_TEXT.get(type_name, hex_text)
    if display_hint and (type_name in {"", "OctetString"} or type_name in SUBTYPED_TYPES):
        octets_text = _hinted_text(display_hint)

    def text(tag: int, raw: bytes) -> str:
        return octets_text(raw) if tag == OCTET_STRING else _text_by_tag(tag, raw, octets_text)

    return text


def _display_string(tag: int, raw: bytes) -> str:
    """The commonest rendering by far, without the calls that the others need."""
    if tag == OCTET_STRING:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return decode_text(raw)
    return _text_by_tag(tag, raw, decode_text)


def _hinted_text(display_hint: str) -> Callable[[bytes], str]:
    """Rendering by *display_hint*, by hexadecimal wherever that does not work."""
    try:
        formatted = compile_hint(display_hint)
    except ValueError:
        return hex_text

    def text(raw: bytes) -> str:
        hinted = formatted(raw)
        return hex_text(raw) if hinted is None else hinted

    return text


def _text_by_tag(tag: int, raw: bytes, octets_text: Callable[[bytes], str]) -> str:
    """Render what is not an OCTET STRING; *octets_text* is for octets under another tag."""
    if tag in INTEGER_TAGS:
        return str(integer(tag, raw))
    if tag == OBJECT_IDENTIFIER:
        try:
            return format_oid(raw)
        except WireError:
            return hex_text(raw)
    if tag == IP_ADDRESS:
        address = format_ip_address(raw)
        return hex_text(raw) if address is None else address
    if tag == OPAQUE:
        opaque = _opaque_float(raw)
        if opaque is not None:
            return _float_text(opaque, raw)
    return octets_text(raw) if tag in BYTE_STRING_TAGS else ""


def _float_text(value: float, raw: bytes) -> str:
    """The shortest decimal that reads back as the same float, without an exponent."""
    if not isfinite(value):
        return "NaN" if isnan(value) else f"{'-' if value < 0 else '+'}Inf"
    shortest = repr(value)
    if len(raw) == 7:  # Four octets: fewer digits tell it from its neighbours than a float64 needs
        shortest = next(
            text
            for text in (f"{value:.{digits}g}" for digits in range(1, 10))
            if _is_float32(text, raw)
        )
    text = f"{Decimal(shortest):f}"
    return text.removesuffix(".0")


def _is_float32(text: str, raw: bytes) -> bool:
    """Whether *text* is nearest to the very float32 that an Opaque carries."""
    try:
        return struct.pack(">f", float(text)) == raw[3:]
    except OverflowError:
        return False
