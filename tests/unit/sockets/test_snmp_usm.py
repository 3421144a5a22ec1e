"""SNMPv3 from the poller's side: engines, their clocks, their reports, and forged answers.

The agent is the simulated one's engine, called without sockets under a clock that the test moves;
what real agents report is in the recordings of net-snmp and in the tests against snmpd.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.demo.engine import Engine
from exporters.demo.mib_view import MibView
from exporters.demo.responder import Responder
from exporters.demo.snmprec import read_recording
from exporters.errors import FailureReason, TargetError, WireError
from exporters.sockets.snmp_security import RejectedAnswerError
from exporters.sockets.snmp_usm import EngineMemory, UsmSecurity
from exporters.wire import report_oids
from exporters.wire.ber import Oid, encode_oid
from exporters.wire.snmp_message import Pdu, encode_names, encode_pdu, encode_varbinds
from exporters.wire.tags import COUNTER32, GET_REQUEST, INFORM_REQUEST, REPORT, RESPONSE
from exporters.wire.usm import (
    MAX_BOOTS,
    AuthProtocol,
    PrivProtocol,
    SecurityLevel,
    UserKeys,
    UsmUser,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
)

PACKETS = Path(__file__).resolve().parents[2] / "packets" / "snmp"
ENGINE_ID = bytes.fromhex("80001f8804aabb")
OTHER_ENGINE_ID = bytes.fromhex("80001f8804ccdd")
SYS_NAME = encode_oid("1.3.6.1.2.1.1.5.0")
PLAIN = UsmUser("plain")
SIGNER = UsmUser("signer", AuthProtocol.SHA256, "auth password")
SECRET = UsmUser("secret", AuthProtocol.SHA, "auth password", PrivProtocol.AES, "priv password")
USERS = (PLAIN, SIGNER, SECRET)
EVERY_USER = pytest.mark.parametrize("user", USERS, ids=lambda user: user.name)
WITH_PASSWORD = pytest.mark.parametrize("user", [SIGNER, SECRET], ids=lambda user: user.name)


class Poller:
    """A user's side of the conversation with an engine."""

    def __init__(self, engine: Engine, seconds: list[float]) -> None:
        self.engine = engine
        self.memory = EngineMemory()
        self.seconds = seconds
        self._ids = itertools.count(1)
        self._salts = itertools.count(1)

    def security(
        self, user: UsmUser, context_name: bytes = b"", context_engine_id: bytes = b""
    ) -> UsmSecurity:
        return UsmSecurity(
            user,
            self.memory,
            context_name=context_name,
            context_engine_id=context_engine_id,
            clock=lambda: self.seconds[0],
            salts=self._salts,
        )

    def discover(self, security: UsmSecurity) -> None:
        answer = self.engine.answer(security.discovery(next(self._ids)))
        assert answer is not None
        security.open(answer)
        security.accept_discovery(answer)

    def exchange(self, security: UsmSecurity) -> tuple[Pdu, bytes]:
        request_id = next(self._ids)
        answer = self.engine.answer(security.seal(request_id, request(request_id)))
        assert answer is not None
        found, pdu = security.open(answer)
        assert found == request_id
        return pdu, answer

    def ask(self, security: UsmSecurity) -> tuple[bytes, int]:
        """Read the system's name as a session does; gives it and how many reports came before."""
        if security.must_discover:
            self.discover(security)
        for reports in range(4):
            pdu, answer = self.exchange(security)
            if pdu.type == RESPONSE:
                return pdu.varbinds[0][2], reports
            security.accept_report(pdu, answer)
        raise AssertionError("nothing but reports")


@pytest.fixture
def seconds() -> list[float]:
    return [5000.0]


@pytest.fixture
def new_engine(seconds: list[float]) -> Callable[..., Engine]:
    def make(engine_id: bytes = ENGINE_ID, boots: int = 5, speed: float = 1.0) -> Engine:
        contexts = {
            name: Responder(MibView(read_recording([f"1.3.6.1.2.1.1.5.0|4|{text}".encode()])))
            for name, text in ((b"", "one"), (b"vlan-2", "two"))
        }
        return Engine(
            engine_id,
            USERS,
            contexts,
            boots=boots,
            most_bytes=1472,
            clock=lambda: seconds[0] * speed,
        )

    return make


@pytest.fixture
def poller(new_engine: Callable[..., Engine], seconds: list[float]) -> Poller:
    return Poller(new_engine(), seconds)


def request(request_id: int, pdu_type: int = GET_REQUEST) -> bytes:
    return encode_pdu(pdu_type, request_id, 0, 0, encode_names([SYS_NAME]))


def response(request_id: int = 9, text: bytes = b"forged") -> bytes:
    return encode_pdu(RESPONSE, request_id, 0, 0, encode_varbinds([(SYS_NAME, 4, text)]))


def report(oid: Oid, request_id: int = 9) -> bytes:
    return encode_pdu(REPORT, request_id, 0, 0, encode_varbinds([(oid, COUNTER32, b"\x01")]))


def message(
    keys: UserKeys,
    pdu: bytes,
    *,
    boots: int = 5,
    time: int = 0,
    level: SecurityLevel | None = None,
    msg_id: int = 9,
) -> bytes:
    """A message of the agent's, made with whatever keys."""
    return encode_v3_message(
        encode_scoped_pdu(keys.engine_id, b"", pdu),
        keys,
        msg_id=msg_id,
        boots=boots,
        time=time,
        reportable=False,
        level=level,
        salt=77,
    )


def rejection(security: UsmSecurity, data: bytes) -> FailureReason:
    with pytest.raises(RejectedAnswerError) as caught:
        security.open(data)
    return caught.value.reason


def refusal(security: UsmSecurity, oid: Oid, user: UsmUser) -> TargetError:
    keys = UserKeys(user.name.encode(), ENGINE_ID)
    data = message(keys, report(oid))
    _, pdu = security.open(data)
    with pytest.raises(TargetError) as caught:
        security.accept_report(pdu, data)
    return caught.value


@EVERY_USER
def test_every_level_reads(poller: Poller, user: UsmUser) -> None:
    assert poller.ask(poller.security(user)) == (b"one", 0)


def test_engine_is_discovered_once_for_all_users(poller: Poller) -> None:
    for user in USERS:
        poller.ask(poller.security(user))
    assert poller.engine.reports[report_oids.USM_UNKNOWN_ENGINE_IDS] == 1


def test_discovery_names_nobody_and_nothing(poller: Poller) -> None:
    header = decode_v3_message(poller.security(SECRET).discovery(3))
    assert (header.level, header.user_name, header.engine_id) == (0, b"", b"")
    assert header.reportable


def test_context_is_read_by_its_name(poller: Poller) -> None:
    assert poller.ask(poller.security(SECRET, b"vlan-2")) == (b"two", 0)


@EVERY_USER
def test_restart_costs_one_report(poller: Poller, seconds: list[float], user: UsmUser) -> None:
    poller.ask(poller.security(user))
    seconds[0] += 1000
    poller.engine.restart()
    expected = 0 if user is PLAIN else 1  # who proves nothing has no time to be wrong about
    assert poller.ask(poller.security(user)) == (b"one", expected)
    assert poller.ask(poller.security(user)) == (b"one", 0)


@WITH_PASSWORD
def test_restart_without_counting_boots_costs_one_report(
    poller: Poller, new_engine: Callable[..., Engine], seconds: list[float], user: UsmUser
) -> None:
    """Agents that do not keep their boots: the same number, and a time that went back."""
    poller.ask(poller.security(user))
    seconds[0] += 1000
    poller.ask(poller.security(user))
    poller.engine = new_engine(boots=5)
    assert poller.ask(poller.security(user)) == (b"one", 1)


@WITH_PASSWORD
def test_restart_to_fewer_boots_costs_one_report(
    poller: Poller, new_engine: Callable[..., Engine], user: UsmUser
) -> None:
    poller.ask(poller.security(user))
    poller.engine = new_engine(boots=1)
    assert poller.ask(poller.security(user)) == (b"one", 1)


@WITH_PASSWORD
def test_another_engine_costs_one_report(
    poller: Poller, new_engine: Callable[..., Engine], user: UsmUser
) -> None:
    poller.ask(poller.security(user))
    poller.engine = new_engine(OTHER_ENGINE_ID, boots=9)
    assert poller.ask(poller.security(user)) == (b"one", 1)
    assert (poller.memory.engine_id, poller.memory.boots) == (OTHER_ENGINE_ID, 9)


@pytest.mark.parametrize("speed", [0.99, 1.01], ids=["slow", "fast"])
def test_clock_that_drifts_is_followed(
    new_engine: Callable[..., Engine], seconds: list[float], speed: float
) -> None:
    """A month of polls, in which the clocks part by hours, needs no report."""
    poller = Poller(new_engine(speed=speed), seconds)
    poller.ask(poller.security(SIGNER))
    for _ in range(24 * 30):
        seconds[0] += 3600
        assert poller.ask(poller.security(SIGNER)) == (b"one", 0)


@pytest.mark.parametrize("speed", [0.9, 1.1], ids=["slow", "fast"])
def test_clock_that_runs_away_costs_one_report_a_poll(
    new_engine: Callable[..., Engine], seconds: list[float], speed: float
) -> None:
    poller = Poller(new_engine(speed=speed), seconds)
    poller.ask(poller.security(SIGNER))
    for _ in range(5):
        seconds[0] += 3600
        assert poller.ask(poller.security(SIGNER)) == (b"one", 1)


def test_engine_time_ends_where_the_protocol_ends() -> None:
    memory = EngineMemory()
    memory.learn(ENGINE_ID, 1, 2**31 - 10, 0.0)
    assert memory.time_at(100.0) == 2**31 - 1


@WITH_PASSWORD
def test_answer_out_of_the_window_is_not_believed(
    poller: Poller, seconds: list[float], user: UsmUser
) -> None:
    """A recorded answer, played again, even under an id that waits."""
    security = poller.security(user)
    poller.ask(security)
    keys = localize(user, ENGINE_ID)
    old = message(keys, response(), time=0)
    assert security.open(old)[0] == 9
    seconds[0] += 151
    assert rejection(security, old) is FailureReason.AUTH_TIME_WINDOW


@WITH_PASSWORD
def test_answer_of_an_earlier_boot_is_not_believed(poller: Poller, user: UsmUser) -> None:
    security = poller.security(user)
    poller.ask(security)
    old = message(localize(user, ENGINE_ID), response(), boots=4, time=10)
    assert rejection(security, old) is FailureReason.AUTH_TIME_WINDOW


def test_engine_whose_boots_are_used_up_is_not_believed(poller: Poller) -> None:
    security = poller.security(SIGNER)
    poller.ask(security)
    last = message(localize(SIGNER, ENGINE_ID), response(), boots=MAX_BOOTS)
    assert rejection(security, last) is FailureReason.AUTH_TIME_WINDOW


@pytest.mark.parametrize("password", ["wrong password", "auth passwore"])
def test_wrong_authentication_password_is_told_by_the_agent(poller: Poller, password: str) -> None:
    security = poller.security(replace(SIGNER, auth_password=password))
    with pytest.raises(TargetError, match="wrong password or auth_protocol") as caught:
        poller.ask(security)
    assert caught.value.reason is FailureReason.AUTH_WRONG_DIGEST


def test_wrong_authentication_protocol_is_told_by_the_agent(poller: Poller) -> None:
    security = poller.security(replace(SIGNER, auth_protocol=AuthProtocol.MD5))
    with pytest.raises(TargetError, match="wrong password or auth_protocol") as caught:
        poller.ask(security)
    assert caught.value.reason is FailureReason.AUTH_WRONG_DIGEST


def test_wrong_privacy_password_is_told_by_the_agent(poller: Poller) -> None:
    security = poller.security(replace(SECRET, priv_password="wrong password"))
    with pytest.raises(TargetError, match="wrong priv_password or priv_protocol") as caught:
        poller.ask(security)
    assert caught.value.reason is FailureReason.DECRYPT


def test_unknown_user_is_told_by_the_agent(poller: Poller) -> None:
    with pytest.raises(TargetError, match="does not know user 'nobody'") as caught:
        poller.ask(poller.security(UsmUser("nobody")))
    assert caught.value.reason is FailureReason.AUTH_UNKNOWN_USER


def test_level_above_the_users_is_told_by_the_agent(poller: Poller) -> None:
    private = replace(SIGNER, priv_protocol=PrivProtocol.AES, priv_password="priv password")
    with pytest.raises(TargetError, match="'signer' at security level authPriv") as caught:
        poller.ask(poller.security(private))
    assert caught.value.reason is FailureReason.AUTH_UNSUPPORTED_LEVEL


def test_unknown_context_is_told_by_the_agent(poller: Poller) -> None:
    with pytest.raises(TargetError, match="no context 'vlan-3'") as caught:
        poller.ask(poller.security(SECRET, b"vlan-3"))
    assert caught.value.reason is FailureReason.UNKNOWN_CONTEXT


def test_unknown_context_engine_is_told_by_the_agent(poller: Poller) -> None:
    with pytest.raises(TargetError, match=f"engine {OTHER_ENGINE_ID.hex()}") as caught:
        poller.ask(poller.security(SECRET, b"", OTHER_ENGINE_ID))
    assert caught.value.reason is FailureReason.UNKNOWN_CONTEXT


@pytest.mark.parametrize(
    ("oid", "reason"),
    [
        (report_oids.USM_UNSUPPORTED_SEC_LEVELS, FailureReason.AUTH_UNSUPPORTED_LEVEL),
        (report_oids.USM_UNKNOWN_USER_NAMES, FailureReason.AUTH_UNKNOWN_USER),
        (report_oids.USM_WRONG_DIGESTS, FailureReason.AUTH_WRONG_DIGEST),
        (report_oids.USM_DECRYPTION_ERRORS, FailureReason.DECRYPT),
        (report_oids.SNMP_UNKNOWN_CONTEXTS, FailureReason.UNKNOWN_CONTEXT),
        (report_oids.SNMP_UNAVAILABLE_CONTEXTS, FailureReason.UNKNOWN_CONTEXT),
        (report_oids.SNMP_UNKNOWN_PDU_HANDLERS, FailureReason.UNKNOWN_CONTEXT),
        (report_oids.SNMP_INVALID_MSGS, FailureReason.AGENT_ERROR),
        (report_oids.SNMP_UNKNOWN_SECURITY_MODELS, FailureReason.AGENT_ERROR),
        (encode_oid("1.3.6.1.4.1.9.9.9"), FailureReason.AGENT_ERROR),
        (b"\x2b\x8f\xff\xff\xff\xff\x7f", FailureReason.AGENT_ERROR),
    ],
    ids=lambda value: (
        report_oids.REPORT_NAMES.get(value, "other") if isinstance(value, bytes) else ""
    ),
)
def test_every_report_has_a_reason(poller: Poller, oid: Oid, reason: FailureReason) -> None:
    security = poller.security(SECRET)
    poller.discover(security)
    assert refusal(security, oid, SECRET).reason is reason


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        (report_oids.SNMP_INVALID_MSGS, "snmpInvalidMsgs"),
        (encode_oid("1.3.6.1.4.1.9.9.9"), "1.3.6.1.4.1.9.9.9"),
        (b"\x2b\x8f\xff\xff\xff\xff\x7f", "2b8fffffffff7f"),
    ],
)
def test_report_that_says_nothing_known_is_named(poller: Poller, oid: Oid, name: str) -> None:
    security = poller.security(SECRET)
    poller.discover(security)
    assert refusal(security, oid, SECRET).detail == f"the agent answers with report {name}"


def test_report_of_nothing_is_an_error_of_the_agent(poller: Poller) -> None:
    security = poller.security(PLAIN)
    poller.discover(security)
    pdu = Pdu(REPORT, 9, 0, 0, ())
    data = message(UserKeys(b"plain", ENGINE_ID), report(SYS_NAME))
    with pytest.raises(TargetError, match="report of nothing"):
        security.accept_report(pdu, data)


def test_discovery_without_an_engine_id_is_refused(poller: Poller) -> None:
    security = poller.security(PLAIN)
    data = message(UserKeys(), report(report_oids.USM_UNKNOWN_ENGINE_IDS))
    security.open(data)
    with pytest.raises(TargetError, match="tells no engine id") as caught:
        security.accept_discovery(data)
    assert caught.value.reason is FailureReason.AUTH_UNKNOWN_ENGINE


@pytest.mark.parametrize("oid", [report_oids.USM_UNKNOWN_USER_NAMES, encode_oid("1.3.6.1")])
def test_discovery_may_be_answered_with_any_report(poller: Poller, oid: Oid) -> None:
    """Some agents look for the user before the engine; the header tells the engine all the same."""
    security = poller.security(SIGNER)
    data = message(UserKeys(b"", ENGINE_ID), report(oid))
    security.open(data)
    security.accept_discovery(data)
    assert not security.must_discover
    assert poller.ask(security) == (b"one", 0)


@pytest.mark.parametrize(
    ("user", "level"),
    [
        (SIGNER, SecurityLevel.noAuthNoPriv),
        (SECRET, SecurityLevel.noAuthNoPriv),
        (SECRET, SecurityLevel.authNoPriv),
    ],
    ids=["authNoPriv-open", "authPriv-open", "authPriv-signed"],
)
def test_answer_below_the_users_level_is_not_believed(
    poller: Poller, user: UsmUser, level: SecurityLevel
) -> None:
    security = poller.security(user)
    poller.discover(security)
    data = message(localize(user, ENGINE_ID), response(), level=level)
    assert rejection(security, data) is FailureReason.AUTH_UNSUPPORTED_LEVEL


@WITH_PASSWORD
def test_answer_with_another_digest_is_not_believed(poller: Poller, user: UsmUser) -> None:
    security = poller.security(user)
    poller.discover(security)
    forged = localize(replace(user, auth_password="guessed password"), ENGINE_ID)
    assert rejection(security, message(forged, response())) is FailureReason.AUTH_WRONG_DIGEST


def test_answer_of_another_user_is_not_believed(poller: Poller) -> None:
    security = poller.security(SIGNER)
    poller.discover(security)
    other = localize(replace(SIGNER, name="other"), ENGINE_ID)
    assert rejection(security, message(other, response())) is FailureReason.AUTH_WRONG_DIGEST


def test_answer_that_decrypts_to_noise_is_not_believed(poller: Poller) -> None:
    security = poller.security(SECRET)
    poller.discover(security)
    noise = localize(replace(SECRET, priv_password="other password"), ENGINE_ID)
    assert rejection(security, message(noise, response())) is FailureReason.DECRYPT


@WITH_PASSWORD
def test_answer_of_another_engine_is_not_believed(poller: Poller, user: UsmUser) -> None:
    security = poller.security(user)
    poller.discover(security)
    data = message(localize(user, OTHER_ENGINE_ID), response())
    assert rejection(security, data) is FailureReason.AUTH_UNKNOWN_ENGINE


def test_request_of_the_agents_is_no_answer(poller: Poller) -> None:
    security = poller.security(PLAIN)
    poller.discover(security)
    data = message(UserKeys(b"plain", ENGINE_ID), request(9, INFORM_REQUEST))
    with pytest.raises(WireError, match="not a response"):
        security.open(data)


def test_forged_time_is_corrected_by_the_engine(poller: Poller) -> None:
    """Whoever can write our packets can make us wrong, but not for longer than one question."""
    security = poller.security(SIGNER)
    poller.ask(security)
    forged = UserKeys(b"signer", ENGINE_ID)
    data = message(forged, report(report_oids.USM_NOT_IN_TIME_WINDOWS), boots=999, time=77)
    _, pdu = security.open(data)
    assert security.accept_report(pdu, data) is FailureReason.AUTH_TIME_WINDOW
    assert poller.ask(security) == (b"one", 1)
    assert poller.memory.boots == 5


def test_forged_engine_is_corrected_by_the_engine(poller: Poller) -> None:
    security = poller.security(SECRET)
    poller.ask(security)
    forged = UserKeys(b"", OTHER_ENGINE_ID)
    data = message(forged, report(report_oids.USM_UNKNOWN_ENGINE_IDS))
    _, pdu = security.open(data)
    assert security.accept_report(pdu, data) is FailureReason.AUTH_UNKNOWN_ENGINE
    assert poller.ask(security) == (b"one", 1)
    assert poller.memory.engine_id == ENGINE_ID


def test_silent_engine_is_asked_for_again(
    poller: Poller, new_engine: Callable[..., Engine]
) -> None:
    """A device that was replaced by one that ignores messages to another engine."""
    security = poller.security(SIGNER)
    poller.ask(security)
    poller.engine = new_engine(OTHER_ENGINE_ID)
    assert security.after_silence() == ""
    assert security.must_discover
    assert poller.ask(security) == (b"one", 0)
    assert poller.memory.engine_id == OTHER_ENGINE_ID


def test_silence_of_a_known_engine_may_mean_a_wrong_privacy_password(poller: Poller) -> None:
    security = poller.security(SECRET)
    assert security.after_silence() == ""  # nothing is known yet
    poller.discover(security)
    assert security.after_silence() == (
        ", or cannot decrypt: wrong priv_password or priv_protocol of 'secret'"
    )
    poller.ask(security)
    assert security.after_silence() == ""  # it has been right before


def test_silence_of_a_known_engine_may_mean_an_unknown_context(poller: Poller) -> None:
    poller.ask(poller.security(SIGNER))
    security = poller.security(SIGNER, b"vlan-2")
    assert security.after_silence() == ", or has no context 'vlan-2'"
    poller.ask(security)
    assert security.after_silence() == ""


def test_contexts_that_are_asked_for_do_not_pile_up(poller: Poller) -> None:
    for number in range(200):
        poller.memory.prove((SIGNER, str(number).encode()))
    assert len(poller.memory.proven) <= 64


def test_passwords_that_change_do_not_pile_up(poller: Poller) -> None:
    for number in range(200):
        security = poller.security(replace(SIGNER, auth_password=f"password {number}"))
        if security.must_discover:
            poller.discover(security)
        security.seal(1, request(1))
    assert len(poller.memory.keys) <= 64


def test_every_encrypted_message_has_a_salt_of_its_own(poller: Poller) -> None:
    security = poller.security(SECRET)
    poller.discover(security)
    salts = {decode_v3_message(security.seal(1, request(1))).priv_params for _ in range(50)}
    assert len(salts) == 50


RECORDED = {
    "v3_report_time_window": None,
    "v3_report_unknown_user": FailureReason.AUTH_UNKNOWN_USER,
    "v3_report_unsupported_level": FailureReason.AUTH_UNSUPPORTED_LEVEL,
    "v3_report_wrong_digest": FailureReason.AUTH_WRONG_DIGEST,
}


@pytest.mark.parametrize(("name", "reason"), RECORDED.items(), ids=RECORDED)
def test_reports_of_net_snmp_have_their_reasons(
    name: str, reason: FailureReason | None, seconds: list[float]
) -> None:
    """Discovery, request and report as net-snmp's agent sent them."""
    answers = packets_of_the_agent(name)
    users = {"v3_report_unknown_user": UsmUser("nobody")}
    user = users.get(name, UsmUser("sha", AuthProtocol.SHA, "correct horse battery"))
    memory = EngineMemory()
    security = UsmSecurity(
        user,
        memory,
        context_name=b"",
        context_engine_id=b"",
        clock=lambda: seconds[0],
        salts=itertools.count(1),
    )
    security.open(answers[0])
    security.accept_discovery(answers[0])
    _, pdu = security.open(answers[1])
    if reason is None:
        assert security.accept_report(pdu, answers[1]) is FailureReason.AUTH_TIME_WINDOW
        assert memory.boots == decode_v3_message(answers[1]).boots
        return
    with pytest.raises(TargetError) as caught:
        security.accept_report(pdu, answers[1])
    assert caught.value.reason is reason


def packets_of_the_agent(name: str) -> list[bytes]:
    packets: list[tuple[str, list[str]]] = []
    for line in (PACKETS / f"{name}.hex").read_text().splitlines():
        if line in ("<", ">"):
            packets.append((line, []))
        elif not line.startswith("#"):
            packets[-1][1].append(line)
    return [bytes.fromhex("".join(lines)) for direction, lines in packets if direction == "<"]
