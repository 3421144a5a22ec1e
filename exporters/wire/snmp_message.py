"""SNMP messages of version 1 and 2c, and the PDU that every version carries.

Layout (RFC 1157 s4, RFC 1901 s3, RFC 3416 s3)::

    Message  ::= SEQUENCE { version INTEGER, community OCTET STRING, PDU }
    PDU      ::= [type] { request-id INTEGER, error-status INTEGER, error-index INTEGER,
                          SEQUENCE OF SEQUENCE { name OBJECT IDENTIFIER, value ANY } }

In a GetBulkRequest the two error fields are non-repeaters and max-repetitions. A varbind is the
tuple ``(oid, tag, content)``: content bytes of the OID, BER tag and content bytes of the value.
What the value means is the business of ``exporters.smi``. Version 3 wraps the same PDU: see
``exporters.wire.usm``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Any, Final, NamedTuple

from exporters.errors import WireError
from exporters.wire.ber import (
    Oid,
    encode_integer,
    encode_length,
    encode_tlv,
    expect,
    read_header,
    read_integer,
)
from exporters.wire.tags import (
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    PDU_TYPES,
    SEQUENCE,
    TRAP_V1,
)

VarBind = tuple[Oid, int, bytes]

MAX_MESSAGE_BYTES: Final = 65507
"""The largest UDP payload over IPv4; also what we announce to SNMPv3 agents."""


class Version(IntEnum):
    """The version number as the message carries it."""

    V1 = 0
    V2C = 1
    V3 = 3


class ErrorStatus(IntEnum):
    """RFC 3416 s3, in the words that the RFC gives them."""

    noError = 0  # noqa: N815
    tooBig = 1  # noqa: N815
    noSuchName = 2  # noqa: N815
    badValue = 3  # noqa: N815
    readOnly = 4  # noqa: N815
    genErr = 5  # noqa: N815
    noAccess = 6  # noqa: N815
    wrongType = 7  # noqa: N815
    wrongLength = 8  # noqa: N815
    wrongEncoding = 9  # noqa: N815
    wrongValue = 10  # noqa: N815
    noCreation = 11  # noqa: N815
    inconsistentValue = 12  # noqa: N815
    resourceUnavailable = 13  # noqa: N815
    commitFailed = 14  # noqa: N815
    undoFailed = 15  # noqa: N815
    authorizationError = 16  # noqa: N815
    notWritable = 17  # noqa: N815
    inconsistentName = 18  # noqa: N815


def error_status_name(status: int) -> str:
    """Name an error-status; an unknown one by its number."""
    try:
        return ErrorStatus(status).name
    except ValueError:
        return str(status)


@dataclass(frozen=True, slots=True)
class Pdu:
    """A PDU; the error fields are non-repeaters and max-repetitions in a GetBulkRequest."""

    type: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: Sequence[VarBind]


@dataclass(frozen=True, slots=True)
class CommunityMessage:
    """A message of version 1 or 2c."""

    version: int
    community: bytes = field(repr=False)
    pdu: Pdu


def encode_varbinds(varbinds: Iterable[VarBind]) -> bytes:
    """Encode the variable-bindings list, with its SEQUENCE header."""
    return encode_tlv(
        SEQUENCE,
        b"".join(
            encode_tlv(SEQUENCE, encode_tlv(OBJECT_IDENTIFIER, oid) + encode_tlv(tag, content))
            for oid, tag, content in varbinds
        ),
    )


def encode_names(oids: Iterable[Oid]) -> bytes:
    """Encode a variable-bindings list that asks: every value is NULL."""
    parts: list[bytes] = []
    for oid in oids:
        length = len(oid)
        if length < 0x7C:
            parts.append(bytes((SEQUENCE, length + 4, OBJECT_IDENTIFIER, length)))
            parts.append(oid)
            parts.append(b"\x05\x00")
        else:
            parts.append(
                encode_tlv(SEQUENCE, encode_tlv(OBJECT_IDENTIFIER, oid) + encode_tlv(NULL, b""))
            )
    return encode_tlv(SEQUENCE, b"".join(parts))


def encode_pdu(
    pdu_type: int, request_id: int, error_status: int, error_index: int, varbinds: bytes
) -> bytes:
    """Encode a PDU around an encoded variable-bindings list."""
    return encode_tlv(
        pdu_type,
        encode_integer(request_id)
        + encode_integer(error_status)
        + encode_integer(error_index)
        + varbinds,
    )


def encode_community_message(version: int, community: bytes, pdu: bytes) -> bytes:
    """Encode a version 1 or 2c message around an encoded PDU."""
    content = encode_integer(version) + encode_tlv(OCTET_STRING, community) + pdu
    return bytes((SEQUENCE,)) + encode_length(len(content)) + content


def peek_version(data: bytes) -> int:
    """Give the version number of a message without decoding the rest.

    Raises:
        WireError: It does not start like an SNMP message.
    """
    start, stop = expect(data, 0, len(data), SEQUENCE, "the message")
    version, _ = read_integer(data, start, stop, "the version")
    return version


def decode_community_message(data: bytes) -> CommunityMessage:
    """Decode a version 1 or 2c message.

    Raises:
        WireError: It is anything else, or not whole. Bytes after the message are ignored, as
            agents are known to pad.
    """
    start, stop = expect(data, 0, len(data), SEQUENCE, "the message")
    version, position = read_integer(data, start, stop, "the version")
    if version not in (Version.V1, Version.V2C):
        raise WireError(f"version {version} is neither SNMPv1 (0) nor SNMPv2c (1)")
    start, position = expect(data, position, stop, OCTET_STRING, "the community")
    return CommunityMessage(version, data[start:position], decode_pdu(data, position, stop))


def decode_pdu(data: bytes, position: int, end: int) -> Pdu:
    """Decode the PDU at *position*.

    Raises:
        WireError: It is not a PDU of this shape (the SNMPv1 trap has one of its own).
    """
    pdu_type, start, stop = read_header(data, position, end)
    if pdu_type not in PDU_TYPES or pdu_type == TRAP_V1:
        raise WireError(f"tag 0x{pdu_type:02x} at byte {position} is not a request or response")
    request_id, position = read_integer(data, start, stop, "the request-id")
    error_status, position = read_integer(data, position, stop, "the error-status")
    error_index, position = read_integer(data, position, stop, "the error-index")
    start, stop = expect(data, position, stop, SEQUENCE, "the variable-bindings list")
    return Pdu(pdu_type, request_id, error_status, error_index, decode_varbinds(data, start, stop))


def decode_varbinds(data: bytes, position: int, end: int) -> list[VarBind]:
    """Decode the content of a variable-bindings list: the hot loop of every walk.

    A varbind of less than 128 bytes (nearly all) is unpacked at once, by the layout that its first
    four bytes tell. The lengths must agree to the byte; whatever does not fit that picture goes
    through ``_decode_varbind``, which checks step by step.

    Raises:
        WireError: A varbind is cut off, or its lengths contradict each other.
    """
    varbinds: list[VarBind] = []
    append = varbinds.append
    layouts = _LAYOUTS
    while position < end:
        rest_at = position + 4
        layout = layouts[data[position:rest_at]]
        if layout is not None:
            unpack, rest_bytes, content_bytes = layout
            stop = rest_at + rest_bytes
            if stop <= end:
                oid, tag, length, content = unpack(data, rest_at)
                if length == content_bytes and oid[-1] < 0x80:
                    append((oid, tag, content))
                    position = stop
                    continue
        varbind, position = _decode_varbind(data, position, end)
        append(varbind)
    return varbinds


class _Layout(NamedTuple):
    """How to take apart what follows the first four bytes of a varbind."""

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    """Gives the OID, and the value's tag, length and content."""
    rest_bytes: int
    content_bytes: int
    """What the value's length must be."""


class _Layouts(dict[bytes, _Layout | None]):
    """Layouts by the first four bytes of a varbind: SEQUENCE, length, OBJECT IDENTIFIER, length.

    None where the four bytes are others, or their lengths do not have the short form; only layouts
    are remembered, and there are less than 8,000.
    """

    def __missing__(self, head: bytes) -> _Layout | None:
        if len(head) < 4 or head[0] != SEQUENCE or head[2] != OBJECT_IDENTIFIER:
            return None
        varbind_bytes, oid_bytes = head[1], head[3]
        content_bytes = varbind_bytes - oid_bytes - 4
        if varbind_bytes >= 0x80 or not oid_bytes or content_bytes < 0:
            return None
        unpack = Struct(f"{oid_bytes}sBB{content_bytes}s").unpack_from
        layout = self[head] = _Layout(unpack, varbind_bytes - 2, content_bytes)
        return layout


_LAYOUTS: Final = _Layouts()


def _decode_varbind(data: bytes, position: int, end: int) -> tuple[VarBind, int]:
    start, stop = expect(data, position, end, SEQUENCE, "a varbind")
    oid_start, oid_stop = expect(data, start, stop, OBJECT_IDENTIFIER, "a varbind's name")
    if oid_start == oid_stop or data[oid_stop - 1] >= 0x80:
        raise WireError(f"the object identifier at byte {start} is empty or cut off")
    tag, value_start, value_stop = read_header(data, oid_stop, stop)
    if value_stop != stop:
        raise WireError(f"the varbind at byte {position} has bytes after its value")
    return (data[oid_start:oid_stop], tag, data[value_start:value_stop]), stop
