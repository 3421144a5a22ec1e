"""A trap to be explained, as people give it: in hexadecimal, or by its name.

The name of a shipped case (``modules/trap/cases``) is a datagram that net-snmp has sent; one of
SNMPv3 may have its user in a file beside it, a ``trap.yml``. That of a
notification gets the varbinds that its MIB says, of row 1, with made-up values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from exporters.bundled import modules_directory
from exporters.config.trap_config import TrapUser, load_trap_config
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import Kind, MibObject
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import (
    VarBind,
    Version,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import SNMP_TRAP_OID, SYS_UP_TIME
from exporters.wire.tags import (
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    TRAP_V2,
)

_MADE_UP: Final[dict[str, tuple[int, bytes]]] = {
    "OCTET STRING": (OCTET_STRING, b"text"),
    "IpAddress": (IP_ADDRESS, bytes((192, 0, 2, 1))),
    "OBJECT IDENTIFIER": (OBJECT_IDENTIFIER, encode_oid("1.3.6.1.2.1.1")),
    "TimeTicks": (TIME_TICKS, b"\x01"),
    "BITS": (OCTET_STRING, b"\x80"),
    "Opaque": (OCTET_STRING, b"text"),
}


class Example(NamedTuple):
    """A datagram, and the users that it needs beside those that are configured."""

    content: bytes
    users: tuple[TrapUser, ...] = ()


def read_trap(dictionary: Dictionary, text: str) -> Example:
    """Give the datagram that a text means.

    Raises:
        ValueError: It is neither hexadecimal nor the name of a notification or of a shipped case.
    """
    case = shipped_cases().get(text.strip())
    if case is not None:
        return Example(_hexadecimal(case.read_text()), _users(case.with_suffix(".yml")))
    notification = _notification(dictionary, text.strip())
    if notification is not None:
        return Example(_made_up(dictionary, notification))
    try:
        return Example(_hexadecimal(text))
    except ValueError as error:
        shown = text.strip()[:60]
        raise ValueError(f"{shown!r} is no datagram in hexadecimal, and no trap's name") from error


def shipped_cases() -> dict[str, Path]:
    """Give the file of each case that ships, by its name."""
    return {file.stem: file for file in sorted(modules_directory("trap").glob("cases/*.hex"))}


def _users(file: Path) -> tuple[TrapUser, ...]:
    return load_trap_config([file], environment={}).users if file.exists() else ()


def _hexadecimal(text: str) -> bytes:
    """Decode digits, with colons and spaces or without; lines that begin with # are comments."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return bytes.fromhex("".join("".join(lines).split()).removeprefix("0x").replace(":", ""))


def _notification(dictionary: Dictionary, name: str) -> MibObject | None:
    found = (dictionary.by_qualified(name),) if "::" in name else dictionary.by_name(name)
    kind = Kind.NOTIFICATION
    return next((item for item in found if item is not None and item.kind is kind), None)


def _made_up(dictionary: Dictionary, notification: MibObject) -> bytes:
    varbinds: list[VarBind] = [
        (SYS_UP_TIME, TIME_TICKS, b"\x30\x39"),
        (SNMP_TRAP_OID, OBJECT_IDENTIFIER, notification.oid),
    ]
    for name in notification.objects:
        item = dictionary.find(name)
        if item is None or item.syntax is None:
            continue
        tag, value = _MADE_UP.get(item.syntax.base, (INTEGER, b"\x01"))
        instance = b"\x01" if item.kind is Kind.COLUMN else b"\0"
        varbinds.append((item.oid + instance, tag, value))
    pdu = encode_pdu(TRAP_V2, 1, 0, 0, encode_varbinds(varbinds))
    return encode_community_message(Version.V2C, b"public", pdu)
