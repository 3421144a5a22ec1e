"""Which limits hold for whom, and who shares a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Any

import pytest

from exporters.config.devices import Device, Inventory
from exporters.config.snmp_config import Module
from exporters.polling.agent_memory import BoundedCache
from exporters.polling.device_limits import DeviceLimits, LimitedDevice
from exporters.sockets.device_queue import DeviceQueue
from exporters.sockets.pacing import Limits
from exporters.sockets.resolution import resolve
from exporters.sockets.target_address import parse_target

CORE = {
    "name": "core",
    "addresses": ["192.0.2.1", "2001:db8::1", "core.example"],
    "snmp_target": "127.0.0.1:1161",
}
EDGE = {"name": "edge", "addresses": ["192.0.2.2"]}


def device_limits(*devices: dict[str, Any], default: Limits | None = None) -> DeviceLimits:
    inventory = Inventory(devices=[Device(**device) for device in devices])
    return DeviceLimits(
        inventory, default or Limits(), BoundedCache[Hashable, DeviceQueue](DeviceQueue)
    )


async def find(text: str, port: int, family: int, kind: int) -> Any:
    text = text.lower().removesuffix(".")
    address = {"core.example": "198.51.100.7", "by-address.example": "192.0.2.1"}[text]
    return [(2, kind, 0, "", (address, port))]


def ask(limits: DeviceLimits, text: str) -> LimitedDevice:
    async def resolved() -> LimitedDevice:
        target = parse_target(text)
        endpoint = await resolve(target, asyncio.get_running_loop().time() + 5, find)
        return limits.device(target, endpoint)

    return asyncio.run(resolved())


@pytest.mark.parametrize(
    "target",
    [
        "192.0.2.1",
        "192.0.2.1:1161",
        "tcp://192.0.2.1",
        "[2001:DB8::1]:161",
        "::ffff:192.0.2.1",
        "core.example",
        "CORE.example.",
        "by-address.example",
        "127.0.0.1:1161",
        "tcp://127.0.0.1:1161",
    ],
)
def test_device_is_one_by_whatever_it_is_asked(target: str) -> None:
    assert ask(device_limits(CORE, EDGE), target).key == "core"


@pytest.mark.parametrize("target", ["127.0.0.1:161", "192.0.2.3", "2001:db8::2"])
def test_stranger_is_an_address_and_port(target: str) -> None:
    limits = device_limits(CORE, EDGE)
    key = ask(limits, target).key
    assert isinstance(key, tuple)
    assert key == ask(limits, target).key
    assert key != ask(limits, "192.0.2.3:1161").key


def test_stranger_of_two_spellings_is_one() -> None:
    limits = device_limits()
    assert ask(limits, "::ffff:192.0.2.3").key == ask(limits, "tcp://192.0.2.3").key


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, Limits(4, 40)),
        ({"snmp_concurrency": 9}, Limits(9, 40)),
        ({"snmp_packets_per_second": 5}, Limits(4, 5)),
        ({"snmp_concurrency": 1, "snmp_packets_per_second": 99}, Limits(1, 99)),
    ],
)
def test_limit_of_a_device_is_its_own_or_else_the_flags(
    own: dict[str, Any], expected: Limits
) -> None:
    limits = device_limits(CORE | own, EDGE, default=Limits(4, 40))
    assert ask(limits, "core.example").limits == expected
    assert ask(limits, "192.0.2.2").limits == Limits(4, 40)
    assert ask(limits, "192.0.2.3").limits == Limits(4, 40)


def test_limits_of_device_and_module_hold_both() -> None:
    device = ask(device_limits(CORE | {"snmp_packets_per_second": 10}), "192.0.2.1")
    assert str(device.limiter()) == "10 packets a second"
    assert str(device.limiter("m", Module(packets_per_second=20))) == "10 packets a second"
    limiter = device.limiter("m", Module(concurrency=1, packets_per_second=5))
    assert str(limiter) == "1 request at a time and 5 packets a second"


def test_modules_of_a_device_have_limits_of_their_own() -> None:
    limits = device_limits(CORE, EDGE)
    module = Module(concurrency=1)
    core, by_name, edge = (ask(limits, host) for host in ("192.0.2.1", "core.example", "192.0.2.2"))
    for device, name in ((core, "a"), (by_name, "a"), (core, "b"), (edge, "a")):
        device.limiter(name, module)
    assert len(core.queues) == 3


def test_nothing_is_paced_without_a_limit() -> None:
    device = ask(device_limits(CORE), "192.0.2.1")
    assert device.limiter() is None
    assert device.limiter("m", Module()) is None
    assert len(device.queues) == 0
    assert str(device.limiter("m", Module(concurrency=1))) == "1 request at a time"


def test_limits_without_an_inventory_are_the_flags() -> None:
    queues = BoundedCache[Hashable, DeviceQueue](DeviceQueue)
    limits = DeviceLimits(None, Limits(1), queues)
    assert ask(limits, "192.0.2.1").limits == Limits(1)


def test_queue_outlives_the_inventory_and_takes_its_new_limits() -> None:
    """Else a reload would let a device be asked beyond its limits, or keep wrong ones."""
    queues = BoundedCache[Hashable, DeviceQueue](DeviceQueue)
    limiters = []
    for concurrency in (1, 2):
        inventory = Inventory(devices=[Device(**CORE, snmp_concurrency=concurrency)])
        device = ask(DeviceLimits(inventory, Limits(), queues), "192.0.2.1")
        limiters.append(device.limiter())
    assert len(queues) == 1
    assert [str(limiter) for limiter in limiters] == ["2 requests at a time"] * 2
