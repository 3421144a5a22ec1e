"""From names to addresses, and what becomes of names that have none."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.sockets.resolution import Endpoint, NameLookups, resolve
from exporters.sockets.target_address import parse_target

from .pretend_time import in_pretend_time

Found = list[tuple[Any, ...]]


async def resolve_text(text: str, seconds: float = 5.0) -> Endpoint:
    return await resolve(parse_target(text), asyncio.get_running_loop().time() + seconds)


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], list[dict[str, Any]]]:
    """Let every look-up give what a test says (or raise it); gives what was asked for."""

    def answer(found: object) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        async def getaddrinfo(_: object, host: str, port: int, **wanted: Any) -> object:
            asked.append({"host": host, "port": port, **wanted})
            if isinstance(found, Exception):
                raise found
            if found is None:
                await asyncio.Event().wait()
            return found

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
        return asked

    return answer


@in_pretend_time
async def test_literal_needs_no_name_server(name_server: Callable[[object], Any]) -> None:
    asked = name_server(AssertionError("looked up"))
    endpoint = await resolve_text("192.0.2.1:1161")
    expected = Endpoint(
        socket.AF_INET, False, ("192.0.2.1", 1161), ipaddress.ip_address("192.0.2.1")
    )
    assert (endpoint, asked) == (expected, [])


@in_pretend_time
async def test_ipv6_literal_has_the_four_parts_of_its_family() -> None:
    endpoint = await resolve_text("tcp://[2001:DB8::1]:1161")
    assert endpoint.family == socket.AF_INET6
    assert endpoint.stream
    assert endpoint.socket_address == ("2001:db8::1", 1161, 0, 0)
    assert str(endpoint) == "tcp 2001:db8::1 port 1161"


async def test_zone_becomes_the_number_of_its_interface() -> None:
    number, name = socket.if_nameindex()[0]
    endpoint = await resolve_text(f"[fe80::1%{name}]:1161")
    assert endpoint.socket_address == ("fe80::1", 1161, 0, number)
    assert endpoint.ip == ipaddress.ip_address(f"fe80::1%{number}")


@in_pretend_time
async def test_one_address_on_two_interfaces_is_two_agents(
    name_server: Callable[[object], Any],
) -> None:
    """Whoever remembers agents by address must not take one for the other."""
    found = []
    for number in (2, 3):
        where = ("fe80::1", 161, 0, number)
        name_server([(socket.AF_INET6, socket.SOCK_DGRAM, 17, "", where)])
        found.append(await resolve_text(f"fe80::1%{number}"))
    assert found[0].ip != found[1].ip
    assert all(endpoint.ip in ipaddress.ip_network("fe80::/10") for endpoint in found)


async def test_unknown_zone_is_a_dns_failure() -> None:
    with pytest.raises(TargetError) as caught:
        await resolve_text("fe80::1%nosuchif")
    assert caught.value.reason is FailureReason.DNS


async def test_localhost_resolves() -> None:
    assert (await resolve_text("localhost")).ip.is_loopback


@in_pretend_time
async def test_first_address_is_taken(name_server: Callable[[object], Any]) -> None:
    name_server(
        [
            (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("2001:db8::1", 161, 0, 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("192.0.2.1", 161)),
        ]
    )
    endpoint = await resolve_text("switch")
    assert (endpoint.family, str(endpoint.ip)) == (socket.AF_INET6, "2001:db8::1")


@pytest.mark.parametrize(
    ("target", "family", "kind"),
    [
        ("switch", socket.AF_UNSPEC, socket.SOCK_DGRAM),
        ("udp4://switch", socket.AF_INET, socket.SOCK_DGRAM),
        ("udp6://switch", socket.AF_INET6, socket.SOCK_DGRAM),
        ("tcp://switch", socket.AF_UNSPEC, socket.SOCK_STREAM),
        ("tcp4://switch", socket.AF_INET, socket.SOCK_STREAM),
        ("tcp6://switch", socket.AF_INET6, socket.SOCK_STREAM),
    ],
)
@in_pretend_time
async def test_transport_chooses_family_and_kind(
    name_server: Callable[[object], Any], target: str, family: int, kind: int
) -> None:
    asked = name_server([(socket.AF_INET, kind, 0, "", ("192.0.2.1", 161))])
    await resolve_text(target)
    assert asked == [{"host": "switch", "port": 161, "family": family, "type": kind}]


@pytest.mark.parametrize("target", ["udp6://192.0.2.1", "udp4://::1", "tcp4://[::1]:161"])
async def test_literal_of_the_other_family_is_a_dns_failure(target: str) -> None:
    with pytest.raises(TargetError) as caught:
        await resolve_text(target)
    assert caught.value.reason is FailureReason.DNS


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service"),
        (OSError("no name server"), "no name server"),
        (UnicodeError("label empty or too long"), "label empty or too long"),
    ],
    ids=["unknown", "system", "label"],
)
@in_pretend_time
async def test_name_that_does_not_resolve_is_a_dns_failure(
    name_server: Callable[[object], Any], error: Exception, detail: str
) -> None:
    name_server(error)
    with pytest.raises(TargetError, match=f"switch: {detail}") as caught:
        await resolve_text("switch")
    assert caught.value.reason is FailureReason.DNS


async def test_label_that_is_too_long_is_a_dns_failure() -> None:
    with pytest.raises(TargetError) as caught:
        await resolve_text("a" * 64 + ".example")
    assert caught.value.reason is FailureReason.DNS


@in_pretend_time
async def test_silent_name_server_costs_no_more_than_the_deadline(
    name_server: Callable[[object], Any],
) -> None:
    name_server(None)
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    with pytest.raises(TargetError, match="switch was not resolved before the deadline") as caught:
        await resolve_text("switch", seconds=3.0)
    assert caught.value.reason is FailureReason.DNS
    assert loop.time() - started_at == 3.0


class NameServer:
    """Look-ups that end when they are told to."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.lock = threading.Lock()
        self.begun = threading.Semaphore(0)
        self.end = threading.Semaphore(0)

    def __call__(self, host: str, port: int, family: int, kind: int) -> Found:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.begun.release()
        assert self.end.acquire(timeout=30)
        with self.lock:
            self.under_way -= 1
        if host == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, kind, 0, "", ("192.0.2.1", port))]


async def test_lookups_are_no_more_than_allowed() -> None:
    server = NameServer()
    names = NameLookups(2, server)
    loop = asyncio.get_running_loop()
    target = parse_target("switch")
    asking = [
        asyncio.ensure_future(resolve(target, loop.time() + 30, names.find)) for _ in range(5)
    ]
    server.end.release(5)
    endpoints = await asyncio.gather(*asking)
    assert [str(endpoint.ip) for endpoint in endpoints] == ["192.0.2.1"] * 5
    assert server.most <= 2
    assert server.begun._value == 5


async def test_lookup_that_nobody_waits_for_still_counts() -> None:
    server = NameServer()
    names = NameLookups(1, server)
    loop = asyncio.get_running_loop()
    asking = asyncio.ensure_future(names.find("slow", 161, 0, socket.SOCK_DGRAM))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(TargetError, match="switch was not resolved before the deadline"):
        await resolve(parse_target("switch"), loop.time(), names.find)
    server.end.release(2)
    assert (await names.find("switch", 161, 0, socket.SOCK_DGRAM))[0][4] == ("192.0.2.1", 161)
    assert server.most == 1


async def test_lookup_that_fails_says_so_and_makes_room() -> None:
    server = NameServer()
    names = NameLookups(1, server)
    server.end.release(2)
    deadline_at = asyncio.get_running_loop().time() + 30
    for _ in range(2):
        with pytest.raises(TargetError, match="unknown: Name or service not known"):
            await resolve(parse_target("unknown"), deadline_at, names.find)


async def test_missing_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    names = NameLookups(1, NameServer())
    deadline_at = asyncio.get_running_loop().time() + 30
    for _ in range(2):
        with pytest.raises(TargetError, match="can't start new thread") as caught:
            await resolve(parse_target("switch"), deadline_at, names.find)
        assert caught.value.reason is FailureReason.DNS
