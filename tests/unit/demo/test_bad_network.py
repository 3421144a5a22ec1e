"""What the proxy does to datagrams: decided without a network, carried out with one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporters.demo.bad_network import MAX_CLIENTS, BadNetwork, Impairer, Impairment
from exporters.demo.listeners import Address

from .clients import PATIENCE_SECONDS, open_socket, receive_from, udp_client, until

DATA = bytes(range(100))
MANY = 4000


@pytest.mark.parametrize(
    ("impairment", "count"),
    [
        pytest.param(Impairment(drop_rate=0.25), "dropped", id="drop"),
        pytest.param(Impairment(duplicate_rate=0.25), "duplicated", id="duplicate"),
        pytest.param(Impairment(reorder_rate=0.25), "reordered", id="reorder"),
        pytest.param(Impairment(truncate_rate=0.25), "truncated", id="truncate"),
        pytest.param(Impairment(corrupt_rate=0.25), "corrupted", id="corrupt"),
        pytest.param(Impairment(foreign_source_rate=0.25), "foreign_source", id="foreign source"),
    ],
)
def test_each_fault_comes_at_its_rate_and_alone(impairment: Impairment, count: str) -> None:
    impairer = Impairer(impairment, seed=1)
    fates = [impairer.fates(DATA) for _ in range(MANY)]
    seen = {
        "dropped": sum(not fate for fate in fates),
        "duplicated": sum(len(fate) == 2 for fate in fates),
        "reordered": sum(fate[0].delay_seconds == 0.01 for fate in fates if fate),
        "truncated": sum(len(fate[0].data) < len(DATA) for fate in fates if fate),
        "corrupted": sum(
            len(fate[0].data) == len(DATA) != 0 and fate[0].data != DATA for fate in fates if fate
        ),
        "foreign_source": sum(fate[0].foreign_source for fate in fates if fate),
    }
    happened = seen.pop(count)
    assert 0.22 * MANY < happened < 0.28 * MANY
    assert happened == getattr(impairer.counts, count)
    assert not any(seen.values())
    assert impairer.counts.received == MANY


def test_delay_and_jitter_bound_when_a_datagram_arrives() -> None:
    impairer = Impairer(Impairment(delay_seconds=0.1, jitter_seconds=0.05), seed=1)
    delays = [fate.delay_seconds for _ in range(MANY) for fate in impairer.fates(DATA)]
    assert 0.1 <= min(delays) < 0.101
    assert 0.149 < max(delays) <= 0.15


def test_corruption_flips_one_bit_and_truncation_keeps_the_front() -> None:
    corrupter = Impairer(Impairment(corrupt_rate=1.0), seed=1)
    cutter = Impairer(Impairment(truncate_rate=1.0), seed=1)
    for _ in range(500):
        flipped = corrupter.fates(DATA)[0].data
        difference = int.from_bytes(flipped, "big") ^ int.from_bytes(DATA, "big")
        assert difference.bit_count() == 1
        cut = cutter.fates(DATA)[0].data
        assert len(cut) < len(DATA)
        assert DATA.startswith(cut)
    assert corrupter.fates(b"")[0].data == b""


def test_fates_follow_the_seed_and_each_rate_draws_for_itself() -> None:
    def lost(seed: int, **rates: float) -> list[bool]:
        impairer = Impairer(Impairment(drop_rate=0.3, **rates), seed)
        return [not impairer.fates(DATA) for _ in range(200)]

    assert lost(1) == lost(1)
    assert lost(1) == lost(1, duplicate_rate=0.4, corrupt_rate=0.4, jitter_seconds=1.0)
    assert lost(1) != lost(2)


class Echo(asyncio.DatagramProtocol):
    """An agent that sends back what it gets."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.heard.append(data)
        self._transport.sendto(data, addr)


@asynccontextmanager
async def echo_agent() -> AsyncIterator[tuple[Echo, Address]]:
    loop = asyncio.get_running_loop()
    transport, echo = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    try:
        yield echo, transport.get_extra_info("sockname")
    finally:
        transport.close()


async def test_sound_network_relays_both_ways_for_each_client() -> None:
    async with echo_agent() as (echo, agent):
        network = BadNetwork(agent)
        async with (
            network.serve() as address,
            udp_client(address) as one,
            udp_client(address) as two,
        ):
            await one.send(b"1")
            await two.send(b"2")
            assert (await one.receive(), await two.receive()) == (b"1", b"2")
    assert sorted(echo.heard) == [b"1", b"2"]
    assert (network.requests.counts.sent, network.answers.counts.sent) == (2, 2)


async def test_clients_that_come_after_many_others_are_served_and_hold_few_descriptors() -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async with echo_agent() as (_, agent), BadNetwork(agent).serve() as address:
        before = descriptors()
        for number in range(MAX_CLIENTS + 10):
            async with udp_client(address) as client:
                assert await client.ask(bytes([number])) == bytes([number])
        assert descriptors() - before <= MAX_CLIENTS


async def test_datagrams_take_as_long_as_told() -> None:
    loop = asyncio.get_running_loop()
    async with echo_agent() as (_, agent):
        way = Impairment(delay_seconds=0.02)
        network = BadNetwork(agent, requests=way, answers=way)
        async with network.serve() as address, udp_client(address) as client:
            shortest = PATIENCE_SECONDS
            for _ in range(5):
                started_at = loop.time()
                await client.ask(b"x")
                shortest = min(shortest, loop.time() - started_at)
    assert 0.04 <= shortest + 1e-6 < 1.0


async def test_held_datagram_is_overtaken() -> None:
    async with echo_agent() as (_, agent):
        way = Impairment(reorder_rate=0.5, reorder_seconds=0.1)
        network = BadNetwork(agent, answers=way, seed=3)
        async with network.serve() as address, udp_client(address) as client:
            sent = [bytes((n,)) for n in range(10)]
            for data in sent:
                await client.send(data)
            received = [await client.receive() for _ in sent]
    assert received != sent
    assert sorted(received) == sent


async def test_foreign_answer_comes_from_another_port_or_host() -> None:
    async with echo_agent() as (_, agent):
        way = Impairment(foreign_source_rate=1.0)
        for foreign_host in (None, "127.0.0.3"):
            network = BadNetwork(agent, answers=way, foreign_host=foreign_host)
            async with network.serve() as address, open_socket() as udp:
                udp.sendto(b"x", address)
                data, source = await receive_from(udp)
            assert data == b"x"
            assert source != address
            assert source[0] == foreign_host or source[1] != address[1]


async def test_datagrams_under_way_are_bounded() -> None:
    async with echo_agent() as (_, agent):
        way = Impairment(delay_seconds=3600.0)
        network = BadNetwork(agent, requests=way, most_under_way=3)
        async with network.serve() as address, udp_client(address) as client:
            for _ in range(5):
                await client.send(b"x")
            await until(lambda: network.requests.counts.received == 5)
    assert network.requests.counts.overflowed == 2


async def test_closed_agent_gives_silence_and_the_network_lives_on() -> None:
    async with echo_agent() as (_, agent):
        pass
    network = BadNetwork(agent)
    async with network.serve() as address, udp_client(address) as client:
        for _ in range(20):
            await client.send(b"x")
        await until(lambda: network.requests.counts.received == 20)
    counts = network.requests.counts
    assert counts.sent + counts.unsent == 20
    assert network.answers.counts.received == 0
