"""SNMPv3: users, levels, engines, replays, discovery, and the answers to informs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.trap.security import TrapUser
from exporters.wire.report_oids import (
    USM_NOT_IN_TIME_WINDOWS,
    USM_UNKNOWN_ENGINE_IDS,
    USM_UNKNOWN_USER_NAMES,
    USM_UNSUPPORTED_SEC_LEVELS,
    USM_WRONG_DIGESTS,
)
from exporters.wire.snmp_message import Pdu
from exporters.wire.snmp_trap import SNMP_TRAP_OID
from exporters.wire.tags import INFORM_REQUEST, OCTET_STRING, REPORT, RESPONSE
from exporters.wire.usm import (
    MAX_BOOTS,
    AuthProtocol,
    PrivProtocol,
    SecurityLevel,
    UserKeys,
    UsmUser,
    decode_scoped_pdu,
    decode_v3_message,
    localize,
    open_v3_message,
)

from .conftest import (
    DEVICE,
    OUR_ENGINE,
    PLAIN_USER,
    STRANGER,
    THEIR_ENGINE,
    USER,
    Clock,
    Station,
    head,
    make_station,
    message_v3,
    varbind,
)

NO_AUTH, AUTH, PRIV = SecurityLevel.noAuthNoPriv, SecurityLevel.authNoPriv, SecurityLevel.authPriv
PROTOCOLS = [
    (auth, priv)
    for auth in (None, *AuthProtocol)
    for priv in ((None,) if auth is None else (None, *PrivProtocol))
]


def report_of(station: Station) -> bytes:
    """The counter that the only answer tells, which must be a report of our engine."""
    (answer,) = station.line.answers
    message = decode_v3_message(answer)
    assert message.engine_id == OUR_ENGINE
    assert not message.reportable
    pdu = decode_scoped_pdu(message.payload).pdu
    assert pdu.type == REPORT
    return pdu.varbinds[0][0]


# --- traps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("auth", "priv"), PROTOCOLS)
def test_trap_of_every_protocol_is_taken(
    auth: AuthProtocol | None, priv: PrivProtocol | None
) -> None:
    user = UsmUser(
        "someone",
        auth,
        "authentic1" if auth else "",
        priv,
        "private123" if priv else "",
    )
    station = make_station(users=(TrapUser(user, user.level),))
    assert station.take(message_v3(user=user)) == ["accepted"]
    assert station.last["version"] == "3"


@pytest.mark.parametrize(
    ("packet", "outcome"),
    [
        pytest.param(message_v3(user=UsmUser("who")), "unknown_user", id="unknown user"),
        pytest.param(message_v3(level=NO_AUTH), "level_too_low", id="noAuth of an authPriv user"),
        pytest.param(message_v3(level=AUTH), "level_too_low", id="auth of an authPriv user"),
        pytest.param(
            message_v3(user=UsmUser("nms", AuthProtocol.SHA, "wrongwrong", PrivProtocol.AES, "x")),
            "wrong_digest",
            id="wrong password",
        ),
        pytest.param(
            message_v3(
                user=UsmUser("nms", AuthProtocol.SHA, "authentic1", PrivProtocol.AES, "wrong")
            ),
            "decrypt_error",
            id="wrong privacy password",
        ),
        pytest.param(message_v3(engine=b"\x80\x00\x00\x01"), "unknown_engine", id="4 octets"),
        pytest.param(message_v3(engine=bytes(33)), "ber_error", id="33 octets"),
        pytest.param(message_v3(engine=b""), "unknown_engine", id="no engine id"),
        pytest.param(message_v3(boots=MAX_BOOTS), "time_window", id="boots at their end"),
        pytest.param(message_v3(pdu_type=RESPONSE), "unsupported_pdu", id="a response"),
        pytest.param(
            message_v3(user=PLAIN_USER, level=NO_AUTH), "accepted", id="user without passwords"
        ),
    ],
)
def test_message_of_version_3_has_one_outcome(
    station: Station, packet: bytes, outcome: str
) -> None:
    assert station.take(packet) == [outcome]


def test_privacy_without_authentication_is_no_message(station: Station) -> None:
    packet = bytearray(message_v3())
    flags_at = packet.index(bytes((OCTET_STRING, 1, PRIV))) + 2
    packet[flags_at] = 2
    assert station.take(bytes(packet)) == ["ber_error"]


def test_digest_that_is_cut_or_empty_is_wrong(station: Station) -> None:
    message = decode_v3_message(message_v3(user=USER))
    for length in (0, 11):
        data = bytearray(message.data)
        del data[message.auth_params_at + length : message.auth_params_at + 12]
        data[message.auth_params_at - 1] = length
        # The frames around the digest are shorter now: the security parameters, their sequence,
        # and the message.
        for place in _frames_around(message.data, message.auth_params_at):
            data[place] -= 12 - length
        assert station.take(bytes(data)) == ["wrong_digest"]


def _frames_around(data: bytes, at: int) -> list[int]:
    """Where the lengths stand of the frames that hold the byte at *at*, in either short form."""
    found = []
    position = 0
    while position < at - 2:
        tag, size = data[position], data[position + 1]
        start = position + 2
        if size == 0x81:
            size, start = data[position + 2], position + 3
        if start <= at - 2 < start + size and tag in (0x30, 0x04):
            found.append(start - 1)
            position = start
        else:
            position = start + size
    return found


def test_users_of_one_name_are_told_apart_by_their_passwords() -> None:
    old = UsmUser("nms", AuthProtocol.MD5, "oldpassword", PrivProtocol.DES, "oldprivacy")
    station = make_station(users=(TrapUser(old, PRIV), TrapUser(USER, PRIV)))
    assert station.take(message_v3(user=old), message_v3(user=USER, time=1001)) == ["accepted"] * 2


def test_one_user_on_two_engines_is_taken_from_both(station: Station) -> None:
    other = b"\x80\x00\x00\x00\x05other"
    assert station.take(message_v3(), message_v3(engine=other, boots=1, time=5)) == ["accepted"] * 2
    assert len(station.engines) == 2


def test_engines_beyond_the_limit_are_refused_and_known_ones_are_not() -> None:
    station = make_station(engines_limit=1)
    other = message_v3(engine=b"\x80\x00\x00\x00\x05other")
    assert station.take(message_v3(), other, message_v3(time=1001)) == [
        "accepted",
        "engine_table_full",
        "accepted",
    ]


def test_messages_that_prove_nothing_make_no_engine_known(station: Station) -> None:
    station.take(message_v3(user=PLAIN_USER, level=NO_AUTH))
    station.take(message_v3(user=UsmUser("nms", AuthProtocol.SHA, "w" * 8, PrivProtocol.AES, "w")))
    assert len(station.engines) == 0


def test_made_up_engines_cost_no_key_for_privacy(
    make: Callable[..., Station], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[UsmUser] = []

    def recorded(user: UsmUser, engine_id: bytes) -> UserKeys:
        made.append(user)
        return localize(user, engine_id)

    # Of the protocols whose keys take a megabyte of hashing for each engine.
    parts = ("nms", AuthProtocol.SHA, "authentic1", PrivProtocol.AES256C, "private123")
    station = make(users=(TrapUser(UsmUser(*parts), SecurityLevel.authPriv),))
    forger = UsmUser("nms", AuthProtocol.SHA, "w" * 8, PrivProtocol.AES, "private123")
    forged = [message_v3(user=forger, engine=b"\x80made up%d" % number) for number in range(9)]
    monkeypatch.setattr("exporters.trap.security.localize", recorded)
    monkeypatch.setattr("exporters.trap.engines.localize", recorded)
    assert station.take(*forged) == ["wrong_digest"] * 9
    assert [user.priv_protocol for user in made] == [None] * 9
    assert station.take(message_v3(user=UsmUser(*parts))) == ["accepted"]


# --- replays ----------------------------------------------------------------------------------


def test_trap_that_is_played_back_is_a_duplicate_first_and_too_old_later(station: Station) -> None:
    packet = message_v3()
    assert station.take(packet, packet) == ["accepted", "duplicate"]
    station.clock.pass_seconds(151)
    assert station.take(packet) == ["time_window"]


@pytest.mark.parametrize(
    ("boots", "time", "outcome"),
    [
        (3, 1000 - 151, "time_window"),
        (3, 1000 - 149, "accepted"),
        (2, 9999, "time_window"),
        (3, 1_000_000, "accepted"),
        (4, 0, "accepted"),
    ],
)
def test_trap_is_taken_within_the_window_alone(
    station: Station, boots: int, time: int, outcome: str
) -> None:
    station.take(message_v3(boots=3, time=1000))
    assert station.take(message_v3(boots=boots, time=time, msg_id=2)) == [outcome]


def test_trap_that_was_forgotten_for_others_is_not_taken_again(
    make: Callable[..., Station],
) -> None:
    station = make(replays=10)
    first = message_v3(boots=3, time=1000)
    station.take(first)
    for seconds in range(1, 21):
        station.clock.pass_seconds(1)
        later = message_v3(boots=3, time=1000 + seconds, msg_id=1 + seconds)
        assert station.take(later) == ["accepted"]
    late = message_v3(boots=3, time=1015, msg_id=99)
    assert station.take(first, late) == ["time_window", "accepted"]


def test_engine_id_that_two_addresses_have_is_told_of(station: Station) -> None:
    station.take(message_v3(boots=9, time=50))
    assert station.engines.conflicts() == []
    assert station.take(message_v3(boots=2, time=5000), peer=STRANGER) == ["time_window"]
    assert station.engines.conflicts() == [THEIR_ENGINE]
    station.clock.pass_seconds(3601)
    assert station.engines.conflicts() == []


def test_engine_that_is_forgotten_may_begin_anew(station: Station) -> None:
    station.take(message_v3(boots=9))
    assert station.engines.forget(THEIR_ENGINE)
    assert station.take(message_v3(boots=1, msg_id=2)) == ["accepted"]
    assert not station.engines.forget(b"never seen")


# --- informs ----------------------------------------------------------------------------------


def inform(clock: Clock, **parts: object) -> bytes:
    given = {"engine": OUR_ENGINE, "boots": 5, "time": int(clock.monotonic)} | parts
    return message_v3(*head(), pdu_type=INFORM_REQUEST, reportable=True, **given)  # type: ignore[arg-type]


def opened(answer: bytes, user: UsmUser = USER) -> Pdu:
    return open_v3_message(decode_v3_message(answer), localize(user, OUR_ENGINE)).pdu


def test_sender_of_informs_is_told_our_engine(station: Station) -> None:
    question = message_v3(
        user=UsmUser(""), engine=b"", boots=0, time=0, level=NO_AUTH, reportable=True, msg_id=77
    )
    assert station.take(question) == ["discovery"]
    assert report_of(station) == USM_UNKNOWN_ENGINE_IDS
    message = decode_v3_message(station.line.answers[0])
    assert (message.msg_id, message.boots, message.time) == (77, 5, 0)


def test_sender_that_has_our_id_alone_is_told_our_time_with_a_digest(station: Station) -> None:
    station.clock.pass_seconds(500)
    assert station.take(inform(station.clock, boots=0, time=0)) == ["discovery"]
    message = decode_v3_message(station.line.answers[0])
    assert (message.level, message.boots, message.time) == (AUTH, 5, 500)
    keys = localize(UsmUser("nms", AuthProtocol.SHA, "authentic1"), OUR_ENGINE)
    pdu = open_v3_message(message, keys).pdu
    assert pdu.varbinds[0][0] == USM_NOT_IN_TIME_WINDOWS


def test_inform_is_answered_at_its_level_and_counted_once(station: Station) -> None:
    first = inform(station.clock, msg_id=10)
    again = inform(station.clock, msg_id=11)  # net-snmp gives it another message id
    assert station.take(first, again) == ["accepted", "duplicate"]
    assert [decode_v3_message(answer).msg_id for answer in station.line.answers] == [10, 11]
    pdu = opened(station.line.answers[0])
    assert (pdu.type, pdu.request_id, pdu.error_status) == (RESPONSE, 99, 0)
    assert pdu.varbinds[1][0] == SNMP_TRAP_OID
    assert decode_v3_message(station.line.answers[0]).level == PRIV


def test_answer_that_is_too_long_for_the_sender_is_too_big(station: Station) -> None:
    long = varbind("1.3.6.1.2.1.1.1.0", OCTET_STRING, b"x" * 600)
    packet = message_v3(
        *head(), long, pdu_type=INFORM_REQUEST, reportable=True,
        engine=OUR_ENGINE, boots=5, time=0, max_size=484,
    )  # fmt: skip
    assert station.take(packet) == ["accepted"]
    pdu = opened(station.line.answers[0])
    assert (pdu.error_status, list(pdu.varbinds)) == (1, [])


@pytest.mark.parametrize(("boots", "time"), [(4, 0), (6, 0), (5, 151)])
def test_inform_of_another_time_is_told_ours(station: Station, boots: int, time: int) -> None:
    assert station.take(inform(station.clock, boots=boots, time=time)) == ["time_window"]
    assert len(station.line.answers) == 1


def test_inform_for_another_engine_is_told_ours(station: Station) -> None:
    assert station.take(inform(station.clock, engine=THEIR_ENGINE)) == ["unknown_engine"]
    assert report_of(station) == USM_UNKNOWN_ENGINE_IDS


@pytest.mark.parametrize(
    ("user", "level", "report"),
    [
        (UsmUser("who"), NO_AUTH, USM_UNKNOWN_USER_NAMES),
        (USER, NO_AUTH, USM_UNSUPPORTED_SEC_LEVELS),
        (
            UsmUser("nms", AuthProtocol.SHA, "w" * 8, PrivProtocol.AES, "w"),
            PRIV,
            USM_WRONG_DIGESTS,
        ),
    ],
)
def test_inform_that_is_refused_is_told_why(
    station: Station, user: UsmUser, level: SecurityLevel, report: bytes
) -> None:
    station.take(inform(station.clock, user=user, level=level))
    assert report_of(station) == report


def test_trap_that_is_refused_is_told_nothing(station: Station) -> None:
    station.take(message_v3(level=NO_AUTH), message_v3(user=UsmUser("who")), peer=DEVICE)
    assert station.line.answers == []
