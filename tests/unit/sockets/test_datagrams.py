"""UDP sockets on the loopback interface: batches, envelopes, answers, losses."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.sockets import datagrams
from exporters.sockets.datagrams import (
    LONGEST_DATAGRAM_BYTES,
    DatagramSocket,
    address_of,
    open_datagram_sockets,
)
from exporters.sockets.listen_address import ListenAddress, parse_listen_address

BUFFER_BYTES = 1 << 20


def open_one(text: str, buffer_bytes: int = BUFFER_BYTES) -> DatagramSocket:
    (opened,) = open_datagram_sockets(
        [parse_listen_address(text)], receive_buffer_bytes=buffer_bytes, flag="--flag", answers=True
    )
    return opened


@pytest.fixture(params=["batches", "one by one"])
def listener(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DatagramSocket]:
    if request.param == "one by one":
        monkeypatch.setattr(datagrams, "_IS_LINUX", False)
    with closing(open_one("127.0.0.1:0")) as opened:
        yield opened


@pytest.fixture
def sender(listener: DatagramSocket) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect(("127.0.0.1", listener.address.port))
        opened.settimeout(5)
        yield opened


def test_datagrams_come_whole_and_in_their_order(
    listener: DatagramSocket, sender: socket.socket
) -> None:
    contents = [b"", b"x", bytes(range(256)), b"y" * 60_000]
    for content in contents:
        sender.send(content)
    received = listener.receive()
    assert received.contents == contents
    assert not received.cut
    assert listener.receive().contents == []


def test_batch_has_256_datagrams_and_the_next_one_the_rest(
    listener: DatagramSocket, sender: socket.socket
) -> None:
    for number in range(300):
        sender.send(b"%d" % number)
    first, second = listener.receive(), listener.receive()
    assert [int(content) for content in first.contents + second.contents] == list(range(300))
    assert len(first.contents) == len(first.hosts) == 256


def test_shorter_datagram_after_a_longer_one_has_nothing_of_it(
    listener: DatagramSocket, sender: socket.socket
) -> None:
    for content in (b"long" * 500, b"short"):
        sender.send(content)
        assert listener.receive().contents == [content]


def test_host_tells_the_sender_and_its_place_leads_back_to_it(
    listener: DatagramSocket, sender: socket.socket
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        other.sendto(b"first", ("127.0.0.1", listener.address.port))
        sender.send(b"ask")
        hosts = listener.receive().hosts
    assert list(map(address_of, hosts)) == ["127.0.0.2", "127.0.0.1"]
    listener.answer(b"answer", 1)
    assert sender.recv(100) == b"answer"


def test_datagram_that_is_cut_says_so(
    listener: DatagramSocket, sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams, "LONGEST_DATAGRAM_BYTES", 100)
    with closing(open_one("127.0.0.1:0")) as short:
        sender.connect(("127.0.0.1", short.address.port))
        sender.send(b"x" * 101)
        sender.send(b"x" * 100)
        received = short.receive()
    assert [len(content) for content in received.contents] == [100, 100]
    assert list(received.cut) == [0]
    assert LONGEST_DATAGRAM_BYTES == 65535


def test_what_the_kernel_drops_is_counted() -> None:
    with (
        closing(open_one("127.0.0.1:0", 0)) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.connect(("127.0.0.1", listener.address.port))
        for _ in range(2000):
            sender.send(b"x" * 1000)
        state = listener.state()
        assert state.waiting_bytes > 0
        received = 0
        while batch := listener.receive().contents:
            received += len(batch)
        assert received + state.drops == 2000
        assert listener.state() == (0, state.drops)


def test_drops_go_on_where_the_kernel_counts_from_0_again(
    listener: DatagramSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([2**32 - 2, 3])

    def read_state(_: socket.socket) -> datagrams.QueueState:
        return datagrams.QueueState(0, next(counts))

    monkeypatch.setattr(datagrams.receive_buffer, "read_state", read_state)
    assert [listener.state().drops, listener.state().drops] == [2**32 - 2, 2**32 + 3]


def test_every_address_is_ipv6_and_ipv4_on_one_socket() -> None:
    with (
        closing(open_one(":0")) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.settimeout(5)
        sender.sendto(b"ask", ("127.0.0.2", listener.address.port))
        (host,) = listener.receive().hosts
        assert address_of(host) == "127.0.0.1"
        listener.answer(b"answer", 0)
        content, address = sender.recvfrom(100)
        assert (content, address[0]) == (b"answer", "127.0.0.2")


def test_ipv6_host_is_written_with_the_zone_of_a_link() -> None:
    loopback = socket.if_nametoindex("lo")
    address = socket.inet_pton(socket.AF_INET6, "fe80::1")
    assert address_of(address + loopback.to_bytes(4, "little")) == "fe80::1%lo"
    assert address_of(address + (9999).to_bytes(4, "little")) == "fe80::1%9999"
    assert address_of(address + bytes(4)) == "fe80::1"


def test_addresses_are_opened_all_or_none() -> None:
    with closing(open_one("127.0.0.1:0")) as taken:
        addresses = [ListenAddress("127.0.0.1", 0), taken.address]
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(ConfigError, match="address already in use; stop what listens there"):
            open_datagram_sockets(addresses, receive_buffer_bytes=0, flag="--flag", answers=False)
        assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "permission denied; ports below 1024 need the capability CAP_NET_BIND_SER"),
        (errno.EADDRNOTAVAIL, "cannot assign requested address; choose an address of this mach"),
    ],
)
def test_refusal_names_the_remedy(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(datagrams, "_bind", refuse)
    with pytest.raises(ConfigError, match=words) as refused:
        open_one("127.0.0.1:162")
    assert str(refused.value).startswith("cannot listen on UDP 127.0.0.1:162: ")
    assert "\n" not in str(refused.value)


def test_name_that_leads_nowhere_is_told() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on UDP nowhere\.invalid:0: .*host name"):
        open_one("nowhere.invalid:0")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":162", "", 162),
        ("192.0.2.1:162", "192.0.2.1", 162),
        ("[2001:db8::1]:162", "2001:db8::1", 162),
        ("localhost:0", "localhost", 0),
    ],
)
def test_listen_address_is_read_and_written(text: str, host: str, port: int) -> None:
    address = parse_listen_address(text)
    assert (address.host, address.port, str(address)) == (host, port, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("192.0.2.1", "has no port"),
        ("::1:162", "is ambiguous"),
        (":65536", "has the port '65536'"),
        (":x", "has the port 'x'"),
        ("", "has no port"),
    ],
)
def test_what_is_no_listen_address_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_listen_address(text)
