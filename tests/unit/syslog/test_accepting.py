"""Accepting connections, when there are too many, none, or no file left for one."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import pytest

from exporters.config.syslog_config import ConnectionSettings
from exporters.syslog.accepting import Acceptor
from exporters.syslog.connections import Connections

from .conftest import Station


class Accepted:
    """A connection's socket."""

    is_closed = False

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def close(self) -> None:
        self.is_closed = True


class Listener:
    """A listening socket: connections, and errors in place of them."""

    def __init__(self) -> None:
        self.queue: deque[Accepted | OSError] = deque()
        self.is_open = True

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def fileno(self) -> int:
        return 3 if self.is_open else -1

    def close(self) -> None:
        self.is_open = False

    def accept(self) -> tuple[Accepted, tuple[str, int]]:
        if not self.queue:
            raise BlockingIOError
        found = self.queue.popleft()
        if isinstance(found, OSError):
            raise found
        return found, ("192.0.2.1", 4711)


class Loop:
    """A loop of which the clock stands."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reader: Callable[[], None] | None = None
        self.calls: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def add_reader(self, _listener: Any, callback: Callable[[], None]) -> None:
        self.reader = callback

    def remove_reader(self, _listener: Any) -> None:
        self.reader = None

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        assert seconds == 1.0
        self.calls.append(callback)

    def is_readable(self) -> None:
        assert self.reader is not None
        self.reader()

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds
        calls, self.calls = self.calls, []
        for call in calls:
            call()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    found = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: found)
    return found


def refuse(_peer: Any) -> None:
    return None


def start(listener: Listener) -> Acceptor:
    acceptor = Acceptor(cast("Any", listener), refuse)
    acceptor.start()
    return acceptor


def test_connection_that_is_not_admitted_is_closed(loop: Loop) -> None:
    listener, accepted = Listener(), Accepted()
    start(listener)
    listener.queue.append(accepted)
    loop.is_readable()
    assert accepted.is_closed


def test_storm_of_connections_lets_others_have_a_turn(loop: Loop) -> None:
    listener = Listener()
    start(listener)
    listener.queue.extend(Accepted() for _ in range(100))
    loop.is_readable()
    assert 50 < len(listener.queue) < 100


def test_connection_that_has_gone_already_is_no_failure(loop: Loop) -> None:
    listener = Listener()
    acceptor = start(listener)
    listener.queue.append(ConnectionAbortedError())
    loop.is_readable()
    assert acceptor.failures == 0
    assert loop.reader is not None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_socket_is_left_alone_for_a_second_when_the_system_has_nothing_left(
    loop: Loop, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    listener = Listener()
    acceptor = start(listener)
    for _ in range(90):
        listener.queue.append(OSError(number, os.strerror(number)))
        loop.is_readable()
        assert loop.reader is None
        loop.pass_seconds(1.0)
        assert loop.reader is not None
    assert acceptor.failures == 90
    assert [record.getMessage() for record in caplog.records] == [
        "cannot accept connections",
        "cannot accept connections",
    ]


def test_socket_that_was_closed_meanwhile_stays_so(loop: Loop) -> None:
    listener = Listener()
    acceptor = start(listener)
    listener.queue.append(OSError(errno.EMFILE, "x"))
    loop.is_readable()
    acceptor.close()
    loop.pass_seconds(1.0)
    assert loop.reader is None
    acceptor.close()


def test_sender_with_a_connection_for_each_message_is_not_beyond_its_limit(
    station: Station,
) -> None:
    connections = Connections(station.receiver, ConnectionSettings(sender_limit=30))
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    for _ in range(200):  # one after the other, while the exporter is busy with something else
        with socket.create_connection(listener.getsockname()) as sender:
            sender.sendall(b"<13>hello\n")

    async def serve() -> None:
        async with connections.running(), asyncio.timeout(30):
            connections.accept(listener, "tcp")
            while sum(connections.closed.values()) < 200:  # noqa: ASYNC110 - turn by turn
                await asyncio.sleep(0)

    asyncio.run(serve())
    assert connections.closed["sender"] == station.receiver.received["tcp"] == 200
