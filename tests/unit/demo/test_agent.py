"""A simulated agent as clients meet it: communities, sockets, counts."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.faults import Delivery, Faults
from exporters.demo.listeners import message_end
from exporters.demo.recording import Recording
from exporters.demo.snmprec import read_recording
from exporters.errors import WireError
from exporters.wire.snmp_message import Version
from exporters.wire.tags import GET_BULK_REQUEST, GET_NEXT_REQUEST, GET_REQUEST, RESPONSE

from .asking import encode_request, names, read_answer
from .clients import PATIENCE_SECONDS, udp_client, until

NAME = "1.3.6.1.2.1.1.5.0"
RESOLUTION_SECONDS = 1e-6
GET_NAME = encode_request(GET_REQUEST, NAME)


def named(text: str) -> Recording:
    return read_recording([f"{NAME}|4|{text}".encode()])


AGENT = SimulatedAgent(named("a"))


def name_of(agent: SimulatedAgent, community: bytes) -> bytes | None:
    data = agent.handle(encode_request(GET_REQUEST, NAME, community=community))
    return None if data is None else bytes(read_answer(data).varbinds[0][2])


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            udp.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_one_recording_answers_to_every_community_of_the_settings() -> None:
    agent = SimulatedAgent(named("a"), AgentSettings(communities=("public", "second")))
    assert [name_of(agent, community) for community in (b"public", b"second")] == [b"a", b"a"]
    assert name_of(agent, b"other") is None
    assert name_of(agent, b"") is None


def test_community_selects_among_several_recordings_and_the_first_is_the_default() -> None:
    agent = SimulatedAgent({"core": named("c"), "edge": named("e")})
    communities = (b"core", b"edge", b"public")
    assert [name_of(agent, community) for community in communities] == [b"c", b"e", b"c"]


def test_answer_carries_the_version_and_the_community_of_the_request() -> None:
    agent = SimulatedAgent(named("a"))
    for version in (Version.V1, Version.V2C):
        request = encode_request(GET_REQUEST, NAME, version=version)
        answer = agent.handle(request)
        assert answer is not None
        assert answer[:2] == bytes((0x30, len(answer) - 2))
        assert answer[2:13] == request[2:13]


@pytest.mark.parametrize("most", [484, 1472, 65507])
def test_answer_is_never_longer_than_the_setting_and_uses_it(most: int) -> None:
    recording = read_recording(f"1.3.6.1.9.{n}|4|{'x' * 30}".encode() for n in range(3000))
    agent = SimulatedAgent(recording, AgentSettings(max_response_bytes=most))
    answer = agent.handle(encode_request(GET_BULK_REQUEST, "1.3", repetitions=3000))
    assert answer is not None
    assert most - 60 < len(answer) <= most


@pytest.mark.parametrize("most", [0, 483, 65508])
def test_setting_that_no_datagram_can_have_is_refused(most: int) -> None:
    with pytest.raises(ValueError, match="expected 484"):
        AgentSettings(max_response_bytes=most)


def test_garbage_is_not_answered() -> None:
    agent = SimulatedAgent(named("a"))
    for end in range(len(GET_NAME)):
        assert agent.handle(GET_NAME[:end]) is None
    assert agent.handle(b"\xff" * 200) is None
    assert agent.handle(GET_NAME) is not None


@given(
    st.sampled_from([GET_REQUEST, GET_NEXT_REQUEST, GET_BULK_REQUEST]),
    st.sampled_from([Version.V1, Version.V2C]),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 255)), max_size=4),
)
def test_damaged_requests_are_answered_with_messages_or_not_at_all(
    pdu_type: int, version: int, damages: list[tuple[int, int]]
) -> None:
    data = bytearray(encode_request(pdu_type, NAME, "1.3", version=version, repetitions=5))
    for place, octet in damages:
        data[place % len(data)] = octet
    answer = AGENT.handle(bytes(data))
    if answer is not None:
        assert read_answer(answer).type == RESPONSE
        assert len(answer) <= AGENT.settings.max_response_bytes


async def test_answers_over_udp_and_counts() -> None:
    agent = SimulatedAgent(named("a"))
    async with agent.serve() as address, udp_client(address) as client:
        await client.send(b"garbage")
        await client.send(encode_request(GET_REQUEST, NAME, community=b"other"))
        answer = await client.ask(GET_NAME)
    assert read_answer(answer).varbinds[0][2] == b"a"
    counts = agent.counts
    assert (counts.requests, counts.ignored, counts.responses, counts.unsent) == (3, 2, 1, 0)


async def test_answers_come_from_the_address_that_was_asked() -> None:
    agent = SimulatedAgent(named("a"))
    async with (
        agent.serve("127.0.0.1") as first,
        agent.serve("127.0.0.2") as second,
        udp_client(first) as one,
        udp_client(second) as two,
    ):
        assert first[0] == "127.0.0.1"
        assert second[0] == "127.0.0.2"
        # both clients are connected, so that an answer from elsewhere would not arrive
        assert await one.ask(GET_NAME) == await two.ask(GET_NAME)


@pytest.mark.skipif(not has_ipv6_loopback(), reason="this system has no IPv6 loopback")
async def test_answers_over_ipv6() -> None:
    agent = SimulatedAgent(named("a"))
    async with agent.serve("::1") as address, udp_client(address) as client:
        assert read_answer(await client.ask(GET_NAME)).varbinds[0][2] == b"a"


async def test_address_is_free_again_after_serving_and_one_in_use_is_an_error() -> None:
    agent = SimulatedAgent(named("a"))
    async with agent.serve() as address:
        with pytest.raises(OSError, match="in use"):
            async with agent.serve(*address):
                pass
    async with agent.serve(*address) as again:
        assert again == address


async def test_late_answers_take_as_long_as_told() -> None:
    faults = Faults(late_rate=0.5, late_seconds=0.02, seed=4)
    told = Delivery(faults)
    agent = SimulatedAgent(named("a"), AgentSettings(faults=faults))
    loop = asyncio.get_running_loop()
    async with agent.serve() as address, udp_client(address) as client:
        for _ in range(8):
            (delay,) = told.delays()
            started_at = loop.time()
            await client.ask(GET_NAME)
            assert loop.time() - started_at + RESOLUTION_SECONDS >= delay


async def test_duplicates_arrive_twice_and_dropped_ones_not() -> None:
    twice = SimulatedAgent(named("a"), AgentSettings(faults=Faults(duplicate_rate=1.0)))
    never = SimulatedAgent(named("a"), AgentSettings(faults=Faults(drop_rate=1.0)))
    async with twice.serve() as address, udp_client(address) as client:
        assert await client.ask(GET_NAME) == await client.receive()
    async with never.serve() as address, udp_client(address) as client:
        await client.send(GET_NAME)
        await client.send(GET_NAME)
        await until(lambda: never.counts.requests == 2)
    assert (never.counts.responses, twice.counts.responses) == (0, 2)


async def test_waiting_answers_are_forgotten_when_serving_ends() -> None:
    faults = Faults(delay_seconds=3600.0)
    agent = SimulatedAgent(named("a"), AgentSettings(faults=faults))
    async with agent.serve() as address, udp_client(address) as client:
        await client.send(GET_NAME)
        await until(lambda: agent.counts.requests == 1)
    assert agent.counts.responses == 0


async def test_messages_over_tcp_are_told_apart_however_they_are_cut() -> None:
    agent = SimulatedAgent(named("a"))
    requests = [encode_request(GET_REQUEST, NAME), encode_request(GET_NEXT_REQUEST, "1.3")]
    stream = b"".join(requests)
    async with agent.serve_tcp() as address, asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(*address)
        for n in range(len(stream)):
            writer.write(stream[n : n + 1])
            await writer.drain()
        writer.write(stream)
        answers = [await read_message(reader) for _ in range(4)]
        writer.close()
        await writer.wait_closed()
    assert [names(read_answer(answer)) for answer in answers] == [[NAME]] * 4
    assert agent.counts.requests == agent.counts.responses == 4


async def test_tcp_stream_that_cannot_be_cut_into_messages_is_closed() -> None:
    agent = SimulatedAgent(named("a"))
    async with agent.serve_tcp() as address, asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            if not await reader.read():
                raise ConnectionResetError
        writer.close()


async def test_tcp_connections_end_with_the_serving() -> None:
    agent = SimulatedAgent(named("a"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with agent.serve_tcp() as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(GET_NAME)
            await read_message(reader)
        with pytest.raises(ConnectionResetError):
            if not await reader.read():
                raise ConnectionResetError
        writer.close()


@pytest.mark.parametrize(
    ("buffer", "end"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"\x30", None, id="a tag"),
        pytest.param(b"\x30\x82\x01", None, id="half a length"),
        pytest.param(b"\x30\x03ab", None, id="half a message"),
        pytest.param(b"\x30\x03abc", 5, id="a message"),
        pytest.param(b"\x30\x03abc\x30", 5, id="a message and a bit"),
        pytest.param(b"\x30\x81\x03abc", 6, id="a long form"),
    ],
)
def test_message_ends_where_its_length_says(buffer: bytes, end: int | None) -> None:
    assert message_end(buffer) == end


@pytest.mark.parametrize(
    "buffer",
    [
        pytest.param(b"G", id="another tag"),
        pytest.param(b"\x30\x80", id="indefinite length"),
        pytest.param(b"\x30\xff\0\0\0\0", id="length of 127 bytes"),
        pytest.param(b"\x30\x84\x7f\xff\xff\xff", id="two gigabytes"),
    ],
)
def test_stream_that_is_no_message_is_an_error_at_once(buffer: bytes) -> None:
    with pytest.raises(WireError):
        message_end(buffer)


async def read_message(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(2)
    assert header[1] < 0x80
    return header + await reader.readexactly(header[1])
