"""Sockets: what the system says of an agent, and how messages are cut out of a stream."""

from __future__ import annotations

import asyncio
import errno
import gc
import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import FailureReason, TargetError, WireError
from exporters.sockets.resolution import Endpoint
from exporters.sockets.snmp_transport import (
    TcpTransport,
    Transport,
    message_bytes,
    open_transport,
    translate_os_error,
)
from exporters.wire.ber import encode_tlv
from exporters.wire.snmp_message import MAX_MESSAGE_BYTES

from .peers import (
    HANG_UP,
    HOSTS,
    closed_port,
    endpoint_of,
    needs_ipv6,
    open_descriptors,
    tcp_peer,
    udp_peer,
)
from .pretend_time import in_pretend_time

CONNECTED = pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
SOMEWHERE = Endpoint(socket.AF_INET, False, ("192.0.2.1", 161), ipaddress.ip_address("192.0.2.1"))
MESSAGE = encode_tlv(0x30, bytes(200))


class Heard:
    """What a transport calls, and a way to wait for it."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.errors: list[TargetError] = []
        self._something = asyncio.Event()

    def on_message(self, message: bytes) -> None:
        self.messages.append(message)
        self._something.set()

    def on_error(self, error: TargetError) -> None:
        self.errors.append(error)
        self._something.set()

    async def something(self) -> None:
        async with asyncio.timeout(5):
            await self._something.wait()
        self._something.clear()

    async def open(
        self,
        endpoint: Endpoint,
        *,
        source: tuple[str, int] | None = None,
        connected: bool = True,
        seconds: float = 5.0,
    ) -> Transport:
        return await open_transport(
            endpoint,
            self.on_message,
            self.on_error,
            source=source,
            connected=connected,
            deadline_at=asyncio.get_running_loop().time() + seconds,
        )


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, FailureReason.REFUSED),
        (errno.ECONNRESET, FailureReason.REFUSED),
        (errno.EPIPE, FailureReason.REFUSED),
        (errno.EHOSTUNREACH, FailureReason.UNREACHABLE),
        (errno.ENETUNREACH, FailureReason.UNREACHABLE),
        (errno.ENETDOWN, FailureReason.UNREACHABLE),
        (errno.EACCES, FailureReason.UNREACHABLE),
        (errno.EPERM, FailureReason.UNREACHABLE),
        (errno.EINVAL, FailureReason.UNREACHABLE),
        (errno.EAFNOSUPPORT, FailureReason.UNREACHABLE),
        (errno.EADDRNOTAVAIL, FailureReason.UNREACHABLE),
        (errno.ETIMEDOUT, FailureReason.TIMEOUT),
        (errno.EMFILE, FailureReason.LOCAL),
        (errno.ENOBUFS, FailureReason.LOCAL),
        (errno.EMSGSIZE, FailureReason.LOCAL),
    ],
    ids=errno.errorcode.get,
)
def test_error_of_the_system_has_a_reason(number: int, reason: FailureReason) -> None:
    error = translate_os_error(OSError(number, os.strerror(number)), SOMEWHERE)
    assert error.reason is reason
    assert error.detail == f"udp 192.0.2.1 port 161: {os.strerror(number)}"


def test_link_local_address_without_an_interface_says_so() -> None:
    endpoint = Endpoint(
        socket.AF_INET6, False, ("fe80::1", 161, 0, 0), ipaddress.ip_address("fe80::1")
    )
    error = translate_os_error(OSError(errno.EINVAL, "Invalid argument"), endpoint)
    assert error.reason is FailureReason.UNREACHABLE
    assert "needs its interface, as in [fe80::1%eth0]" in error.detail


@HOSTS
@CONNECTED
@in_pretend_time
async def test_closed_udp_port_is_told_at_once(host: str, connected: bool) -> None:
    heard = Heard()
    transport = await heard.open(await endpoint_of(closed_port(host)), connected=connected)
    started_at = asyncio.get_running_loop().time()
    transport.send(b"hello")
    await heard.something()
    transport.close()
    assert [error.reason for error in heard.errors] == [FailureReason.REFUSED]
    assert asyncio.get_running_loop().time() == started_at


@CONNECTED
@in_pretend_time
async def test_error_of_an_earlier_packet_does_not_keep_the_next_from_going(
    connected: bool,
) -> None:
    """The system tells it when the next one is sent, and sends that one not."""
    heard = Heard()
    transport = await heard.open(await endpoint_of(closed_port()), connected=connected)
    transport.send(b"one")
    transport.send(b"two")  # tells of the first
    assert [error.reason for error in heard.errors] == [FailureReason.REFUSED]
    await heard.something()
    await heard.something()  # of the second
    assert [error.reason for error in heard.errors] == [FailureReason.REFUSED] * 2
    transport.close()


@in_pretend_time
async def test_queue_of_errors_does_not_keep_the_loop_busy() -> None:
    """An error that ``send`` has told still makes the socket readable until it is taken away."""
    heard = Heard()
    transport = await heard.open(await endpoint_of(closed_port()))
    for _ in range(3):
        transport.send(b"hello")
    loop = asyncio.get_running_loop()
    await asyncio.sleep(1)  # pretended: it passes only when nothing is readable any more
    assert loop.time() >= 1001
    transport.close()


@in_pretend_time
async def test_error_that_send_has_told_is_not_left_in_the_queue() -> None:
    """An agent that starts after the first packet: the error is told, and yet makes readable."""
    heard = Heard()
    host, port = closed_port()
    transport = await heard.open(await endpoint_of((host, port)))
    transport.send(b"one")
    async with udp_peer(lambda data: data.upper(), host, port=port):
        transport.send(b"two")
        await asyncio.sleep(1)  # pretended: it passes only when nothing is readable any more
    transport.close()
    assert heard.messages == [b"TWO"]
    assert [error.reason for error in heard.errors] == [FailureReason.REFUSED]


@HOSTS
@CONNECTED
@in_pretend_time
async def test_datagram_comes_back(host: str, connected: bool) -> None:
    heard = Heard()
    async with udp_peer(lambda data: data.upper(), host) as peer:
        transport = await heard.open(await endpoint_of(peer.address), connected=connected)
        transport.send(b"hello")
        await heard.something()
        transport.close()
    assert (heard.messages, heard.errors) == ([b"HELLO"], [])


@pytest.mark.parametrize(("connected", "messages"), [(True, []), (False, [b"HELLO"])])
@in_pretend_time
async def test_answer_from_another_address_is_heard_unless_connected(
    connected: bool, messages: list[bytes]
) -> None:
    heard = Heard()
    async with udp_peer(lambda data: data.upper(), answers_from="127.0.0.2") as peer:
        transport = await heard.open(await endpoint_of(peer.address), connected=connected)
        transport.send(b"hello")
        await asyncio.sleep(1)  # pretended
        transport.close()
    assert heard.messages == messages


@in_pretend_time
async def test_source_address_is_sent_from() -> None:
    heard = Heard()
    sources = []
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.setblocking(False)
        agent.bind(("127.0.0.1", 0))
        transport = await heard.open(
            await endpoint_of(agent.getsockname()), source=("127.0.0.3", 0)
        )
        transport.send(b"hello")
        sources.append((await loop.sock_recvfrom(agent, 100))[1][0])
        transport.close()
    assert sources == ["127.0.0.3"]


@pytest.mark.parametrize("kind", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("host", "source"),
    [
        pytest.param("127.0.0.1", "192.0.2.250", id="not-ours"),
        pytest.param("::1", "127.0.0.1", id="ipv4-to-ipv6", marks=needs_ipv6),
        pytest.param("127.0.0.1", "::1", id="ipv6-to-ipv4"),
    ],
)
@in_pretend_time
async def test_source_that_cannot_be_had_is_a_local_failure(
    host: str, source: str, kind: str
) -> None:
    before = open_descriptors()
    endpoint = await endpoint_of((host, 161), kind)
    with pytest.raises(TargetError, match=f"cannot send from {source} port 0") as caught:
        await Heard().open(endpoint, source=(source, 0))
    assert caught.value.reason is FailureReason.LOCAL
    assert open_descriptors() == before


@in_pretend_time
async def test_host_that_the_system_has_no_way_to_is_unreachable() -> None:
    before = open_descriptors()
    endpoint = await endpoint_of(("192.0.2.1", 161))
    with pytest.raises(TargetError) as caught:
        await Heard().open(endpoint, source=("127.0.0.1", 0))  # the loopback leads nowhere else
    assert caught.value.reason is FailureReason.UNREACHABLE
    assert open_descriptors() == before


def link_local_address() -> str:
    """An address of this machine that means nothing without its interface."""
    for line in Path("/proc/net/if_inet6").read_text().splitlines():
        digits, *_, name = line.split()
        if digits.startswith("fe80"):
            return f"{ipaddress.ip_address(bytes.fromhex(digits))}%{name}"
    pytest.skip("no interface of this machine has a link-local IPv6 address")


@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_link_local_agent_is_reached_over_its_interface(kind: str) -> None:
    address = link_local_address()
    heard = Heard()
    peer = tcp_peer if kind == "tcp" else udp_peer
    async with peer(lambda data: data, address) as found:
        endpoint = await endpoint_of((address, found.address[1]), kind)
        transport = await heard.open(endpoint)
        transport.send(MESSAGE)
        await heard.something()
        transport.close()
    assert (heard.messages, heard.errors) == ([MESSAGE], [])
    assert str(endpoint.ip).startswith("fe80")


@HOSTS
@in_pretend_time
async def test_tcp_message_comes_back(host: str) -> None:
    heard = Heard()
    async with tcp_peer(lambda data: data, host) as peer:
        transport = await heard.open(await endpoint_of(peer.address, "tcp"))
        transport.send(MESSAGE)
        await heard.something()
        transport.close()
    assert (heard.messages, heard.errors) == ([MESSAGE], [])


@HOSTS
@in_pretend_time
async def test_closed_tcp_port_is_refused(host: str) -> None:
    before = open_descriptors()
    endpoint = await endpoint_of(closed_port(host, socket.SOCK_STREAM), "tcp")
    with pytest.raises(TargetError) as caught:
        await Heard().open(endpoint)
    assert caught.value.reason is FailureReason.REFUSED
    assert open_descriptors() == before


@pytest.fixture
def full_listener() -> socket.socket:
    """A TCP port whose queue of connections is full, so that one more gets no answer at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener
        for client in waiting:
            client.close()


@in_pretend_time
async def test_tcp_connection_that_never_stands_ends_at_the_deadline(
    full_listener: socket.socket,
) -> None:
    before = open_descriptors()
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    endpoint = await endpoint_of(full_listener.getsockname(), "tcp")
    with pytest.raises(TargetError, match="no connection to tcp") as caught:
        await Heard().open(endpoint, seconds=2.0)
    assert caught.value.reason is FailureReason.TIMEOUT
    assert loop.time() - started_at == 2.0
    assert open_descriptors() == before


@in_pretend_time
async def test_cancelled_connection_leaves_no_socket(full_listener: socket.socket) -> None:
    before = open_descriptors()
    endpoint = await endpoint_of(full_listener.getsockname(), "tcp")
    task = asyncio.ensure_future(Heard().open(endpoint))
    await asyncio.sleep(0.1)  # pretended
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_descriptors() == before


@in_pretend_time
async def test_agent_that_hangs_up_is_told_once() -> None:
    heard = Heard()
    async with tcp_peer(lambda _: HANG_UP) as peer:
        transport = await heard.open(await endpoint_of(peer.address, "tcp"))
        transport.send(MESSAGE)
        await heard.something()
        assert transport.closed
        transport.send(MESSAGE)  # goes nowhere, and is no error of its own
        transport.close()
    assert [(error.reason, error.detail.split(": ")[1]) for error in heard.errors] == [
        (FailureReason.REFUSED, "the agent closed the connection")
    ]


@in_pretend_time
async def test_closed_transport_calls_nobody() -> None:
    heard = Heard()
    async with tcp_peer(lambda data: data) as peer:
        transport = await heard.open(await endpoint_of(peer.address, "tcp"))
        transport.send(MESSAGE)
        transport.close()
        await asyncio.sleep(1)  # pretended
    assert (heard.messages, heard.errors) == ([], [])


@pytest.mark.parametrize("kind", ["udp", "tcp"])
@in_pretend_time
async def test_transport_can_be_closed_twice(kind: str) -> None:
    before = open_descriptors()
    async with tcp_peer(lambda data: data) as tcp, udp_peer(lambda data: data) as udp:
        address = tcp.address if kind == "tcp" else udp.address
        transport = await Heard().open(await endpoint_of(address, kind))
        transport.close()
        transport.close()
        await asyncio.sleep(0)
    gc.collect()
    assert open_descriptors() == before


Feed = Callable[..., Heard]


@pytest.fixture
def feed() -> Feed:
    """Let pieces of a stream arrive at a transport without any socket."""

    def run(*pieces: bytes) -> Heard:
        heard = Heard()
        transport = TcpTransport(SOMEWHERE, heard.on_message, heard.on_error)
        for piece in pieces:
            transport.data_received(piece)
        return heard

    return run


LONG = encode_tlv(0x30, bytes(60_000))
SHORT = encode_tlv(0x30, b"\x02\x01\x01")


@given(st.lists(st.sampled_from([SHORT, MESSAGE, LONG]), max_size=4), st.data())
def test_stream_gives_the_messages_however_it_is_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    heard: list[bytes] = []
    errors: list[TargetError] = []
    transport = TcpTransport(SOMEWHERE, heard.append, errors.append)
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        transport.data_received(stream[start:stop])
    assert (heard, errors) == (messages, [])


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x31\x05\x00\x00\x00\x00\x00",
        b"\x30\x80\x00\x00\x00\x00",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x30\x84\x7f\xff\xff\xff",
        b"\x30\x83\x01\x00\x00\x00",
    ],
    ids=["http", "tag", "indefinite", "length-of-127", "2-gigabytes", "64-kilobytes-and-one"],
)
def test_stream_of_something_else_ends_the_connection(feed: Feed, garbage: bytes) -> None:
    heard = feed(SHORT, garbage, SHORT)
    assert heard.messages == [SHORT]
    assert [error.reason for error in heard.errors] == [FailureReason.DECODE]
    assert "sends what is no SNMP message" in heard.errors[0].detail


def test_half_a_message_is_waited_for(feed: Feed) -> None:
    heard = feed(MESSAGE[:-1])
    assert (heard.messages, heard.errors) == ([], [])


@given(st.binary(max_size=12))
def test_any_bytes_have_a_size_or_none_or_an_error(data: bytes) -> None:
    try:
        size = message_bytes(bytearray(data))
    except WireError:
        return
    assert size is None or 2 <= size <= min(len(data), MAX_MESSAGE_BYTES)
