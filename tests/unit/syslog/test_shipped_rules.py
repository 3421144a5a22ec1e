"""The rules that ship: what real devices write, and which states it comes to."""

from __future__ import annotations

import pytest

from exporters.demo.syslog_corpus import FORMS, SyslogCorpus

from .conftest import Station

LINKS = [
    pytest.param(
        b"<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface GigabitEthernet0/7, changed state"
        b" to",
        b"down", b"up", "GigabitEthernet0/7", id="Cisco IOS",
    ),
    pytest.param(
        b"<187>7: vmx01 LC/0/0/CPU0:Mar 28 15:08:30.941 UTC: ifmgr[270]: %PKT_INFRA-LINK-3-UPDOWN :"
        b" Interface TenGigE0/0/0/1, changed state to",
        b"Down", b"Up", "TenGigE0/0/0/1", id="Cisco IOS XR",
    ),
    pytest.param(
        b"<189>sw: 2017 Jul 28 14:42:46 UTC: %ETHPORT-5-IF_",
        b"DOWN_LINK_FAILURE: Interface Ethernet1/3 is down (Link failure)",
        b"UP: Interface Ethernet1/3 is up in mode trunk", "Ethernet1/3", id="NX-OS",
    ),
    pytest.param(
        b"<28>Mar 28 15:08:30 mx1 mib2d[2902]: SNMP_TRAP_LINK_",
        b"DOWN: ifIndex 520, ifAdminStatus up(1), ifOperStatus down(2), ifName ge-0/0/3",
        b"UP: ifIndex 520, ifAdminStatus up(1), ifOperStatus up(1), ifName ge-0/0/3",
        "ge-0/0/3", id="Junos",
    ),
    pytest.param(
        b"<28>1 2026-03-28T15:08:30.941Z mx1 mib2d 2902 SNMP_TRAP_LINK_",
        b'DOWN [junos@2636.1.1.1.2.18 snmp-interface-index="520" interface-name="ge-0/0/3"]',
        b'UP [junos@2636.1.1.1.2.18 snmp-interface-index="520" interface-name="ge-0/0/3"]',
        "ge-0/0/3", id="Junos, structured",
    ),
    pytest.param(
        b"<188>2026-3-23 01:00:34.270.1 ce1 %%01IFNET/4/IF_STATE(l)[4997]:Interface"
        b" XGigabitEthernet0/0/4 has turned into",
        b"DOWN state.", b"UP state.", "XGigabitEthernet0/0/4", id="Huawei",
    ),
    pytest.param(
        b"<187>Mar 28 15:08:30 2026 s5 %%10IFNET/3/PHY_UPDOWN: Physical state on the interface"
        b" GigabitEthernet1/0/5 changed to",
        b"down.", b"up.", "GigabitEthernet1/0/5", id="H3C",
    ),
    pytest.param(
        b"<189>Mar 28 15:08:30 leaf1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface"
        b" Ethernet12, changed state to",
        b"down", b"up", "Ethernet12", id="Arista",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("head", "down", "up", "interface"), LINKS)
def test_link_of_every_vendor_is_raised_and_cleared_by_its_name(
    station: Station, head: bytes, down: bytes, up: bytes, interface: str
) -> None:
    join = b"" if head.endswith(b"_") else b" "
    state = {"event": "link", "instance": interface}
    station.take(head + join + down)
    assert station.last["states"] == [{**state, "active": True}]
    assert (station.last["event"], station.last["severity"]) == ("link", "error")
    station.take(head + join + up)
    assert station.last["states"] == [{**state, "active": False}]


@pytest.mark.parametrize(
    ("message", "event", "instance", "is_active"),
    [
        pytest.param(
            b"<189>1: Mar  1 18:46:11 UTC: %BGP-5-ADJCHANGE: neighbor 198.51.100.2 vpn vrf red Down"
            b" BGP Notification sent", "bgp", "red 198.51.100.2", True, id="Cisco BGP in a VRF",
        ),
        pytest.param(
            b"<189>1: Mar  1 18:46:11 UTC: %BGP-5-ADJCHANGE: neighbor 198.51.100.2 Up",
            "bgp", "198.51.100.2", False, id="Cisco BGP up",
        ),
        pytest.param(
            b"<189>1: Mar  1 18:46:11 UTC: %OSPF-5-ADJCHG: Process 1, Nbr 198.51.100.3 on"
            b" GigabitEthernet0/1 from FULL to DOWN, Neighbor Down: Dead timer expired",
            "ospf", "198.51.100.3 GigabitEthernet0/1", True, id="Cisco OSPF",
        ),
        pytest.param(
            b"<189>Mar 28 15:08:30 leaf1 Bgp: %BGP-5-ADJCHANGE: peer 198.51.100.4 (VRF default AS"
            b" 64500) old state Established event Stop new state Idle",
            "bgp", "198.51.100.4", True, id="Arista BGP",
        ),
        pytest.param(
            b"<28>Mar 28 15:08:30 mx1 rpd[2902]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer"
            b" 198.51.100.5 (External AS 64501) changed state from Established to Idle (event"
            b" HoldTime)", "bgp", "198.51.100.5", True, id="Junos BGP",
        ),
    ],
)  # fmt: skip
def test_neighbour_is_told_by_its_address(
    station: Station, message: bytes, event: str, instance: str, is_active: bool
) -> None:
    station.take(message)
    assert station.last["states"] == [{"event": event, "instance": instance, "active": is_active}]


@pytest.mark.parametrize(
    ("token", "event"),
    [
        ("ENVMON-2-TEMP", "temperature"),
        ("SYS-5-CONFIG_I", "config"),
        ("SEC_LOGIN-4-LOGIN_FAILED", "auth"),
        ("UI_COMMIT", "config"),
        ("SHELL/6/SHELL_CMD", "config"),
    ],
)
def test_event_of_the_demo_is_what_happened(station: Station, token: str, event: str) -> None:
    form = next(form for form in FORMS if form.event == token)
    station.take(SyslogCorpus().fill(form))
    assert station.last["event"] == event


def test_nothing_of_what_ships_is_tried_on_every_message(station: Station) -> None:
    """Else no verdict would be settled, and every message be judged by itself."""
    station.take(b"<34>Oct 11 22:14:15 host app: text")
    assert len(station.receiver._plans.settled) == 1
