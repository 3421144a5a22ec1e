"""Who sent a message, and how much they may."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from exporters.config.devices import Inventory
from exporters.config.event_settings import AccessSettings, RateLimit
from exporters.events.sources import SourceLimiter, Sources

DEVICES = {
    "devices": [
        {"name": "core-1", "addresses": ["192.0.2.1", "2001:db8::1"]},
        {"name": "edge-1", "addresses": ["192.0.2.2", "edge.example"]},
    ]
}


def sources(**access: Any) -> Sources:
    inventory = TypeAdapter(Inventory).validate_python(DEVICES)
    return Sources(inventory, TypeAdapter(AccessSettings).validate_python(access))


@pytest.mark.parametrize(
    ("peer", "device"),
    [
        ("192.0.2.1", "core-1"),
        ("::ffff:192.0.2.1", "core-1"),
        ("2001:db8:0::1", "core-1"),
        ("192.0.2.9", "unknown"),
        ("fe80::1%eth0", "unknown"),
        ("/run/syslog.sock", "unknown"),
        ("", "unknown"),
    ],
)
def test_device_is_found_by_the_address_of_the_sender(peer, device):
    assert sources().source(peer).device == device


def test_address_has_one_spelling():
    assert sources().source("::ffff:192.0.2.9").address == "192.0.2.9"


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [("192.0.2.1", True), ("::ffff:192.0.2.1", True), ("198.51.100.1", False), ("x", False)],
)
def test_only_allowed_networks_may_send(peer, allowed):
    assert sources(allowed_networks=["192.0.2.0/24"]).source(peer).is_allowed is allowed
    assert sources().source(peer).is_allowed


def test_relay_is_believed_whose_message_it_is_and_nobody_else():
    known = sources(trusted_relays=["198.51.100.0/24"])
    relay, forger = known.source("198.51.100.7"), known.source("203.0.113.1")

    assert known.device_of(relay, "192.0.2.2") == "edge-1"
    assert known.device_of(relay, "core-1") == "core-1"
    assert known.device_of(relay, "192.0.2.77") == "unknown"
    assert known.device_of(relay, "") == "unknown"
    assert known.device_of(forger, "192.0.2.2") == "unknown"
    assert known.device_of(known.source("192.0.2.1"), "192.0.2.2") == "core-1"


def test_origin_is_the_device_that_each_relay_names_and_else_the_relay():
    known = sources(trusted_relays=["198.51.100.0/24"])
    relays = [known.source(f"198.51.100.{number}") for number in (7, 8)]
    for _ in range(2):  # the second time from memory
        found = [known.origin(relay, name) for relay in relays for name in ("core-1", "nobody")]
        assert [(origin.address, origin.device) for origin in found] == [
            ("198.51.100.7", "core-1"),
            ("198.51.100.7", "unknown"),
            ("198.51.100.8", "core-1"),
            ("198.51.100.8", "unknown"),
        ]
        assert not any(origin.is_relay for origin in found)


def test_names_that_relays_make_up_are_not_remembered():
    known = sources(trusted_relays=["198.51.100.7"])
    relay = known.source("198.51.100.7")
    before = len(gc.get_objects())
    for number in range(5000):
        known.origin(relay, f"nobody-{number}")
    assert len(gc.get_objects()) - before < 1000


@pytest.mark.parametrize(
    ("claimed", "device"),
    [
        ("CORE-1", "core-1"),
        ("Edge-1", "Edge-1"),
        ("EDGE-1", "edge-1"),
        ("edge.example", "edge-1"),
        ("Edge.Example.", "edge-1"),
        ("2001:DB8::1", "core-1"),
        ("core", "unknown"),
        ("core-1.example", "unknown"),
    ],
)
def test_relay_may_write_a_host_name_in_any_case(claimed, device):
    devices = [*DEVICES["devices"], {"name": "Edge-1", "addresses": ["192.0.2.3"]}]
    inventory = TypeAdapter(Inventory).validate_python({"devices": devices})
    access = TypeAdapter(AccessSettings).validate_python({"trusted_relays": ["198.51.100.7"]})
    known = Sources(inventory, access)
    assert known.device_of(known.source("198.51.100.7"), claimed) == device


def test_forged_addresses_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("exporters.events.sources._MOST_REMEMBERED", 10)
    known = sources()
    for number in range(100):
        known.source(f"203.0.113.{number}")

    assert len(known._known) <= 10
    assert known.source("192.0.2.1").device == "core-1"


def limiter(**limit: Any) -> SourceLimiter:
    return SourceLimiter(TypeAdapter(RateLimit).validate_python(limit))


def test_sender_may_burst_and_then_has_its_rate():
    buckets = limiter(per_second=2, burst=3)

    assert [buckets.take("a", 0.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [buckets.take("a", 1.0) for _ in range(3)] == [True, True, False]
    assert buckets.take("b", 1.0)


def test_no_rate_is_no_limit():
    assert all(limiter().take("a", 0.0) for _ in range(5000))


def test_senders_beyond_the_table_share_one_account():
    buckets = limiter(per_second=1, burst=2, senders=3)
    taken = [buckets.take(str(number), 0.5) for number in range(20)]

    assert taken == [True] * 5 + [False] * 15
    assert len(buckets) <= 4
    # Those who were silent long enough make room.
    assert buckets.take("new", 100.0)
    assert len(buckets) <= 2


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 3)), max_size=200),
    st.floats(0.5, 20),
    st.integers(1, 10),
)
def test_nobody_gets_more_than_rate_and_burst(requests, rate, burst):
    buckets = limiter(per_second=rate, burst=burst, senders=3)
    now = 0.0
    got: dict[str, int] = {}
    for address, wait in requests:
        now += wait
        got[address] = got.get(address, 0) + buckets.take(address, now)

    # An account may be of its own at one time, and the shared one at another.
    for count in got.values():
        assert count <= 2 * (burst + rate * now) + 1e-6
