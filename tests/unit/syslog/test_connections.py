"""Connections: how many there may be, what ends them, and that one harms no other."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from typing import Any, cast

import pytest

from exporters.config.event_settings import AccessSettings
from exporters.config.fields import IPNetwork
from exporters.config.syslog_config import ConnectionSettings
from exporters.syslog.connections import Connections, _Connection

from .conftest import DEVICE, STRANGER, Station

MESSAGE = b"<34>Oct 11 22:14:15 mymachine su: hello"


class Transport:
    """What stands for a connection's socket."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.is_closed = False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        assert name == "peername"
        return self.peer, 4711

    def close(self) -> None:
        self.is_closed = True


class Loop:
    """A clock and the calls that wait for it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Loop:
        self.calls.append((self.now + seconds, call))
        return self

    def cancel(self) -> None:
        self.calls.clear()

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds
        due = [call for at, call in self.calls if at <= self.now]
        self.calls = [(at, call) for at, call in self.calls if at > self.now]
        for call in due:
            call()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    found = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: found)
    return found


class Network:
    """Connections, and whoever makes them."""

    def __init__(self, station: Station, **settings: Any) -> None:
        self.station = station
        self.connections = Connections(station.receiver, ConnectionSettings(**settings))

    def connect(self, peer: str = DEVICE) -> tuple[_Connection, Transport]:
        connection, transport = _Connection(self.connections), Transport(peer)
        connection.connection_made(cast("asyncio.Transport", transport))
        return connection, transport

    def ends(self) -> dict[str, int]:
        return {reason: count for reason, count in self.connections.closed.items() if count}


@pytest.mark.usefixtures("loop")
def test_frames_of_both_kinds_are_messages(station: Station) -> None:
    network = Network(station)
    connection, _ = network.connect()
    counted = b"%d %s" % (len(MESSAGE), MESSAGE)
    for octet in MESSAGE + b"\n" + counted + MESSAGE + b"\r\n":
        connection.data_received(bytes((octet,)))
    connection.connection_lost(None)
    assert station.receiver.received["tcp"] == station.receiver.outcomes["rfc3164"] == 3
    assert network.ends() == {"sender": 1}


@pytest.mark.usefixtures("loop")
def test_last_line_without_an_end_is_a_message(station: Station) -> None:
    network = Network(station)
    connection, _ = network.connect()
    connection.data_received(MESSAGE)
    connection.connection_lost(None)
    assert station.receiver.outcomes["rfc3164"] == network.connections.framing.partial == 1


@pytest.mark.usefixtures("loop")
@pytest.mark.parametrize(
    ("answer", "is_closed", "messages"), [("close", True, 1), ("resynchronise", False, 2)]
)
def test_framing_fault_is_an_outcome_and_answered_as_configured(
    station: Station, answer: str, is_closed: bool, messages: int
) -> None:
    network = Network(station, framing_fault=answer)
    connection, transport = network.connect()
    counted = b"%d %s" % (len(MESSAGE) - 3, MESSAGE)
    connection.data_received(counted + b"\n" + MESSAGE + b"\n")
    assert transport.is_closed is is_closed
    receiver = station.receiver
    assert receiver.outcomes["framing_fault"] == 1
    assert receiver.refused == {("core-1", "framing_fault"): 1}
    assert receiver.outcomes["rfc3164"] == messages
    assert sum(receiver.outcomes.values()) == receiver.received["tcp"]


@pytest.mark.usefixtures("loop")
def test_one_sender_cannot_take_all_connections(station: Station) -> None:
    network = Network(station, limit=3, sender_limit=2)
    made = [network.connect()[1] for _ in range(3)]
    assert [transport.is_closed for transport in made] == [False, False, True]
    assert network.connect(STRANGER)[1].is_closed is False
    assert network.connect("198.51.100.8")[1].is_closed is True
    assert len(network.connections) == 3


@pytest.mark.usefixtures("loop")
def test_place_of_a_connection_that_has_ended_is_free(station: Station) -> None:
    network = Network(station, limit=1)
    first, _ = network.connect()
    refused, _ = network.connect()
    refused.connection_lost(None)
    assert len(network.connections) == 1
    first.connection_lost(ConnectionResetError())
    assert network.connect()[1].is_closed is False
    assert network.ends() == {"limit": 1, "error": 1}


def test_silent_connection_ends_and_one_that_speaks_does_not(station: Station, loop: Loop) -> None:
    network = Network(station, idle_timeout="60s")
    connection, transport = network.connect()
    loop.pass_seconds(40)
    connection.data_received(MESSAGE + b"\n")
    loop.pass_seconds(30)
    assert not transport.is_closed
    loop.pass_seconds(31)
    assert transport.is_closed
    connection.connection_lost(None)
    assert network.ends() == {"idle": 1}


@pytest.mark.usefixtures("loop")
def test_sender_outside_of_allowed_networks_has_no_connection() -> None:
    networks: tuple[IPNetwork, ...] = (ipaddress.ip_network("192.0.2.0/24"),)
    network = Network(Station(access=AccessSettings(allowed_networks=networks)))
    connection, transport = network.connect(STRANGER)
    connection.data_received(MESSAGE + b"\n")
    connection.connection_lost(None)
    assert transport.is_closed
    assert network.ends() == {"source_denied": 1}
    assert sum(network.station.receiver.received.values()) == 0


@pytest.mark.usefixtures("loop")
def test_endless_line_is_cut_and_nothing_of_it_kept() -> None:
    station = Station(max_message_bytes=480)
    network = Network(station)
    connection, _ = network.connect()
    connection.data_received(b"<34>")
    for _ in range(100):
        connection.data_received(b"x" * 1000)
    connection.data_received(b"\n" + MESSAGE + b"\n")
    assert network.connections.framing.truncated == 1
    assert station.receiver.received_bytes["tcp"] == 480 + len(MESSAGE)
