"""One varbind as a line for people, with what MIBs say of it: names, labels, units.

    IF-MIB::ifOperStatus.1 (1.3.6.1.2.1.2.2.1.8.1) = INTEGER: up(1)
    IF-MIB::ifPhysAddress.1 (1.3.6.1.2.1.2.2.1.6.1) = STRING: 00:1A:2B:3C:4D:5E
    HOST-RESOURCES-MIB::hrMemorySize.0 (1.3.6.1.2.1.25.2.2.0) = INTEGER: 8149064 KBytes
    IF-MIB::ifSpecific.1 (1.3.6.1.2.1.2.2.1.22.1) = OID: SNMPv2-SMI::zeroDotZero (0.0)

What the device sent decides first: where it is not of the type that the MIB says, the line is the
one that ``exporters.snmp.commands.value_line`` writes without a MIB.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from exporters.smi.dictionary import Dictionary
from exporters.smi.display_hint import compile_hint
from exporters.smi.integer_hint import compile_integer_hint
from exporters.smi.mib_objects import MibObject, Syntax
from exporters.smi.oid_names import name_oid
from exporters.smi.values import integer
from exporters.snmp.commands.value_line import TYPE_WORDS, format_value, is_text
from exporters.wire.ber import Oid
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import INTEGER, INTEGER_TAGS, OBJECT_IDENTIFIER, OCTET_STRING, TIME_TICKS

ValueFormat = Callable[[int, bytes], str]

_COUNTED = INTEGER_TAGS - {TIME_TICKS}
_TEXT_HINTS = ("255a", "255t")


class NamedLines:
    """Writes lines as *dictionary* has their names."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._formats: dict[Oid, ValueFormat] = {}

    def format_varbind(self, varbind: VarBind) -> str:
        """Write a varbind on one line, or on several where the string has line feeds."""
        oid, tag, content = varbind
        return f"{self.format_oid(oid)} = {self._format_value(oid, tag, content)}"

    def _format_value(self, oid: Oid, tag: int, content: bytes) -> str:
        if tag == OBJECT_IDENTIFIER:
            return f"OID: {name_oid(self._dictionary, content)}"
        found = self._dictionary.by_oid(oid)
        if found is None:
            return format_value(tag, content)
        item, _ = found
        write = self._formats.get(item.oid)
        if write is None:
            write = self._formats[item.oid] = _compile(item)
        return write(tag, content)

    def format_oid(self, oid: Oid) -> str:
        """Write an OID, with its name as far as one is known."""
        return name_oid(self._dictionary, oid)


def _compile(item: MibObject) -> ValueFormat:
    syntax = item.syntax
    if syntax is None:
        return format_value
    if syntax.base == "OCTET STRING":
        return _octets_format(syntax.display_hint)
    if syntax.base == "BITS":
        return partial(_format_bits, dict(syntax.enumeration))
    return _number_format(syntax, item.units)


def _octets_format(hint: str) -> ValueFormat:
    if not hint or hint in _TEXT_HINTS:
        return format_value
    try:
        hinted = compile_hint(hint)
    except ValueError:
        return format_value

    def write(tag: int, content: bytes) -> str:
        text = hinted(content) if tag == OCTET_STRING else None
        return (
            format_value(tag, content) if text is None or not is_text(text) else f"STRING: {text}"
        )

    return write


def _format_bits(names: dict[int, str], tag: int, content: bytes) -> str:
    r"""Write BITS (RFC 2578 s7.1.4), of which the first is the first octet's most significant.

    Example: ``_format_bits({0: "a", 9: "b"}, 4, b"\x80\x40") == "BITS: 80 40 a(0) b(9)"``
    """
    if tag != OCTET_STRING:
        return format_value(tag, content)
    octets = (f"{octet:02X}" for octet in content)
    bits = (bit for bit in range(8 * len(content)) if content[bit // 8] & 0x80 >> bit % 8)
    labels = (f"{names[bit]}({bit})" if bit in names else str(bit) for bit in bits)
    return " ".join(("BITS:", *octets, *labels))


def _number_format(syntax: Syntax, units: str) -> ValueFormat:
    labels = dict(syntax.enumeration)
    in_units = f" {units}" if units else ""
    try:
        hinted = compile_integer_hint(syntax.display_hint or "d")
    except ValueError:
        hinted = str

    def write(tag: int, content: bytes) -> str:
        if tag not in _COUNTED:
            return format_value(tag, content)
        number = integer(tag, content)
        if tag == INTEGER and number in labels:
            return f"INTEGER: {labels[number]}({number})"
        return f"{TYPE_WORDS[tag]}: {hinted(number)}{in_units}"

    return write
