"""Names to addresses, many at a time, with a resolver that is a function of the test."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.sockets.host_resolution import (
    HostResolver,
    look_up,
    parse_address,
    socket_address,
)

ADDRESSES = (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1"))


class Resolver:
    """A system's resolver that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()

    def __call__(self, host: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
        self.asked.append(host)
        self.may_answer.wait(20)
        return ADDRESSES


def never(host: str) -> tuple[ipaddress.IPv4Address, ...]:
    raise AssertionError(f"{host} needs no resolver")


def deadline(seconds: float = 20.0) -> float:
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
async def test_address_is_taken_as_it_is(text, address):
    assert parse_address(text) == ipaddress.ip_address(address)
    found = await HostResolver(never).addresses(text, deadline())
    assert found == (ipaddress.ip_address(address),)


async def test_name_gives_all_its_addresses_in_order():
    assert await HostResolver(lambda _: ADDRESSES).addresses("switch", deadline()) == ADDRESSES


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "Name or service not known"), ValueError("x")]
)
async def test_name_that_is_not_known_is_a_dns_failure_with_the_systems_words(error):
    def fail(_: str) -> tuple[ipaddress.IPv4Address, ...]:
        raise error

    with pytest.raises(TargetError) as failed:
        await HostResolver(fail).addresses("switch", deadline())
    assert failed.value.reason is FailureReason.DNS
    words = getattr(error, "strerror", None) or str(error)
    assert failed.value.detail == f"switch: {words}"


async def test_resolver_that_does_not_answer_fails_at_the_deadline_and_is_not_waited_for():
    resolver = Resolver()
    hosts = HostResolver(resolver)
    with pytest.raises(TargetError, match="was not resolved before the deadline"):
        await hosts.addresses("switch", deadline(-1))
    resolver.may_answer.set()
    assert await hosts.addresses("switch", deadline()) == ADDRESSES


async def test_name_that_is_being_looked_up_is_asked_for_once():
    resolver = Resolver()
    hosts = HostResolver(resolver)
    asking = [asyncio.create_task(hosts.addresses("switch", deadline())) for _ in range(5)]
    await asyncio.sleep(0)
    resolver.may_answer.set()
    assert await asyncio.gather(*asking) == [ADDRESSES] * 5
    assert resolver.asked == ["switch"]


async def test_silent_name_server_holds_up_no_other_name():
    silent = Resolver()

    def lookup(host: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
        return silent(host) if host == "silent" else ADDRESSES

    hosts = HostResolver(lookup)
    waiting = asyncio.create_task(hosts.addresses("silent", deadline()))
    await asyncio.sleep(0)
    assert await hosts.addresses("other", deadline()) == ADDRESSES
    assert not waiting.done()
    silent.may_answer.set()
    await waiting


async def test_only_so_many_names_are_looked_up_at_once_and_the_rest_wait_their_turn():
    resolver = Resolver()
    hosts = HostResolver(resolver, most_threads=2)
    names = [f"switch-{number}" for number in range(6)]
    asking = [asyncio.create_task(hosts.addresses(name, deadline())) for name in names]
    await asyncio.sleep(0)
    assert len(resolver.asked) <= 2
    resolver.may_answer.set()
    assert await asyncio.gather(*asking) == [ADDRESSES] * 6
    assert sorted(resolver.asked) == names


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "1", "10.1.1.010", "1.2.3.4.5", "0x7f000001."])
def test_number_that_the_c_library_would_take_for_an_address_is_none(host):
    with pytest.raises(OSError, match="neither a name nor an address"):
        look_up(host)


@pytest.mark.parametrize("host", ["a\0b", "x" * 300, "\udcff"])
def test_text_that_cannot_be_a_name_is_an_error_that_the_resolver_knows(host):
    with pytest.raises((OSError, ValueError)):
        look_up(host)


def test_localhost_is_this_machine():
    assert all(address.is_loopback for address in look_up("localhost"))


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("2001:db8::1", ("2001:db8::1", 0, 0, 0)),
        ("fe80::1%7", ("fe80::1", 0, 0, 7)),
        ("fe80::1%lo", ("fe80::1", 0, 0, socket.if_nametoindex("lo"))),
    ],
)
def test_socket_address_has_the_number_of_a_zone(address, where):
    assert socket_address(ipaddress.ip_address(address)) == where


def test_zone_that_is_no_interface_is_refused():
    with pytest.raises(TargetError, match="there is no interface none0"):
        socket_address(ipaddress.ip_address("fe80::1%none0"))
