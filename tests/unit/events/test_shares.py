"""Which process a device belongs to, and what each of several may keep."""

from __future__ import annotations

from pydantic import TypeAdapter

from exporters.config.devices import Device, Inventory
from exporters.config.event_settings import AccessSettings, EventSettings, RateLimit
from exporters.events.shares import WHOLE, Share
from exporters.events.sources import Sources
from exporters.wire.source_shares import share_of

DEVICES = tuple(
    Device(name=f"device-{number}", addresses=(f"192.0.2.{number}", f"198.51.100.{number}"))
    for number in range(1, 100)
)
SHARES = [Share(number, 3) for number in range(3)]


def test_device_belongs_to_the_process_that_hears_its_first_address():
    for device in DEVICES:
        owner = share_of(device.addresses[0], 3)
        assert [share.owner(device) for share in SHARES] == [owner] * 3
        assert [share.owns(device) for share in SHARES] == [n == owner for n in range(3)]


def test_every_device_belongs_to_one_process():
    names = [name for share in SHARES for name in share.own_names(DEVICES)]
    assert sorted(names) == sorted(device.name for device in DEVICES)


def test_device_of_names_alone_belongs_to_one_process():
    device = Device(name="core-1", addresses=("core-1.example", "core-1-oob.example"))
    assert sum(share.owns(device) for share in SHARES) == 1


def test_host_name_before_an_address_is_passed_over():
    device = Device(name="core-1", addresses=("core-1.example", "192.0.2.1"))
    assert SHARES[0].owner(device) == share_of("192.0.2.1", 3)


def test_one_process_has_everything():
    assert WHOLE.own_names(DEVICES) == [device.name for device in DEVICES]
    assert WHOLE.of_settings(EventSettings()) == EventSettings()
    assert WHOLE.of_rate_limit(RateLimit()) == RateLimit()


def test_parent_has_no_device():
    assert Share.before_fork(3).own_names(DEVICES) == []
    assert Share.before_fork(1) == WHOLE


def test_limits_are_divided_and_nobody_has_none():
    settings = EventSettings(series_limit=1000, states_limit=2, recent_events=31, recent_bytes=9)
    part = Share(1, 3).of_settings(settings)
    assert part.series_limit == 334
    assert part.states_limit == 1
    assert part.recent_events == 11
    assert part.recent_bytes == 3
    assert part.device_states_limit == settings.device_states_limit
    assert part.scrape_interval == settings.scrape_interval
    assert settings.series_limit == 1000
    assert Share(1, 3).of_rate_limit(RateLimit(senders=10)).senders == 4


def test_source_tells_who_has_what_is_known_of_its_device():
    inventory = Inventory(devices=DEVICES)
    for number, share in enumerate(SHARES):
        sources = Sources(inventory, AccessSettings(), share)
        for device in DEVICES:
            owner = share_of(device.addresses[0], 3)
            for address in device.addresses:
                found = sources.source(address)
                assert found.device == device.name
                assert found.owner == (None if owner == number else owner)


def test_stranger_is_taken_wherever_it_arrives():
    sources = Sources(Inventory(devices=DEVICES), AccessSettings(), Share(0, 2))
    assert {sources.source(f"203.0.113.{last}").owner for last in range(50)} == {None}


def test_origin_of_a_relayed_message_is_the_device_that_it_names():
    access = TypeAdapter(AccessSettings).validate_python({"trusted_relays": ["203.0.113.0/24"]})
    sources = Sources(Inventory(devices=DEVICES), access, Share(0, 3))
    relay = sources.source("203.0.113.1")
    for device in DEVICES:
        origin = sources.origin(relay, device.name)
        owner = share_of(device.addresses[0], 3)
        assert origin.address == "203.0.113.1"
        assert origin.device == device.name
        assert origin.owner == (owner or None)
        assert not origin.is_relay
    unknown = sources.origin(relay, "who.example")
    assert (unknown.device, unknown.owner, unknown.is_relay) == ("unknown", None, False)
    plain = sources.source("192.0.2.1")
    assert sources.origin(plain, "device-2") is plain
