"""Sessions over TCP: nothing is sent twice on one connection, and a broken one is opened again."""

from __future__ import annotations

import asyncio
import socket

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.wire.snmp_message import decode_community_message

from .peers import (
    HANG_UP,
    HOSTS,
    Opened,
    closed_port,
    open_descriptors,
    open_session,
    simulated_agent,
    tcp_peer,
)
from .pretend_time import STARTED_AT, in_pretend_time


def now() -> float:
    return asyncio.get_running_loop().time() - STARTED_AT


async def failure_of(opened: Opened) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await opened.sys_name()
    return caught.value


@HOSTS
@in_pretend_time
async def test_agent_answers(host: str) -> None:
    async with (
        simulated_agent().serve_tcp(host) as address,
        open_session(address, transport="tcp") as opened,
    ):
        assert await opened.sys_name() == b"switch"
        assert len(await opened.rows(20)) == 20
    assert opened.traffic.packets_sent == 2


@in_pretend_time
async def test_many_requests_share_the_connection() -> None:
    agent = simulated_agent()
    async with (
        (
            tcp_peer(lambda stream: [agent.handle(data) or b"" for data in whole_messages(stream)])
        ) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        names = await asyncio.gather(*(opened.sys_name() for _ in range(20)))
        assert set(names) == {b"switch"}
        assert peer.connections == 1


def whole_messages(stream: bytes) -> list[bytes]:
    """Requests that arrived together; all are shorter than 128 bytes."""
    found = []
    while stream:
        size = 2 + stream[1]
        found.append(stream[:size])
        stream = stream[size:]
    return found


@in_pretend_time
async def test_answer_that_comes_in_pieces_is_put_together() -> None:
    agent = simulated_agent()

    def in_pieces(request: bytes) -> list[bytes]:
        message = agent.handle(request) or b""
        return [message[at : at + 1] for at in range(len(message))]

    async with (
        tcp_peer(in_pieces) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        assert await opened.sys_name() == b"switch"


@in_pretend_time
async def test_silent_agent_is_asked_once_and_waited_for_as_long_as_with_retries() -> None:
    async with (
        tcp_peer(lambda _: None) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        error = await failure_of(opened)
        assert (len(peer.heard), now()) == (1, 20)
    assert error.reason is FailureReason.TIMEOUT
    assert "silent after 1 try" in error.detail


@in_pretend_time
async def test_half_a_message_is_silence() -> None:
    agent = simulated_agent()
    async with (
        tcp_peer(lambda request: (agent.handle(request) or b"")[:-1]) as peer,
        open_session(peer.address, transport="tcp", seconds=3) as opened,
    ):
        error = await failure_of(opened)
    assert (error.reason, now()) == (FailureReason.TIMEOUT, 3)


@in_pretend_time
async def test_garbage_fails_at_once() -> None:
    async with (
        tcp_peer(lambda _: b"SSH-2.0-OpenSSH_9.9\r\n") as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        error = await failure_of(opened)
    assert (error.reason, now()) == (FailureReason.DECODE, 0)
    assert "sends what is no SNMP message" in error.detail


@in_pretend_time
async def test_whole_message_that_is_no_answer_is_waited_out() -> None:
    async with (
        tcp_peer(lambda request: request) as peer,
        open_session(peer.address, transport="tcp", seconds=3) as opened,
    ):
        error = await failure_of(opened)
    assert (error.reason, now()) == (FailureReason.DECODE, 3)
    assert "not a response" in error.detail


@in_pretend_time
async def test_agent_that_hangs_up_after_each_answer_is_called_again() -> None:
    agent = simulated_agent()
    async with (
        tcp_peer(lambda request: [agent.handle(request) or b"", HANG_UP]) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        for _ in range(3):
            assert await opened.sys_name() == b"switch"
            await asyncio.sleep(0.1)  # pretended: until it has hung up
        assert peer.connections == 3
    assert opened.traffic.packets_retried == 0


@in_pretend_time
async def test_request_that_the_agent_hangs_up_on_goes_again() -> None:
    agent = simulated_agent()
    left = [HANG_UP, HANG_UP]

    def handle(request: bytes) -> bytes:
        return left.pop() if left else agent.handle(request) or b""

    async with (
        tcp_peer(handle) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        assert await opened.sys_name() == b"switch"
        assert peer.connections == 3
        numbers = [decode_community_message(data).pdu.request_id for data in peer.heard]
        assert len(set(numbers)) == 3
    assert (opened.traffic.packets_retried, now()) == (2, 0)


@in_pretend_time
async def test_agent_that_always_hangs_up_refuses() -> None:
    async with (
        tcp_peer(lambda _: HANG_UP) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        error = await failure_of(opened)
        assert peer.connections == 4
    assert (error.reason, now()) == (FailureReason.REFUSED, 0)
    assert "the agent closed the connection" in error.detail


@in_pretend_time
async def test_agent_that_hangs_up_on_many_is_called_again_once() -> None:
    agent = simulated_agent()
    left = [HANG_UP]

    def handle(stream: bytes) -> list[bytes]:
        if left:
            return [left.pop()]
        return [agent.handle(data) or b"" for data in whole_messages(stream)]

    async with (
        tcp_peer(handle) as peer,
        open_session(peer.address, transport="tcp") as opened,
    ):
        names = await asyncio.gather(*(opened.sys_name() for _ in range(4)))
        assert names == [b"switch"] * 4
        assert peer.connections == 2


@HOSTS
@in_pretend_time
async def test_closed_port_is_refused_before_anything_is_asked(host: str) -> None:
    before = open_descriptors()
    with pytest.raises(TargetError) as caught:
        async with open_session(closed_port(host, socket.SOCK_STREAM), transport="tcp"):
            raise AssertionError("opened")
    assert (caught.value.reason, now()) == (FailureReason.REFUSED, 0)
    assert open_descriptors() == before


@in_pretend_time
async def test_agent_that_goes_away_is_refused() -> None:
    async with simulated_agent().serve_tcp() as address:
        session = open_session(address, transport="tcp")
        opened = await session.__aenter__()
        assert await opened.sys_name() == b"switch"
    error = await failure_of(opened)
    await session.__aexit__(None, None, None)
    assert (error.reason, now()) == (FailureReason.REFUSED, 0)


@in_pretend_time
async def test_cancelled_request_hangs_up_at_once() -> None:
    before = open_descriptors()
    async with tcp_peer(lambda _: None) as peer:

        async def scrape() -> None:
            async with open_session(peer.address, transport="tcp") as opened:
                await opened.sys_name()

        task = asyncio.ensure_future(scrape())
        await asyncio.sleep(0.5)  # pretended
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)  # pretended
        assert (peer.connections, peer.hung_up) == (1, 1)
    assert open_descriptors() == before
