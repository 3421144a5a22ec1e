"""Traps that arrive at one process and belong to another: three receivers, and real mailboxes."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from exporters.config.event_settings import AccessSettings, RateLimit
from exporters.events.shares import Share
from exporters.sockets import mailboxes as mailboxes_module
from exporters.sockets.datagrams import Datagrams
from exporters.sockets.mailboxes import Mailboxes
from exporters.trap.handover import Handover
from exporters.wire.snmp_trap import SNMP_TRAP_ADDRESS
from exporters.wire.source_shares import share_of
from exporters.wire.tags import INFORM_REQUEST, IP_ADDRESS
from exporters.wire.usm import SecurityLevel

from .conftest import (
    DEVICE,
    OUR_ENGINE,
    PLAIN_USER,
    STRANGER,
    THEIR_ENGINE,
    head,
    interface,
    link_down,
    make_station,
    message_v3,
    samples,
    trap_v1,
    trap_v2c,
)

COUNT = 3
SECOND_ADDRESS = "2001:db8::1"
RELAY = "203.0.113.9"
HOME = share_of(DEVICE, COUNT)
"""The process that core-1 belongs to."""
ENGINE_HOME = Share(0, COUNT).home(THEIR_ENGINE)
RELAYS = AccessSettings(trusted_relays=(ipaddress.ip_network(f"{RELAY}/32"),))
INFORM = {"pdu_type": INFORM_REQUEST}


class Crew:
    """Several processes."""

    def __init__(self, boxes: Mailboxes, **settings: Any) -> None:
        self.stations = [
            make_station(share=Share(number, COUNT), **settings) for number in range(COUNT)
        ]
        self.handovers = [
            Handover(boxes, Share(number, COUNT), station.receiver)
            for number, station in enumerate(self.stations)
        ]
        for station, handover in zip(self.stations, self.handovers, strict=True):
            station.receiver.others = handover
        self.home = self.stations[HOME]
        self.away = self.stations[(HOME + 1) % COUNT]

    def take(self, packet: bytes, at: int, peer: str = DEVICE) -> dict[str, int]:
        """Let a datagram arrive at a process; give what became of it and where, wherever it is."""
        before = [dict(station.receiver.outcomes) for station in self.stations]
        family = socket.AF_INET6 if ":" in peer else socket.AF_INET
        host = socket.inet_pton(family, peer)
        host = host.ljust(20, b"\0") if family == socket.AF_INET6 else host
        station = self.stations[at]
        station.receiver.take(Datagrams([packet], [host]), station.line)
        self.deliver()
        found = {}
        for number, (station, was) in enumerate(zip(self.stations, before, strict=True)):
            outcomes = station.receiver.outcomes
            assert sum(outcomes.values()) == station.receiver.datagrams
            found |= {name: number for name in outcomes if outcomes[name] != was[name]}
        assert len(found) == 1
        return found

    def deliver(self) -> None:
        """Have each take what was posted to it, and what that makes others post."""

        async def deliver() -> None:
            for handover in self.handovers * 2:
                with handover.post.open():
                    pass

        asyncio.run(deliver())


@pytest.fixture
def boxes() -> Iterator[Mailboxes]:
    boxes = Mailboxes(COUNT)
    yield boxes
    boxes.close()


@pytest.fixture
def crew(boxes: Mailboxes) -> Crew:
    return Crew(boxes, access=RELAYS)


@pytest.mark.parametrize("at", range(COUNT))
@pytest.mark.parametrize(
    "packet",
    [
        link_down(),
        trap_v1(2, 0, *interface()),
        trap_v2c(*head(), *interface(), **INFORM),
        message_v3(*head(), *interface()),
        message_v3(*head(), *interface(), user=PLAIN_USER, level=SecurityLevel.noAuthNoPriv),
        message_v3(*head(), *interface(), engine=OUR_ENGINE, boots=5, time=0, **INFORM),
    ],
    ids=["v2c", "v1", "inform", "v3", "v3 plain", "v3 inform"],
)
def test_trap_of_another_address_is_counted_by_the_owner_of_its_device(
    crew: Crew, packet: bytes, at: int
) -> None:
    assert crew.take(packet, at, SECOND_ADDRESS) == {"accepted": HOME}
    last = crew.home.last
    alone = make_station()
    alone.take(packet)
    for part in ("device", "event", "name", "text", "fields", "version", "severity"):
        assert last.get(part) == alone.last.get(part)
    assert last["source"] == SECOND_ADDRESS
    assert crew.home.receiver.notifications == alone.receiver.notifications
    mine = [line for line in samples(crew.home.intake) if "core-1" in line]
    assert mine == [line for line in samples(alone.intake) if "core-1" in line]
    others = [station for station in crew.stations if station is not crew.home]
    assert not any(line for one in others for line in samples(one.intake) if "core-1" in line)


def test_inform_is_answered_where_it_arrives_and_counted_once(crew: Crew) -> None:
    packet = trap_v2c(*head(), *interface(), **INFORM)
    at = (HOME + 1) % COUNT
    assert crew.take(packet, at, SECOND_ADDRESS) == {"accepted": HOME}
    assert crew.take(packet, at, SECOND_ADDRESS) == {"duplicate": at}
    assert len(crew.away.line.answers) == 2
    assert crew.away.receiver.informs_acked == 2
    assert crew.home.line.answers == []
    assert crew.home.receiver.informs_ack_failed == 0


@pytest.mark.parametrize("at", range(COUNT))
def test_trap_of_version_3_that_is_played_back_to_another_process_is_a_duplicate(
    crew: Crew, at: int
) -> None:
    packet = message_v3(*head(), *interface())
    assert crew.take(packet, HOME) == {"accepted": HOME}
    assert crew.take(packet, at, STRANGER) == {"duplicate": ENGINE_HOME}
    assert crew.take(packet, at, SECOND_ADDRESS) == {"duplicate": ENGINE_HOME}


def test_engine_is_known_to_one_process(crew: Crew) -> None:
    for number in range(6):
        engine = b"\x80\0\0\0\x05engine" + bytes((number,))
        assert crew.take(message_v3(engine=engine), number % COUNT, STRANGER)
    engines = [len(station.engines) for station in crew.stations]
    assert sum(engines) == 6
    assert [station.receiver.datagrams for station in crew.stations] == engines


def test_message_of_version_3_that_is_refused_is_counted_once(crew: Crew) -> None:
    assert crew.take(message_v3(boots=3), 0)
    for at in range(COUNT):
        assert crew.take(message_v3(boots=2), at) == {"time_window": ENGINE_HOME}
        assert crew.take(message_v3()[:-1] + b"x", at) == {"wrong_digest": ENGINE_HOME}


def test_sender_of_informs_is_told_our_engine_where_it_asks(crew: Crew) -> None:
    asks = message_v3(
        engine=b"", user=PLAIN_USER, level=SecurityLevel.noAuthNoPriv, reportable=True, **INFORM
    )
    for at in range(COUNT):
        assert crew.take(asks, at) == {"discovery": at}
        assert len(crew.stations[at].line.answers) == 1


def test_inform_for_another_engine_is_told_ours_where_it_arrives(crew: Crew) -> None:
    packet = message_v3(reportable=True, **INFORM)
    for at in range(COUNT):
        assert crew.take(packet, at) == {"unknown_engine": at}
        assert len(crew.stations[at].line.answers) == 1


def test_trap_that_asks_for_reports_is_verified_by_the_process_of_its_engine(crew: Crew) -> None:
    packet = message_v3(*head(), reportable=True)
    at = (ENGINE_HOME + 1) % COUNT
    assert crew.take(packet, at, STRANGER) == {"accepted": ENGINE_HOME}
    assert crew.take(packet, at, STRANGER) == {"duplicate": ENGINE_HOME}


@pytest.mark.parametrize("at", range(COUNT))
@pytest.mark.parametrize("version", ["1", "2c", "3"])
def test_trap_of_a_relay_is_counted_by_the_owner_of_the_device_that_it_names(
    crew: Crew, version: str, at: int
) -> None:
    about = (SNMP_TRAP_ADDRESS, IP_ADDRESS, socket.inet_aton(DEVICE))
    packet = {
        "1": trap_v1(2, agent=socket.inet_aton(DEVICE)),
        "2c": trap_v2c(*head(), about),
        "3": message_v3(*head(), about),
    }[version]
    assert crew.take(packet, at, RELAY) == {"accepted": HOME}
    assert (crew.home.last["device"], crew.home.last["source"]) == ("core-1", RELAY)


def test_stranger_is_counted_where_it_arrives(crew: Crew) -> None:
    for at in range(COUNT):
        assert crew.take(link_down(), at, STRANGER) == {"accepted": at}
    assert [handover.handed_over for handover in crew.handovers] == [0] * COUNT


def test_garbage_is_counted_where_it_arrives(crew: Crew) -> None:
    for content in (b"", b"\x30", b"\xff" * 50, message_v3()[:40]):
        assert crew.take(content, 1, SECOND_ADDRESS) == {"ber_error": 1}


def test_sender_has_its_rate_limit_where_it_arrives(boxes: Mailboxes) -> None:
    crew = Crew(boxes, limit=RateLimit(per_second=1.0, burst=1))
    at = (HOME + 1) % COUNT
    assert crew.take(link_down(), at, SECOND_ADDRESS) == {"accepted": HOME}
    assert crew.take(link_down(), at, SECOND_ADDRESS) == {"rate_limited": at}


@pytest.mark.parametrize(
    "packet", [link_down(), trap_v1(2), message_v3()], ids=["datagram", "decoded", "v3"]
)
def test_trap_that_cannot_be_handed_over_is_counted(
    crew: Crew, packet: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes_module._Slot, "post", lambda slot, content: False)
    at = next(n for n in range(COUNT) if n not in (HOME, ENGINE_HOME))
    assert crew.take(packet, at, SECOND_ADDRESS) == {"not_handed_over": at}
    receiver = crew.stations[at].receiver
    assert receiver.datagrams == 1
    assert crew.handovers[at].handed_over == 0


def test_fault_of_ours_with_what_was_handed_over_is_an_outcome(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(crew.home.intake, "take", fail)
    at = (HOME + 1) % COUNT
    assert crew.take(link_down(), at, SECOND_ADDRESS) == {"internal_error": HOME}
    assert "a datagram could not be handled" in caplog.text


def test_inform_of_before_its_process_began_is_told_our_time() -> None:
    station = make_station(heard_from=100)
    station.clock.pass_seconds(100)
    parts = {"engine": OUR_ENGINE, "boots": 5, "reportable": True, **INFORM}
    assert station.take(message_v3(time=99, **parts)) == ["time_window"]
    assert station.take(message_v3(time=100, msg_id=2, **parts)) == ["accepted"]
    assert len(station.line.answers) == 2
