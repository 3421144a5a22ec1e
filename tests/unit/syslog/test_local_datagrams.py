"""Datagrams over a Unix socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from exporters.syslog.local_datagrams import LocalDatagrams

from .conftest import Station

MESSAGE = b"<34>Oct 11 22:14:15 su: hello"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def test_what_waits_in_the_socket_is_taken_in_the_end(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    station = Station(max_message_bytes=480)
    truncated = {"unix-dgram": 0}
    datagrams = LocalDatagrams(pair[0], station.receiver, truncated)
    datagrams.start()
    for content in (MESSAGE, b"<34>" + b"x" * 477, b"<34>" + b"x" * 476, b"two\nlines\n"):
        pair[1].send(content)
    datagrams.close()
    assert station.receiver.received["unix-dgram"] == 4
    assert station.receiver.received_bytes["unix-dgram"] == len(MESSAGE) + 480 + 480 + 10
    assert truncated == {"unix-dgram": 1}
    datagrams.close()
    assert station.receiver.received["unix-dgram"] == 4
