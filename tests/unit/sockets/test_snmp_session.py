"""Sessions over UDP: tries, waits, ids, and everything that is not the awaited answer.

Time is pretended, so every instant is exact; see ``pretend_time``.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.sockets import snmp_session
from exporters.sockets.rtt import RttEstimator
from exporters.sockets.snmp_security import CommunitySecurity
from exporters.sockets.snmp_session import oid_text
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import (
    Pdu,
    Version,
    decode_community_message,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.tags import GET_BULK_REQUEST, REPORT, RESPONSE

from .peers import (
    HOSTS,
    IF_INDEX,
    ROWS,
    SYS_NAME,
    Answer,
    closed_port,
    open_descriptors,
    open_session,
    simulated_agent,
    udp_peer,
)
from .pretend_time import STARTED_AT, in_pretend_time

Handle = Callable[[bytes], Answer]


def silent(_: bytes) -> None:
    return None


def asked(request: bytes) -> Pdu:
    return decode_community_message(request).pdu


def respond(
    request_id: int, text: bytes = b"switch", pdu_type: int = RESPONSE, version: int = Version.V2C
) -> bytes:
    pdu = encode_pdu(pdu_type, request_id, 0, 0, encode_varbinds([(SYS_NAME, 4, text)]))
    return encode_community_message(version, b"public", pdu)


def answer(request: bytes) -> bytes:
    return respond(asked(request).request_id)


def each(*answers: Handle) -> Handle:
    """A handler that does one thing with the first request, another with the second..."""
    left = iter(answers)
    return lambda request: next(left)(request)


def ids(requests: Sequence[bytes]) -> list[int]:
    return [asked(request).request_id for request in requests]


def since_start(times: Sequence[float]) -> list[float]:
    return [round(at - STARTED_AT, 6) for at in times]


def now() -> float:
    return asyncio.get_running_loop().time() - STARTED_AT


async def failure_of(asking: Any) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await asking
    return caught.value


@pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
@HOSTS
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
@in_pretend_time
async def test_agent_answers(version: Version, host: str, connected: bool) -> None:
    security = CommunitySecurity(version, b"public")
    async with (
        simulated_agent().serve(host) as address,
        open_session(address, security, connected=connected) as opened,
    ):
        assert await opened.sys_name() == b"switch"
        pdu, size = await opened.session.get_next([IF_INDEX])
        assert pdu.varbinds[0][0] == IF_INDEX + b"\x01"
        assert size > 20
    traffic = opened.traffic
    assert (traffic.packets_sent, traffic.packets_retried) == (2, 0)
    assert (traffic.answers_unmatched, traffic.answers_rejected) == (0, 0)
    assert traffic.bytes_received > size
    assert opened.rtt.smoothed_seconds == 0


@in_pretend_time
async def test_get_bulk_gives_as_many_rows_as_asked_for() -> None:
    async with simulated_agent().serve() as address, open_session(address) as opened:
        assert [row[0] for row in await opened.rows(5)] == [
            IF_INDEX + bytes([row]) for row in range(1, 6)
        ]


@in_pretend_time
async def test_dead_agent_is_tried_again_at_growing_intervals() -> None:
    async with udp_peer(silent) as peer, open_session(peer.address) as opened:
        error = await failure_of(opened.sys_name())
        assert since_start(peer.heard_at) == [0, 0.5, 1.5, 3.5]
        assert now() == 8.5
    assert error.reason is FailureReason.TIMEOUT
    assert "is silent after 4 tries, or does not know the community" in error.detail
    assert (opened.traffic.packets_sent, opened.traffic.packets_retried) == (4, 3)


@in_pretend_time
async def test_only_try_waits_for_the_whole_timeout() -> None:
    async with udp_peer(silent) as peer, open_session(peer.address, retries=0) as opened:
        error = await failure_of(opened.sys_name())
        assert (len(peer.heard), now()) == (1, 5)
    assert "silent after 1 try" in error.detail


@in_pretend_time
async def test_every_try_has_an_id_of_its_own() -> None:
    async with udp_peer(silent) as peer, open_session(peer.address) as opened:
        await failure_of(opened.sys_name())
        assert len(set(ids(peer.heard))) == 4


@in_pretend_time
async def test_quick_agent_is_tried_again_after_the_floor() -> None:
    async with (
        udp_peer(each(answer, silent, answer)) as peer,
        open_session(peer.address) as opened,
    ):
        await opened.sys_name()
        await opened.sys_name()
        assert since_start(peer.heard_at) == [0, 0, 0.2]


@in_pretend_time
async def test_requests_side_by_side_are_each_tried_again_in_their_own_time() -> None:
    async with (
        udp_peer(silent) as peer,
        open_session(peer.address) as opened,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(failure_of(opened.sys_name()))
        await asyncio.sleep(0.25)  # pretended
        group.create_task(failure_of(opened.sys_name()))
        await asyncio.sleep(7)  # pretended
        assert since_start(peer.heard_at) == [0, 0.25, 0.5, 0.75, 1.5, 1.75, 3.5, 3.75]


@in_pretend_time
async def test_short_wait_ends_before_a_long_one_that_began_earlier() -> None:
    async with (
        udp_peer(each(silent, answer, silent, answer, answer)) as peer,
        open_session(peer.address) as opened,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(opened.sys_name())
        await asyncio.sleep(0.125)  # pretended
        await opened.sys_name()  # from now on the agent is known to be quick
        group.create_task(opened.sys_name())
        await asyncio.sleep(0.25)  # pretended
        assert since_start(peer.heard_at) == [0, 0.125, 0.125, 0.325]


class NoTurns:
    """Limits under which nothing is ever sent again."""

    async def begin(self, deadline_at: float) -> list[Any]:
        return []

    def end(self, turns: list[Any]) -> None:
        pass

    async def retry(self, until: float, new_wake: Callable[[], asyncio.Future[None]]) -> None:
        await new_wake()


@in_pretend_time
async def test_wait_for_a_turn_is_not_ended_by_the_time_of_another_request() -> None:
    async with udp_peer(silent) as peer, open_session(peer.address) as opened:
        opened.session._limiter = NoTurns()
        one = asyncio.ensure_future(opened.sys_name())
        await asyncio.sleep(0.5)  # pretended
        other = asyncio.ensure_future(opened.sys_name())
        await asyncio.sleep(10)  # pretended
        assert since_start(peer.heard_at) == [0, 0.5]
        for request in (one, other):
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request


@in_pretend_time
async def test_lost_packets_are_made_up_for() -> None:
    async with (
        udp_peer(each(silent, silent, answer)) as peer,
        open_session(peer.address) as opened,
    ):
        assert await opened.sys_name() == b"switch"
        assert since_start(peer.heard_at) == [0, 0.5, 1.5]
    assert opened.traffic.packets_retried == 2
    assert opened.rtt.smoothed_seconds == 0


@in_pretend_time
async def test_retries_that_were_not_needed_serve_the_last_wait_of_a_later_request() -> None:
    path = each(answer, answer, *[silent] * 8, answer)
    async with udp_peer(path) as peer, open_session(peer.address) as opened:
        await opened.sys_name()
        await opened.sys_name()
        assert await opened.sys_name() == b"switch"
        tries_at = since_start(peer.heard_at)[2:]
    assert tries_at == pytest.approx([0, 0.2, 0.6, 1.4, 2.2, 3.0, 3.8, 4.6, 5.4])


@in_pretend_time
async def test_request_gives_up_when_it_would_without_spare_retries() -> None:
    path = each(*[answer] * 100, *[silent] * 100)
    async with udp_peer(path) as peer, open_session(peer.address) as opened:
        for _ in range(100):
            await opened.sys_name()
        error = await failure_of(opened.sys_name())
        assert now() == pytest.approx(0.2 + 0.4 + 0.8 + 5)
        assert len(peer.heard) == 100 + 10
    assert "silent after 10 tries" in error.detail


@in_pretend_time
async def test_spare_retries_are_used_up() -> None:
    """One request was answered: three tries may be spent beyond the three of the next one."""
    path = each(answer, *[silent] * 100)
    async with udp_peer(path) as peer, open_session(peer.address) as opened:
        await opened.sys_name()
        await failure_of(opened.sys_name())
        assert now() == pytest.approx(6.4)
        first = len(peer.heard)
        await failure_of(opened.sys_name())
        assert (first, len(peer.heard) - first) == (1 + 4 + 3, 4)


@in_pretend_time
async def test_agent_that_is_to_be_asked_once_is_asked_once() -> None:
    path = each(answer, answer, silent, silent)
    async with udp_peer(path) as peer, open_session(peer.address, retries=0) as opened:
        await opened.sys_name()
        await opened.sys_name()
        await failure_of(opened.sys_name())
        assert (len(peer.heard), now()) == (3, 5)


@in_pretend_time
async def test_slow_answer_to_an_earlier_try_is_taken_and_measured() -> None:
    """An agent slower than the first wait is asked twice once, not for ever."""

    def slow(request: bytes) -> Answer:
        return [(0.75, answer(request))]

    async with udp_peer(slow) as peer, open_session(peer.address) as opened:
        assert await opened.sys_name() == b"switch"
        assert now() == 0.75
        assert opened.rtt.smoothed_seconds == 0.75
        await opened.sys_name()
        assert since_start(peer.heard_at) == [0, 0.5, 0.75]
    assert opened.traffic.answers_unmatched == 1  # to the second try of the first request
    assert list(opened.traffic.round_trips) == [0.75, 0.75]


@in_pretend_time
async def test_get_bulk_asks_for_less_from_its_third_try_on() -> None:
    async with udp_peer(silent) as peer, open_session(peer.address, retries=6) as opened:
        await failure_of(opened.session.get_bulk([IF_INDEX], 20))
        found = [(asked(data).type, asked(data).error_index) for data in peer.heard]
    assert found == [(GET_BULK_REQUEST, count) for count in (20, 20, 10, 5, 2, 1, 1)]


@in_pretend_time
async def test_large_answer_that_is_lost_on_the_way_comes_in_a_smaller_one() -> None:
    """As where a firewall drops fragments."""
    agent = simulated_agent(max_response_bytes=1472)

    def path(request: bytes) -> bytes | None:
        message = agent.handle(request)
        return message if message is not None and len(message) <= 300 else None

    async with udp_peer(path) as peer, open_session(peer.address) as opened:
        rows = await opened.rows(40)
    assert [row[0] for row in rows] == [IF_INDEX + bytes([row]) for row in range(1, 11)]


@pytest.mark.parametrize(
    ("seconds", "sent_at"), [(0.25, [0]), (1.25, [0, 0.5]), (2.5, [0, 0.5, 1.5])], ids=str
)
@in_pretend_time
async def test_deadline_ends_the_wait(seconds: float, sent_at: list[float]) -> None:
    async with (
        udp_peer(silent) as peer,
        open_session(peer.address, seconds=seconds) as opened,
    ):
        error = await failure_of(opened.sys_name())
        assert since_start(peer.heard_at) == sent_at
        assert now() == seconds
    assert error.reason is FailureReason.TIMEOUT
    assert "when the scrape's deadline came" in error.detail


@in_pretend_time
async def test_nothing_is_sent_after_the_deadline() -> None:
    async with udp_peer(answer) as peer, open_session(peer.address, seconds=1) as opened:
        await asyncio.sleep(1)  # pretended
        error = await failure_of(opened.sys_name())
        assert peer.heard == []
    assert error.reason is FailureReason.TIMEOUT
    assert "the scrape's deadline came before udp 127.0.0.1" in error.detail


@HOSTS
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
@in_pretend_time
async def test_closed_port_is_refused_at_once(host: str, connected: bool) -> None:
    async with open_session(closed_port(host), connected=connected) as opened:
        error = await failure_of(opened.sys_name())
    assert (error.reason, now()) == (FailureReason.REFUSED, 0)
    assert "Connection refused" in error.detail


@in_pretend_time
async def test_closed_port_refuses_all_that_wait() -> None:
    async with open_session(closed_port()) as opened:
        errors = await asyncio.gather(*(failure_of(opened.sys_name()) for _ in range(4)))
    assert {error.reason for error in errors} == {FailureReason.REFUSED}
    assert len(set(map(id, errors))) == 4
    assert now() == 0


@in_pretend_time
async def test_answers_find_their_requests_in_any_order() -> None:
    held: list[bytes] = []

    def reverse(request: bytes) -> Answer:
        held.append(request)
        if len(held) < 10:
            return None
        numbers = reversed(ids(held))
        return [respond(number, str(number).encode()) for number in numbers]

    async with udp_peer(reverse) as peer, open_session(peer.address) as opened:
        names = await asyncio.gather(*(opened.sys_name() for _ in range(10)))
        assert names == [str(number).encode() for number in ids(peer.heard)]
    assert opened.traffic.packets_retried == 0


@in_pretend_time
async def test_duplicate_is_counted_and_ignored() -> None:
    async with (
        udp_peer(lambda request: [answer(request), answer(request)]) as peer,
        open_session(peer.address) as opened,
    ):
        assert await opened.sys_name() == b"switch"
        assert await opened.sys_name() == b"switch"
        await asyncio.sleep(0.1)  # pretended
    assert (opened.traffic.answers_unmatched, opened.traffic.answers_rejected) == (2, 0)


@in_pretend_time
async def test_answer_after_the_end_is_counted_and_ignored() -> None:
    def late(request: bytes) -> Answer:
        return [(3.0, answer(request))]

    async with (
        udp_peer(late) as peer,
        open_session(peer.address, timeout=1, retries=1) as opened,
    ):
        assert (await failure_of(opened.sys_name())).reason is FailureReason.TIMEOUT
        await asyncio.sleep(10)  # pretended
    assert opened.traffic.answers_unmatched == 2


def wrong_id(request: bytes) -> bytes:
    return respond(asked(request).request_id + 77)


def wrong_version(request: bytes) -> bytes:
    return respond(asked(request).request_id, version=Version.V1)


def a_report(request: bytes) -> bytes:
    return respond(asked(request).request_id, pdu_type=REPORT)


def echo(request: bytes) -> bytes:
    return request


def cut(request: bytes) -> bytes:
    return answer(request)[:-3]


def empty(_: bytes) -> bytes:
    return b""


def noise(_: bytes) -> bytes:
    return bytes(range(256))


def huge(_: bytes) -> bytes:
    return b"\x30" * 65507


GARBAGE = (wrong_version, a_report, echo, cut, empty, noise, huge)
NAMED = {"argvalues": GARBAGE, "ids": [handle.__name__ for handle in GARBAGE]}


@pytest.mark.parametrize("garbage", **NAMED)
@in_pretend_time
async def test_garbage_before_the_answer_is_counted_and_ignored(
    garbage: Callable[[bytes], bytes],
) -> None:
    async with (
        udp_peer(lambda request: [garbage(request), answer(request)]) as peer,
        open_session(peer.address) as opened,
    ):
        assert await opened.sys_name() == b"switch"
    assert (opened.traffic.answers_rejected, opened.traffic.answers_unmatched) == (1, 0)


@pytest.mark.parametrize("garbage", **NAMED)
@in_pretend_time
async def test_nothing_but_garbage_says_what_is_wrong_with_it(
    garbage: Callable[[bytes], bytes],
) -> None:
    async with udp_peer(garbage) as peer, open_session(peer.address) as opened:
        error = await failure_of(opened.sys_name())
        assert len(peer.heard) == 4
    assert error.reason is FailureReason.DECODE
    assert error.detail.startswith(f"udp 127.0.0.1 port {peer.address[1]} answers, but ")
    assert opened.traffic.answers_rejected == 4


@in_pretend_time
async def test_garbage_of_an_earlier_request_does_not_explain_a_later_silence() -> None:
    def both(request: bytes) -> Answer:
        return [noise(request), answer(request)]

    async with (
        udp_peer(each(both, silent)) as peer,
        open_session(peer.address, retries=0) as opened,
    ):
        await opened.sys_name()
        error = await failure_of(opened.sys_name())
    assert error.reason is FailureReason.TIMEOUT
    assert "community" not in error.detail  # it has just been right


@in_pretend_time
async def test_wrong_request_id_is_silence() -> None:
    async with udp_peer(wrong_id) as peer, open_session(peer.address) as opened:
        error = await failure_of(opened.sys_name())
    assert error.reason is FailureReason.TIMEOUT
    assert opened.traffic.answers_unmatched == 4


@in_pretend_time
async def test_answer_from_another_address_is_silence_when_connected() -> None:
    async with (
        udp_peer(answer, answers_from="127.0.0.2") as peer,
        open_session(peer.address) as opened,
    ):
        assert (await failure_of(opened.sys_name())).reason is FailureReason.TIMEOUT


@in_pretend_time
async def test_answer_from_another_address_is_taken_when_not_connected() -> None:
    async with (
        udp_peer(answer, answers_from="127.0.0.2") as peer,
        open_session(peer.address, connected=False) as opened,
    ):
        assert await opened.sys_name() == b"switch"


@in_pretend_time
async def test_answer_from_another_address_needs_the_right_id() -> None:
    async with (
        udp_peer(wrong_id, answers_from="127.0.0.2") as peer,
        open_session(peer.address, connected=False) as opened,
    ):
        assert (await failure_of(opened.sys_name())).reason is FailureReason.TIMEOUT
    assert opened.traffic.answers_unmatched == 4


@in_pretend_time
async def test_error_status_is_the_callers_business() -> None:
    async with simulated_agent().serve() as address:
        security = CommunitySecurity(Version.V1, b"public")
        async with open_session(address, security) as opened:
            pdu, _ = await opened.session.get([SYS_NAME, IF_INDEX])
    assert (pdu.error_status, pdu.error_index) == (2, 2)


@in_pretend_time
async def test_cancelled_request_leaves_nothing_behind() -> None:
    before = open_descriptors()
    loop = asyncio.get_running_loop()
    async with udp_peer(silent) as peer:

        async def scrape() -> None:
            async with open_session(peer.address) as opened, asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(opened.sys_name())

        task = loop.create_task(scrape())
        await asyncio.sleep(0.25)  # pretended
        assert len(peer.heard) == 4
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert now() == 0.25
        await asyncio.sleep(30)  # pretended
        assert len(peer.heard) == 4
    gc.collect()
    assert open_descriptors() == before


@in_pretend_time
async def test_failure_and_cancellation_at_once_leave_no_exception_unheard() -> None:
    """The loop of the test complains of exceptions that nobody fetched."""
    async with open_session(closed_port()) as opened:
        task = asyncio.ensure_future(opened.sys_name())
        await asyncio.sleep(0)
        opened.session._fail(TargetError(FailureReason.REFUSED, "gone"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    del task
    gc.collect()


@in_pretend_time
async def test_closed_session_asks_nothing() -> None:
    async with udp_peer(answer) as peer:
        async with open_session(peer.address) as opened:
            pass
        with pytest.raises(RuntimeError, match="over"):
            await opened.sys_name()
        assert peer.heard == []


@in_pretend_time
async def test_request_that_still_waits_ends_with_its_session() -> None:
    async with udp_peer(silent) as peer:
        async with open_session(peer.address) as opened:
            request = asyncio.ensure_future(opened.sys_name())
            await asyncio.sleep(0.25)  # pretended
        with pytest.raises(RuntimeError, match="over"):
            await request
        assert (len(peer.heard), now()) == (1, 0.25)


class FakeTransport:
    """A transport that does what a test says instead of sending."""

    closed = False

    def __init__(self, on_send: Callable[[FakeTransport, int], None]) -> None:
        self._on_send = on_send
        self.sent = 0

    def send(self, message: bytes) -> None:
        self.sent += 1
        self._on_send(self, self.sent)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Let sessions have a transport of the test's: a function of the session's error callback."""

    def use(on_send: Callable[[Callable[[TargetError], None], int], None]) -> None:
        async def open_transport(
            endpoint: object, on_message: object, on_error: Any, **_: Any
        ) -> FakeTransport:
            return FakeTransport(lambda _, count: on_send(on_error, count))

        monkeypatch.setattr(snmp_session, "open_transport", open_transport)

    return use


UNREACHABLE = TargetError(FailureReason.UNREACHABLE, "udp 192.0.2.1 port 161: No route to host")


@in_pretend_time
async def test_unreachable_host_is_tried_again_and_then_told(fake: Callable[[Any], None]) -> None:
    """A router may find its way again (RFC 1122 s4.1.3.3)."""
    fake(lambda on_error, _: on_error(UNREACHABLE))
    async with open_session(("192.0.2.1", 161)) as opened:
        error = await failure_of(opened.sys_name())
    assert error.reason is FailureReason.UNREACHABLE
    assert error.detail == f"{UNREACHABLE.detail}; silent after 4 tries"
    assert (opened.traffic.packets_sent, now()) == (4, 8.5)


@in_pretend_time
async def test_system_that_will_not_send_ends_the_request(fake: Callable[[Any], None]) -> None:
    def refuse(_: object, count: int) -> None:
        raise TargetError(FailureReason.LOCAL, f"try {count}: no buffer space")

    fake(refuse)
    async with open_session(("192.0.2.1", 161)) as opened:
        error = await failure_of(opened.sys_name())
        assert not opened.session._pending.all()
    assert (error.reason, error.detail) == (FailureReason.LOCAL, "try 1: no buffer space")
    assert now() == 0


@in_pretend_time
async def test_trace_tells_every_packet() -> None:
    async with (
        (
            udp_peer(
                each(silent, lambda request: [noise(request), answer(request), answer(request)])
            )
        ) as peer,
        open_session(peer.address) as opened,
    ):
        await opened.sys_name()
        await asyncio.sleep(0.1)  # pretended
    verbs = [line.split()[0] for line in opened.lines]
    assert verbs == ["send", "send", "reject", "receive", "ignore"]
    assert "get id=1000 repetitions=0" in opened.lines[0]
    assert opened.lines[0].endswith("oids=1.3.6.1.2.1.1.5.0")
    assert not any("public" in line for line in opened.lines)


@in_pretend_time
async def test_name_that_an_agent_made_up_can_be_traced() -> None:
    """Its next question names what it said, and a number beyond 32 bits has no dotted form."""
    made_up = IF_INDEX + b"\x9f\xff\xff\xff\xff\x7f"
    async with udp_peer(answer) as peer, open_session(peer.address) as opened:
        await opened.session.get_next([made_up])
    assert opened.lines[0].endswith(f"oids={made_up.hex()}")


def test_oid_text_is_dotted_where_it_can_be() -> None:
    assert oid_text(encode_oid("1.3.6.1.4.1.4294967295")) == "1.3.6.1.4.1.4294967295"
    assert oid_text(b"\x2b\x90\x80\x80\x80\x00") == "2b9080808000"


@in_pretend_time
async def test_round_trips_outlive_the_session() -> None:
    rtt = RttEstimator()

    def slow(request: bytes) -> Answer:
        return [(0.25, answer(request))]

    async with udp_peer(slow) as peer:
        async with open_session(peer.address, rtt=rtt) as opened:
            await opened.sys_name()
        assert rtt.smoothed_seconds == 0.25
        async with open_session(peer.address, rtt=rtt) as opened:
            await opened.sys_name()
        assert len(peer.heard) == 2


@in_pretend_time
async def test_whole_table_arrives_in_one_answer_where_it_fits() -> None:
    async with (
        simulated_agent(max_response_bytes=65507).serve() as address,
        open_session(address) as opened,
    ):
        assert len(await opened.rows(ROWS)) == ROWS
