"""Sessions that share the limits of one device: when its packets arrive, and who goes without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.sockets.device_queue import DeviceQueue
from exporters.sockets.pacing import Limits, Turn
from exporters.wire.snmp_message import (
    Version,
    decode_community_message,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.tags import RESPONSE

from .peers import HANG_UP, SYS_NAME, open_session, tcp_peer, udp_peer
from .pretend_time import STARTED_AT, in_pretend_time


def answer(request: bytes) -> bytes:
    request_id = decode_community_message(request).pdu.request_id
    varbinds = encode_varbinds([(SYS_NAME, 4, b"switch")])
    pdu = encode_pdu(RESPONSE, request_id, 0, 0, varbinds)
    return encode_community_message(Version.V2C, b"public", pdu)


def slow(seconds: float) -> Callable[[bytes], list[tuple[float, bytes]]]:
    return lambda request: [(seconds, answer(request))]


def since_start(times: list[float]) -> list[float]:
    return [round(at - STARTED_AT, 3) for at in times]


async def together(*asking: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*asking, return_exceptions=True)


@in_pretend_time
async def test_requests_of_all_sessions_are_spaced() -> None:
    queue = DeviceQueue(Limits(packets_per_second=10))
    async with (
        udp_peer(answer) as peer,
        open_session(peer.address, queues=[queue]) as one,
        open_session(peer.address, queues=[queue]) as other,
    ):
        await together(one.sys_name(), other.sys_name(), one.sys_name(), other.sys_name())
    assert since_start(peer.heard_at) == [0, 0.1, 0.2, 0.3]
    timers = asyncio.get_running_loop()._scheduled
    assert [timer for timer in timers if not timer.cancelled()] == []
    assert one.traffic.limit_wait_seconds == pytest.approx(0.2)
    assert other.traffic.limit_wait_seconds == pytest.approx(0.3)
    assert "waited 0.2000 s for a turn, within 10 packets a second" in one.lines


@in_pretend_time
async def test_requests_under_way_are_no_more_than_allowed() -> None:
    queue = DeviceQueue(Limits(concurrency=2))
    async with (
        udp_peer(slow(0.25)) as peer,
        open_session(peer.address, queues=[queue]) as one,
        open_session(peer.address, queues=[queue]) as other,
    ):
        await together(*(opened.sys_name() for opened in (one, other, one, other, one)))
    assert since_start(peer.heard_at) == [0, 0, 0.25, 0.25, 0.5]


@in_pretend_time
async def test_session_without_limits_waits_for_nobody() -> None:
    async with udp_peer(slow(0.25)) as peer, open_session(peer.address) as opened:
        await together(*(opened.sys_name() for _ in range(5)))
    assert since_start(peer.heard_at) == [0] * 5
    assert opened.traffic.limit_wait_seconds == 0


@in_pretend_time
async def test_retransmissions_are_spaced_too() -> None:
    queue = DeviceQueue(Limits(packets_per_second=0.5))
    async with (
        udp_peer(lambda _: None) as peer,
        open_session(peer.address, timeout=1, retries=3, queues=[queue]) as opened,
    ):
        with pytest.raises(TargetError, match=r"within 0\.5 packets a second") as caught:
            await opened.sys_name()
    assert caught.value.reason is FailureReason.TIMEOUT
    assert since_start(peer.heard_at) == [0, 2]
    assert opened.traffic.packets_retried == 1


@in_pretend_time
async def test_retransmission_goes_before_requests_that_wait() -> None:
    requests: list[bytes] = []

    def drop_first(request: bytes) -> bytes | None:
        requests.append(request)
        return answer(request) if len(requests) > 1 else None

    queue = DeviceQueue(Limits(concurrency=1, packets_per_second=1))
    async with (
        udp_peer(drop_first) as peer,
        open_session(peer.address, queues=[queue]) as one,
        open_session(peer.address, queues=[queue]) as other,
    ):
        await together(one.sys_name(), other.sys_name())
    assert since_start(peer.heard_at) == [0, 1, 2]
    assert (one.traffic.packets_retried, other.traffic.packets_retried) == (1, 0)


@in_pretend_time
async def test_answer_is_heard_while_its_request_waits_to_be_sent_again() -> None:
    queue = DeviceQueue(Limits(packets_per_second=0.25))
    loop = asyncio.get_running_loop()
    async with (
        udp_peer(slow(1.5)) as peer,
        open_session(peer.address, queues=[queue]) as opened,
    ):
        assert await opened.sys_name() == b"switch"
        assert loop.time() == STARTED_AT + 1.5
    assert len(peer.heard) == 1


@in_pretend_time
async def test_new_connection_waits_for_its_turn_too() -> None:
    queue = DeviceQueue(Limits(packets_per_second=1))
    async with (
        tcp_peer(lambda _: HANG_UP) as peer,
        open_session(peer.address, transport="tcp", retries=2, queues=[queue]) as opened,
    ):
        with pytest.raises(TargetError) as caught:
            await opened.sys_name()
    assert caught.value.reason is FailureReason.REFUSED
    assert since_start(peer.heard_at) == [0, 1, 2]


@in_pretend_time
async def test_request_whose_turn_comes_too_late_is_told_at_once() -> None:
    queue = DeviceQueue(Limits(packets_per_second=1))
    loop = asyncio.get_running_loop()
    failed_at: list[float] = []
    async with (
        udp_peer(answer) as peer,
        open_session(peer.address, queues=[queue], seconds=2.5) as opened,
    ):

        async def ask() -> bytes:
            try:
                return await opened.sys_name()
            except TargetError:
                failed_at.append(loop.time() - STARTED_AT)
                raise

        results = await together(*(ask() for _ in range(4)))
        assert results[:3] == [b"switch"] * 3
        assert results[3].reason is FailureReason.RATE_LIMIT
        limit = f"the limits of udp 127.0.0.1 port {peer.address[1]}, 1 packet a second, left no"
        assert limit in results[3].detail
    assert failed_at == [0]


@in_pretend_time
async def test_request_that_gets_no_place_ends_with_the_deadline() -> None:
    queue = DeviceQueue(Limits(concurrency=1))
    loop = asyncio.get_running_loop()
    async with (
        udp_peer(slow(5)) as peer,
        open_session(peer.address, queues=[queue], timeout=9) as holder,
        open_session(peer.address, queues=[queue], seconds=2) as opened,
    ):
        held = asyncio.ensure_future(holder.sys_name())
        await asyncio.sleep(0)
        with pytest.raises(TargetError) as caught:
            await opened.sys_name()
        assert caught.value.reason is FailureReason.RATE_LIMIT
        assert loop.time() == STARTED_AT + 2
        assert await held == b"switch"
    assert opened.traffic.packets_sent == 0


@in_pretend_time
async def test_turn_that_leaves_no_time_for_the_answer_is_not_taken() -> None:
    """The agent would be taken for a silent one."""
    queue = DeviceQueue(Limits(packets_per_second=1))
    async with (
        udp_peer(slow(0.4)) as peer,
        open_session(peer.address, queues=[queue], seconds=1.5) as opened,
    ):
        results = await together(opened.sys_name(), asyncio.sleep(0.5))
        assert results[0] == b"switch"
        with pytest.raises(TargetError) as caught:
            await opened.sys_name()
    assert caught.value.reason is FailureReason.RATE_LIMIT


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "under way"])
@in_pretend_time
async def test_place_of_a_cancelled_request_is_free_again(waits: bool) -> None:
    queue = DeviceQueue(Limits(concurrency=1))
    async with (
        udp_peer(slow(1)) as peer,
        open_session(peer.address, queues=[queue]) as one,
        open_session(peer.address, queues=[queue]) as other,
    ):
        tasks = [asyncio.ensure_future(opened.sys_name()) for opened in (one, other)]
        await asyncio.sleep(0.5)
        tasks[waits].cancel()
        assert await tasks[not waits] == b"switch"
        assert await one.sys_name() == b"switch"


@in_pretend_time
async def test_request_cancelled_in_the_moment_of_its_turn_gives_it_back() -> None:
    queue = DeviceQueue(Limits(concurrency=1))
    loop = asyncio.get_running_loop()
    first, second, third = (Turn(0.0) for _ in range(3))
    deadline_at = STARTED_AT + 100
    assert await queue.wait(first, deadline_at, loop.create_future())
    waiting = asyncio.ensure_future(queue.wait(second, deadline_at, loop.create_future()))
    await asyncio.sleep(0)
    queue.leave(first)
    assert second.granted
    waiting.cancel()
    await together(waiting)
    assert await queue.wait(third, deadline_at, loop.create_future())


@in_pretend_time
async def test_packet_passes_all_its_queues() -> None:
    """A module's packets wait for their own limit; it is not in the way of other modules'."""
    device = DeviceQueue(Limits(packets_per_second=10))
    module = DeviceQueue(Limits(packets_per_second=1))
    async with (
        udp_peer(answer) as peer,
        open_session(peer.address, queues=[module, device]) as walk,
        open_session(peer.address, queues=[device]) as other,
    ):
        slow = [walk.sys_name() for _ in range(2)]
        await together(*slow, *(other.sys_name() for _ in range(3)))
    assert since_start(peer.heard_at) == [0, 0.1, 0.2, 0.3, 1.0]
    assert walk.lines[-3] == "waited 1.0000 s for a turn, within 1 packet a second"


@in_pretend_time
async def test_retransmission_passes_all_its_queues() -> None:
    device = DeviceQueue(Limits(packets_per_second=0.5))
    module = DeviceQueue(Limits(packets_per_second=0.25))
    async with (
        udp_peer(lambda _: None) as peer,
        open_session(peer.address, timeout=4, retries=2, queues=[module, device]) as opened,
    ):
        with pytest.raises(TargetError):
            await opened.sys_name()
    assert since_start(peer.heard_at) == [0, 4, 8]


@in_pretend_time
async def test_place_in_one_queue_is_given_back_if_another_has_none() -> None:
    device = DeviceQueue(Limits(concurrency=1))
    module = DeviceQueue(Limits(concurrency=1))
    async with (
        udp_peer(slow(5)) as peer,
        open_session(peer.address, timeout=9, queues=[device]) as holder,
        open_session(peer.address, seconds=1, queues=[module, device]) as late,
        open_session(peer.address, timeout=9, queues=[module]) as last,
    ):
        held = asyncio.ensure_future(holder.sys_name())
        await asyncio.sleep(0)
        (failure,) = await together(late.sys_name())
        assert failure.reason is FailureReason.RATE_LIMIT
        assert await last.sys_name() == b"switch"
        assert await held == b"switch"


@in_pretend_time
async def test_limits_that_change_hold_for_those_that_wait() -> None:
    """Else a wrong limit would outlive the reload that corrects it."""
    queue = DeviceQueue(Limits(packets_per_second=0.001))
    async with (
        udp_peer(answer) as peer,
        open_session(peer.address, seconds=5000, queues=[queue]) as opened,
    ):
        asking = asyncio.ensure_future(together(opened.sys_name(), opened.sys_name()))
        await asyncio.sleep(3)
        queue.change_limits(Limits(packets_per_second=0.1))
        await asking
        queue.change_limits(Limits())
        await opened.sys_name()
    assert since_start(peer.heard_at) == [0, 10, 10]
