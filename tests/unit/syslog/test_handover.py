"""Messages that arrive at one process and belong to another: two receivers, and real mailboxes."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.event_settings import AccessSettings, RateLimit
from exporters.events.shares import Share
from exporters.events.sources import Source
from exporters.sockets import mailboxes as mailboxes_module
from exporters.sockets.datagrams import Datagrams
from exporters.sockets.mailboxes import Mailboxes
from exporters.syslog.handover import Handed, Handover, decode_handed, encode_handed
from exporters.wire.source_shares import share_of

from .conftest import DEVICE, RELAY, STRANGER, Station

LINK_DOWN = b"<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface Gi0/7, changed state to down"
SECOND_ADDRESS = "203.0.113.9"
HOME = share_of(DEVICE, 2)
"""The process that core-1 belongs to."""


class Pair:
    """Two processes."""

    def __init__(self, boxes: Mailboxes, access: AccessSettings) -> None:
        self.stations = [
            Station(access=access, addresses=(DEVICE, SECOND_ADDRESS), share=Share(number, 2))
            for number in range(2)
        ]
        self.handovers = [
            Handover(boxes, number, station.receiver)
            for number, station in enumerate(self.stations)
        ]
        for station, handover in zip(self.stations, self.handovers, strict=True):
            station.receiver.keep_own = handover.keep_own
        self.home, self.away = self.stations[HOME], self.stations[1 - HOME]

    def deliver(self) -> None:
        """Have each take what was posted to it."""

        async def deliver() -> None:
            for handover in self.handovers:
                with handover.post.open():
                    pass

        asyncio.run(deliver())

    def outcomes(self) -> list[dict[str, int]]:
        """What became of messages, at home and away; the sum is what was received."""
        found = []
        for station in (self.home, self.away):
            outcomes = station.receiver.outcomes
            assert sum(outcomes.values()) == sum(station.receiver.received.values())
            found.append({name: count for name, count in outcomes.items() if count})
        return found


def access(**settings: object) -> AccessSettings:
    relays = (ipaddress.ip_network(f"{RELAY}/32"),)
    return AccessSettings(**({"trusted_relays": relays} | settings))


@pytest.fixture
def boxes() -> Iterator[Mailboxes]:
    boxes = Mailboxes(2)
    yield boxes
    boxes.close()


@pytest.fixture
def pair(boxes: Mailboxes) -> Pair:
    return Pair(boxes, access())


def test_message_that_arrives_at_home_goes_nowhere(pair):
    pair.home.hand_over(LINK_DOWN)
    assert pair.outcomes() == [{"vendor": 1}, {}]
    assert pair.handovers[HOME].handed_over == 0


def test_message_of_another_address_is_taken_at_home_and_counted_once(pair):
    pair.away.hand_over(LINK_DOWN, LINK_DOWN, peer=SECOND_ADDRESS)
    assert pair.outcomes() == [{}, {}]
    pair.deliver()
    assert pair.outcomes() == [{"vendor": 2}, {}]
    assert pair.home.receiver.received == pair.home.receiver.received | {"udp": 2}
    assert pair.home.receiver.received_bytes["udp"] == 2 * len(LINK_DOWN)
    assert pair.handovers[1 - HOME].handed_over == 2
    last = pair.home.last
    assert (last["device"], last["source"]) == ("core-1", SECOND_ADDRESS)
    assert pair.away.events() == []
    assert not [line for line in pair.away.samples() if 'device="core-1"' in line]


def test_transport_stays_what_it_was(pair):
    source = pair.away.receiver.policy.sources.source(SECOND_ADDRESS)
    pair.away.receiver.take_frames([LINK_DOWN], source, "tls")
    pair.deliver()
    assert pair.home.receiver.received["tls"] == 1


def test_batch_of_several_senders_is_sorted_out(pair):
    peers = [SECOND_ADDRESS, STRANGER, SECOND_ADDRESS, STRANGER, STRANGER]
    contents = [b"<13>x: message %d" % number for number in range(5)]
    hosts = [socket.inet_aton(peer) for peer in peers]
    pair.away.receiver.take_datagrams(Datagrams(contents, hosts))
    pair.deliver()
    assert sum(pair.outcomes()[0].values()) == 2
    assert sum(pair.outcomes()[1].values()) == 3
    texts = [event.text() for event in reversed(pair.home.events())]
    assert texts == ["message 0", "message 2"]


def test_relayed_message_is_taken_by_the_owner_of_the_device_that_it_names(pair):
    told = b"<34>Oct 11 22:14:15 core-1 app: hello"
    of_nobody = b"<34>Oct 11 22:14:15 who app: hello"
    for station in (pair.home, pair.away):
        station.hand_over(told, of_nobody, peer=RELAY)
    pair.deliver()
    assert pair.outcomes() == [{"rfc3164": 3}, {"rfc3164": 1}]
    assert [event.message.device for event in pair.home.events()].count("core-1") == 2
    assert [event.message.device for event in pair.away.events()] == ["unknown"]
    assert pair.home.events()[0].message.source == RELAY


def test_message_that_may_not_be_sent_is_refused_where_it_arrives(boxes):
    networks = (ipaddress.ip_network(f"{DEVICE}/32"),)
    pair = Pair(boxes, access(allowed_networks=networks))
    pair.away.hand_over(LINK_DOWN, peer=SECOND_ADDRESS)
    pair.deliver()
    assert pair.outcomes() == [{}, {"source_denied": 1}]


def test_sender_has_its_rate_limit_where_it_arrives(boxes):
    pair = Pair(boxes, access(rate_limit=RateLimit(per_second=1.0, burst=3)))
    pair.away.hand_over(*[LINK_DOWN] * 5, peer=SECOND_ADDRESS)
    pair.deliver()
    assert pair.outcomes() == [{"vendor": 3}, {"rate_limited": 2}]


def test_message_that_cannot_be_handed_over_is_counted(pair, monkeypatch):
    monkeypatch.setattr(mailboxes_module._Slot, "post", lambda slot, packet: False)
    pair.away.hand_over(LINK_DOWN, LINK_DOWN, peer=SECOND_ADDRESS)
    pair.deliver()
    assert pair.outcomes() == [{}, {"not_handed_over": 2}]
    assert pair.away.receiver.received_bytes["udp"] == 2 * len(LINK_DOWN)
    assert pair.away.receiver.refused == {("core-1", "not_handed_over"): 2}
    assert pair.handovers[1 - HOME].handed_over == 0


def test_strain_of_the_owner_is_told_of_what_is_handed_over_alone(pair, monkeypatch):
    monkeypatch.setattr(mailboxes_module.Post, "is_strained", lambda post, to: to == HOME)
    pair.away.hand_over(LINK_DOWN, peer=STRANGER)
    assert pair.handovers[1 - HOME].strains == 0
    pair.away.hand_over(LINK_DOWN, peer=SECOND_ADDRESS)
    assert pair.handovers[1 - HOME].strains == 1


def test_packets_are_no_longer_than_need_be(pair):
    content = b"<13>x: " + b"a" * 40_000
    source = pair.away.receiver.policy.sources.source(SECOND_ADDRESS)
    pair.away.receiver.take_frames([content] * 7, source, "tcp")
    box = boxes_of(pair)
    sizes = []
    with suppress(BlockingIOError):
        while True:
            sizes.append(len(box.recv(1_000_000)))
    assert len(sizes) == 4
    assert max(sizes) < 100_000


def boxes_of(pair: Pair) -> socket.socket:
    """What is read at home."""
    return pair.handovers[HOME].post._box


@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(0, 3)), min_size=1))
def test_packet_tells_what_was_put_in(messages):
    sources = [
        Source(address, device, is_allowed=True, is_relay=False)
        for address, device in (
            ("192.0.2.1", "core-1"),
            ("fe80::1%eth0", "unknown"),
            ("192.0.2.1", "\N{SNOWMAN}\n"),
            ("2001:db8::1", 'a"b'),
        )
    ]
    contents = [content for content, _ in messages]
    handed = Handed("udp", contents, [sources[number] for _, number in messages])
    assert decode_handed(encode_handed(handed)) == handed
