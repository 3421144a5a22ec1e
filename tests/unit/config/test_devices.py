from __future__ import annotations

import zoneinfo

import pytest

from exporters.config import devices
from exporters.config.devices import Device, Inventory, load_inventory
from exporters.errors import ConfigError


@pytest.fixture
def inventory(cases):
    return load_inventory(cases / "devices" / "full.good.yml")


def test_every_key_is_read(inventory):
    core, numbered, edge = inventory.devices
    assert core.name == "core-sw-01"
    assert core.addresses == ("192.0.2.1", "2001:db8::1")
    assert (core.auth, core.modules) == ("prod_v3", ("if_mib", "cisco_device"))
    assert (core.snmp_concurrency, core.snmp_packets_per_second) == (2, 0.5)
    assert (edge.snmp_concurrency, edge.snmp_packets_per_second) == (0, 0)
    assert core.timezone == "Asia/Seoul"
    assert core.labels == {"site": "seoul", "role": "core"}
    assert numbered.name == "42"
    assert numbered.addresses == ("switch.example", "198.51.100.9", "fe80::1%eth0")
    assert (edge.auth, edge.modules, edge.timezone) == ("", (), "")


def test_device_is_found_by_name(inventory):
    assert inventory.by_name("edge") is inventory.devices[2]
    assert inventory.by_name("none") is None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.1", "core-sw-01"),
        ("::ffff:192.0.2.1", "core-sw-01"),
        ("2001:db8::1", "core-sw-01"),
        ("2001:DB8:0:0::1", "core-sw-01"),
        ("2001:db8::1%eth1", "core-sw-01"),
        ("198.51.100.9", "42"),
        ("fe80::1%eth0", "42"),
        ("fe80::1%eth1", None),
        ("fe80::1", None),
        ("switch.example", None),
        ("192.0.2.2", None),
        ("", None),
    ],
)
def test_sender_is_mapped_to_its_device(address, name, inventory):
    device = inventory.by_address(address)
    assert (device and device.name) == name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("switch.example", "42"),
        ("Switch.Example.", "42"),
        ("198.51.100.9", "42"),
        ("2001:DB8::1", "core-sw-01"),
        ("other.example", None),
    ],
)
def test_device_is_found_by_host_name_or_address(host, name, inventory):
    device = inventory.by_host(host)
    assert (device and device.name) == name


def test_inventory_cannot_be_changed(inventory):
    with pytest.raises(AttributeError):
        inventory.devices = ()
    with pytest.raises(TypeError):
        inventory.devices[0].labels["new"] = "x"


def test_inventory_may_be_built_by_hand():
    inventory = Inventory(devices=[Device(name="a", addresses=["192.0.2.1"])])
    assert inventory.by_address("192.0.2.1").name == "a"


def test_missing_time_zone_database_is_told(write, monkeypatch):
    def not_found(key):
        raise zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr(devices.zoneinfo, "ZoneInfo", not_found)
    monkeypatch.setattr(devices.zoneinfo, "available_timezones", set)
    path = write("d.yml", "devices: [{name: a, addresses: [192.0.2.1], timezone: Asia/Seoul}]")
    with pytest.raises(ConfigError, match="no time zone database: install tzdata"):
        load_inventory(path)


@pytest.mark.parametrize("zone", ["../etc/passwd", "/etc/localtime", "Asia", "", "a\\0b"])
def test_only_zones_are_time_zones(zone, write):
    path = write("d.yml", f'devices: [{{name: a, addresses: [192.0.2.1], timezone: "{zone}"}}]')
    if not zone:
        assert load_inventory(path).devices[0].timezone == ""
        return
    with pytest.raises(ConfigError, match="is not a time zone"):
        load_inventory(path)
