"""Sessions and walks over real sockets: net-snmp's agent, bad networks, and agents that go away.

What is right is what net-snmp's own tools read from the same agent, or a scan of the recording that
a simulated agent serves.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.bad_network import BadNetwork, Impairment
from exporters.demo.faults import Faults
from exporters.demo.snmprec import read_recording
from exporters.errors import FailureReason, TargetError
from exporters.polling.agent_memory import AgentMemory
from exporters.polling.cursor import Range
from exporters.polling.walk import Walker, WalkResult
from exporters.sockets.resolution import resolve
from exporters.sockets.snmp_security import CommunitySecurity, Security
from exporters.sockets.snmp_session import SessionSettings, SnmpSession, Traffic
from exporters.sockets.snmp_usm import EngineMemory, UsmSecurity
from exporters.sockets.target_address import parse_target
from exporters.wire.ber import encode_oid, encode_subids, format_oid
from exporters.wire.snmp_message import Version
from exporters.wire.usm import AuthProtocol, PrivProtocol, UsmUser

from .processes import Programs, has_ipv6
from .snmpd import AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, Snmpd, User

needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback address")
with_snmpd = [pytest.mark.peer("snmpd", "snmpd"), pytest.mark.peer("snmpbulkwalk", "snmp")]

ROOTS = ("1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.11")
IF_TABLE = "1.3.6.1.2.1.2.2.1"
SYS_NAME = encode_oid("1.3.6.1.2.1.1.5.0")

USERS = (User("open"), User("signer", "SHA256"), User("private", "SHA", "AES"))
FLAGS = {user.name: user.flags() for user in USERS}
PLAIN = UsmUser("open")
SIGNER = UsmUser("signer", AuthProtocol.SHA256, AUTH_PASSWORD)
PRIVATE = UsmUser("private", AuthProtocol.SHA, AUTH_PASSWORD, PrivProtocol.AES, PRIV_PASSWORD)

request_ids = itertools.count(70_000)
salts = itertools.count(1)


def v2c(community: str = COMMUNITY) -> Security:
    return CommunitySecurity(Version.V2C, community.encode())


def v3(user: UsmUser, engine: EngineMemory | None = None, context: bytes = b"") -> Security:
    return UsmSecurity(
        user,
        engine or EngineMemory(),
        context_name=context,
        context_engine_id=b"",
        clock=asyncio.get_running_loop().time,
        salts=salts,
    )


@asynccontextmanager
async def open_session(
    target: str,
    security: Security,
    *,
    timeout: float = 5.0,
    retries: int = 3,
    connected: bool = True,
    memory: AgentMemory | None = None,
) -> AsyncIterator[SnmpSession]:
    deadline_at = asyncio.get_running_loop().time() + 30
    async with SnmpSession(
        await resolve(parse_target(target), deadline_at),
        security,
        SessionSettings(timeout, retries, connected=connected),
        deadline_at=deadline_at,
        request_ids=request_ids,
        rtt=(memory or AgentMemory()).rtt,
        traffic=Traffic(),
    ) as session:
        yield session


async def read(
    session: SnmpSession, roots: Sequence[str], memory: AgentMemory | None = None
) -> WalkResult:
    walker = Walker(
        session,
        memory or AgentMemory(),
        concurrency=asyncio.Semaphore(4),
        chains=4,
        max_repetitions=25,
    )
    oids = [encode_oid(root) for root in roots]
    return await walker.read([Range(oid, oid, oid[:-1], scalar=False) for oid in oids], ())


def names(result: WalkResult) -> set[str]:
    return {
        format_oid(column + instance)
        for column, rows in result.columns.items()
        for instance in rows
    }


async def sys_name(session: SnmpSession) -> bytes:
    pdu, _ = await session.get([SYS_NAME])
    return pdu.varbinds[0][2]


async def failure_of(session: SnmpSession) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await sys_name(session)
    return caught.value


# --- net-snmp's agent -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def snmpd(module_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Snmpd:
    return Snmpd(module_programs, tmp_path_factory.mktemp("snmpd"), users=USERS)


@pytest.fixture
def own_snmpd(programs: Programs, tmp_path: Path) -> Snmpd:
    """One that the test may restart."""
    return Snmpd(programs, tmp_path, users=USERS)


class TestNetSnmp:
    pytestmark = with_snmpd

    @pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
    @pytest.mark.parametrize(
        "transport",
        ["udp://127.0.0.1", "tcp://127.0.0.1"]
        + [pytest.param(f"{name}://[::1]", marks=needs_ipv6) for name in ("udp", "tcp")],
    )
    async def test_walk_reads_what_snmpwalk_reads(
        self, snmpd: Snmpd, version: Version, transport: str
    ) -> None:
        security = CommunitySecurity(version, COMMUNITY.encode())
        async with open_session(f"{transport}:{snmpd.port}", security) as session:
            result = await read(session, ROOTS)
        flags = ["-v1" if version == Version.V1 else "-v2c", "-c", COMMUNITY]
        assert result.failures == []
        assert names(result) == set(snmpd.walk(flags, *ROOTS))

    @pytest.mark.parametrize("user", [PLAIN, SIGNER, PRIVATE], ids=lambda user: user.name)
    async def test_walk_as_a_user_reads_what_snmpwalk_reads(
        self, snmpd: Snmpd, user: UsmUser
    ) -> None:
        async with open_session(snmpd.target, v3(user)) as session:
            result = await read(session, ROOTS)
        assert result.failures == []
        assert names(result) == set(snmpd.walk(FLAGS[user.name], *ROOTS))

    async def test_columns_read_together_are_those_read_one_by_one(self, snmpd: Snmpd) -> None:
        columns = [f"{IF_TABLE}.{number}" for number in range(1, 23)]
        memory = AgentMemory()
        async with open_session(snmpd.target, v2c()) as session:
            first = await read(session, columns, memory)
            second = await read(session, columns, memory)
        expected = set(snmpd.walk(["-v2c", "-c", COMMUNITY], IF_TABLE))
        assert names(first) == names(second) == expected
        assert second.varbinds <= first.varbinds

    async def test_unconnected_socket_reads_too(self, snmpd: Snmpd) -> None:
        async with open_session(snmpd.target, v2c(), connected=False) as session:
            assert await sys_name(session) == b"tested"

    async def test_wrong_community_is_silence_with_a_hint(self, snmpd: Snmpd) -> None:
        async with open_session(snmpd.target, v2c("wrong"), timeout=0.2, retries=0) as session:
            error = await failure_of(session)
        assert error.reason is FailureReason.TIMEOUT
        assert error.detail.endswith("is silent after 1 try, or does not know the community")

    @pytest.mark.parametrize(
        ("user", "reason"),
        [
            (UsmUser("stranger"), FailureReason.AUTH_UNKNOWN_USER),
            (
                UsmUser("signer", AuthProtocol.SHA256, "wrong password"),
                FailureReason.AUTH_WRONG_DIGEST,
            ),
            (
                UsmUser("signer", AuthProtocol.MD5, AUTH_PASSWORD),
                FailureReason.AUTH_WRONG_DIGEST,
            ),
            (
                UsmUser("signer", AuthProtocol.SHA256, AUTH_PASSWORD, PrivProtocol.AES, "password"),
                FailureReason.AUTH_UNSUPPORTED_LEVEL,
            ),
        ],
        ids=["user", "password", "protocol", "level"],
    )
    async def test_wrong_credentials_are_told_apart(
        self, snmpd: Snmpd, user: UsmUser, reason: FailureReason
    ) -> None:
        async with open_session(snmpd.target, v3(user)) as session:
            assert (await failure_of(session)).reason is reason

    async def test_wrong_privacy_password_is_silence_with_a_hint(self, snmpd: Snmpd) -> None:
        user = UsmUser("private", AuthProtocol.SHA, AUTH_PASSWORD, PrivProtocol.AES, "wrong one")
        async with open_session(snmpd.target, v3(user), timeout=0.2, retries=0) as session:
            error = await failure_of(session)
        assert error.reason is FailureReason.TIMEOUT
        assert "wrong priv_password or priv_protocol of 'private'" in error.detail

    async def test_user_below_its_level_may_read_nothing(self, snmpd: Snmpd) -> None:
        async with open_session(snmpd.target, v3(UsmUser("signer"))) as session:
            result = await read(session, ROOTS)
        assert [failure.reason for failure in result.failures] == [FailureReason.NO_ACCESS]
        assert session.traffic.packets_sent <= 5

    async def test_unknown_context_is_silence_with_a_hint(self, snmpd: Snmpd) -> None:
        security = v3(SIGNER, context=b"nowhere")
        async with open_session(snmpd.target, security, timeout=0.2, retries=0) as session:
            error = await failure_of(session)
        assert error.reason is FailureReason.TIMEOUT
        assert error.detail.endswith("is silent after 1 try, or has no context 'nowhere'")

    @pytest.mark.parametrize("keeps_its_engine", [True, False], ids=["boots", "engine"])
    async def test_restart_costs_one_packet_more(
        self, own_snmpd: Snmpd, keeps_its_engine: bool
    ) -> None:
        engine = EngineMemory()
        async with open_session(own_snmpd.target, v3(PRIVATE, engine)) as session:
            await sys_name(session)
        before = (engine.engine_id, engine.boots)
        await asyncio.to_thread(own_snmpd.program.end)
        if not keeps_its_engine:
            own_snmpd.forget()
        await asyncio.to_thread(own_snmpd.start)
        async with open_session(own_snmpd.target, v3(PRIVATE, engine)) as session:
            assert await sys_name(session) == b"tested"
            assert session.traffic.packets_sent == 2
        assert (engine.engine_id == before[0]) is keeps_its_engine
        assert (engine.engine_id, engine.boots) != before

    async def test_agent_that_ends_in_mid_session_is_refused(self, own_snmpd: Snmpd) -> None:
        async with open_session(own_snmpd.target, v2c()) as session:
            await sys_name(session)
            await asyncio.to_thread(own_snmpd.program.end)
            assert (await failure_of(session)).reason is FailureReason.REFUSED


# --- networks and agents that misbehave -----------------------------------------------------

ROWS = 120
COLUMNS = [f"{IF_TABLE}.{number}" for number in range(1, 9)]


def switch(**settings: object) -> SimulatedAgent:
    lines = ["1.3.6.1.2.1.1.5.0|4|switch"]
    lines += [f"{column}.{row}|2|{row}" for column in COLUMNS for row in range(1, ROWS + 1)]
    recording = read_recording([line.encode() for line in lines])
    return SimulatedAgent(recording, AgentSettings(users=(PRIVATE,), **settings))  # type: ignore[arg-type]


def whole(result: WalkResult) -> bool:
    """Whether every row was read, and with its own value."""
    rows = {encode_subids([row]): row for row in range(1, ROWS + 1)}
    return all(
        {instance: int.from_bytes(raw, "big") for instance, (_, raw) in found.items()} == rows
        for found in (result.columns[encode_oid(column)] for column in COLUMNS)
    )


BAD = {
    "loss": Impairment(drop_rate=0.1),
    "duplicates": Impairment(duplicate_rate=0.5),
    "disorder": Impairment(reorder_rate=0.3, reorder_seconds=0.005),
    "truncation": Impairment(truncate_rate=0.1),
    "all": Impairment(drop_rate=0.05, duplicate_rate=0.2, reorder_rate=0.2, truncate_rate=0.05),
}


@pytest.mark.parametrize("impairment", BAD.values(), ids=BAD.keys())
async def test_bad_network_costs_packets_and_no_rows(impairment: Impairment) -> None:
    async with (
        switch().serve() as agent,
        BadNetwork(agent, requests=impairment, answers=impairment, seed=3).serve() as (host, port),
    ):
        memory = AgentMemory()
        security = v2c("public")
        async with open_session(f"{host}:{port}", security, memory=memory) as session:
            result = await read(session, COLUMNS, memory)
    assert result.failures == []
    assert whole(result)


async def test_flipped_bits_change_no_value_of_a_signed_answer() -> None:
    network = Impairment(corrupt_rate=0.2)
    async with (
        switch().serve() as agent,
        BadNetwork(agent, answers=network, seed=5).serve() as (
            host,
            port,
        ),
    ):
        memory = AgentMemory()
        async with open_session(f"{host}:{port}", v3(PRIVATE), memory=memory) as session:
            result = await read(session, COLUMNS, memory)
    assert result.failures == []
    assert whole(result)
    assert session.traffic.answers_rejected > 0


async def test_answers_from_elsewhere_are_heard_by_an_unconnected_socket() -> None:
    elsewhere = Impairment(foreign_source_rate=1.0)
    network = {"answers": elsewhere, "foreign_host": "127.0.0.2"}
    async with (
        switch().serve() as agent,
        BadNetwork(agent, **network).serve() as (host, port),  # type: ignore[arg-type]
        open_session(f"{host}:{port}", v2c("public"), connected=False) as session,
    ):
        assert whole(await read(session, COLUMNS))


async def test_agent_that_goes_away_in_mid_walk_leaves_its_rows() -> None:
    """Its port closes after so many requests, which the next one learns at once."""
    agent = switch()
    serving = agent.serve()
    host, port = await serving.__aenter__()

    async def go_away() -> None:
        while agent.counts.requests < 6:  # noqa: ASYNC110 - counts have no event
            await asyncio.sleep(0)
        await serving.__aexit__(None, None, None)

    async with open_session(f"{host}:{port}", v2c("public")) as session, asyncio.timeout(10):
        going = asyncio.ensure_future(go_away())
        result = await read(session, COLUMNS)
        await going
    assert [failure.reason for failure in result.failures] == [FailureReason.REFUSED]
    assert result.incomplete
    rows = [len(result.columns[encode_oid(column)]) for column in COLUMNS]
    assert 0 < sum(rows) < ROWS * len(COLUMNS)


async def test_faulty_agent_is_read_over_tcp() -> None:
    agent = switch(faults=Faults(most_varbinds=7))
    async with (
        agent.serve_tcp() as (host, port),
        open_session(f"tcp://{host}:{port}", v2c("public")) as session,
    ):
        result = await read(session, COLUMNS)
    assert whole(result)
    assert result.truncated > 0


async def test_hundred_agents_at_once_each_get_their_own_answers() -> None:
    async with switch().serve() as (host, port):

        async def scrape() -> bool:
            async with open_session(f"{host}:{port}", v2c("public")) as session:
                return whole(await read(session, COLUMNS))

        assert all(await asyncio.gather(*(scrape() for _ in range(100))))
