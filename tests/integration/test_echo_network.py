"""The pretend network that answers pings, asked by iputils' ping."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .namespaces import EchoNetwork, Namespace, echo_network, needs_root, network_namespace

pytestmark = [
    needs_root,
    pytest.mark.peer("ip", "iproute2"),
    pytest.mark.peer("ping", "iputils-ping"),
]

HOST = "10.9.0.7"
HOST_V6 = "fd09::7"


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Namespace, EchoNetwork]]:
    with network_namespace() as namespace, echo_network(namespace) as network:
        yield namespace, network


def ping(place: tuple[Namespace, EchoNetwork], host: str, *options: str) -> str:
    """Ping *host* and give what ping says of it."""
    namespace, _ = place
    done = namespace.run("ping", "-n", "-W", "1", "-i", "0.05", *options, host, check=False)
    return done.stdout


@pytest.mark.parametrize("host", [HOST, HOST_V6])
def test_a_host_that_nothing_is_said_of_answers_every_ping(place, host):
    said = ping(place, host, "-c", "5", "-s", "1000")
    assert "5 packets transmitted, 5 received, 0% packet loss" in said
    assert said.count("1008 bytes from") == 5
    assert "ttl=64" in said


@pytest.mark.parametrize("host", ["10.9.1.1", "fd09::1:1"])
def test_a_delay_is_the_round_trip_time_that_ping_sees(place, host):
    place[1].change({host: {"answers": {"delay_seconds": 0.04}}})
    times = [
        float(value) for value in re.findall(r"time=([\d.]+) ms", ping(place, host, "-c", "3"))
    ]
    assert len(times) == 3
    assert all(40 <= value < 60 for value in times)


def test_every_second_ping_stays_unanswered_where_told_so(place):
    place[1].change({"10.9.1.2": {"lose_every": 2}})
    assert "6 packets transmitted, 3 received, 50% packet loss" in ping(
        place, "10.9.1.2", "-c", "6"
    )


def test_duplicates_are_what_ping_calls_duplicates(place):
    place[1].change({"10.9.1.3": {"answers": {"duplicate_rate": 1.0}}})
    said = ping(place, "10.9.1.3", "-c", "3")
    assert "+2 duplicates" in said or "+3 duplicates" in said


@pytest.mark.parametrize(
    ("host", "error", "reporter", "words"),
    [
        ("10.9.2.1", (3, 1), "10.9.9.1", "From 10.9.9.1 icmp_seq=1 Destination Host Unreachable"),
        ("10.9.2.2", (3, 13), "10.9.9.1", "From 10.9.9.1 icmp_seq=1 Packet filtered"),
        ("10.9.2.3", (3, 3), "", "From 10.9.2.3 icmp_seq=1 Destination Port Unreachable"),
        ("fd09::2:1", (1, 1), "fd09::9:1", "Destination unreachable: Administratively prohibited"),
        ("fd09::2:2", (1, 0), "fd09::9:1", "Destination unreachable: No route"),
    ],
)
@pytest.mark.parametrize("extended", [False, True], ids=["plain", "rfc4884"])
def test_an_error_reaches_ping_with_its_reporter_and_code(
    place, host, error, reporter, words, extended
):
    place[1].change({host: {"error": error, "reporter": reporter, "extended_errors": extended}})
    assert words in ping(place, host, "-c", "1")


@pytest.mark.parametrize(
    ("host", "hops"),
    [("10.9.3.1", ["10.9.9.1", "10.9.9.2"]), ("fd09::3:1", ["fd09::9:1", "fd09::9:2"])],
)
def test_routers_on_the_way_report_what_comes_with_too_few_hops(place, host, hops):
    place[1].change({host: {"hops": hops}})
    assert f"From {hops[0]} icmp_seq=1 Time" in ping(place, host, "-c", "1", "-t", "1")
    assert f"From {hops[1]} icmp_seq=1 Time" in ping(place, host, "-c", "1", "-t", "2")
    assert "1 received" in ping(place, host, "-c", "1", "-t", "3")


def test_a_packet_too_big_is_reported_with_the_mtu_of_the_next_hop(place):
    place[1].change({"10.9.4.1": {"mtu": 1400, "mtu_reporter": "10.9.9.1"}})
    said = ping(place, "10.9.4.1", "-c", "1", "-s", "1400", "-M", "do")
    assert "Frag needed and DF set (mtu = 1400)" in said
    assert "1 received" in ping(place, "10.9.4.1", "-c", "1", "-s", "1372", "-M", "do")


def test_a_black_hole_swallows_large_packets_without_a_word(place):
    place[1].change({"10.9.4.2": {"mtu": 1400}})
    said = ping(place, "10.9.4.2", "-c", "1", "-s", "1400", "-M", "do")
    assert "0 received" in said
    assert "From" not in said.replace("PING", "")


def test_counts_tell_what_a_host_was_sent(place):
    ping(place, "10.9.5.1", "-c", "3", "-Q", "184", "-s", "100")
    assert place[1].counts()["10.9.5.1"] == {
        "requests": 3,
        "answers": 3,
        "errors": 0,
        "bytes_longest": 128,
        "traffic_classes": [184],
    }


def test_an_answer_from_another_address_is_not_taken_for_the_hosts_own(place):
    place[1].change({"10.9.5.2": {"answers_from": "10.9.5.3"}})
    said = ping(place, "10.9.5.2", "-c", "1")
    assert "DIFFERENT ADDRESS" in said or "0 received" in said


def test_a_garbled_payload_is_told_by_ping(place):
    place[1].change({"10.9.5.4": {"garbled": True}})
    assert "wrong data byte" in ping(place, "10.9.5.4", "-c", "1", "-p", "ff00", "-s", "100")
