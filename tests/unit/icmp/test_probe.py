"""One probe, from its query to its result, in pretended time and towards a pretend network."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from exporters.config.icmp_module import IcmpOptions, ProbeModule
from exporters.errors import FailureReason, Forbidden, Problem, SocketDenied, TargetError
from exporters.icmp.probe import Prober, ProbeResult, choose_address
from exporters.icmp.probe_log import ProbeLog
from exporters.icmp.probe_sockets import ProbeSockets
from exporters.icmp.query import ProbeQuery
from exporters.sockets.host_resolution import HostResolver
from exporters.sockets.icmp_values import ErrorReport, SendError

from ..sockets.pretend_time import in_pretend_time
from .fake_socket import FakeNetwork, FakeSocket, Request, replies, silence, stamp

HOST = "192.0.2.1"


def options(**given: Any) -> IcmpOptions:
    return IcmpOptions(**given)


def query(target: str = HOST, timeout: float = 5.0, **given: Any) -> ProbeQuery:
    module = ProbeModule(prober="icmp", icmp=given.pop("icmp", IcmpOptions()))
    default = ProbeQuery(target, "icmp", module, timeout, 1, 0.2, statistics=False, debug=True)
    return replace(default, **given)


class Lab:
    """A prober and the network that it probes."""

    def __init__(self, **given: Any) -> None:
        self.network = FakeNetwork()
        self.rejected = 0
        self.sockets = ProbeSockets(self.reject, self.network.open)
        self.names: dict[str, list[str]] = {}
        settings = {"allowed": (), "most_at_once": 100, **given}
        self.prober = Prober(self.sockets, HostResolver(self.look_up), **settings)
        self.log = ProbeLog(module="icmp", target=HOST, kept=True)

    def reject(self) -> None:
        self.rejected += 1

    def look_up(self, host: str) -> tuple[Any, ...]:
        if host not in self.names:
            raise OSError(-2, "Name or service not known")
        return tuple(ipaddress.ip_address(text) for text in self.names[host])

    async def probe(self, *args: Any, **given: Any) -> ProbeResult:
        return await self.prober.probe(query(*args, **given), self.log)


@contextmanager
def lab(**given: Any):
    made = Lab(**given)
    yield made
    made.sockets.close()
    assert made.network.open_sockets == 0


@in_pretend_time
async def test_reply_is_success_with_the_time_of_the_kernel():
    with lab() as here:
        result = await here.probe()
    assert result.success
    assert result.rtts == [pytest.approx(0.05)]
    assert result.hop_limit == 64
    assert result.ip == ipaddress.ip_address(HOST)
    assert result.duration_seconds == pytest.approx(0.05)
    (request,) = here.network.requests
    assert (request.destination, request.hop_limit, len(request.payload)) == (HOST, 64, 28)


@in_pretend_time
async def test_silence_is_failure_at_the_end_of_the_time():
    with lab() as here:
        here.network.answer = silence
        result = await here.probe(timeout=3)
    assert not result.success
    assert (result.sent, result.rtts, result.hop_limit) == (1, [], None)
    assert result.duration_seconds == pytest.approx(3)
    assert 'msg="no reply in time"' in here.log.text()


@in_pretend_time
async def test_reply_after_the_end_of_the_time_comes_too_late():
    with lab() as here:
        here.network.answer = replies(3.1)
        result = await here.probe(timeout=3)
        await asyncio.sleep(1)
    assert not result.success


@in_pretend_time
@pytest.mark.parametrize(
    "changed", [{"source": "192.0.2.2"}, {"payload": b"other"}, {"payload": b""}]
)
async def test_reply_of_another_host_or_to_another_ping_is_none(changed):
    with lab() as here:
        here.network.answer = replies(**changed)
        assert not (await here.probe()).success
    assert here.rejected == 1


@in_pretend_time
async def test_reply_with_a_sequence_that_is_not_under_way_is_none():
    with lab() as here:
        here.network.answer = lambda to, request: to.reply(request, sequence=request.sequence ^ 1)
        assert not (await here.probe()).success


def report(request: Request, **changed: Any) -> ErrorReport:
    default = ErrorReport(
        request.destination, "192.0.2.254", False, 3, 13, 0, request.sequence,
        request.payload[:8], stamp(),
    )  # fmt: skip
    return replace(default, **changed)


@in_pretend_time
async def test_icmp_error_ends_the_probe_at_once_and_the_log_names_it():
    with lab() as here:
        here.network.answer = lambda to, request: to.on_error(report(request))
        result = await here.probe()
    assert not result.success
    assert result.duration_seconds == 0
    assert "type=3 code=13 reporter=192.0.2.254" in here.log.text()


@in_pretend_time
@pytest.mark.parametrize(
    "changed",
    [
        {"type": 5, "code": 1},  # redirect: the reply will come
        {"destination": "192.0.2.9"},
        {"payload": b"another's"},
    ],
    ids=["redirect", "other destination", "other payload"],
)
async def test_error_that_is_not_about_this_ping_or_no_end_of_it_ends_nothing(changed):
    def answer(to: FakeSocket, request: Request) -> None:
        to.on_error(report(request, **changed))
        replies(0.5)(to, request)

    with lab() as here:
        here.network.answer = answer
        result = await here.probe()
    assert result.rtts == [pytest.approx(0.5)]


@in_pretend_time
async def test_several_pings_go_out_one_interval_apart_and_all_are_waited_for():
    with lab() as here:
        here.network.answer = replies(0.3)
        result = await here.probe(count=4, interval_seconds=0.2)
    times = [request.at for request in here.network.requests]
    assert [round(time - times[0], 6) for time in times] == [0, 0.2, 0.4, 0.6]
    assert (result.sent, len(result.rtts)) == (4, 4)
    assert result.duration_seconds == pytest.approx(0.9)
    assert len({request.sequence for request in here.network.requests}) == 4
    assert len({request.payload for request in here.network.requests}) == 4


@in_pretend_time
async def test_some_replies_of_several_are_success():
    def answer(to: FakeSocket, request: Request) -> None:
        if len(here.network.requests) != 2:
            replies(0.01 * len(here.network.requests))(to, request)

    with lab() as here:
        here.network.answer = answer
        result = await here.probe(count=3, timeout=2)
    assert result.success
    assert result.rtts == [pytest.approx(0.01), pytest.approx(0.03)]
    assert result.duration_seconds == pytest.approx(2)


@in_pretend_time
async def test_ping_that_cannot_be_sent_fails_and_the_others_go_on():
    def answer(to: FakeSocket, request: Request) -> None:
        if len(here.network.requests) == 2:
            raise SendError(errno.EPERM, (HOST, 0), 0)
        replies()(to, request)

    with lab() as here:
        here.network.answer = answer
        result = await here.probe(count=3)
    assert (result.sent, len(result.rtts)) == (2, 2)
    assert "cannot send to 192.0.2.1: Operation not permitted" in here.log.text()


@in_pretend_time
async def test_full_buffers_are_waited_for():
    def answer(to: FakeSocket, request: Request) -> None:
        if len(here.network.requests) < 4:
            raise SendError(errno.ENOBUFS, (HOST, 0), 0)
        replies()(to, request)

    with lab() as here:
        here.network.answer = answer
        assert (await here.probe()).success
        here.network.requests.clear()
        here.network.answer = lambda to, request: answer_never(to)
        result = await here.probe(timeout=1)
    assert not result.success
    assert result.duration_seconds <= 1


def answer_never(_: FakeSocket) -> None:
    raise SendError(errno.ENOBUFS, (HOST, 0), 0)


async def test_name_that_does_not_resolve_fails_with_what_was_known():
    with lab() as here:
        result = await here.probe("nosuch.example")
    assert (result.success, result.ip, result.sent) == (False, None, 0)
    assert result.lookup_seconds > 0
    assert "Name or service not known" in here.log.text()


async def test_address_is_chosen_among_those_of_the_name():
    with lab() as here:
        here.names["both.example"] = ["192.0.2.1", "2001:db8::1"]
        here.network.answer = lambda to, request: to.reply(request)
        await here.probe("both.example")
        await here.probe("both.example", icmp=options(preferred_ip_protocol="ip4"))
    assert [request.destination for request in here.network.requests] == [
        "2001:db8::1",
        "192.0.2.1",
    ]


@pytest.mark.parametrize(
    ("found", "preferred", "fallback", "chosen"),
    [
        (["192.0.2.1", "2001:db8::1", "2001:db8::2"], "ip6", True, "2001:db8::1"),
        (["192.0.2.1", "2001:db8::1", "192.0.2.2"], "ip4", True, "192.0.2.1"),
        (["192.0.2.1", "192.0.2.2"], "ip6", True, "192.0.2.2"),
        (["2001:db8::1", "2001:db8::2"], "ip4", True, "2001:db8::2"),
        (["192.0.2.1", "2001:db8::1"], "ip6", False, "2001:db8::1"),
        (["192.0.2.1"], "ip6", False, None),
        (["2001:db8::1"], "ip4", False, None),
        ([], "ip4", True, None),
    ],
)
def test_address_of_the_preferred_protocol_comes_first_else_the_last_of_the_other(
    found, preferred, fallback, chosen
):
    choice = options(preferred_ip_protocol=preferred, ip_protocol_fallback=fallback)
    addresses = [ipaddress.ip_address(text) for text in found]
    if chosen is None:
        with pytest.raises(TargetError, match="has no IPv"):
            choose_address(addresses, choice, "a")
    else:
        assert choose_address(addresses, choice, "a") == ipaddress.ip_address(chosen)


@in_pretend_time
@pytest.mark.parametrize(
    ("target", "given", "opened"),
    [
        (HOST, {}, (4, "", False)),
        ("2001:db8::1", {}, (6, "", False)),
        (HOST, {"source_ip_address": "192.0.2.9"}, (4, "192.0.2.9", False)),
        (HOST, {"dont_fragment": True}, (4, "", True)),
        ("2001:db8::1", {"dont_fragment": True}, (6, "", False)),
    ],
)
async def test_socket_is_the_one_that_the_module_asks_for(target, given, opened):
    with lab() as here:
        await here.probe(target, icmp=options(**given))
        await here.probe(target, icmp=options(**given))
    (found,) = here.network.sockets
    assert (found.version, found.options["source"], found.options["dont_fragment"]) == opened


@in_pretend_time
async def test_source_of_the_other_protocol_is_failure():
    with lab() as here:
        result = await here.probe("2001:db8::1", icmp=options(source_ip_address="192.0.2.9"))
    assert not result.success
    assert result.ip is not None
    assert "192.0.2.9 cannot send to 2001:db8::1" in here.log.text()


@in_pretend_time
async def test_module_says_how_large_the_payload_is_and_how_far_it_goes():
    with lab() as here:
        await here.probe(icmp=options(payload_size=1, ttl=5))
        await here.probe(icmp=options(payload_size=1472, ttl=0))
    assert [(len(r.payload), r.hop_limit) for r in here.network.requests] == [(1, 5), (1472, None)]


@in_pretend_time
@pytest.mark.parametrize(
    "error",
    [
        SocketDenied([Problem("denied", "do this")]),
        TargetError(FailureReason.LOCAL, "192.0.2.9 is no address of this machine"),
    ],
)
async def test_socket_that_cannot_be_is_failure_and_the_log_says_why(error):
    def refuse(*args: Any, **given: Any) -> FakeSocket:
        raise error

    with lab() as here:
        here.network.open = refuse  # type: ignore[method-assign]
        here.sockets._open_socket = refuse
        result = await here.probe()
    assert not result.success
    assert result.ip is not None
    assert str(error)[:6] in here.log.text()


@in_pretend_time
async def test_target_outside_of_the_list_is_refused_before_anything_is_sent():
    with lab(allowed=[ipaddress.ip_network("198.51.100.0/24")]) as here:
        with pytest.raises(Forbidden, match=r"outside of --targets\.allow"):
            await here.probe()
        assert (await here.probe("198.51.100.7")).success
    assert [request.destination for request in here.network.requests] == ["198.51.100.7"]


@in_pretend_time
async def test_probe_without_room_waits_and_fails_in_its_own_time():
    with lab(most_at_once=2) as here:
        here.network.answer = silence
        results = await asyncio.gather(
            *(here.probe(timeout=seconds) for seconds in (4, 4, 1, 10)),
        )
        assert not any(result.success for result in results)
        assert [round(result.duration_seconds, 3) for result in results] == [4, 4, 1, 10]
        assert [result.sent for result in results] == [1, 1, 0, 1]
        assert "as many probes as --probe.concurrency allows" in here.log.text()
        here.network.answer = replies()
        assert (await here.probe()).success


@in_pretend_time
async def test_cancelled_probe_leaves_nothing_behind():
    with lab(most_at_once=1) as here:
        here.network.answer = silence
        task = asyncio.create_task(here.probe())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        here.network.answer = replies()
        assert (await here.probe()).success


@in_pretend_time
async def test_probes_side_by_side_get_their_own_replies():
    def answer(to: FakeSocket, request: Request) -> None:
        replies(int(request.destination.rpartition(".")[2]) / 1000)(to, request)

    with lab() as here:
        here.network.answer = answer
        targets = [f"192.0.2.{number}" for number in range(1, 101)]
        results = await asyncio.gather(*(here.probe(target) for target in targets))
    for number, result in enumerate(results, 1):
        assert result.rtts == [pytest.approx(number / 1000)]
    assert len(here.network.sockets) == 1


@in_pretend_time
async def test_loss_gets_the_next_probes_a_new_socket_after_a_while():
    with lab() as here:
        here.network.answer = silence
        await here.probe(timeout=3)
        await here.probe(timeout=3)
        assert len(here.network.sockets) == 1  # not at once
        await here.probe(timeout=6)
        await here.probe(timeout=3)
        assert len(here.network.sockets) == 2
        assert here.network.open_sockets == 1
        here.network.answer = replies()
        await asyncio.sleep(60)
        for _ in range(3):
            assert (await here.probe()).success
            await asyncio.sleep(20)
        assert len(here.network.sockets) == 3  # and no more once replies come


@in_pretend_time
async def test_socket_that_is_renewed_stays_until_its_pings_are_over():
    with lab() as here:
        here.network.answer = silence
        await here.probe(timeout=11)
        here.network.answer = replies(2)
        on_old = asyncio.create_task(here.probe())
        await asyncio.sleep(0)
        assert len(here.network.sockets) == 2
        assert (await on_old).success
        assert here.network.open_sockets == 1
