"""Connections: how many there may be, what ends them, and that one harms no other."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.event_settings import AccessSettings
from exporters.config.fields import IPNetwork
from exporters.config.syslog_config import ConnectionSettings
from exporters.events.sources import Source

from .conftest import DEVICE, RELAY, STRANGER, Station
from .network import Line, Network

MESSAGE = b"<34>Oct 11 22:14:15 mymachine su: hello"
COUNTED = b"%d %s" % (len(MESSAGE), MESSAGE)
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("chunk", [1, 0], ids=["octet by octet", "at once"])
def test_frames_of_both_kinds_are_messages(station: Station, chunk: int) -> None:
    network = Network(station)
    line = network.connect()
    line.send(MESSAGE + b"\n" + COUNTED + MESSAGE + b"\r\n", chunk=chunk)
    line.end()
    assert station.receiver.received["tcp"] == station.receiver.outcomes["rfc3164"] == 3
    assert network.ends() == {"sender": 1}


@given(
    texts=st.lists(st.binary(min_size=1, max_size=60), max_size=8),
    counted=st.lists(st.booleans(), min_size=8, max_size=8),
    cuts=st.lists(st.integers(0, 600), max_size=10),
)
def test_stream_gives_the_same_messages_however_it_is_split(
    texts: list[bytes], counted: list[bool], cuts: list[int]
) -> None:
    stream = b""
    messages = []
    for text, is_counted in zip(texts, counted, strict=False):
        message = b"<13>" + text.translate(None, b"\n\r\0")
        messages.append(message)
        stream += b"%d %s" % (len(message), message) if is_counted else message + b"\n"
    taken: list[bytes] = []
    station = Station()
    station.receiver.take_frames = lambda some, source, transport: taken.extend(some)  # type: ignore[method-assign]
    line = Network(station).connect()
    begin = 0
    for cut in sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)}):
        if cut > begin:
            line.send(stream[begin:cut])
            begin = cut
    assert taken == messages
    line.end()
    assert taken == messages


def test_last_line_without_an_end_is_a_message(station: Station) -> None:
    network = Network(station)
    line = network.connect()
    line.send(MESSAGE)
    line.end()
    assert station.receiver.outcomes["rfc3164"] == network.connections.framing.partial == 1


@pytest.mark.parametrize(
    ("answer", "is_closed", "messages"), [("close", True, 1), ("resynchronise", False, 2)]
)
def test_framing_fault_is_an_outcome_and_answered_as_configured(
    station: Station, answer: str, is_closed: bool, messages: int
) -> None:
    network = Network(station, framing_fault=answer)
    line = network.connect()
    counted = b"%d %s" % (len(MESSAGE) - 3, MESSAGE)
    line.send(counted + b"\n" + MESSAGE + b"\n")
    assert line.is_closed is is_closed
    receiver = station.receiver
    assert receiver.outcomes["framing_fault"] == 1
    assert receiver.refused == {("core-1", "framing_fault"): 1}
    assert receiver.outcomes["rfc3164"] == messages
    assert sum(receiver.outcomes.values()) == receiver.received["tcp"]


def test_bad_message_does_not_end_its_connection(station: Station) -> None:
    line = Network(station).connect()
    for bad in (b"<999>", b"\xff\xfe", b"<1>2 bad", b"", b"\x1b[31m", b"<13>1 - - - - - [x"):
        line.send(bad + b"\n")
    line.send(MESSAGE + b"\n")
    assert not line.is_closed
    assert station.receiver.outcomes["framing_fault"] == 0


# --- who has to wait ------------------------------------------------------------------------------


@pytest.fixture
def strained(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Connections whose messages other processes are too slow for, if they are the relay's."""
    networks = (ipaddress.ip_network("192.0.2.8/30"),)
    station = Station(access=AccessSettings(trusted_relays=networks))
    network = Network(station, idle_timeout="60s", frame_timeout="10s")
    strains = [0]
    take = station.receiver.take_frames

    def take_frames(messages: Sequence[bytes], source: Source, transport: str) -> None:
        strains[0] += source.address == RELAY
        take(messages, source, transport)

    monkeypatch.setattr(station.receiver, "take_frames", take_frames)
    network.connections.strains = lambda: strains[0]
    return network


def test_connection_is_not_read_while_others_are_too_slow_for_it(strained: Network) -> None:
    slow, plain = strained.connect(RELAY), strained.connect(DEVICE)
    for line in (slow, plain):
        line.send(MESSAGE + b"\n")
    assert slow.transport.is_paused
    assert not plain.transport.is_paused
    strained.connections.go_on()
    assert not slow.transport.is_paused
    slow.send(MESSAGE + b"\n")
    assert slow.transport.is_paused


async def test_all_that_may_bring_more_wait_and_go_on_some_at_a_time(strained: Network) -> None:
    slow, *others = [strained.connect(peer) for peer in (RELAY, *["192.0.2.10"] * 19)]
    slow.send(MESSAGE + b"\n")
    assert all(line.transport.is_paused for line in (slow, *others))
    strained.connections.go_on()
    read = []
    for _ in range(3):
        read.append(sum(not line.transport.is_paused for line in (slow, *others)))
        await asyncio.sleep(0)
    assert read == [8, 16, 20]


async def test_connections_that_were_to_go_on_wait_again_if_others_are_still_too_slow(
    strained: Network,
) -> None:
    slow, *others = [strained.connect(peer) for peer in (RELAY, *["192.0.2.10"] * 19)]
    slow.send(MESSAGE + b"\n")
    strained.connections.go_on()
    slow.send(MESSAGE + b"\n")
    await asyncio.sleep(0)
    assert all(line.transport.is_paused for line in (slow, *others))


def test_connection_that_is_only_being_made_is_read_when_it_is(strained: Network) -> None:
    made_later = strained.connections.admit((RELAY, 4711), "tcp")
    assert made_later is not None
    strained.connect(RELAY).send(MESSAGE + b"\n")
    line = Line(made_later)
    line.send(MESSAGE + b"\n")
    assert line.transport.is_paused


def test_time_that_a_connection_is_not_read_is_not_held_against_it(strained: Network) -> None:
    line = strained.connect(RELAY)
    line.send(MESSAGE + b"\n" + MESSAGE[:9])
    strained.pass_seconds(3600)
    strained.connections.go_on()
    strained.pass_seconds(9)
    assert not line.is_closed
    strained.pass_seconds(1)
    line.settle()
    assert strained.ends() == {"slow_frame": 1}


def test_connection_that_ends_while_it_is_not_read_is_forgotten(strained: Network) -> None:
    line = strained.connect(RELAY)
    line.send(MESSAGE + b"\n")
    line.end()
    strained.connections.go_on()
    assert strained.ends() == {"sender": 1}
    assert line.transport.is_paused


# --- how many -------------------------------------------------------------------------------------


def test_one_sender_cannot_take_all_connections(station: Station) -> None:
    network = Network(station, limit=3, sender_limit=2)
    assert [network.try_to_connect() is None for _ in range(3)] == [False, False, True]
    assert network.try_to_connect(STRANGER) is not None
    assert network.try_to_connect("198.51.100.8") is None
    assert len(network.connections) == 3
    assert network.ends() == {"sender_limit": 1, "limit": 1}


def test_place_of_a_connection_that_has_ended_is_free(station: Station) -> None:
    network = Network(station, limit=1)
    first = network.connect()
    assert network.try_to_connect() is None
    first.end(ConnectionResetError())
    assert network.try_to_connect() is not None
    assert network.ends() == {"limit": 1, "error": 1}


def test_connections_are_no_more_than_open_files_allow(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporters.open_files.device_sockets", lambda: 2)
    network = Network(station, limit=1000)
    assert [network.try_to_connect() is None for _ in range(3)] == [False, False, True]
    assert network.connections.limit == 2
    assert network.connections.is_full


def test_sender_outside_of_allowed_networks_has_no_connection() -> None:
    networks: tuple[IPNetwork, ...] = (ipaddress.ip_network("192.0.2.0/24"),)
    network = Network(Station(access=AccessSettings(allowed_networks=networks)))
    assert network.try_to_connect(STRANGER) is None
    assert network.try_to_connect(f"::ffff:{DEVICE}") is not None
    assert network.ends() == {"source_denied": 1}


def test_mapped_address_is_the_device_and_counts_as_one_sender(station: Station) -> None:
    network = Network(station, sender_limit=1)
    line = network.connect(f"::ffff:{DEVICE}")
    assert line.connection.source.device == "core-1"
    assert network.try_to_connect(DEVICE) is None


# --- how long -------------------------------------------------------------------------------------


def test_silent_connection_ends_and_one_that_speaks_does_not(station: Station) -> None:
    network = Network(station, idle_timeout="60s")
    line = network.connect()
    network.pass_seconds(40)
    line.send(MESSAGE + b"\n")
    network.pass_seconds(30)
    assert not line.is_closed
    network.pass_seconds(31)
    assert network.ends() == {"idle": 1}


@pytest.mark.parametrize("begin", [b"<34>", b"4000 <34>", b"12"], ids=["line", "counted", "count"])
def test_message_that_does_not_end_ends_its_connection(station: Station, begin: bytes) -> None:
    network = Network(station, frame_timeout="30s")
    line = network.connect()
    line.send(begin)
    for _ in range(29):
        network.pass_seconds(1)
        line.send(b"1")
    assert not line.is_closed
    network.pass_seconds(1)
    assert network.ends() == {"slow_frame": 1}


def test_endless_line_that_is_dropped_ends_its_connection(station: Station) -> None:
    network = Network(Station(max_message_bytes=480), frame_timeout="30s")
    line = network.connect()
    for _ in range(31):
        line.send(b"x" * 1000)
        network.pass_seconds(1)
    assert network.ends() == {"slow_frame": 1}


def test_sender_of_long_messages_one_after_the_other_is_not_slow(station: Station) -> None:
    network = Network(station, frame_timeout="30s")
    line = network.connect()
    for _ in range(100):
        line.send(b"end\n<34>begin ")
        network.pass_seconds(1)
    assert not line.is_closed


# --- how much -------------------------------------------------------------------------------------


def test_endless_line_is_cut_and_nothing_of_it_kept() -> None:
    station = Station(max_message_bytes=480)
    network = Network(station)
    line = network.connect()
    line.send(b"<34>")
    for _ in range(100):
        line.send(b"x" * 1000)
    assert network.connections.held_bytes == 0
    line.send(b"\n" + MESSAGE + b"\n")
    assert network.connections.truncated["tcp"] == 1
    assert station.receiver.received_bytes["tcp"] == 480 + len(MESSAGE)


def test_connection_that_holds_most_gives_way_when_all_hold_too_much() -> None:
    station = Station(max_message_bytes=MEBIBYTE)
    network = Network(station, buffer_bytes=2 * MEBIBYTE)
    honest = network.connect()
    honest.send(MESSAGE[:20])
    for number in range(4):
        greedy = network.connect(f"198.51.100.{number}")
        greedy.send(b"<34>" + b"x" * (900_000 + number), chunk=200_000)
        network.settle()
        assert network.connections.held_bytes <= 2 * MEBIBYTE
    assert network.ends() == {"buffers": 2}
    honest.send(MESSAGE[20:] + b"\n")
    assert station.receiver.outcomes["rfc3164"] >= 1
    for line in network.lines:
        line.end()
    assert network.connections.held_bytes == 0


# --- reload ---------------------------------------------------------------------------------------


def test_open_connection_follows_a_reload(station: Station) -> None:
    network = Network(station)
    line = network.connect()
    line.send(b"<34>" + b"x" * 100)
    network.station.receiver.replace(Station(max_message_bytes=480).receiver.policy)
    network.connections.replace(ConnectionSettings(framing_fault="resynchronise"), None)
    line.send(b"x" * 500 + b"\n0 <34>x\n" + MESSAGE + b"\n")
    assert network.connections.truncated["tcp"] == 1
    assert not line.is_closed
    assert station.receiver.outcomes["framing_fault"] == 1
    assert station.receiver.outcomes["rfc3164"] == 1


# --- a balancer -----------------------------------------------------------------------------------

BALANCER = "203.0.113.5"
FROM_DEVICE = b"PROXY TCP4 %s 203.0.113.5 56324 514\r\n" % DEVICE.encode()


def balanced(station: Station, **settings: object) -> Network:
    return Network(station, trusted_balancers=[f"{BALANCER}/32"], **settings)


@pytest.mark.parametrize("chunk", [1, 0], ids=["octet by octet", "at once"])
def test_balancer_says_whose_messages_are(station: Station, chunk: int) -> None:
    network = balanced(station)
    line = network.connect(BALANCER)
    line.send(FROM_DEVICE + MESSAGE + b"\n", chunk=chunk)
    assert station.last["device"] == "core-1"
    assert station.last["source"] == DEVICE
    assert network.connections.opening == 0


@pytest.mark.parametrize(
    "header",
    [MESSAGE + b"\n", b"PROXY TCP4 1.2.3.4\r\n", b"\x16\x03\x01garbage", b"P" * 200],
    ids=["none", "half", "tls", "garbage"],
)
def test_balancer_without_a_right_header_is_a_fault_that_ends_the_connection(
    station: Station, header: bytes
) -> None:
    network = balanced(station)
    network.connect(BALANCER).send(header)
    assert network.ends() == {"proxy": 1}
    assert sum(station.receiver.received.values()) == 0
    assert network.connections.opening == 0


def test_balancer_that_is_slow_is_a_fault_and_one_that_only_looks_is_none(
    station: Station,
) -> None:
    network = balanced(station, handshake_timeout="10s")
    network.connect(BALANCER).send(FROM_DEVICE[:10])
    network.connect(BALANCER).end()
    network.pass_seconds(10)
    cut_short = network.connect(BALANCER)
    cut_short.send(FROM_DEVICE[:10])
    cut_short.end()
    assert network.ends() == {"sender": 1, "proxy": 2}


def test_balancer_may_speak_for_itself(station: Station) -> None:
    network = balanced(station)
    network.connect(BALANCER).send(b"PROXY UNKNOWN\r\n" + MESSAGE + b"\n")
    assert station.last["source"] == BALANCER


def test_limits_hold_for_senders_behind_a_balancer_and_not_for_it(station: Station) -> None:
    network = balanced(station, sender_limit=2)
    for _ in range(3):
        network.connect(BALANCER).send(FROM_DEVICE)
    network.connect(BALANCER).send(FROM_DEVICE.replace(DEVICE.encode(), STRANGER.encode()))
    assert network.ends() == {"sender_limit": 1}
    assert len(network.connections) == 3


def test_sender_behind_a_balancer_must_be_allowed_and_the_balancer_need_not() -> None:
    networks: tuple[IPNetwork, ...] = (ipaddress.ip_network("192.0.2.0/24"),)
    station = Station(access=AccessSettings(allowed_networks=networks))
    network = balanced(station)
    network.connect(BALANCER).send(FROM_DEVICE + MESSAGE + b"\n")
    denied = FROM_DEVICE.replace(DEVICE.encode(), STRANGER.encode())
    network.connect(BALANCER).send(denied + MESSAGE + b"\n")
    network.connect(BALANCER).send(b"PROXY UNKNOWN\r\n" + MESSAGE + b"\n")
    assert station.receiver.received["tcp"] == 1
    assert network.ends() == {"source_denied": 2}


def test_header_of_others_is_no_special_case(station: Station) -> None:
    network = balanced(station)
    network.connect(STRANGER).send(FROM_DEVICE + MESSAGE + b"\n")
    assert station.receiver.received["tcp"] == 2
    assert station.last["source"] == STRANGER
    assert network.ends() == {}


# --- Unix sockets ---------------------------------------------------------------------------------


def test_connection_of_this_machine_is_of_its_loopback_address() -> None:
    networks: tuple[IPNetwork, ...] = (ipaddress.ip_network("192.0.2.0/24"),)
    station = Station(access=AccessSettings(allowed_networks=networks))
    network = Network(station, sender_limit=1)
    for _ in range(3):
        network.connect("", "unix-stream").send(MESSAGE + b"\n")
    assert station.receiver.received["unix-stream"] == 3
    assert station.receiver.outcomes["source_denied"] == 0
    assert station.last["source"] == "127.0.0.1"
