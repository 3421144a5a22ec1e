r"""The outline of a version 2c trap: what has to be known to count it, read without decoding it.

    30 len  02 01 01  04 len community
            A7 len  02 n request-id  02 01 00  02 01 00
                    30 len  30 n 06 08 sysUpTime.0   43 n ticks
                            30 n 06 0A snmpTrapOID.0 06 n trap
                            objects ...

Nearly all traps are written so, with every frame ending where the message ends. Of these the
outline is taken with one pattern for the head and plain indexing for the objects, in half the time
of ``decode_community_trap``. Everything else has no outline, wrong or not, and is decoded; whatever
has one decodes to the same.

Sources: RFC 3416 s4.2.6, RFC 3417 s8.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from exporters.wire.ber import Oid
from exporters.wire.snmp_message import Version
from exporters.wire.snmp_trap import (
    SNMP_TRAP_ADDRESS,
    SNMP_TRAP_ENTERPRISE,
    SNMP_TRAP_OID,
    SYS_UP_TIME,
)
from exporters.wire.tags import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    TIME_TICKS,
    TRAP_V2,
)


class TrapOutline(NamedTuple):
    """Where in a message its parts are.

    Attributes:
        community: of the message.
        uptime_ticks: of the sender.
        trap_oid: which notification it is.
        objects_at: where in the message its other varbinds begin; they end with it.
    """

    community: bytes
    uptime_ticks: int
    trap_oid: Oid
    objects_at: int


def _one_of(*patterns: bytes) -> bytes:
    return b"(?:" + b"|".join(patterns) + b")"


def _sys_up_time(size: int) -> bytes:
    head = bytes((SEQUENCE, 12 + size, OBJECT_IDENTIFIER, 8)) + SYS_UP_TIME
    return re.escape(head + bytes((TIME_TICKS, size))) + b"." * size


_LENGTH: Final = rb"(\x82..|\x81.|[\x00-\x7f])"
_HEAD: Final = re.compile(
    re.escape(bytes((TRAP_V2,)))
    + _LENGTH
    + re.escape(bytes((INTEGER,)))
    + _one_of(*(bytes((size,)) + b"." * size for size in (4, 3, 2, 1)))
    + rb"\x02\x01\x00\x02\x01\x00"
    + re.escape(bytes((SEQUENCE,)))
    + _LENGTH
    + b"("
    + _one_of(*map(_sys_up_time, (4, 3, 5, 2, 1)))
    + b")"
    + re.escape(bytes((SEQUENCE,)))
    + rb"([\x00-\x7f])"
    + re.escape(bytes((OBJECT_IDENTIFIER, 10)) + SNMP_TRAP_OID + bytes((OBJECT_IDENTIFIER,)))
    + rb"([\x02-\x6f])",
    re.DOTALL,
)
_TICKS_AT: Final = 14
_VERSION_2C: Final = bytes((INTEGER, 1, Version.V2C, OCTET_STRING))
_SPEAKS_OF_ANOTHER: Final = re.compile(
    _one_of(re.escape(SNMP_TRAP_ENTERPRISE), re.escape(SNMP_TRAP_ADDRESS))
)
"""A trap that was passed on says of whom it is; it is worth decoding."""


def outline_trap(data: bytes) -> TrapOutline | None:
    """Give the outline of a message, None where it has none."""
    size = len(data)
    try:
        at = 2 if data[1] < 0x80 else 3 if data[1] == 0x81 else 4
        if data[0] != SEQUENCE or _length(data[1:at]) != size - at:
            return None
        community_at = at + 5
        pdu_at = community_at + data[at + 4]
        if data[at : at + 4] != _VERSION_2C or data[at + 4] >= 0x80:
            return None
        head = _HEAD.match(data, pdu_at)
        if head is None:
            return None
        pdu_length, list_length, uptime, varbind_length, oid_length = head.groups()
        oid_at = head.end()
        objects_at = oid_at + oid_length[0]
        if (
            _length(pdu_length) != size - head.end(1)
            or _length(list_length) != size - head.end(2)
            or varbind_length[0] != oid_length[0] + 14
        ):
            return None
        position = objects_at
        while position < size:
            value_at = position + 4 + data[position + 3]
            stop = value_at + 2 + data[value_at + 1]
            if (
                stop != position + 2 + data[position + 1]
                or stop - position >= 0x82
                or data[position] != SEQUENCE
                or data[position + 2] != OBJECT_IDENTIFIER
                or data[value_at - 1] >= 0x80
                or value_at == position + 4
            ):
                return None
            position = stop
    except IndexError:
        return None
    if position != size or _SPEAKS_OF_ANOTHER.search(data, objects_at):
        return None
    ticks = int.from_bytes(uptime[_TICKS_AT:], "big") & 0xFFFFFFFF
    return TrapOutline(data[community_at:pdu_at], ticks, data[oid_at:objects_at], objects_at)


def _length(octets: bytes) -> int:
    return octets[0] if len(octets) == 1 else int.from_bytes(octets[1:], "big")
