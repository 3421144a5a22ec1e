"""Sessions with SNMPv3: discovery, reports, and what is kept for the next session."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from exporters.demo.agent import SimulatedAgent
from exporters.demo.faults import Faults
from exporters.errors import FailureReason, TargetError
from exporters.sockets.snmp_usm import EngineMemory, UsmSecurity
from exporters.wire import report_oids
from exporters.wire.ber import Oid
from exporters.wire.snmp_message import Version, encode_pdu, encode_varbinds
from exporters.wire.tags import COUNTER32, REPORT, RESPONSE
from exporters.wire.usm import (
    AuthProtocol,
    PrivProtocol,
    UserKeys,
    UsmUser,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
)

from .peers import Answer, Opened, open_session, simulated_agent, udp_peer
from .pretend_time import STARTED_AT, in_pretend_time

SECRET = UsmUser("secret", AuthProtocol.SHA, "auth password", PrivProtocol.AES, "priv password")
ENGINE_ID = bytes.fromhex("80001f8804aabb")


def agent_for(*users: UsmUser) -> SimulatedAgent:
    return simulated_agent(users=users or (SECRET,), engine_id=ENGINE_ID, engine_boots=5)


def security(memory: EngineMemory, user: UsmUser = SECRET, **context: bytes) -> UsmSecurity:
    return UsmSecurity(
        user,
        memory,
        context_name=context.get("name", b""),
        context_engine_id=b"",
        clock=asyncio.get_running_loop().time,
        salts=itertools.count(1),
    )


def now() -> float:
    return asyncio.get_running_loop().time() - STARTED_AT


async def failure_of(opened: Opened) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await opened.sys_name()
    return caught.value


@in_pretend_time
async def test_first_request_costs_one_packet_more() -> None:
    memory = EngineMemory()
    async with agent_for().serve() as address:
        for expected in (2, 1):
            async with open_session(address, security(memory)) as opened:
                assert opened.session.version == Version.V3
                assert await opened.sys_name() == b"switch"
            assert opened.traffic.packets_sent == expected


@in_pretend_time
async def test_requests_at_once_discover_once() -> None:
    agent = agent_for()
    async with agent.serve() as address, open_session(address, security(EngineMemory())) as opened:
        await asyncio.gather(*(opened.sys_name() for _ in range(8)))
    assert opened.traffic.packets_sent == 9
    assert sum(agent.engine.reports.values()) == 1


@in_pretend_time
async def test_restart_is_noticed_by_each_request_under_way_and_by_no_later_one() -> None:
    memory = EngineMemory()
    agent = agent_for()
    async with agent.serve() as address:
        async with open_session(address, security(memory)) as opened:
            await opened.sys_name()
        agent.engine.restart()
        async with open_session(address, security(memory)) as opened:
            await opened.sys_name()
            assert opened.traffic.packets_sent == 2
            await asyncio.gather(*(opened.sys_name() for _ in range(4)))
            assert opened.traffic.packets_sent == 6
    assert agent.engine.reports[report_oids.USM_NOT_IN_TIME_WINDOWS] == 1


@in_pretend_time
async def test_every_try_has_a_message_id_and_the_time_of_its_own() -> None:
    memory = EngineMemory()
    agent = agent_for()
    lost = itertools.count(1)

    def handle(request: bytes) -> Answer:
        return agent.handle(request) if next(lost) in (1, 5) else None

    async with udp_peer(handle) as peer, open_session(peer.address, security(memory)) as opened:
        assert await opened.sys_name() == b"switch"
        tries = [decode_v3_message(data) for data in peer.heard[1:]]
    assert len({message.msg_id for message in tries}) == 4
    assert len({message.priv_params for message in tries}) == 4
    assert [message.time for message in tries] == [0, 0, 0, 1]  # 0, 0.2, 0.6 and 1.4 seconds


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (replace(SECRET, name="nobody"), FailureReason.AUTH_UNKNOWN_USER),
        (replace(SECRET, auth_password="wrong one"), FailureReason.AUTH_WRONG_DIGEST),
        (replace(SECRET, auth_protocol=AuthProtocol.MD5), FailureReason.AUTH_WRONG_DIGEST),
        (replace(SECRET, priv_password="wrong one"), FailureReason.DECRYPT),
    ],
    ids=["user", "password", "protocol", "priv-password"],
)
@in_pretend_time
async def test_wrong_credentials_are_told_at_once(user: UsmUser, reason: FailureReason) -> None:
    async with (
        agent_for().serve() as address,
        open_session(address, security(EngineMemory(), user)) as opened,
    ):
        error = await failure_of(opened)
    assert (error.reason, now()) == (reason, 0)
    assert opened.traffic.packets_sent == 2


@in_pretend_time
async def test_unknown_context_is_told_at_once() -> None:
    async with (
        agent_for().serve() as address,
        open_session(address, security(EngineMemory(), name=b"vlan-9")) as opened,
    ):
        error = await failure_of(opened)
    assert (error.reason, now()) == (FailureReason.UNKNOWN_CONTEXT, 0)


def report(oid: Oid, engine_id: bytes = ENGINE_ID) -> Callable[[bytes], bytes]:
    """An agent that has nothing but one report, with nobody's signature."""

    def handle(request: bytes) -> bytes:
        header = decode_v3_message(request)
        pdu = encode_pdu(REPORT, 0, 0, 0, encode_varbinds([(oid, COUNTER32, b"\x01")]))
        return encode_v3_message(
            encode_scoped_pdu(engine_id, b"", pdu),
            UserKeys(b"", engine_id),
            msg_id=header.msg_id,
            boots=1,
            time=1,
            reportable=False,
        )

    return handle


@pytest.mark.parametrize(
    ("oid", "reason"),
    [
        (report_oids.USM_UNKNOWN_ENGINE_IDS, FailureReason.AUTH_UNKNOWN_ENGINE),
        (report_oids.USM_NOT_IN_TIME_WINDOWS, FailureReason.AUTH_TIME_WINDOW),
    ],
    ids=["engine", "time"],
)
@in_pretend_time
async def test_agent_with_nothing_but_reports_is_given_up(oid: Oid, reason: FailureReason) -> None:
    async with (
        udp_peer(report(oid)) as peer,
        open_session(peer.address, security(EngineMemory())) as opened,
    ):
        error = await failure_of(opened)
        assert len(peer.heard) == 4  # discovery, the request, and one more for each thing to learn
    assert (error.reason, now()) == (reason, 0)
    assert "has nothing but reports" in error.detail


@in_pretend_time
async def test_agent_whose_engine_changes_with_each_packet_is_given_up() -> None:
    engines = itertools.count(1)

    def handle(request: bytes) -> bytes:
        engine_id = b"\x80\x00\x1f\x88\x04" + bytes([next(engines)])
        return report(report_oids.USM_UNKNOWN_ENGINE_IDS, engine_id)(request)

    async with (
        udp_peer(handle) as peer,
        open_session(peer.address, security(EngineMemory())) as opened,
    ):
        assert (await failure_of(opened)).reason is FailureReason.AUTH_UNKNOWN_ENGINE
        assert len(peer.heard) == 4


@in_pretend_time
async def test_agent_that_drops_what_it_cannot_decrypt_gives_a_hint() -> None:
    """net-snmp's agent does: it reports a wrong digest, and of wrong privacy says nothing."""
    agent = agent_for()

    def handle(request: bytes) -> bytes | None:
        return agent.handle(request) if not decode_v3_message(request).level else None

    async with (
        udp_peer(handle) as peer,
        open_session(peer.address, security(EngineMemory())) as opened,
    ):
        error = await failure_of(opened)
    assert error.reason is FailureReason.TIMEOUT
    assert "wrong priv_password or priv_protocol of 'secret'" in error.detail


@in_pretend_time
async def test_dead_agent_is_asked_for_its_engine_alone() -> None:
    async with (
        udp_peer(lambda _: None) as peer,
        open_session(peer.address, security(EngineMemory())) as opened,
    ):
        error = await failure_of(opened)
        assert {decode_v3_message(data).engine_id for data in peer.heard} == {b""}
        assert (len(peer.heard), now()) == (4, 8.5)
    assert error.reason is FailureReason.TIMEOUT
    assert error.detail.endswith("is silent after 4 tries")


@in_pretend_time
async def test_replaced_device_that_ignores_the_old_engine_is_found_again() -> None:
    memory = EngineMemory()
    old = agent_for()
    new = simulated_agent(users=(SECRET,), engine_id=b"\x80\x00\x1f\x88\x04new")
    now_there = old

    def handle(request: bytes) -> bytes | None:
        engine_id = decode_v3_message(request).engine_id
        return now_there.handle(request) if engine_id in (b"", now_there.engine.engine_id) else None

    async with udp_peer(handle) as peer:
        async with open_session(peer.address, security(memory)) as opened:
            await opened.sys_name()
        now_there = new
        async with open_session(peer.address, security(memory)) as opened:
            assert (await failure_of(opened)).reason is FailureReason.TIMEOUT
        async with open_session(peer.address, security(memory)) as opened:
            assert await opened.sys_name() == b"switch"


@in_pretend_time
async def test_wrong_request_id_under_the_right_message_id_is_no_answer() -> None:
    agent = simulated_agent(users=(SECRET,), faults=Faults(wrong_request_id_rate=1.0))
    async with agent.serve() as address, open_session(address, security(EngineMemory())) as opened:
        assert (await failure_of(opened)).reason is FailureReason.TIMEOUT
    assert opened.traffic.answers_unmatched == 4


@in_pretend_time
async def test_forged_answers_are_told_apart_from_silence() -> None:
    """Someone answers every request, and cannot sign."""
    agent = agent_for()
    guess = localize(replace(SECRET, auth_password="a guess at it"), ENGINE_ID)

    def handle(request: bytes) -> bytes | None:
        header = decode_v3_message(request)
        if not header.level:
            return agent.handle(request)
        pdu = encode_pdu(RESPONSE, header.msg_id, 0, 0, encode_varbinds([]))
        return encode_v3_message(
            encode_scoped_pdu(ENGINE_ID, b"", pdu),
            guess,
            msg_id=header.msg_id,
            boots=header.boots,
            time=header.time,
            reportable=False,
            salt=1,
        )

    async with (
        udp_peer(handle) as peer,
        open_session(peer.address, security(EngineMemory())) as opened,
    ):
        error = await failure_of(opened)
    assert error.reason is FailureReason.AUTH_WRONG_DIGEST
    assert "answers, but the digest of user" in error.detail
    assert opened.traffic.answers_rejected == 4
