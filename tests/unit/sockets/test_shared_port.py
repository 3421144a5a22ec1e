"""Sockets that share a port, with datagrams and connections from many addresses of loopback."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from exporters.errors import ConfigError
from exporters.sockets import shared_port as module
from exporters.sockets.datagrams import address_of, open_shared_datagram_sockets
from exporters.sockets.listen_address import ListenAddress
from exporters.sockets.shared_port import share_port
from exporters.wire.source_shares import share_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone shares ports so")

SOURCES = [f"127.{second}.{last}.1" for second in (0, 77) for last in range(1, 20)]
KINDS = pytest.mark.parametrize(
    "kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["datagrams", "connections"]
)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def bound(kind: int, host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, kind)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind((host, 0))
    if kind == socket.SOCK_STREAM:
        one.listen()
    return one


def shared(stack: ExitStack, kind: int, host: str, count: int) -> list[socket.socket]:
    return [stack.enter_context(one) for one in share_port(bound(kind, host), count)]


def send(kind: int, source: str, port: int) -> None:
    with socket.socket(socket.AF_INET, kind) as sender:
        sender.bind((source, 0))
        sender.connect(("127.0.0.1", port))
        sender.send(b"x")


def heard(one: socket.socket) -> list[str]:
    """The addresses that have sent to a socket, or connected to it."""
    addresses = []
    while True:
        try:
            if one.type == socket.SOCK_STREAM:
                accepted, peer = one.accept()
                accepted.close()
            else:
                _, peer = one.recvfrom(10)
        except BlockingIOError:
            return addresses
        addresses.append(peer[0].removeprefix("::ffff:"))


@KINDS
@pytest.mark.parametrize("host", ["127.0.0.1", "::"], ids=["ipv4", "both"])
@pytest.mark.parametrize("count", [2, 5])
def test_each_socket_hears_its_share_of_the_sources(stack, kind, host, count):
    if host == "::" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    sockets = shared(stack, kind, host, count)
    for source in SOURCES:
        send(kind, source, sockets[0].getsockname()[1])
    by_share = [heard(one) for one in sockets]
    expected = [
        [source for source in SOURCES if share_of(source, count) == n] for n in range(count)
    ]
    assert [sorted(sources) for sources in by_share] == [sorted(sources) for sources in expected]


@KINDS
def test_what_comes_while_nobody_reads_waits_in_its_place(stack, kind):
    sockets = shared(stack, kind, "127.0.0.1", 2)
    mine = [source for source in SOURCES if share_of(source, 2) == 1]
    copy = socket.socket(fileno=socket.dup(sockets[1].fileno()))
    copy.close()  # as a process that ends closes its own
    for source in mine:
        send(kind, source, sockets[0].getsockname()[1])
    assert heard(sockets[0]) == []
    assert sorted(heard(sockets[1])) == sorted(mine)


@KINDS
def test_port_that_is_shared_is_in_use_for_others(stack, kind):
    port = shared(stack, kind, "127.0.0.1", 2)[0].getsockname()[1]
    with socket.socket(socket.AF_INET, kind) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


@KINDS
def test_system_that_cannot_share_a_port_is_told(kind, monkeypatch):
    monkeypatch.setattr(module, "_SO_ATTACH_REUSEPORT_CBPF", 9999)
    with pytest.raises(ConfigError, match=r"2 workers cannot share 127\.0\.0\.1, port \d+: "):
        share_port(bound(kind, "127.0.0.1"), 2)


def test_datagram_sockets_are_opened_for_each_process_at_each_address(stack):
    addresses = [ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.2", 0)]
    shares = open_shared_datagram_sockets(
        addresses, 3, receive_buffer_bytes=100_000, flag="--flag", answers=False
    )
    for share in shares:
        for one in share:
            stack.callback(one.close)
    assert [[one.address.host for one in share] for share in shares] == [
        ["127.0.0.1", "127.0.0.2"]
    ] * 3
    assert len({one.address.port for share in shares for one in share}) == 2
    send(socket.SOCK_DGRAM, "127.0.0.9", shares[0][0].address.port)
    number = share_of("127.0.0.9", 3)
    (host,) = shares[number][0].receive().hosts
    assert address_of(host) == "127.0.0.9"


def test_shared_address_in_use_is_told(stack):
    taken = stack.enter_context(bound(socket.SOCK_DGRAM, "127.0.0.1"))
    address = ListenAddress("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(ConfigError, match=r"cannot listen on UDP .* in use; stop what listens"):
        open_shared_datagram_sockets(
            [address], 2, receive_buffer_bytes=1000, flag="--flag", answers=False
        )


def test_answers_of_a_shared_socket_leave_from_the_address_that_was_asked(stack):
    shares = open_shared_datagram_sockets(
        [ListenAddress("", 0)], 2, receive_buffer_bytes=100_000, flag="--flag", answers=True
    )
    for (one,) in shares:
        stack.callback(one.close)
    asker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    asker.bind(("127.0.0.5", 0))
    asker.settimeout(5)
    asker.sendto(b"ask", ("127.0.0.8", shares[0][0].address.port))
    (asked,) = shares[share_of("127.0.0.5", 2)]
    assert asked.receive().contents == [b"ask"]
    asked.answer(b"told", 0)
    content, peer = asker.recvfrom(100)
    assert (content, peer[0]) == (b"told", "127.0.0.8")


def test_broadcast_is_taken_where_its_sender_is_heard_and_nowhere_else(stack):
    shares = open_shared_datagram_sockets(
        [ListenAddress("0.0.0.0", 0)],
        3,
        receive_buffer_bytes=1_000_000,
        flag="--flag",
        answers=True,
    )
    for (one,) in shares:
        stack.callback(one.close)
    port = shares[0][0].address.port
    for source in SOURCES:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.bind((source, 0))
            sender.sendto(b"to all", ("127.255.255.255", port))
            sender.sendto(b"to one", ("127.0.0.1", port))
    for number, (one,) in enumerate(shares):
        datagrams = one.receive()
        own = [source for source in SOURCES if share_of(source, 3) == number]
        assert list(map(address_of, datagrams.hosts)) == [source for source in own for _ in "12"]
        assert datagrams.contents == [b"to all", b"to one"] * len(own)
        assert one.copies == len(SOURCES) - len(own)


def test_answer_to_a_datagram_behind_a_copy_goes_to_its_sender(stack):
    shares = open_shared_datagram_sockets(
        [ListenAddress("0.0.0.0", 0)],
        2,
        receive_buffer_bytes=1_000_000,
        flag="--flag",
        answers=True,
    )
    for (one,) in shares:
        stack.callback(one.close)
    port = shares[0][0].address.port
    of_another = next(source for source in SOURCES if share_of(source, 2) == 1)
    own = next(source for source in SOURCES if share_of(source, 2) == 0)
    for source, target in ((of_another, "127.255.255.255"), (own, "127.0.0.1")):
        asker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asker.settimeout(5)
        asker.bind((source, 0))
        asker.sendto(b"ask", (target, port))
    (asked,) = shares[0]
    assert asked.receive().contents == [b"ask"]
    asked.answer(b"told", 0)
    assert asker.recv(100) == b"told"


def test_losses_are_counted_once_by_a_process_and_its_successor(stack):
    (one,), (other,) = open_shared_datagram_sockets(
        [ListenAddress("127.0.0.1", 0)], 2, receive_buffer_bytes=0, flag="--flag", answers=False
    )
    stack.callback(one.close)
    stack.callback(other.close)
    port = one.address.port
    mine = next(source for source in SOURCES if share_of(source, 2) == 0)
    sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender.bind((mine, 0))

    def flood() -> None:
        for _ in range(1000):
            sender.sendto(bytes(1400), ("127.0.0.1", port))

    flood()
    read_end, write_end = map(stack.enter_context, socket.socketpair())
    if (pid := os.fork()) == 0:
        write_end.send(str(one.state().drops).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    told = int(read_end.recv(100))
    assert told > 0
    flood()
    assert one.state().drops == 1000
    assert one.state().drops == 1000
