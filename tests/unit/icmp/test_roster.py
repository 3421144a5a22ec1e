"""Names and addresses of targets, through reloads and changes of DNS."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.icmp.accounting import LossReason
from exporters.icmp.roster import Roster
from exporters.icmp.target import Target, TargetSettings
from exporters.sockets.host_resolution import IpAddress

from ..sockets.pretend_time import in_pretend_time
from .pretend_pings import Host, World


class NameServer:
    """Answers as it is told, and counts the questions."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): list(ips) for name, ips in names.items()}
        self.asked: list[str] = []
        self.takes_seconds = 0.0

    async def addresses(self, host: str, deadline_at: float) -> tuple[IpAddress, ...]:
        self.asked.append(host)
        await asyncio.sleep(self.takes_seconds)
        if host not in self.names:
            raise TargetError(FailureReason.DNS, f"{host}: Name or service not known")
        return tuple(map(ip_address, self.names[host]))


class Place:
    def __init__(self, **names: Sequence[str]) -> None:
        self.world = World()
        self.server = NameServer(**names)
        self.roster = Roster(self.world.engine, self.server.addresses)

    @property
    def targets(self) -> list[Target]:
        return list(self.world.engine.targets.values())

    @property
    def ips(self) -> list[str]:
        return sorted(target.address.ip if target.address else "" for target in self.targets)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.roster.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def ping(self, seconds: float) -> None:
        for ip in self.ips:
            self.world.hosts.setdefault(ip, Host())
        self.world.run(seconds)


def host(name: str, **settings: Any) -> TargetSettings:
    return TargetSettings(device=name, group="g", host=name, **settings)


def test_address_is_pinged_without_being_resolved() -> None:
    place = Place()
    place.roster.load([host("192.0.2.1"), host("2001:db8::1")])
    assert place.ips == ["192.0.2.1", "2001:db8::1"]
    assert place.server.asked == []


def test_targets_are_labelled_with_device_group_host_and_address() -> None:
    place = Place()
    place.roster.load([replace(host("192.0.2.1", labels=(("site", "a"),)), device="core-1")])
    assert place.targets[0].key == (
        ("device", "core-1"),
        ("group", "g"),
        ("host", "192.0.2.1"),
        ("ip", "192.0.2.1"),
        ("site", "a"),
    )


@in_pretend_time
async def test_name_is_pinged_at_its_first_address() -> None:
    place = Place(a_example=["192.0.2.1", "192.0.2.2"])
    async with place.running():
        place.roster.load([host("a.example")])
        await asyncio.sleep(1)
    assert place.ips == ["192.0.2.1"]


@in_pretend_time
async def test_name_is_pinged_at_all_addresses_of_the_family_that_is_wanted() -> None:
    place = Place(a_example=["192.0.2.1", "2001:db8::1", "192.0.2.2"])
    async with place.running():
        place.roster.load([host("a.example", all_addresses=True, version=4)])
        await asyncio.sleep(1)
    assert place.ips == ["192.0.2.1", "192.0.2.2"]


@in_pretend_time
async def test_name_is_resolved_again_on_its_period() -> None:
    place = Place(a_example=["192.0.2.1"])
    async with place.running():
        place.roster.load([host("a.example", resolve_seconds=30)])
        await asyncio.sleep(95)
    assert len(place.server.asked) == 4


@in_pretend_time
async def test_name_without_a_period_is_resolved_once() -> None:
    place = Place(a_example=["192.0.2.1"])
    async with place.running():
        place.roster.load([host("a.example", resolve_seconds=0)])
        await asyncio.sleep(1000)
    assert len(place.server.asked) == 1


@in_pretend_time
async def test_name_server_that_rotates_its_answers_moves_nothing() -> None:
    place = Place(a_example=["192.0.2.1", "192.0.2.2"])
    async with place.running():
        place.roster.load([host("a.example")])
        await asyncio.sleep(1)
        target = place.targets[0]
        place.server.names["a.example"].reverse()
        await asyncio.sleep(120)
    assert place.targets == [target]
    assert place.roster.address_changes == 0


@in_pretend_time
async def test_address_that_is_gone_is_pinged_no_more_and_the_others_go_on() -> None:
    place = Place(a_example=["192.0.2.1", "192.0.2.2"])
    async with place.running():
        place.roster.load([host("a.example", all_addresses=True)])
        await asyncio.sleep(1)
        place.ping(3)
        kept = next(target for target in place.targets if target.key[3][1] == "192.0.2.2")
        place.server.names["a.example"] = ["192.0.2.2", "192.0.2.3"]
        await asyncio.sleep(61)
    assert place.ips == ["192.0.2.2", "192.0.2.3"]
    assert kept in place.targets
    assert kept.account.sent == 3
    assert place.roster.address_changes == 1


@in_pretend_time
async def test_name_that_fails_keeps_the_addresses_it_had() -> None:
    place = Place(a_example=["192.0.2.1"])
    async with place.running():
        place.roster.load([host("a.example", resolve_seconds=10)])
        await asyncio.sleep(1)
        del place.server.names["a.example"]
        await asyncio.sleep(100)
        assert place.ips == ["192.0.2.1"]
        assert place.roster.unresolved() == 0
    assert place.roster.resolutions_failed > 1


@in_pretend_time
async def test_unknown_name_loses_to_dns_until_it_resolves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    place = Place(good_example=["192.0.2.1"])
    with caplog.at_level(logging.INFO):
        async with place.running():
            place.roster.load([host("good.example"), host("bad.example")])
            await asyncio.sleep(30)
            assert place.ips == ["", "192.0.2.1"]
            assert place.roster.unresolved() == 1
            place.ping(5)
            lost = {target.key[2][1]: target.account for target in place.targets}
            assert lost["bad.example"].lost[LossReason.DNS] == 5
            assert lost["good.example"].replies == 5
            place.server.names["bad.example"] = ["192.0.2.9"]
            await asyncio.sleep(60)
    assert place.ips == ["192.0.2.1", "192.0.2.9"]
    said = [record.message for record in caplog.records]
    assert said.count("host has no address to ping") == 1
    assert said.count("host has an address again") == 1


@in_pretend_time
async def test_unknown_name_is_asked_for_less_and_less_often() -> None:
    place = Place()
    async with place.running():
        place.roster.load([host("bad.example")])
        await asyncio.sleep(3600)
    assert 55 < len(place.server.asked) < 70


@in_pretend_time
async def test_silent_name_server_does_not_hold_up_other_names() -> None:
    place = Place(**{f"n{number}_example": [f"10.0.0.{number}"] for number in range(1, 61)})
    place.server.takes_seconds = 5
    async with place.running():
        place.roster.load([host(f"n{number}.example") for number in range(1, 61)])
        await asyncio.sleep(6)
    assert len(place.ips) == 60


@pytest.mark.parametrize("ip", ["224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::"])
@in_pretend_time
async def test_name_of_many_hosts_is_refused(ip: str) -> None:
    place = Place(a_example=[ip])
    async with place.running():
        place.roster.load([host("a.example")])
        await asyncio.sleep(1)
    assert place.ips == [""]


@in_pretend_time
async def test_name_without_an_address_of_the_family_that_is_wanted_is_unresolved() -> None:
    place = Place(a_example=["192.0.2.1"])
    async with place.running():
        place.roster.load([host("a.example", version=6)])
        await asyncio.sleep(1)
    assert place.ips == [""]


def test_address_behind_an_interface_that_is_missing_waits_for_it() -> None:
    place = Place()
    place.roster.load([host("fe80::1%nothing0")])
    assert place.ips == [""]
    assert place.roster.unresolved() == 1


# Reload


def test_reload_leaves_alone_what_did_not_change() -> None:
    place = Place()
    place.roster.load([host("192.0.2.1"), host("192.0.2.2"), host("192.0.2.3")])
    before = {target.key: target for target in place.targets}
    place.ping(3)
    place.roster.load([host("192.0.2.4"), host("192.0.2.2"), host("192.0.2.1")])
    after = {target.key: target for target in place.targets}
    assert place.ips == ["192.0.2.1", "192.0.2.2", "192.0.2.4"]
    for ip in ("192.0.2.1", "192.0.2.2"):
        [key] = [key for key in after if ("ip", ip) in key]
        assert after[key] is before[key]
        assert after[key].account.sent == 3


def test_reload_with_another_interval_keeps_the_counters() -> None:
    place = Place()
    place.roster.load([host("192.0.2.1")])
    place.ping(3)
    place.roster.load([host("192.0.2.1", interval_seconds=0.1)])
    place.ping(2)
    assert place.targets[0].account.sent == 3 + 20


def test_reload_with_other_buckets_starts_a_histogram_anew() -> None:
    place = Place()
    place.roster.load([host("192.0.2.1")])
    place.ping(3)
    place.roster.load([host("192.0.2.1", bounds=(0.1, 1.0))])
    [target] = place.targets
    assert (target.account.sent, len(target.account.bucket_counts)) == (0, 3)


@in_pretend_time
async def test_reload_that_changes_the_family_resolves_at_once_and_only_once_a_period() -> None:
    place = Place(a_example=["192.0.2.1", "2001:db8::1"])
    async with place.running():
        place.roster.load([host("a.example", version=4)])
        await asyncio.sleep(10)
        place.roster.load([host("a.example", version=6)])
        await asyncio.sleep(1)
        assert place.ips == ["2001:db8::1"]
        count = len(place.server.asked)
        await asyncio.sleep(61)
    assert len(place.server.asked) == count + 1


@in_pretend_time
async def test_host_that_a_reload_removed_while_it_was_resolved_is_not_pinged() -> None:
    place = Place(a_example=["192.0.2.1"])
    place.server.takes_seconds = 3
    async with place.running():
        place.roster.load([host("a.example")])
        await asyncio.sleep(1)
        place.roster.load([])
        await asyncio.sleep(100)
    assert place.targets == []
    assert len(place.server.asked) == 1
