"""What happens to the demo's devices, who hears of it, and what of it must be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporters.demo import logging_devices, trapping_devices
from exporters.demo.event_exporters import Line
from exporters.demo.incidents import Incidents
from exporters.demo.link import Link
from exporters.demo.logging_devices import LogSender
from exporters.demo.mib_view import MibView
from exporters.demo.pretend_network import PRETEND_NETWORK
from exporters.demo.recording import decode_varbind
from exporters.demo.trapping_devices import TrapSender
from exporters.wire.ber import encode_oid
from exporters.wire.syslog_sequence import find_numbers, read_numbers

CORE, ACCESS, EDGE = PRETEND_NETWORK
SHOWN = (
    'network_event_active{device="edge-rtr-01",event="link",instance="xe-0/0/1"} 1',
    'network_event_active{device="access-sw-02",event="link",instance="Uplink1"} 0',
)
TRAP_SEEN = (
    "snmp_trap_last_seen_timestamp_seconds"
    '{device="core-sw-01",trap="authenticationFailure"} 1790000000.000'
)
LOG_SEEN = (
    'network_event_last_seen_timestamp_seconds{device="core-sw-01",event="auth"} 1790000000.000'
)


class Sent(Line):
    """A line that keeps what it should send."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.datagrams.append(data)


@pytest.fixture
def incidents() -> Incidents:
    return Incidents(PRETEND_NETWORK)


def test_nothing_is_missing_when_all_is_shown(incidents: Incidents) -> None:
    assert incidents.missing("\n".join(SHOWN)) == []
    assert trapping_devices.missing(TRAP_SEEN, CORE) == []
    assert logging_devices.missing(LOG_SEEN, CORE) == []


@pytest.mark.parametrize(
    ("number", "line", "missing"),
    [
        pytest.param(0, "", "xe-0/0/1 of edge-rtr-01 is down", id="never raised"),
        pytest.param(0, SHOWN[0][:-1] + "0", "xe-0/0/1 of edge-rtr-01 is down", id="cleared"),
        pytest.param(1, SHOWN[1][:-1] + "1", "Uplink1 of access-sw-02 is up again", id="raised"),
    ],
)
def test_state_that_is_not_shown_is_missing(
    incidents: Incidents, number: int, line: str, missing: str
) -> None:
    lines = [*SHOWN[:number], line, *SHOWN[number + 1 :]]
    assert incidents.missing("\n".join(lines)) == [missing]


def test_intruder_that_nobody_tells_of_is_missing() -> None:
    assert trapping_devices.missing("", CORE) == ["core-sw-01 was asked with a wrong community"]
    assert logging_devices.missing("", CORE) == ["a login to core-sw-01 has failed"]


def polled(view: MibView, link: Link) -> int:
    row = view.row(encode_oid(f"1.3.6.1.2.1.2.2.1.8.{link.port.index}"))
    assert row is not None
    return int.from_bytes(decode_varbind(row)[2], "big")


def test_agent_answers_that_a_link_is_down_while_it_is(incidents: Incidents) -> None:
    view = MibView(incidents.recording(ACCESS))
    link = incidents.changing
    seen = [polled(view, link)]
    for link.up in (False, True):
        seen.append(polled(view, link))
    assert seen == [1, 2, 1]


def test_link_that_its_device_lacks_is_refused(incidents: Incidents) -> None:
    elsewhere = replace(incidents.broken.port, index=99)
    with pytest.raises(ValueError, match="edge-rtr-01 has no interface 99"):
        Link(EDGE, elsewhere).put_into(EDGE.recording())


def test_trap_and_message_name_the_interface_as_polling_does(incidents: Incidents) -> None:
    traps, messages = Sent(), Sent()
    for witness in (TrapSender({"access-sw-02": "192.0.2.2"}, traps), LogSender(messages)):
        witness.link_changed(incidents.changing)
    assert b"Uplink1" in traps.datagrams[0]
    assert messages.datagrams[0].endswith(b"Interface Uplink1, changed state to up")
    assert b" access-sw-02: " in messages.datagrams[0]


def test_messages_of_a_device_are_numbered_without_a_gap(incidents: Incidents) -> None:
    messages = Sent()
    sender = LogSender(messages)
    for _ in range(3):
        sender.link_changed(incidents.changing)
    numbers = [read_numbers(found) for found in find_numbers(messages.datagrams)]
    assert [number.message for number in numbers] == [1, 2, 3]


def test_broken_link_takes_its_bgp_session_along(incidents: Incidents) -> None:
    messages = Sent()
    LogSender(messages).link_changed(incidents.broken)
    link, session = messages.datagrams
    assert link.endswith(b"ifName xe-0/0/1")
    assert b"BGP peer 198.51.100.7 " in session
