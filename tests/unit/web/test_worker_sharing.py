"""Which worker accepts a connection; two acceptors of one process stand for two workers."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from exporters.web import accepting
from exporters.web.accepting import SoleAcceptor
from exporters.web.workers import sharing as module
from exporters.web.workers.sharing import ConnectionCounts, SharingAcceptor


class Server:
    """What an acceptor needs of aiohttp's server: it makes protocols, and knows connections."""

    def __init__(self) -> None:
        self.connections: list[Protocol] = []

    def __call__(self) -> asyncio.Protocol:
        return Protocol(self)


class Protocol(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._server.connections.append(self)
        transport.write(b"hello")

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.remove(self)

    def close(self) -> None:
        self._transport.abort()


class Workers:
    def __init__(self, listener: socket.socket, number: int) -> None:
        self.listener = listener
        self.clients: list[socket.socket] = []
        self.counts = ConnectionCounts(number)
        self.servers = [Server() for _ in range(number)]
        self.acceptors = [
            SharingAcceptor([listener.dup()], self.counts, worker) for worker in range(number)
        ]

    async def start(self, *workers: int) -> None:
        for worker in workers:
            server: web.Server = self.servers[worker]
            await self.acceptors[worker].start(server, None)

    async def connect(self) -> None:
        """Connect, and wait until a worker has accepted."""
        loop = asyncio.get_running_loop()
        client = socket.socket()
        self.clients.append(client)
        client.setblocking(False)
        async with asyncio.timeout(20):
            await loop.sock_connect(client, self.listener.getsockname())
            assert await loop.sock_recv(client, 5) == b"hello"

    def shares(self) -> list[int]:
        return [len(server.connections) for server in self.servers]


@pytest.fixture
async def workers() -> AsyncIterator[Callable[[int], Workers]]:
    made: list[Workers] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        def make(number: int) -> Workers:
            made.append(Workers(listener, number))
            return made[-1]

        yield make
        for group in made:
            for acceptor, server in zip(group.acceptors, group.servers, strict=True):
                acceptor.close()
                for connection in server.connections[:]:
                    connection.close()
            for client in group.clients:
                client.close()
        await asyncio.sleep(0)  # in which the connections are closed


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No worker takes what it left to another because this machine is busy."""
    monkeypatch.setattr(module, "_LEAVE_TIMES", 1000)


@pytest.mark.parametrize("number", [2, 3])
async def test_each_worker_has_as_many_as_the_others(workers, number):
    group = workers(number)
    await group.start(*range(number))
    for _ in range(4 * number):
        await group.connect()
    assert group.shares() == [4] * number


async def test_connections_that_arrive_together_are_shared_too(workers):
    group = workers(2)
    await group.start(0, 1)
    await asyncio.gather(*(group.connect() for _ in range(8)))
    assert group.shares() == [4, 4]


async def test_worker_that_does_not_serve_is_not_waited_for(workers):
    group = workers(2)
    await group.start(1)
    for _ in range(3):
        await group.connect()
    assert group.shares() == [0, 3]


async def test_what_another_worker_does_not_take_is_taken_soon(workers, monkeypatch):
    monkeypatch.setattr(module, "_LEAVE_TIMES", 3)
    group = workers(2)
    await group.start(1)
    group.counts.set(0, 0)  # which says that it serves, and does not look
    for _ in range(3):
        await group.connect()
    assert group.shares() == [0, 3]


async def test_worker_that_closed_leaves_all_to_the_other(workers):
    group = workers(2)
    await group.start(0, 1)
    group.acceptors[0].close()
    group.acceptors[0].close()
    for _ in range(3):
        await group.connect()
    assert group.shares() == [0, 3]


async def test_worker_without_files_left_says_so_and_tries_again(workers, monkeypatch, caplog):
    monkeypatch.setattr(accepting, "_EXHAUSTED_SECONDS", 0.01)
    group = workers(1)
    (acceptor,) = group.acceptors

    class Listener(socket.socket):
        refusals = 2

        def accept(self) -> tuple[socket.socket, object]:
            if self.refusals:
                self.refusals -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    (former,) = acceptor._listeners
    listener = Listener(fileno=former.detach())
    listener.setblocking(False)
    acceptor._listeners = [listener]
    acceptor._left = {listener: 0}
    await group.start(0)
    with caplog.at_level(logging.ERROR):
        await group.connect()
    assert group.shares() == [1]
    assert [record.message for record in caplog.records] == ["cannot accept connections"] * 2


async def test_connections_beyond_the_bound_wait_until_others_end(workers, monkeypatch):
    monkeypatch.setattr(accepting, "_FULL_SECONDS", 0.001)
    looked_away = asyncio.Semaphore(0)

    class Acceptor(SoleAcceptor):
        def _look_away(self, listener: socket.socket, seconds: float) -> None:
            looked_away.release()
            super()._look_away(listener, seconds)

    group = workers(1)
    group.acceptors[0].close()
    group.acceptors = [Acceptor([group.listener.dup()], most=2)]
    await group.start(0)
    await group.connect()
    await group.connect()
    third = asyncio.ensure_future(group.connect())
    async with asyncio.timeout(20):
        for _ in range(5):
            await looked_away.acquire()
    assert group.shares() == [2]
    assert not third.done()
    group.servers[0].connections[0].close()
    await third
    assert group.shares() == [2]


async def test_full_worker_leaves_connections_to_the_other(workers, monkeypatch):
    monkeypatch.setattr(accepting, "_FULL_SECONDS", 0.001)
    monkeypatch.setattr(module, "_LEAVE_TIMES", 1)
    group = workers(2)
    full = group.acceptors[0]
    full._most = 1
    await group.start(0, 1)
    for _ in range(5):
        await group.connect()
    assert group.shares() == [1, 4]
