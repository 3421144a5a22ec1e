"""A UDP proxy that treats datagrams as bad networks do.

    network = BadNetwork(agent_address, answers=Impairment(delay_seconds=0.025, drop_rate=0.01))
    async with network.serve() as address:   # clients talk to this address
        ...

Each direction has an ``Impairment``. What happens to a datagram is decided by ``Impairer``, which
is pure: the same seed and the same datagrams give the same fates. ``BadNetwork`` carries them out,
to a few tenths of a millisecond.

Each client gets a socket of its own towards the agent, as behind a NAT, so that answers find their
way back. What the agent itself does wrong is in ``exporters.demo.faults``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple

from exporters.demo.listeners import Address, open_udp_socket
from exporters.demo.timer_queue import TimerQueue

MAX_CLIENTS: Final = 64
"""How many clients are remembered; the one heard first is forgotten for a new one.

An exporter is a new client with every scrape, and each holds a descriptor, of which a process that
serves several networks may have no more than 1,024.
"""

_MAX_DATAGRAM_BYTES: Final = 65535


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens to the datagrams of one direction; rates are shares of all datagrams.

    * ``delay_seconds`` and up to ``jitter_seconds`` more, drawn for each datagram, which alone can
      change their order.
    * ``drop_rate``: lost. ``duplicate_rate``: arrives twice.
    * ``reorder_rate``: held back by ``reorder_seconds`` more, so that later ones overtake it.
    * ``truncate_rate``: cut at a random byte. ``corrupt_rate``: one bit is flipped.
    * ``foreign_source_rate``: comes from another port or address (answers only).
    """

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    drop_rate: float = 0.0
    duplicate_rate: float = 0.0
    reorder_rate: float = 0.0
    reorder_seconds: float = 0.01
    truncate_rate: float = 0.0
    corrupt_rate: float = 0.0
    foreign_source_rate: float = 0.0


class Fate(NamedTuple):
    """One datagram to send, and when."""

    delay_seconds: float
    data: bytes
    foreign_source: bool


@dataclass(slots=True)
class NetworkCounts:
    """What one direction has done to its datagrams."""

    received: int = 0
    sent: int = 0
    dropped: int = 0
    duplicated: int = 0
    reordered: int = 0
    truncated: int = 0
    corrupted: int = 0
    foreign_source: int = 0
    overflowed: int = 0
    """Lost because too many were under way."""
    unsent: int = 0
    """Lost because the socket did not take them."""


class Impairer:
    """Decides the fate of each datagram of one direction."""

    def __init__(self, impairment: Impairment, seed: int) -> None:
        self.counts = NetworkCounts()
        self._impairment = impairment
        self._random = Random(seed)

    def fates(self, data: bytes) -> list[Fate]:
        """Give what becomes of a datagram: nothing, one datagram or two."""
        what, counts = self._impairment, self.counts
        counts.received += 1
        # every datagram draws as many numbers, so that one rate does not shift another's choice
        lost, twice, held, jitter, cut, flipped, foreign, where = (
            self._random.random() for _ in range(8)
        )
        if lost < what.drop_rate:
            counts.dropped += 1
            return []
        delay = what.delay_seconds + jitter * what.jitter_seconds
        if held < what.reorder_rate:
            counts.reordered += 1
            delay += what.reorder_seconds
        if cut < what.truncate_rate:
            counts.truncated += 1
            data = data[: int(where * len(data))]
        if flipped < what.corrupt_rate and data:
            counts.corrupted += 1
            data = _flip_bit(data, int(where * 8 * len(data)))
        is_foreign = foreign < what.foreign_source_rate
        counts.foreign_source += is_foreign
        fate = Fate(delay, data, is_foreign)
        if twice < what.duplicate_rate:
            counts.duplicated += 1
            return [fate, fate]
        return [fate]


class BadNetwork:
    """The proxy between clients and one agent."""

    def __init__(
        self,
        agent: Address,
        *,
        requests: Impairment | None = None,
        answers: Impairment | None = None,
        seed: int = 0,
        most_under_way: int = 10_000,
        foreign_host: str | None = None,
    ) -> None:
        """Set up a network.

        Args:
            agent: Where requests go.
            requests: What happens on the way to the agent.
            answers: What happens on the way back.
            seed: Of all chance.
            most_under_way: How many datagrams may wait for their time; more are lost.
            foreign_host: The address that foreign answers come from; by default the proxy's own,
                with another port.
        """
        self.requests = Impairer(requests or Impairment(), seed)
        self.answers = Impairer(answers or Impairment(), seed + 1)
        self._agent = agent
        self._most_under_way = most_under_way
        self._foreign_host = foreign_host

    @contextlib.asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Address]:
        """Relay between an address and the agent while the context lasts; gives the address.

        Raises:
            OSError: The address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        with (
            await open_udp_socket(host, port) as front,
            await open_udp_socket(self._foreign_host or host, 0) as foreign,
        ):
            under_way = TimerQueue(loop, most=self._most_under_way)
            relay = _Relay(self.requests, self.answers, self._agent, front, foreign, under_way)
            loop.add_reader(front, relay.receive_request, loop)
            try:
                yield front.getsockname()[:2]
            finally:
                loop.remove_reader(front)
                under_way.close()
                relay.close(loop)


class _Relay:
    """One address that clients talk to, and a socket towards the agent for each of them."""

    def __init__(
        self,
        requests: Impairer,
        answers: Impairer,
        agent: Address,
        front: socket.socket,
        foreign: socket.socket,
        under_way: TimerQueue,
    ) -> None:
        self._requests = requests
        self._answers = answers
        self._agent = agent
        self._front = front
        self._foreign = foreign
        self._under_way = under_way
        self._upstreams: dict[Any, socket.socket] = {}

    def receive_request(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take one datagram of a client; the loop calls again while there are more."""
        try:
            data, client = self._front.recvfrom(_MAX_DATAGRAM_BYTES)
        except OSError:
            return  # nothing there after all
        upstream = self._upstreams.get(client) or self._open_upstream(loop, client)
        if upstream is None:
            self._requests.counts.unsent += 1
            return
        for fate in self._requests.fates(data):
            self._schedule(self._requests.counts, fate, upstream.send)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget all clients."""
        for client in tuple(self._upstreams):
            self._forget(loop, client)

    def _open_upstream(self, loop: asyncio.AbstractEventLoop, client: Any) -> socket.socket | None:
        if len(self._upstreams) >= MAX_CLIENTS:
            self._forget(loop, next(iter(self._upstreams)))
        family = socket.AF_INET6 if ":" in self._agent[0] else socket.AF_INET
        try:
            upstream = socket.socket(family, socket.SOCK_DGRAM)
        except OSError:
            return None  # the process has no descriptor left
        upstream.setblocking(False)
        try:
            upstream.connect(self._agent)
        except OSError:
            upstream.close()
            return None
        self._upstreams[client] = upstream
        loop.add_reader(upstream, self._receive_answer, upstream, client)
        return upstream

    def _receive_answer(self, upstream: socket.socket, client: Any) -> None:
        try:
            data = upstream.recv(_MAX_DATAGRAM_BYTES)
        except OSError:
            return  # nothing there after all, or the agent's port is closed: the client times out
        for fate in self._answers.fates(data):
            source = self._foreign if fate.foreign_source else self._front
            self._schedule(self._answers.counts, fate, partial(_send_to, source, client))

    def _schedule(self, counts: NetworkCounts, fate: Fate, send: Callable[[bytes], object]) -> None:
        """Send a datagram when its time has come; at once where it is not delayed."""
        if not fate.delay_seconds:
            _try_send(counts, send, fate.data)
            return
        arrive = partial(_try_send, counts, send, fate.data)
        if not self._under_way.call_later(fate.delay_seconds, arrive):
            counts.overflowed += 1

    def _forget(self, loop: asyncio.AbstractEventLoop, client: Any) -> None:
        upstream = self._upstreams.pop(client)
        loop.remove_reader(upstream)
        upstream.close()


def _send_to(source: socket.socket, client: Any, data: bytes) -> None:
    source.sendto(data, client)


def _try_send(counts: NetworkCounts, send: Callable[[bytes], object], data: bytes) -> None:
    try:
        send(data)
    except OSError:
        counts.unsent += 1
    else:
        counts.sent += 1


def _flip_bit(data: bytes, bit: int) -> bytes:
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << (bit % 8)
    return bytes(flipped)
