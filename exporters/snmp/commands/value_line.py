"""One varbind as a line for people: ``OID = TYPE: value``, as net-snmp's tools write it."""

from __future__ import annotations

from typing import Final

from exporters.smi.values import compile_text, integer
from exporters.wire.ber import format_oid
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import (
    BIT_STRING,
    COUNTER32,
    COUNTER64,
    END_OF_MIB_VIEW,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    NSAP,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
    UINTEGER32,
)

TYPE_WORDS: Final = {
    INTEGER: "INTEGER",
    BIT_STRING: "BITS",
    OBJECT_IDENTIFIER: "OID",
    IP_ADDRESS: "IpAddress",
    COUNTER32: "Counter32",
    GAUGE32: "Gauge32",
    OPAQUE: "Opaque",
    NSAP: "Network Address",
    COUNTER64: "Counter64",
    UINTEGER32: "UInteger32",
}
_WORDS: Final = {
    NULL: "NULL",
    NO_SUCH_OBJECT: "No Such Object available on this agent at this OID",
    NO_SUCH_INSTANCE: "No Such Instance currently exists at this OID",
    END_OF_MIB_VIEW: "No more variables left in this MIB View",
}
_PRINTABLE_CONTROLS: Final = frozenset("\t\n\r")
_text = compile_text("DisplayString")


def format_varbind(varbind: VarBind) -> str:
    """Write a varbind on one line, or on several where the string has line feeds.

    Example: ``1.3.6.1.2.1.1.5.0 = STRING: "core-sw-01"``
    """
    oid, tag, content = varbind
    return f"{format_oid(oid)} = {format_value(tag, content)}"


def format_value(tag: int, content: bytes) -> str:
    """Write a value with its type before it."""
    if tag in _WORDS:
        return _WORDS[tag]
    if tag == OCTET_STRING:
        return _format_octets(content)
    if tag == TIME_TICKS:
        ticks = integer(tag, content)
        return f"Timeticks: ({ticks}) {_format_ticks(ticks)}"
    name = TYPE_WORDS.get(tag)
    if name is None:
        return f"type 0x{tag:02X}: {content.hex(' ').upper()}"
    return f"{name}: {_text(tag, content)}"


def is_text(text: str) -> bool:
    """Whether *text* can go to a terminal as it is."""
    return all(c.isprintable() or c in _PRINTABLE_CONTROLS for c in text)


def _format_octets(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and is_text(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'STRING: "{escaped}"'
    return f"Hex-STRING: {content.hex(' ').upper()}"


def _format_ticks(ticks: int) -> str:
    seconds, hundredths = divmod(ticks, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} days, {hours}:{minutes:02}:{seconds:02}.{hundredths:02}"
