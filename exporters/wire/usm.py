"""SNMPv3 messages under the User-based Security Model.

Layout (RFC 3412 s6, RFC 3414 s2.4)::

    SNMPv3Message ::= SEQUENCE {
        msgVersion            INTEGER 3,
        msgGlobalData         SEQUENCE { msgID INTEGER, msgMaxSize INTEGER,
                                         msgFlags OCTET STRING of 1, msgSecurityModel INTEGER 3 },
        msgSecurityParameters OCTET STRING around SEQUENCE {
                                         engineID OCTET STRING, boots INTEGER, time INTEGER,
                                         userName, authParameters, privParameters OCTET STRING },
        msgData               ScopedPDU, or OCTET STRING of the encrypted ScopedPDU }
    ScopedPDU     ::= SEQUENCE { contextEngineID, contextName OCTET STRING, PDU }

The engine of the security parameters is the authoritative one: the agent for requests and their
responses, the sender for traps. Decoding takes two steps, so that the receiver can look up the user
in between: ``decode_v3_message`` needs no key, ``open_v3_message`` verifies and decrypts.

Not here: the window of time against replay (RFC 3414 s3.2 step 7), which needs a clock and memory;
users and keys, which are in ``exporters.wire.usm_crypto``.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final

from exporters.errors import WireError
from exporters.wire.ber import (
    encode_integer,
    encode_tlv,
    expect,
    read_integer,
)
from exporters.wire.snmp_message import MAX_MESSAGE_BYTES, Pdu, Version, decode_pdu
from exporters.wire.tags import OCTET_STRING, REPORT, SEQUENCE
from exporters.wire.usm_crypto import (
    MAX_USER_NAME_BYTES,
    AuthenticationError,
    AuthProtocol,
    DecryptionError,
    PrivProtocol,
    SecurityLevel,
    UserKeys,
    UsmUser,
    decrypt,
    digest_length,
    encrypt,
    localize,
    sign,
)

__all__ = [
    "MAX_BOOTS",
    "MAX_ENGINE_ID_BYTES",
    "TIME_WINDOW_SECONDS",
    "AuthProtocol",
    "AuthenticationError",
    "DecryptionError",
    "PrivProtocol",
    "ScopedPdu",
    "SecurityLevel",
    "UserKeys",
    "UsmUser",
    "V3Message",
    "decode_scoped_pdu",
    "decode_v3_message",
    "encode_scoped_pdu",
    "encode_v3_message",
    "localize",
    "open_v3_message",
    "verify_v3_message",
]

MAX_ENGINE_ID_BYTES: Final = 32
"""RFC 3411 s5, SnmpEngineID. Its least is 5, but an empty one asks for discovery."""

TIME_WINDOW_SECONDS: Final = 150
"""RFC 3414 s2.2.3: how far the time of a message may be from the authoritative engine's."""

MAX_BOOTS: Final = 2**31 - 1
"""RFC 3414 s2.2.2: an engine whose boots have stuck here authenticates nothing any more."""

_MAX_UNSIGNED: Final = 2**31 - 1
_USM: Final = 3
_LEVEL_BITS: Final = 0x03
_PRIV_BIT: Final = 0x02
_REPORTABLE: Final = 0x04


@dataclass(frozen=True, slots=True)
class V3Message:
    """A message whose outside is decoded and of which nothing is proven yet."""

    msg_id: int
    max_size: int
    level: SecurityLevel
    reportable: bool
    engine_id: bytes
    boots: int
    time: int
    user_name: bytes
    auth_params: bytes
    priv_params: bytes
    payload: bytes = field(repr=False)
    """The scoped PDU, or at level authPriv its ciphertext."""
    data: bytes = field(repr=False)
    """The whole message as it came, which the digest covers."""
    auth_params_at: int = field(repr=False)
    """Where in ``data`` the digest stands."""


@dataclass(frozen=True, slots=True)
class ScopedPdu:
    """A PDU and the context it speaks of."""

    context_engine_id: bytes
    context_name: bytes
    pdu: Pdu


def decode_v3_message(data: bytes) -> V3Message:
    """Decode what of a message can be read without a key.

    Bytes after the message are ignored, as agents are known to pad.

    Raises:
        WireError: It is not a message of version 3 and USM, is not whole, says privacy without
            authentication, or has numbers or names beyond what the RFCs allow.
    """
    start, end = expect(data, 0, len(data), SEQUENCE, "the message")
    version, position = read_integer(data, start, end, "the version")
    if version != Version.V3:
        raise WireError(f"version {version} is not SNMPv3 (3)")
    msg_id, max_size, flags, position = _decode_global_data(data, position, end)
    start, stop = expect(data, position, end, OCTET_STRING, "the security parameters")
    payload_tag = OCTET_STRING if flags & _PRIV_BIT else SEQUENCE
    content_at, payload_stop = expect(data, stop, end, payload_tag, "the scoped PDU")
    payload_start = content_at if flags & _PRIV_BIT else stop

    start, stop = expect(data, start, stop, SEQUENCE, "the USM parameters")
    engine_id, position = _read_octets(data, start, stop, "the engine id", MAX_ENGINE_ID_BYTES)
    boots, position = _read_unsigned(data, position, stop, "the engine boots")
    time, position = _read_unsigned(data, position, stop, "the engine time")
    user_name, position = _read_octets(data, position, stop, "the user name", MAX_USER_NAME_BYTES)
    auth_at, position = expect(data, position, stop, OCTET_STRING, "the authentication parameters")
    priv_at, stop = expect(data, position, stop, OCTET_STRING, "the privacy parameters")
    return V3Message(
        msg_id=msg_id,
        max_size=max_size,
        level=SecurityLevel(flags & _LEVEL_BITS),
        reportable=bool(flags & _REPORTABLE),
        engine_id=engine_id,
        boots=boots,
        time=time,
        user_name=user_name,
        auth_params=data[auth_at:position],
        priv_params=data[priv_at:stop],
        payload=data[payload_start:payload_stop],
        data=data[:end],
        auth_params_at=auth_at,
    )


def open_v3_message(
    message: V3Message, keys: UserKeys, *, minimum_level: SecurityLevel | None = None
) -> ScopedPdu:
    """Verify and decrypt a message with the keys of the user it names.

    Only then are its engine id, boots, time and user name to be believed, and only if its level is
    at least authNoPriv.

    Args:
        message: What ``decode_v3_message`` gave.
        keys: The user's keys, localised for the message's engine.
        minimum_level: The least protection that is accepted; without it, the most that the keys
            can give. A report passes below it too (RFC 3412 s7.2), because an agent that
            does not know the user can say so in no other way: what such a report says is a hint.

    Raises:
        AuthenticationError: The message is from another user, its digest is wrong, or it is less
            protected than demanded.
        DecryptionError: It does not decrypt to a scoped PDU.
        WireError: The PDU does not decode.
    """
    payload = message.payload
    if message.level >= SecurityLevel.authNoPriv:
        verify_v3_message(message, keys)
    if message.level == SecurityLevel.authPriv:
        payload = decrypt(keys, message.boots, message.time, message.priv_params, payload)
        _check_decrypted(payload, keys)
    scoped = decode_scoped_pdu(payload)
    demanded = keys.level if minimum_level is None else minimum_level
    if message.level < demanded and scoped.pdu.type != REPORT:
        raise AuthenticationError(
            f"the message is {message.level.name}, the user demands {demanded.name}"
        )
    return scoped


def decode_scoped_pdu(data: bytes) -> ScopedPdu:
    """Decode a scoped PDU in clear text; padding may follow it.

    Raises:
        WireError: It is not one.
    """
    engine_id, name, position, end = _decode_scope(data)
    return ScopedPdu(engine_id, name, decode_pdu(data, position, end))


def encode_scoped_pdu(context_engine_id: bytes, context_name: bytes, pdu: bytes) -> bytes:
    """Encode a scoped PDU around an encoded PDU."""
    return encode_tlv(
        SEQUENCE,
        encode_tlv(OCTET_STRING, context_engine_id) + encode_tlv(OCTET_STRING, context_name) + pdu,
    )


def encode_v3_message(
    scoped_pdu: bytes,
    keys: UserKeys,
    *,
    msg_id: int,
    boots: int,
    time: int,
    reportable: bool,
    level: SecurityLevel | None = None,
    salt: int | None = None,
    max_size: int = MAX_MESSAGE_BYTES,
) -> bytes:
    """Encode a message around an encoded scoped PDU, encrypted and signed as the level says.

    Args:
        scoped_pdu: What ``encode_scoped_pdu`` gave.
        keys: The user at the authoritative engine; ``UserKeys()`` asks for its engine id.
        msg_id: 0 to 2**31 - 1.
        boots: The authoritative engine's boots.
        time: The authoritative engine's time.
        reportable: Whether the receiver shall answer with a report if it cannot accept the message:
            true for requests and informs alone.
        level: The protection; without it, the most that the keys can give.
        salt: At level authPriv, a number not used before with these keys; see ``encrypt``.
        max_size: The longest message that the sender can receive.

    Raises:
        ValueError: The keys do not suffice for the level, or there is no salt for authPriv.
    """
    if level is None:
        level = keys.level
    if level > keys.level:
        raise ValueError(f"the keys of user {keys.user_name!r} do not suffice for {level.name}")
    payload, priv_params = scoped_pdu, b""
    if level == SecurityLevel.authPriv:
        if salt is None:
            raise ValueError("a message at level authPriv needs a salt")
        ciphertext, priv_params = encrypt(keys, boots, time, salt, scoped_pdu)
        payload = encode_tlv(OCTET_STRING, ciphertext)
    flags = level | (_REPORTABLE if reportable else 0)
    global_data = (
        encode_integer(msg_id)
        + encode_integer(max_size)
        + encode_tlv(OCTET_STRING, bytes((flags,)))
        + encode_integer(_USM)
    )
    outside = encode_integer(Version.V3) + encode_tlv(SEQUENCE, global_data)
    return _encode_signed(outside, keys, level, boots, time, priv_params, payload)


def _encode_signed(
    outside: bytes,
    keys: UserKeys,
    level: SecurityLevel,
    boots: int,
    time: int,
    priv_params: bytes,
    payload: bytes,
) -> bytes:
    """Put security parameters between header and payload; sign the whole if the level asks it."""
    digest_bytes = 0
    if level >= SecurityLevel.authNoPriv and keys.auth_protocol is not None:
        digest_bytes = digest_length(keys.auth_protocol)
    # Nothing but the privacy parameters and the payload follows the digest, so its place is known
    # from the end, whatever zeros stand before or behind it.
    after_digest = encode_tlv(OCTET_STRING, priv_params)
    parameters = (
        encode_tlv(OCTET_STRING, keys.engine_id)
        + encode_integer(boots)
        + encode_integer(time)
        + encode_tlv(OCTET_STRING, keys.user_name)
        + encode_tlv(OCTET_STRING, bytes(digest_bytes))
        + after_digest
    )
    security = encode_tlv(OCTET_STRING, encode_tlv(SEQUENCE, parameters))
    message = encode_tlv(SEQUENCE, outside + security + payload)
    if not digest_bytes:
        return message
    stop = len(message) - len(payload) - len(after_digest)
    return message[: stop - digest_bytes] + sign(keys, message) + message[stop:]


def _decode_global_data(data: bytes, position: int, end: int) -> tuple[int, int, int, int]:
    """Read msgGlobalData: message id, largest size, flags, and where it ends."""
    start, stop = expect(data, position, end, SEQUENCE, "the global data")
    msg_id, position = _read_unsigned(data, start, stop, "the message id")
    max_size, position = _read_unsigned(data, position, stop, "the largest message size")
    start, position = expect(data, position, stop, OCTET_STRING, "the flags")
    if position != start + 1:
        raise WireError(f"the flags are {position - start} bytes, expected 1")
    flags = data[start]
    if flags & _LEVEL_BITS == _PRIV_BIT:
        raise WireError("the flags say privacy without authentication")
    model, _ = read_integer(data, position, stop, "the security model")
    if model != _USM:
        raise WireError(f"security model {model} is not USM ({_USM})")
    return msg_id, max_size, flags, stop


def _decode_scope(data: bytes) -> tuple[bytes, bytes, int, int]:
    """Read what stands before the PDU; give it, where the PDU starts and where its frame ends."""
    start, end = expect(data, 0, len(data), SEQUENCE, "the scoped PDU")
    # Unlike the authoritative engine's, these names are kept nowhere: any length is harmless.
    start, stop = expect(data, start, end, OCTET_STRING, "the context engine id")
    name_start, position = expect(data, stop, end, OCTET_STRING, "the context name")
    return data[start:stop], data[name_start:position], position, end


def _check_decrypted(payload: bytes, keys: UserKeys) -> None:
    """Tell a wrong key, which gives noise, from an agent that encodes a PDU wrongly."""
    try:
        _decode_scope(payload)
    except WireError as error:
        raise DecryptionError(
            f"the message of user {keys.user_name!r} decrypts to noise: wrong privacy password "
            "or protocol"
        ) from error


def verify_v3_message(message: V3Message, keys: UserKeys) -> None:
    """Compute the digest over the message with zeros in its place (RFC 3414 s6.3.2, s7.3.2).

    Raises:
        AuthenticationError: It is not that of the message.
    """
    if keys.auth_protocol is None:
        raise AuthenticationError(f"user {keys.user_name!r} has no authentication key")
    if message.user_name != keys.user_name:
        raise AuthenticationError(
            f"the message is from user {message.user_name!r}, expected {keys.user_name!r}"
        )
    if message.engine_id != keys.engine_id:
        raise AuthenticationError(
            f"the message names engine {message.engine_id.hex()}, the keys are for "
            f"{keys.engine_id.hex()}"
        )
    length = digest_length(keys.auth_protocol)
    if len(message.auth_params) != length:
        raise AuthenticationError(
            f"the digest is {len(message.auth_params)} bytes, {keys.auth_protocol} has {length}"
        )
    start = message.auth_params_at
    unsigned = message.data[:start] + bytes(length) + message.data[start + length :]
    if not hmac.compare_digest(sign(keys, unsigned), message.auth_params):
        raise AuthenticationError(
            f"the digest of user {keys.user_name!r} is wrong: wrong authentication password or "
            "protocol"
        )


def _read_unsigned(data: bytes, position: int, end: int, what: str) -> tuple[int, int]:
    value, stop = read_integer(data, position, end, what)
    if not 0 <= value <= _MAX_UNSIGNED:
        raise WireError(f"{what} is {value}, which is not within 0 and {_MAX_UNSIGNED}")
    return value, stop


def _read_octets(data: bytes, position: int, end: int, what: str, most: int) -> tuple[bytes, int]:
    start, stop = expect(data, position, end, OCTET_STRING, what)
    if stop - start > most:
        raise WireError(f"{what} is {stop - start} bytes, more than {most}")
    return data[start:stop], stop
