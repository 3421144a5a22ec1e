"""Paths and path MTUs, found in a pretend network with routers, small MTUs and black holes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from exporters.icmp.path import Path
from exporters.icmp.path_prober import PathProber, PathState
from exporters.icmp.pmtu_prober import PmtuProber, PmtuState
from exporters.icmp.pmtu_search import PathMtu
from exporters.icmp.probe_sockets import ProbeSockets, SocketKey
from exporters.icmp.rounds import Destination
from exporters.wire.icmp import IpVersion

from .inside import inside
from .namespaces import EchoNetwork, Namespace, echo_network, needs_root, network_namespace

pytestmark = [needs_root, pytest.mark.peer("ip", "iproute2")]

PATIENCE_SECONDS = 20.0
INTERFACE_MTU = 65_000
ROUTERS: dict[int, list[str | None]] = {
    4: ["10.9.9.1", "10.9.9.2"],
    6: ["fd09::9:1", "fd09::9:2"],
}

both_versions = pytest.mark.parametrize("version", [4, 6])
both_modes = pytest.mark.parametrize("unprivileged", [True, False], ids=["datagram", "raw"])


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Namespace, EchoNetwork]]:
    with network_namespace() as namespace, echo_network(namespace) as network:
        yield namespace, network


@pytest.fixture
def network(place: tuple[Namespace, EchoNetwork]) -> EchoNetwork:
    return place[1]


@pytest.fixture
async def sockets(place: tuple[Namespace, EchoNetwork]) -> AsyncIterator[ProbeSockets]:
    place[0].allow_ping_sockets(allowed=True)
    sockets = ProbeSockets(lambda: None)
    with inside(place[0]):
        yield sockets
        sockets.close()


def destination(address: str, *, dont_fragment: bool = False) -> Destination:
    version: IpVersion = 6 if ":" in address else 4
    where = (address, 0, 0, 0) if version == 6 else (address, 0)
    return Destination(where, SocketKey(version, dont_fragment=dont_fragment))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is a state
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def watching_path(
    sockets: ProbeSockets, address: str, interval_seconds: float = 0.3
) -> AsyncIterator[tuple[PathProber, PathState]]:
    prober = PathProber(
        sockets,
        unix_time=time.time,
        interval_seconds=interval_seconds,
        timeout_seconds=0.2,
    )
    prober.watch([destination(address)])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(prober.run())
        (state,) = prober.states.values()
        yield prober, state
        task.cancel()


async def find_mtu(sockets: ProbeSockets, address: str) -> PmtuState:
    prober = PmtuProber(sockets, unix_time=time.time, interval_seconds=0.1, timeout_seconds=0.05)
    prober.watch([destination(address, dont_fragment=True)])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(prober.run())
        (state,) = prober.states.values()
        await until(lambda: state.found or state.failure)
        task.cancel()
    return state


@both_modes
@both_versions
async def test_path_has_its_routers_in_order_and_ends_at_the_target(
    version, unprivileged, place, network, sockets
):
    place[0].allow_ping_sockets(allowed=unprivileged)
    address = {4: "10.9.1.1", 6: "fd09::1:1"}[version]
    network.change({address: {"hops": ROUTERS[version], "answers": {"delay_seconds": 0.01}}})
    async with watching_path(sockets, address) as (_, state):
        await until(lambda: state.tracker.rounds)
    assert state.tracker.path == Path((*ROUTERS[version], address), complete=True)
    assert all(0.01 <= hop.rtt_seconds < 0.2 for hop in state.tracker.hops)
    assert state.failure == ""


async def test_path_with_a_silent_router_has_a_gap(network, sockets):
    network.change({"10.9.1.2": {"hops": ["10.9.9.1", "", "10.9.9.3"]}})
    async with watching_path(sockets, "10.9.1.2") as (_, state):
        await until(lambda: state.tracker.rounds)
    assert state.tracker.path.text() == "10.9.9.1 > * > 10.9.9.3 > 10.9.1.2"


async def test_path_that_changes_is_counted_and_has_another_hash(network, sockets):
    network.change({"10.9.1.3": {"hops": ["10.9.9.1"]}})
    async with watching_path(sockets, "10.9.1.3") as (_, state):
        await until(lambda: state.tracker.rounds)
        before = state.tracker.path
        network.change({"10.9.1.3": {"hops": ["10.9.9.7", "10.9.9.8"]}})
        await until(lambda: state.tracker.changes)
    assert state.tracker.path.text() == "10.9.9.7 > 10.9.9.8 > 10.9.1.3"
    assert state.tracker.path.hash() != before.hash()
    assert abs(state.tracker.changed_at - time.time()) < 60


async def test_firewall_that_rejects_is_the_end_of_the_path(network, sockets):
    network.change({"10.9.1.4": {"hops": ["10.9.9.1"], "error": [3, 13], "reporter": "10.9.9.66"}})
    async with watching_path(sockets, "10.9.1.4") as (_, state):
        await until(lambda: state.tracker.rounds)
    assert state.tracker.path == Path(("10.9.9.1", "10.9.9.66"), complete=True)


async def test_snapshot_shows_how_far_packets_came_when_losses_began(network, sockets):
    network.change({"10.9.1.5": {"hops": ["10.9.9.1", "10.9.9.2"]}})
    async with watching_path(sockets, "10.9.1.5", interval_seconds=3600) as (prober, state):
        prober.losses_begin(destination("10.9.1.5"))
        await until(lambda: state.snapshots)
        network.change({"10.9.1.5": {"hops": ["10.9.9.1", ""], "lose_every": 1}})
        prober.losses_begin(destination("10.9.1.5"))
        await until(lambda: len(state.snapshots) == 2)
    snapshot = state.snapshots[-1]
    assert snapshot.before.text() == "10.9.9.1 > 10.9.9.2 > 10.9.1.5"
    assert [answer and answer.address for answer in snapshot.answers[:3]] == [
        "10.9.9.1",
        None,
        None,
    ]
    assert state.tracker.changes == 0


async def test_routers_are_not_made_to_complain_more_than_once_a_second(network, sockets):
    network.change({"10.9.1.6": {"hops": ["10.9.9.1"]}})
    async with watching_path(sockets, "10.9.1.6", interval_seconds=0.05) as (_, state):
        await until(lambda: state.tracker.rounds >= 8)
        started_at = time.monotonic()
        before = network.counts()["10.9.1.6"]["errors"]
        await asyncio.sleep(2)
        elapsed = time.monotonic() - started_at
        errors = network.counts()["10.9.1.6"]["errors"] - before
    assert state.tracker.rounds > 12
    assert 1 <= errors <= elapsed + 1


async def test_path_that_cannot_be_probed_says_why(sockets):
    async with watching_path(sockets, "192.0.2.1") as (_, state):
        await until(lambda: state.failure)
    assert "Network is unreachable" in state.failure


@both_versions
async def test_mtu_is_what_the_router_tells_and_passes(version, network, sockets):
    address, router = {4: ("10.9.2.1", "10.9.9.1"), 6: ("fd09::2:1", "fd09::9:1")}[version]
    network.change({address: {"mtu": 1400, "mtu_reporter": router}})
    state = await find_mtu(sockets, address)
    assert state.found == PathMtu(1400, router)


async def test_mtu_of_a_free_path_is_the_interfaces(sockets):
    state = await find_mtu(sockets, "10.9.2.2")
    assert state.found == PathMtu(INTERFACE_MTU)


@both_versions
async def test_black_hole_is_found_with_its_size(version, network, sockets):
    address = {4: "10.9.2.3", 6: "fd09::2:3"}[version]
    network.change({address: {"mtu": 1412}})
    state = await find_mtu(sockets, address)
    assert state.found == PathMtu(1412, "", black_hole=True)


async def test_mtu_of_a_dead_target_stays_unknown(network, sockets):
    network.change({"10.9.2.4": {"lose_every": 1}})
    state = await find_mtu(sockets, "10.9.2.4")
    assert (state.found, state.failure) == (None, "the target does not answer")


async def test_mtu_of_a_rejected_target_stays_unknown_with_the_reason(network, sockets):
    network.change({"10.9.2.5": {"error": [3, 13], "reporter": "10.9.9.1"}})
    state = await find_mtu(sockets, "10.9.2.5")
    assert state.found is None
    assert "10.9.9.1 says: " in state.failure
