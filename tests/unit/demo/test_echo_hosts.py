"""How the hosts of a pretend network answer, without a network."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest

from exporters.demo.echo_hosts import EchoHosts, read_hosts
from exporters.demo.ip_packets import IcmpPacket, decode_packet, encode_packet
from exporters.errors import WireError

NEAR, FAR = ip_address("10.9.0.1"), ip_address("10.9.0.7")
NEAR_6, FAR_6 = ip_address("fd09::1"), ip_address("fd09::7")
ECHO = struct.pack("!HH", 0x1234, 5) + b"payload"


def request(**fields: object) -> bytes:
    values = {"source": NEAR, "destination": FAR, "type": 8, "code": 0, "rest": ECHO} | fields
    return encode_packet(IcmpPacket(**values))


def only_answer(hosts: EchoHosts, data: bytes) -> IcmpPacket:
    (answer,) = hosts.answers(data)
    return decode_packet(answer.data)


@pytest.mark.parametrize(
    "data",
    [request(), request(source=NEAR_6, destination=FAR_6, type=128)],
    ids=["ipv4", "ipv6"],
)
def test_every_truncation_of_a_request_stays_unanswered(data):
    hosts = EchoHosts({})
    assert [hosts.answers(data[:length]) for length in range(len(data))] == [[]] * len(data)
    assert len(hosts.answers(data)) == 1


def test_a_fragment_is_refused():
    data = bytearray(request())
    data[6] = 0x20
    with pytest.raises(WireError, match="no whole ICMP message"):
        decode_packet(bytes(data))


def test_an_answer_is_not_answered_itself():
    assert EchoHosts({}).answers(request(type=0)) == []


def test_a_payload_longer_than_the_host_sends_back_is_cut():
    hosts = EchoHosts(read_hosts({"10.9.0.7": {"payload_bytes": 3}}))
    assert only_answer(hosts, request()).rest == ECHO[:7]


def test_a_marking_is_reflected_unless_the_host_has_its_own():
    assert only_answer(EchoHosts({}), request(traffic_class=184)).traffic_class == 184
    hosts = EchoHosts(read_hosts({"10.9.0.7": {"traffic_class": 0}}))
    assert only_answer(hosts, request(traffic_class=184)).traffic_class == 0


def test_a_large_packet_that_may_be_cut_passes_a_small_mtu():
    hosts = EchoHosts(read_hosts({"10.9.0.7": {"mtu": 30}}))
    assert len(hosts.answers(request())) == 1
    assert hosts.answers(request(dont_fragment=True)) == []


def test_the_same_seed_loses_the_same_requests():
    described = read_hosts({"10.9.0.7": {"answers": {"drop_rate": 0.5}}})
    first, second, other = (EchoHosts(described, seed) for seed in (1, 1, 2))
    fates = [[len(hosts.answers(request())) for _ in range(64)] for hosts in (first, second, other)]
    assert fates[0] == fates[1] != fates[2]


@pytest.mark.parametrize(
    ("document", "error"), [({"10.9.0.7": {"loose": 1}}, TypeError), ({"near": {}}, ValueError)]
)
def test_hosts_that_are_described_wrongly_are_refused(document, error):
    with pytest.raises(error):
        read_hosts(document)
