"""SNMPv3 messages: round trips, and every way in which one must not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import WireError
from exporters.wire import report_oids, tags
from exporters.wire.ber import encode_integer, encode_oid, encode_tlv
from exporters.wire.report_oids import report_name
from exporters.wire.snmp_message import Pdu, encode_names, encode_pdu, encode_varbinds
from exporters.wire.usm import (
    AuthenticationError,
    AuthProtocol,
    DecryptionError,
    PrivProtocol,
    ScopedPdu,
    SecurityLevel,
    UserKeys,
    UsmUser,
    V3Message,
    decode_scoped_pdu,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
    open_v3_message,
)
from exporters.wire.usm_crypto import digest_length, sign

ENGINE = bytes.fromhex("80001f880477697265")
SYS_UP_TIME = encode_oid("1.3.6.1.2.1.1.3.0")
VARBINDS = [(SYS_UP_TIME, tags.TIME_TICKS, b"\x01\xe2\x40")]
SCOPED = ScopedPdu(ENGINE, b"vrf-1", Pdu(tags.RESPONSE, 77, 0, 0, VARBINDS))

PLAIN = UserKeys(b"operator", ENGINE)
AUTH = localize(UsmUser("operator", AuthProtocol.SHA256, "auth password"), ENGINE)
PRIV = localize(
    UsmUser("operator", AuthProtocol.SHA256, "auth password", PrivProtocol.AES, "priv password"),
    ENGINE,
)
LEVELS = pytest.mark.parametrize("keys", [PLAIN, AUTH, PRIV], ids=lambda keys: keys.level.name)


def scoped_pdu(pdu_type: int = tags.RESPONSE) -> bytes:
    pdu = encode_pdu(pdu_type, 77, 0, 0, encode_varbinds(VARBINDS))
    return encode_scoped_pdu(ENGINE, b"vrf-1", pdu)


def encode(
    keys: UserKeys, level: SecurityLevel | None = None, pdu_type: int = tags.RESPONSE
) -> bytes:
    return encode_v3_message(
        scoped_pdu(pdu_type),
        keys,
        msg_id=5,
        boots=3,
        time=1000,
        reportable=True,
        level=level,
        salt=9,
    )


def by_hand(
    *,
    version: int = 3,
    global_data: bytes | None = None,
    msg_id: int = 5,
    max_size: int = 65507,
    flags: bytes = b"\x04",
    model: int = 3,
    engine_id: bytes = ENGINE,
    boots: int = 3,
    time: int = 1000,
    user_name: bytes = b"operator",
    auth_params: bytes = b"",
    priv_params: bytes = b"",
    payload: bytes | None = None,
) -> bytes:
    """A message of any content, made without the encoder."""

    def octets(content: bytes) -> bytes:
        return encode_tlv(tags.OCTET_STRING, content)

    if global_data is None:
        global_data = (
            encode_integer(msg_id)
            + encode_integer(max_size)
            + octets(flags)
            + encode_integer(model)
        )
    parameters = (
        octets(engine_id)
        + encode_integer(boots)
        + encode_integer(time)
        + octets(user_name)
        + octets(auth_params)
        + octets(priv_params)
    )
    return encode_tlv(
        tags.SEQUENCE,
        encode_integer(version)
        + encode_tlv(tags.SEQUENCE, global_data)
        + octets(encode_tlv(tags.SEQUENCE, parameters))
        + (scoped_pdu() if payload is None else payload),
    )


# Round trips


@LEVELS
def test_message_opens_to_what_was_put_in(keys: UserKeys) -> None:
    message = decode_v3_message(encode(keys))
    assert open_v3_message(message, keys) == SCOPED
    assert (message.msg_id, message.max_size, message.reportable) == (5, 65507, True)
    assert (message.engine_id, message.boots, message.time) == (ENGINE, 3, 1000)
    assert (message.user_name, message.level) == (b"operator", keys.level)


@pytest.mark.parametrize("priv", [None, *PrivProtocol])
@pytest.mark.parametrize("auth", AuthProtocol)
def test_every_pair_of_protocols_works_together(
    auth: AuthProtocol, priv: PrivProtocol | None
) -> None:
    user = UsmUser("operator", auth, "auth password", priv, "priv password" if priv else "")
    keys = localize(user, ENGINE)
    message = decode_v3_message(encode(keys))
    assert open_v3_message(message, keys) == SCOPED
    assert len(message.auth_params) == digest_length(auth)


@given(
    engine_id=st.one_of(st.binary(max_size=32), st.integers(0, 32).map(bytes)),
    name=st.binary(max_size=32),
    numbers=st.tuples(*[st.integers(0, 2**31 - 1)] * 4),
    context=st.tuples(st.binary(max_size=40), st.binary(max_size=40)),
    salt=st.integers(0, 2**64 - 1),
    level=st.sampled_from(SecurityLevel),
    reportable=st.booleans(),
)
def test_message_of_any_content_round_trips(
    engine_id: bytes,
    name: bytes,
    numbers: tuple[int, int, int, int],
    context: tuple[bytes, bytes],
    salt: int,
    level: SecurityLevel,
    reportable: bool,
) -> None:
    keys = replace(PRIV, user_name=name, engine_id=engine_id)
    msg_id, max_size, boots, time = numbers
    pdu = encode_pdu(tags.GET_REQUEST, 1, 0, 0, encode_names([SYS_UP_TIME]))
    data = encode_v3_message(
        encode_scoped_pdu(*context, pdu),
        keys,
        msg_id=msg_id,
        boots=boots,
        time=time,
        reportable=reportable,
        level=level,
        salt=salt,
        max_size=max_size,
    )
    message = decode_v3_message(data + b"padding")
    assert (message.msg_id, message.max_size, message.boots, message.time) == numbers
    assert (message.level, message.reportable) == (level, reportable)
    assert (message.engine_id, message.user_name, message.data) == (engine_id, name, data)
    opened = open_v3_message(message, keys, minimum_level=level)
    assert (opened.context_engine_id, opened.context_name) == context


def test_hand_made_message_is_what_the_encoder_makes() -> None:
    assert by_hand() == encode(PLAIN)


def test_discovery_asks_an_unknown_engine_as_nobody() -> None:
    data = encode_v3_message(
        encode_scoped_pdu(b"", b"", encode_pdu(tags.GET_REQUEST, 77, 0, 0, encode_names([]))),
        UserKeys(),
        msg_id=5,
        boots=0,
        time=0,
        reportable=True,
    )
    message = decode_v3_message(data)
    assert (message.engine_id, message.user_name, message.boots) == (b"", b"", 0)
    assert (message.level, message.reportable) == (SecurityLevel.noAuthNoPriv, True)


@pytest.mark.parametrize("zeros", [12, 16, 24, 32])
def test_digest_finds_its_place_among_zeros(zeros: int) -> None:
    for auth in AuthProtocol:
        keys = localize(UsmUser("\0" * 32, auth, "auth password"), bytes(zeros))
        data = encode(keys)
        message = decode_v3_message(data)
        at = message.auth_params_at
        assert message.engine_id == bytes(zeros)
        assert data[at : at + digest_length(auth)] == message.auth_params != bytes(12)
        assert open_v3_message(message, keys) == SCOPED


# Reading the outside


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"version": 1}, r"version 1 is not SNMPv3 \(3\)"),
        ({"model": 2}, r"security model 2 is not USM \(3\)"),
        ({"flags": b""}, "the flags are 0 bytes, expected 1"),
        ({"flags": b"\x04\x00"}, "the flags are 2 bytes, expected 1"),
        ({"flags": b"\x02"}, "the flags say privacy without authentication"),
        ({"msg_id": -1}, "the message id is -1, which is not within 0 and 2147483647"),
        ({"msg_id": 2**31}, "the message id is 2147483648"),
        ({"max_size": -1}, "the largest message size is -1"),
        ({"boots": 2**31}, "the engine boots is 2147483648"),
        ({"time": -5}, "the engine time is -5"),
        ({"engine_id": bytes(33)}, "the engine id is 33 bytes, more than 32"),
        ({"user_name": bytes(33)}, "the user name is 33 bytes, more than 32"),
        ({"global_data": b""}, "cut off"),
        ({"payload": b""}, "cut off"),
        ({"payload": b"\x04\x00"}, "the scoped PDU at byte .* has tag 0x04, expected 0x30"),
        ({"flags": b"\x03"}, "the scoped PDU at byte .* has tag 0x30, expected 0x04"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_message_beyond_the_rfcs_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(WireError, match=message):
        decode_v3_message(by_hand(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("engine_id", [b"", b"\x80", bytes(4), bytes(32)], ids=len)
def test_engine_id_of_any_length_up_to_32_is_read(engine_id: bytes) -> None:
    assert decode_v3_message(by_hand(engine_id=engine_id)).engine_id == engine_id


def test_reserved_flags_are_ignored() -> None:
    message = decode_v3_message(by_hand(flags=b"\xf8"))
    assert (message.level, message.reportable) == (SecurityLevel.noAuthNoPriv, False)


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x00", b"\x30\x03\x02\x01\x03"])
def test_what_is_hardly_a_message_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_v3_message(data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_message_or_a_wire_error(data: bytes) -> None:
    for decode in (decode_v3_message, decode_scoped_pdu):
        try:
            decode(data)
        except WireError:
            continue


@given(st.binary(max_size=100), st.binary(max_size=20), st.binary(max_size=60))
def test_arbitrary_security_fields_open_or_are_a_wire_error(
    payload: bytes, priv_params: bytes, auth_params: bytes
) -> None:
    message = replace(
        decode_v3_message(encode(PRIV)),
        payload=payload,
        priv_params=priv_params,
        auth_params=auth_params,
    )
    with pytest.raises(WireError):
        open_v3_message(message, PRIV)


@given(st.binary(max_size=100), st.sampled_from([bytes(8), bytes(7), b""]))
def test_noise_under_a_right_digest_opens_or_is_a_wire_error(
    ciphertext: bytes, priv_params: bytes
) -> None:
    data = by_hand(
        flags=b"\x03",
        auth_params=bytes(24),
        priv_params=priv_params,
        payload=encode_tlv(tags.OCTET_STRING, ciphertext),
    )
    message = replace(decode_v3_message(data), auth_params=sign(PRIV, data))
    with pytest.raises(DecryptionError):
        open_v3_message(message, PRIV)


# Authentication


@pytest.mark.parametrize("keys", [AUTH, PRIV], ids=lambda keys: keys.level.name)
@pytest.mark.parametrize("length", [0, 1, 11, 12, 23, 25, 48])
def test_digest_of_another_length_never_passes(keys: UserKeys, length: int) -> None:
    whole = decode_v3_message(encode(keys))
    digest = (whole.auth_params * 2)[:length]
    data = by_hand(
        flags=bytes((keys.level,)),
        auth_params=digest,
        priv_params=whole.priv_params,
        payload=None if keys is AUTH else encode_tlv(tags.OCTET_STRING, whole.payload),
    )
    with pytest.raises(AuthenticationError, match=f"the digest is {length} bytes, SHA256 has 24"):
        open_v3_message(decode_v3_message(data), keys)


@pytest.mark.parametrize("auth", AuthProtocol)
@pytest.mark.parametrize("digest", [b"\x00", b"\xff"], ids=["zeros", "ones"])
def test_constant_digest_never_passes(auth: AuthProtocol, digest: bytes) -> None:
    keys = localize(UsmUser("operator", auth, "auth password"), ENGINE)
    data = by_hand(flags=b"\x01", auth_params=digest * digest_length(auth))
    with pytest.raises(AuthenticationError, match="the digest of user b'operator' is wrong"):
        open_v3_message(decode_v3_message(data), keys)


def test_wrong_password_is_an_authentication_error() -> None:
    other = localize(UsmUser("operator", AuthProtocol.SHA256, "another password"), ENGINE)
    with pytest.raises(AuthenticationError, match="wrong authentication password or protocol"):
        open_v3_message(decode_v3_message(encode(AUTH)), other)


def test_keys_of_another_user_or_engine_are_refused_even_where_the_passwords_agree() -> None:
    message = decode_v3_message(encode(AUTH))
    with pytest.raises(AuthenticationError, match="from user b'operator', expected b'guest'"):
        open_v3_message(message, replace(AUTH, user_name=b"guest"))
    with pytest.raises(AuthenticationError, match="names engine 80001f880477697265, the keys are"):
        open_v3_message(message, replace(AUTH, engine_id=b"\x80other"))


def test_signed_message_needs_an_authentication_key() -> None:
    with pytest.raises(AuthenticationError, match="has no authentication key"):
        open_v3_message(decode_v3_message(encode(AUTH)), PLAIN)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (SecurityLevel.noAuthNoPriv, AUTH),
        (SecurityLevel.noAuthNoPriv, PRIV),
        (SecurityLevel.authNoPriv, PRIV),
    ],
)
def test_message_below_the_users_level_is_refused(sent: SecurityLevel, keys: UserKeys) -> None:
    message = decode_v3_message(encode(keys, sent))
    with pytest.raises(AuthenticationError, match=f"is {sent.name}, the user demands"):
        open_v3_message(message, keys)
    assert open_v3_message(message, keys, minimum_level=sent) == SCOPED


def test_level_demanded_may_be_more_than_the_keys_can_give() -> None:
    with pytest.raises(AuthenticationError, match="is authNoPriv, the user demands authPriv"):
        open_v3_message(decode_v3_message(encode(AUTH)), AUTH, minimum_level=SecurityLevel.authPriv)


def test_report_passes_below_the_users_level() -> None:
    for level in SecurityLevel:
        report = decode_v3_message(encode(PRIV, level, tags.REPORT))
        assert open_v3_message(report, PRIV).pdu.type == tags.REPORT


def test_signed_report_is_verified_all_the_same() -> None:
    report = decode_v3_message(encode(AUTH, pdu_type=tags.REPORT))
    with pytest.raises(AuthenticationError, match="is wrong"):
        open_v3_message(replace(report, auth_params=bytes(24)), AUTH)


# Privacy


def test_wrong_privacy_password_is_a_decryption_error() -> None:
    for priv in PrivProtocol:
        user = UsmUser("operator", AuthProtocol.SHA, "auth password", priv, "priv password")
        keys = localize(user, ENGINE)
        message = decode_v3_message(encode(keys))
        other = localize(replace(user, priv_password="another password"), ENGINE)
        with pytest.raises(DecryptionError, match="wrong privacy password or protocol"):
            open_v3_message(message, other)


def test_pdu_that_the_sender_encoded_wrongly_is_not_taken_for_a_wrong_password() -> None:
    pdu = encode_pdu(tags.RESPONSE, 1, 0, 0, b"\x30\x02\x30\x01")
    data = encode_v3_message(
        encode_scoped_pdu(ENGINE, b"", pdu),
        PRIV,
        msg_id=1,
        boots=1,
        time=1,
        reportable=False,
        salt=1,
    )
    with pytest.raises(WireError) as caught:
        open_v3_message(decode_v3_message(data), PRIV)
    assert not isinstance(caught.value, DecryptionError)


def test_encrypted_message_needs_a_privacy_key() -> None:
    message = decode_v3_message(encode(PRIV))
    with pytest.raises(DecryptionError, match="has no privacy key"):
        open_v3_message(message, AUTH)


def test_ciphertext_shows_nothing_of_the_pdu() -> None:
    assert SYS_UP_TIME in encode(AUTH)
    assert SYS_UP_TIME not in encode(PRIV)


# Encoding


def test_level_beyond_the_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="keys of user b'operator' do not suffice for authPriv"):
        encode(AUTH, SecurityLevel.authPriv)
    with pytest.raises(ValueError, match="do not suffice for authNoPriv"):
        encode(PLAIN, SecurityLevel.authNoPriv)


def test_encryption_without_a_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a salt"):
        encode_v3_message(scoped_pdu(), PRIV, msg_id=1, boots=1, time=1, reportable=False)


def test_payload_and_message_stay_out_of_the_repr() -> None:
    message: V3Message = decode_v3_message(encode(PLAIN))
    assert repr(message.payload) not in repr(message)
    assert "vrf-1" not in repr(message)


# Scoped PDUs and reports


def test_scoped_pdu_may_be_followed_by_padding() -> None:
    assert decode_scoped_pdu(scoped_pdu() + bytes(8)) == SCOPED


def test_report_counters_are_named_as_in_the_mibs() -> None:
    assert report_name(report_oids.USM_NOT_IN_TIME_WINDOWS) == "usmStatsNotInTimeWindows"
    assert report_name(SYS_UP_TIME) == "1.3.6.1.2.1.1.3.0"
    assert len(report_oids.REPORT_NAMES) == 11
