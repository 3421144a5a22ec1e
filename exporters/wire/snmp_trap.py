"""SNMP notifications: traps of version 1 and 2c, and informs.

Layout (RFC 1157 s4.1.6, RFC 3416 s4.2.6 and s4.2.7)::

    Trap-PDU     ::= [0xA4] { enterprise OBJECT IDENTIFIER, agent-addr IpAddress,
                              generic-trap INTEGER, specific-trap INTEGER, time-stamp TimeTicks,
                              SEQUENCE OF varbind }                       version 1 only
    SNMPv2-Trap  ::= [0xA7] an ordinary PDU whose varbinds say what it is: sysUpTime.0,
                              snmpTrapOID.0, and then the objects of the notification
    InformRequest ::= [0xA6] the same, to be answered

A trap of version 1 is told as one of version 2 (RFC 3584 s3.1). In one of version 2 the two
varbinds are found by their names wherever they stand: devices leave them out, swap them, send none
at all.

Not here: who may send (``exporters.trap``), messages of version 3 (``exporters.wire.usm``), what a
notification means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from exporters.errors import WireError
from exporters.wire.ber import (
    Oid,
    encode_oid,
    encode_subids,
    expect,
    read_header,
    read_integer,
)
from exporters.wire.snmp_message import (
    ErrorStatus,
    Pdu,
    VarBind,
    Version,
    decode_pdu,
    decode_varbinds,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.tags import (
    INFORM_REQUEST,
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    RESPONSE,
    SEQUENCE,
    TIME_TICKS,
    TRAP_V1,
    TRAP_V2,
)

SYS_UP_TIME: Final = encode_oid("1.3.6.1.2.1.1.3.0")
SNMP_TRAP_OID: Final = encode_oid("1.3.6.1.6.3.1.1.4.1.0")
SNMP_TRAP_ENTERPRISE: Final = encode_oid("1.3.6.1.6.3.1.1.4.3.0")
SNMP_TRAP_ADDRESS: Final = encode_oid("1.3.6.1.6.3.18.1.3.0")
SNMP_TRAPS: Final = encode_oid("1.3.6.1.6.3.1.1.5")
"""Under which the generic traps lie: coldStart is 1, linkDown 3."""

COLD_START: Final = SNMP_TRAPS + b"\x01"
WARM_START: Final = SNMP_TRAPS + b"\x02"

_OLD_SNMP_TRAPS: Final = encode_oid("1.3.6.1.2.1.11.0")
"""What some compilers make of TRAP-TYPE macros in RFC 1213's ``snmp`` group, counted from 0."""
_ENTERPRISE_SPECIFIC: Final = 6
_MOST_SPECIFIC: Final = 2**31 - 1
_MOST_TICKS: Final = 2**32 - 1
_NO_OIDS: Final = frozenset((b"", b"\x00"))
"""No OID at all, and zeroDotZero, which names nothing."""


class TrapError(WireError):
    """A message that is SNMP and no notification; *outcome* says why, in one word."""

    def __init__(self, outcome: str, detail: str) -> None:
        self.outcome = outcome
        super().__init__(detail)


class Notification(NamedTuple):
    """A trap or inform. A tuple and no dataclass, because one is made for every datagram.

    Attributes:
        pdu_type: TRAP_V1, TRAP_V2 or INFORM_REQUEST.
        request_id: of the PDU; 0 in version 1, which has none.
        trap_oid: which notification it is; empty where it does not say.
        uptime_ticks: of the sender, in hundredths of a second; None where it does not say.
        varbinds: its objects, without those that say the above.
        agent_address: whom the message says that it is about (agent-addr, snmpTrapAddress.0), as
            text; empty where it does not say. Nobody vouches for it.
        enterprise: of version 1, or snmpTrapEnterprise.0; empty where it does not say.
    """

    pdu_type: int
    request_id: int
    trap_oid: Oid
    uptime_ticks: int | None
    varbinds: Sequence[VarBind]
    agent_address: str = ""
    enterprise: Oid = b""


class CommunityTrap(NamedTuple):
    """A notification of version 1 or 2c and the community that it came with."""

    version: int
    community: bytes
    notification: Notification


def decode_community_trap(data: bytes) -> CommunityTrap:
    """Decode a message of version 1 or 2c. Bytes after the message are ignored.

    Raises:
        TrapError: It is a message of SNMP, but of another version (outcome ``bad_version``), no
            notification (``unsupported_pdu``), or a version 1 trap with impossible numbers
            (``bad_v1``).
        WireError: It is no SNMP message, or not whole.
    """
    start, end = expect(data, 0, len(data), SEQUENCE, "the message")
    version, position = read_integer(data, start, end, "the version")
    if version not in (Version.V1, Version.V2C):
        raise TrapError("bad_version", f"version {version} is neither SNMPv1 (0) nor SNMPv2c (1)")
    start, position = expect(data, position, end, OCTET_STRING, "the community")
    if position >= end:
        raise WireError("the message ends before its PDU")
    if version == Version.V1 and data[position] == TRAP_V1:
        notification = _decode_trap_v1(data, position, end)
    else:
        notification = read_notification(decode_notification_pdu(data, position, end))
    return CommunityTrap(version, data[start:position], notification)


def decode_notification_pdu(data: bytes, position: int, end: int) -> Pdu:
    """Decode the PDU of a version 2 trap or of an inform.

    Raises:
        TrapError: It is another PDU (outcome ``unsupported_pdu``).
        WireError: It is no whole PDU.
    """
    if data[position] not in (TRAP_V2, INFORM_REQUEST):
        read_header(data, position, end)
        detail = f"a PDU of type 0x{data[position]:02x} is no notification of this version"
        raise TrapError("unsupported_pdu", detail)
    return decode_pdu(data, position, end)


def read_notification(pdu: Pdu) -> Notification:
    """Read what a version 2 trap or inform says of itself, whatever the order of its varbinds."""
    trap_oid = enterprise = b""
    address = ""
    uptime_ticks: int | None = None
    objects: list[VarBind] = []
    for varbind in pdu.varbinds:
        oid, tag, content = varbind
        if oid == SNMP_TRAP_OID and tag == OBJECT_IDENTIFIER and not trap_oid:
            trap_oid = b"" if content in _NO_OIDS else content
        elif oid == SYS_UP_TIME and tag == TIME_TICKS and uptime_ticks is None:
            uptime_ticks = int.from_bytes(content, "big") & _MOST_TICKS
        elif oid == SNMP_TRAP_ENTERPRISE and tag == OBJECT_IDENTIFIER:
            enterprise = content
        elif oid == SNMP_TRAP_ADDRESS and tag == IP_ADDRESS:
            address = _address_text(content)
        else:
            objects.append(varbind)
    return Notification(
        pdu.type, pdu.request_id, trap_oid, uptime_ticks, objects, address, enterprise
    )


def oid_forms(trap_oid: Oid) -> Iterator[Oid]:
    """Give the forms that one notification's OID has in the wild, its own first.

    A trap that went through version 1 may have gained a 0 before its last number, or lost one (RFC
    3584 s3.1 and s3.2), and old compilers put the generic traps elsewhere.

    Example: bgpBackwardTransition is 1.3.6.1.2.1.15.7.2 and comes as 1.3.6.1.2.1.15.7.0.2 as well.
    """
    yield trap_oid
    last_at = len(trap_oid) - 1
    while last_at > 0 and trap_oid[last_at - 1] >= 0x80:
        last_at -= 1
    if last_at <= 0:
        return
    before, last = trap_oid[:last_at], trap_oid[last_at:]
    if before == _OLD_SNMP_TRAPS and len(last) == 1 and last[0] < _ENTERPRISE_SPECIFIC:
        yield SNMP_TRAPS + bytes((last[0] + 1,))
    if before.endswith(b"\0") and len(before) > 1:
        yield before[:-1] + last
        if before.endswith(b"\0\0"):
            yield before[:-2] + last
    else:
        yield before + b"\0" + last


def acknowledge(pdu: bytes) -> bytes:
    """Make the response to an inform's encoded PDU: the same but for its type (RFC 3416 s4.2.7)."""
    return bytes((RESPONSE,)) + pdu[1:]


def refuse_as_too_big(request_id: int) -> bytes:
    """Make the response to an inform whose response would be too long for its sender."""
    return encode_pdu(RESPONSE, request_id, ErrorStatus.tooBig, 0, encode_varbinds(()))


def acknowledge_community_inform(data: bytes) -> bytes:
    """Make the message that acknowledges the inform *data* of version 2c.

    Raises:
        WireError: It is no message of version 2c.
    """
    start, end = expect(data, 0, len(data), SEQUENCE, "the message")
    version, position = read_integer(data, start, end, "the version")
    start, position = expect(data, position, end, OCTET_STRING, "the community")
    return encode_community_message(version, data[start:position], acknowledge(data[position:end]))


def _decode_trap_v1(data: bytes, position: int, end: int) -> Notification:
    """Decode a version 1 trap as what it is in version 2 (RFC 3584 s3.1)."""
    start, stop = expect(data, position, end, TRAP_V1, "the trap")
    start, position = expect(data, start, stop, OBJECT_IDENTIFIER, "the enterprise")
    enterprise = data[start:position]
    tag, start, position = read_header(data, position, stop)
    if tag not in (IP_ADDRESS, OCTET_STRING):
        raise WireError(f"the agent address has tag 0x{tag:02x}, expected 0x{IP_ADDRESS:02x}")
    address = _address_text(data[start:position])
    generic, position = read_integer(data, position, stop, "the generic trap")
    specific, position = read_integer(data, position, stop, "the specific trap")
    tag, start, position = read_header(data, position, stop)
    if tag not in (TIME_TICKS, INTEGER):
        raise WireError(f"the time stamp has tag 0x{tag:02x}, expected 0x{TIME_TICKS:02x}")
    uptime_ticks = int.from_bytes(data[start:position], "big") & _MOST_TICKS
    start, stop = expect(data, position, stop, SEQUENCE, "the variable-bindings list")
    return Notification(
        TRAP_V1,
        0,
        _trap_oid_of_v1(enterprise, generic, specific),
        uptime_ticks,
        decode_varbinds(data, start, stop),
        address,
        enterprise,
    )


def _trap_oid_of_v1(enterprise: Oid, generic: int, specific: int) -> Oid:
    if 0 <= generic < _ENTERPRISE_SPECIFIC:
        return SNMP_TRAPS + bytes((generic + 1,))
    if generic != _ENTERPRISE_SPECIFIC:
        raise TrapError("bad_v1", f"generic trap {generic} is not one of 0 to 6")
    if not 0 <= specific <= _MOST_SPECIFIC:
        raise TrapError("bad_v1", f"specific trap {specific} is not one of 0 to {_MOST_SPECIFIC}")
    if not enterprise or enterprise[-1] >= 0x80:
        raise TrapError("bad_v1", "the enterprise is empty or cut off")
    return enterprise + b"\0" + encode_subids((specific,))


def _address_text(content: bytes) -> str:
    """Write an address; nothing for what is none, and for the one that stands for unknown."""
    if len(content) == 4 and any(content):
        return str(IPv4Address(content))
    if len(content) == 16 and any(content):
        return str(IPv6Address(content))
    return ""
