"""SNMPv3 from the agent's side: which message gets which Report, and which an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from exporters.demo.engine import Engine
from exporters.demo.mib_view import MibView
from exporters.demo.responder import Responder
from exporters.demo.snmprec import read_recording
from exporters.errors import WireError
from exporters.wire import report_oids
from exporters.wire.ber import Oid, encode_oid
from exporters.wire.snmp_message import ErrorStatus, encode_names, encode_pdu
from exporters.wire.tags import GET_BULK_REQUEST, GET_REQUEST, REPORT, RESPONSE
from exporters.wire.usm import (
    MAX_BOOTS,
    AuthProtocol,
    PrivProtocol,
    ScopedPdu,
    SecurityLevel,
    UserKeys,
    UsmUser,
    V3Message,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
    open_v3_message,
)

from .asking import REQUEST_ID

ENGINE_ID = bytes.fromhex("80001f8804aabb")
SYS_NAME = "1.3.6.1.2.1.1.5.0"
PLAIN = UsmUser("plain")
SIGNER = UsmUser("signer", AuthProtocol.SHA256, "auth password")
SECRET = UsmUser("secret", AuthProtocol.SHA, "auth password", PrivProtocol.AES, "priv password")
USERS = {user.name: user for user in (PLAIN, SIGNER, SECRET)}
NO_AUTH = SecurityLevel.noAuthNoPriv


@pytest.fixture
def engine(clock: Callable[[], float]) -> Engine:
    contexts = {
        name: Responder(MibView(read_recording([f"{SYS_NAME}|4|{text}".encode()])))
        for name, text in ((b"", "one"), (b"vlan-2", "two"))
    }
    return Engine(ENGINE_ID, USERS.values(), contexts, boots=5, most_bytes=1472, clock=clock)


def request(
    keys: UserKeys,
    *,
    boots: int = 5,
    time: int = 0,
    level: SecurityLevel | None = None,
    context: bytes = b"",
    context_engine_id: bytes = ENGINE_ID,
    reportable: bool = True,
    pdu_type: int = GET_REQUEST,
    repetitions: int = 0,
    max_size: int = 65507,
) -> bytes:
    pdu = encode_pdu(pdu_type, REQUEST_ID, 0, repetitions, encode_names([encode_oid(SYS_NAME)]))
    return encode_v3_message(
        encode_scoped_pdu(context_engine_id, context, pdu),
        keys,
        msg_id=4242,
        boots=boots,
        time=time,
        reportable=reportable,
        level=level,
        salt=1,
        max_size=max_size,
    )


def keys_of(name: str) -> UserKeys:
    return localize(USERS[name], ENGINE_ID)


def read(data: bytes | None, keys: UserKeys) -> tuple[V3Message, ScopedPdu]:
    assert data is not None, "the engine did not answer"
    message = decode_v3_message(data)
    assert message.msg_id == 4242
    assert message.engine_id == ENGINE_ID
    return message, open_v3_message(message, keys, minimum_level=NO_AUTH)


def read_report(data: bytes | None, keys: UserKeys) -> tuple[V3Message, Oid]:
    message, scoped = read(data, keys)
    assert scoped.pdu.type == REPORT
    assert not message.reportable
    return message, scoped.pdu.varbinds[0][0]


@pytest.mark.parametrize("name", USERS)
def test_user_is_answered_at_its_level_and_the_answer_is_as_protected(
    engine: Engine, name: str
) -> None:
    message, scoped = read(engine.answer(request(keys_of(name))), keys_of(name))
    assert message.level == USERS[name].level
    assert (message.boots, message.time) == (5, 0)
    assert (scoped.pdu.type, scoped.pdu.request_id) == (RESPONSE, REQUEST_ID)
    assert [content for _, _, content in scoped.pdu.varbinds] == [b"one"]


def test_discovery_is_told_the_engine_id_boots_and_time(
    engine: Engine, seconds: list[float]
) -> None:
    seconds[0] += 33
    message, oid = read_report(engine.answer(request(UserKeys(), boots=0)), UserKeys())
    assert oid == report_oids.USM_UNKNOWN_ENGINE_IDS
    assert (message.boots, message.time, message.level) == (5, 33, NO_AUTH)


@pytest.mark.parametrize(
    ("keys", "report"),
    [
        pytest.param(
            lambda: localize(SECRET, b"another engine"),
            report_oids.USM_UNKNOWN_ENGINE_IDS,
            id="another engine",
        ),
        pytest.param(
            lambda: localize(replace(SIGNER, name="eve"), ENGINE_ID),
            report_oids.USM_UNKNOWN_USER_NAMES,
            id="unknown user",
        ),
        pytest.param(
            lambda: localize(replace(SIGNER, name="plain"), ENGINE_ID),
            report_oids.USM_UNSUPPORTED_SEC_LEVELS,
            id="more than the user has keys for",
        ),
        pytest.param(
            lambda: localize(replace(SIGNER, auth_password="a wrong one"), ENGINE_ID),
            report_oids.USM_WRONG_DIGESTS,
            id="wrong authentication password",
        ),
        pytest.param(
            lambda: localize(replace(SIGNER, auth_protocol=AuthProtocol.MD5), ENGINE_ID),
            report_oids.USM_WRONG_DIGESTS,
            id="wrong authentication protocol",
        ),
        pytest.param(
            lambda: localize(replace(SECRET, priv_password="a wrong one"), ENGINE_ID),
            report_oids.USM_DECRYPTION_ERRORS,
            id="wrong privacy password",
        ),
    ],
)
def test_message_that_fails_is_reported_without_protection_and_counted(
    engine: Engine, keys: Callable[[], UserKeys], report: Oid
) -> None:
    for count in (1, 2):
        data = engine.answer(request(keys()))
        message, oid = read_report(data, UserKeys())
        assert (oid, message.level) == (report, NO_AUTH)
        assert engine.reports[report] == count


@pytest.mark.parametrize(
    ("boots", "time", "inside"),
    [
        pytest.param(5, 1000, True, id="right"),
        pytest.param(5, 1150, True, id="150 seconds ahead"),
        pytest.param(5, 850, True, id="150 seconds behind"),
        pytest.param(5, 1151, False, id="151 seconds ahead"),
        pytest.param(5, 849, False, id="151 seconds behind"),
        pytest.param(4, 1000, False, id="of an earlier boot"),
        pytest.param(6, 1000, False, id="of a later boot"),
    ],
)
def test_signed_message_must_lie_in_the_time_window(
    engine: Engine, seconds: list[float], boots: int, time: int, *, inside: bool
) -> None:
    seconds[0] += 1000
    keys = keys_of("secret")
    message, scoped = read(engine.answer(request(keys, boots=boots, time=time)), keys)
    assert (scoped.pdu.type == RESPONSE) == inside
    if not inside:
        assert scoped.pdu.varbinds[0][0] == report_oids.USM_NOT_IN_TIME_WINDOWS
        # signed, so that the client may believe the clock that it tells
        assert (message.level, message.boots, message.time) == (
            SecurityLevel.authNoPriv,
            5,
            1000,
        )


def test_time_is_checked_before_decryption(engine: Engine) -> None:
    keys = localize(replace(SECRET, priv_password="a wrong one"), ENGINE_ID)
    _, oid = read_report(engine.answer(request(keys, boots=1)), keys)
    assert oid == report_oids.USM_NOT_IN_TIME_WINDOWS


def test_unsigned_message_has_no_time_window(engine: Engine) -> None:
    _, scoped = read(engine.answer(request(keys_of("plain"), boots=1, time=9)), keys_of("plain"))
    assert scoped.pdu.type == RESPONSE


def test_restart_moves_the_window(engine: Engine, seconds: list[float]) -> None:
    seconds[0] += 50
    engine.restart()
    keys = keys_of("signer")
    message, oid = read_report(engine.answer(request(keys, boots=5, time=50)), keys)
    assert oid == report_oids.USM_NOT_IN_TIME_WINDOWS
    assert (message.boots, message.time) == (6, 0)
    _, scoped = read(engine.answer(request(keys, boots=6, time=0)), keys)
    assert scoped.pdu.type == RESPONSE


def test_engine_whose_boots_are_stuck_lets_nothing_into_its_window(engine: Engine) -> None:
    engine.boots = MAX_BOOTS
    keys = keys_of("signer")
    _, oid = read_report(engine.answer(request(keys, boots=MAX_BOOTS)), keys)
    assert oid == report_oids.USM_NOT_IN_TIME_WINDOWS


def test_context_selects_the_recording(engine: Engine) -> None:
    keys = keys_of("secret")
    _, scoped = read(engine.answer(request(keys, context=b"vlan-2")), keys)
    assert [content for _, _, content in scoped.pdu.varbinds] == [b"two"]
    assert (scoped.context_name, scoped.context_engine_id) == (b"vlan-2", ENGINE_ID)


@pytest.mark.parametrize(
    ("context", "context_engine_id", "report"),
    [
        pytest.param(b"vlan-9", ENGINE_ID, report_oids.SNMP_UNKNOWN_CONTEXTS, id="context"),
        pytest.param(b"", b"other", report_oids.SNMP_UNKNOWN_PDU_HANDLERS, id="context engine"),
    ],
)
def test_unknown_scope_is_reported_signed(
    engine: Engine, context: bytes, context_engine_id: bytes, report: Oid
) -> None:
    keys = keys_of("secret")
    data = engine.answer(request(keys, context=context, context_engine_id=context_engine_id))
    message, oid = read_report(data, keys)
    assert (oid, message.level) == (report, SecurityLevel.authNoPriv)


@pytest.mark.parametrize("level", [NO_AUTH, SecurityLevel.authNoPriv])
def test_user_below_its_level_is_not_authorised(engine: Engine, level: SecurityLevel) -> None:
    keys = keys_of("secret")
    message, scoped = read(engine.answer(request(keys, level=level)), keys)
    assert message.level == level
    assert scoped.pdu.error_status == ErrorStatus.authorizationError


def test_nothing_is_reported_about_a_message_that_does_not_want_it(engine: Engine) -> None:
    assert engine.answer(request(UserKeys(), reportable=False)) is None
    assert engine.reports[report_oids.USM_UNKNOWN_ENGINE_IDS] == 1


@pytest.mark.parametrize("name", USERS)
def test_answer_is_no_longer_than_the_client_can_receive(
    name: str, clock: Callable[[], float]
) -> None:
    lines = [f"1.3.6.1.2.1.1.9.1.3.{n}|4|{'x' * 20}".encode() for n in range(500)]
    contexts = {b"": Responder(MibView(read_recording(lines)))}
    engine = Engine(ENGINE_ID, USERS.values(), contexts, boots=5, most_bytes=1472, clock=clock)
    for max_size in (484, 1000, 65507):
        keys = keys_of(name)
        asked = request(keys, pdu_type=GET_BULK_REQUEST, repetitions=500, max_size=max_size)
        data = engine.answer(asked)
        _, scoped = read(data, keys)
        assert data is not None
        assert len(data) <= min(max_size, 1472)
        assert len(data) > min(max_size, 1472) - 200
        assert scoped.pdu.error_status == ErrorStatus.noError


@pytest.mark.parametrize("engine_id", [b"", b"abcd", b"x" * 33])
def test_engine_id_of_a_wrong_length_is_refused(
    engine_id: bytes, clock: Callable[[], float]
) -> None:
    with pytest.raises(ValueError, match="5 to 32 bytes"):
        Engine(engine_id, (), {}, boots=1, most_bytes=1472, clock=clock)


def test_cut_message_is_a_wire_error_or_dropped(engine: Engine) -> None:
    whole = request(keys_of("secret"))
    for end in range(len(whole)):
        with pytest.raises(WireError):
            engine.answer(whole[:end])


def test_flipped_bits_never_get_an_answer(engine: Engine) -> None:
    keys = keys_of("secret")
    whole = request(keys)
    for bit in range(len(whole) * 8):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        try:
            answer = engine.answer(bytes(data))
        except WireError:
            continue
        if answer is not None:
            message = decode_v3_message(answer)
            scoped = open_v3_message(message, keys, minimum_level=NO_AUTH)
            assert scoped.pdu.type == REPORT
