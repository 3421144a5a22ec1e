"""Requests to a simulated agent, and what is in its answers."""

from __future__ import annotations

from exporters.wire.ber import encode_oid, format_oid
from exporters.wire.snmp_message import (
    Pdu,
    Version,
    decode_community_message,
    decode_pdu,
    encode_community_message,
    encode_names,
    encode_pdu,
)
from exporters.wire.tags import NULL

REQUEST_ID = 77


def ask(pdu_type: int, *oids: str, non_repeaters: int = 0, repetitions: int = 0) -> Pdu:
    """A request as an agent sees it once it is decoded."""
    varbinds = [(encode_oid(oid), NULL, b"") for oid in oids]
    return Pdu(pdu_type, REQUEST_ID, non_repeaters, repetitions, varbinds)


def encode_request(
    pdu_type: int,
    *oids: str,
    version: int = Version.V2C,
    community: bytes = b"public",
    repetitions: int = 0,
) -> bytes:
    """A request as a client sends it."""
    names = encode_names(encode_oid(oid) for oid in oids)
    pdu = encode_pdu(pdu_type, REQUEST_ID, 0, repetitions, names)
    return encode_community_message(version, community, pdu)


def read_answer(data: bytes | None) -> Pdu:
    """The PDU of a version 1 or 2c message that an agent sent."""
    assert data is not None, "the agent did not answer"
    return decode_community_message(data).pdu


def read_pdu(data: bytes | None) -> Pdu:
    """The PDU that a responder gave."""
    assert data is not None, "the responder did not answer"
    return decode_pdu(data, 0, len(data))


def names(pdu: Pdu) -> list[str]:
    """The OIDs of a PDU, dotted."""
    return [format_oid(oid) for oid, _, _ in pdu.varbinds]
