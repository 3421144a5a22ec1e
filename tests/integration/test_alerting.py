"""End to end: what happens to devices, and what a person is told of it, by the files that ship.

One network for all of it, because its start takes longer than most of what is tested. Polled things
are polled faster than the shipped files say (``fleet.hurried_scrapes``, ``fleet.hurried_rules``);
for traps and messages everything is as it ships, and the time to the notification is measured.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator

import pytest

from .fleet import ALARM_VARIABLE, RISING, Device, Fleet, running_fleet, short_name
from .inside import inside
from .namespaces import needs_root, network_namespace
from .processes import Programs

pytestmark = [
    needs_root,
    pytest.mark.peer("ip", "iproute2"),
    pytest.mark.peer("nft", "nftables"),
    pytest.mark.peer("prometheus", "prometheus"),
    pytest.mark.peer("prometheus-alertmanager", "prometheus-alertmanager"),
    pytest.mark.peer("snmptrap", "snmp"),
]

EVENTS = 20
MOST_SECONDS = 15.0
Record = Callable[[str, object], None]


@pytest.fixture
def place() -> Iterator[None]:
    with network_namespace() as namespace:
        namespace.allow_ping_sockets(allowed=True)
        with inside(namespace):
            yield


def devices() -> list[Device]:
    core = {"site": "seoul", "role": "core"}
    behind = {"site": "busan", "role": "access", "parent": "core"}
    return [
        Device("polled", "127.0.1.1", core),
        Device("lossy", "127.0.1.2", {"site": "busan", "role": "edge"}),
        Device("core", "127.0.1.3", core),
        Device("behind", "127.0.1.4", behind),
        Device("probe", "127.0.1.5", core),
        *(Device(f"loud-{n}", f"127.0.1.{10 + n}", {"site": "busan"}) for n in range(4)),
    ]


async def test_faults_are_told_once_in_time_and_resolved(
    place: None, programs: Programs, record_property: Record
) -> None:
    async with running_fleet(programs, devices()) as fleet:
        await fleet.wait_for("count(netexporters:device:up == 1) == 9")
        await fleet.wait_for("count(netexporters:interface:names == 2) == 9 * 12 * 3")
        async with asyncio.TaskGroup() as group:
            group.create_task(interface_goes_down_by_polling(fleet))
            group.create_task(pings_are_lost(fleet))
            group.create_task(device_goes_down_with_what_is_behind_it(fleet))
            group.create_task(threshold_is_crossed(fleet))
            group.create_task(one_fault_that_three_report_is_one_alert(fleet))
            traps = group.create_task(delays(fleet, ("loud-0", "loud-1"), fleet.send_link_trap))
            messages = group.create_task(
                delays(fleet, ("loud-2", "loud-3"), fleet.send_link_message)
            )
        for name, seconds in (("trap", traps.result()), ("syslog", messages.result())):
            slowest = percentile(seconds, 95)
            record_property(f"{name}_seconds", [round(each, 1) for each in seconds])
            print(
                f"{name}: median {percentile(seconds, 50):.1f} s, p95 {slowest:.1f} s, "
                f"slowest {max(seconds):.1f} s of {len(seconds)}"
            )
            assert slowest <= MOST_SECONDS
        assert not fleet.inbox.all_of("firing", {"severity": "none", "alertname": "ParentDown"})
        assert not [
            notice
            for notice in fleet.inbox.notices
            if notice.labels["alertname"].startswith(("Exporter", "AlertThresholds"))
        ]


async def interface_goes_down_by_polling(fleet: Fleet) -> None:
    labels = {"alertname": "InterfaceDown", "device": "polled", "interface": short_name(3)}
    fleet.devices["polled"].down_ports = {3}
    fleet.tell("polled")
    notice = await fleet.inbox.wait_for("firing", labels)
    assert (
        notice.annotations["description"] == "Gi0/3 (link 3) of polled is down, as polling found."
    )
    assert {n.receiver for n in fleet.inbox.all_of("firing", labels)} <= {"site-seoul", "pager"}
    fleet.devices["polled"].down_ports = set()
    fleet.tell("polled")
    await fleet.inbox.wait_for("resolved", labels)


async def pings_are_lost(fleet: Fleet) -> None:
    labels = {"alertname": "PacketLoss", "device": "lossy"}
    fleet.lose("lossy", percent=40)
    notice = await fleet.inbox.wait_for("firing", labels, seconds=180)
    assert notice.receiver == "operations"
    assert notice.labels["site"] == "busan"
    fleet.heal("lossy")
    await fleet.inbox.wait_for("resolved", labels)


async def device_goes_down_with_what_is_behind_it(fleet: Fleet) -> None:
    down = {"alertname": "DeviceDown", "device": "core"}
    behind = {"alertname": "DeviceDown", "device": "behind"}
    interface = {"alertname": "InterfaceDown", "device": "core", "interface": short_name(2)}
    fleet.lose("core", percent=100)
    fleet.lose("behind", percent=100)
    notice = await fleet.inbox.wait_for("firing", down)
    # Its last words, and another device's that cannot be reached without it.
    fleet.send_link_trap("core", 2, up=False)
    fleet.send_link_message("behind", 2, up=False)
    await fleet.wait_for('ALERTS{alertname="InterfaceDown",device="core",alertstate="firing"}')
    await fleet.wait_for('ALERTS{alertname="InterfaceDown",device="behind",alertstate="firing"}')
    await fleet.wait_for('ALERTS{alertname="DeviceDown",device="behind",alertstate="firing"}')
    for labels in (interface, interface | {"device": "behind"}, behind):
        await fleet.wait_until_suppressed(labels)
    assert notice.annotations["summary"] == "core is down"

    fleet.send_link_trap("core", 2, up=True)
    fleet.send_link_message("behind", 2, up=True)
    fleet.heal("core")
    fleet.heal("behind")
    await fleet.inbox.wait_for("resolved", down)
    assert [
        n.labels for n in fleet.inbox.all_of("firing", {"device": "core"}) if not n.is_of(down)
    ] == []
    assert fleet.inbox.all_of("firing", {"device": "behind"}) == []


async def threshold_is_crossed(fleet: Fleet) -> None:
    labels = {"alertname": "RmonThresholdCrossed", "device": "probe", "variable": ALARM_VARIABLE}
    fleet.devices["probe"].alarm_value = RISING + 1
    fleet.tell("probe")
    await fleet.inbox.wait_for("firing", labels)
    # The trap of the same is no other alert.
    fleet.send_alarm_trap("probe", rising=True)
    await fleet.wait_for('netexporters:state:raised{device="probe",event="rmon"}')
    fleet.devices["probe"].alarm_value = 0
    fleet.tell("probe")
    fleet.send_alarm_trap("probe", rising=False)
    await fleet.inbox.wait_for("resolved", labels)
    told = fleet.inbox.all_of("firing", {"device": "probe"})
    assert {notice.labels["alertname"] for notice in told} == {"RmonThresholdCrossed"}
    assert len({frozenset(notice.labels.items()) for notice in told}) == 1


async def one_fault_that_three_report_is_one_alert(fleet: Fleet) -> None:
    labels = {"alertname": "InterfaceDown", "device": "polled", "interface": short_name(7)}
    fleet.send_link_trap("polled", 7, up=False)  # by its ifIndex
    fleet.send_link_message("polled", 7, up=False)  # by its ifDescr
    await fleet.inbox.wait_for("firing", labels)
    both = 'count(netexporters:state:raised{device="polled",instance=~"7|GigabitEthernet0/7"}) == 2'
    await fleet.wait_for(both)
    fleet.send_link_message("polled", 7, up=True)
    fleet.send_link_trap("polled", 7, up=True)
    await fleet.inbox.wait_for("resolved", labels)
    of_this = [
        n for n in fleet.inbox.all_of("firing", {"device": "polled"}) if "7" in str(n.labels)
    ]
    assert {notice.labels["interface"] for notice in of_this} == {short_name(7)}


async def delays(fleet: Fleet, names: tuple[str, ...], send: Callable[..., None]) -> list[float]:
    """Let links go down at any moment, and see how long each takes to be told; then up again."""
    chance = random.Random(1)
    found: list[float] = []

    async def happen(name: str, port: int) -> None:
        labels = {"alertname": "InterfaceDown", "device": name, "interface": short_name(port)}
        await asyncio.sleep(chance.uniform(0, 60))
        sent_at = time.monotonic()
        await asyncio.to_thread(send, name, port, up=False)
        notice = await fleet.inbox.wait_for("firing", labels)
        found.append(notice.at - sent_at)
        await asyncio.to_thread(send, name, port, up=True)
        await fleet.inbox.wait_for("resolved", labels)

    async with asyncio.TaskGroup() as group:
        for number in range(EVENTS):
            port = 1 + number // len(names)
            group.create_task(happen(names[number % len(names)], port))
    return found


def percentile(values: list[float], percent: int) -> float:
    """The smallest of the values that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
