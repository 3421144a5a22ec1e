"""What is pinged: hosts and devices of groups, once for each code point."""

from __future__ import annotations

import pytest

from exporters.config.devices import load_inventory
from exporters.config.icmp_config import load_icmp_config
from exporters.icmp.groups import wanted_targets

DEVICES = """
devices:
  - name: core
    addresses: [192.0.2.1, "2001:db8::1", core.example]
    labels: {site: seoul, role: core, group: a}
  - {name: edge, addresses: [192.0.2.2], labels: {site: busan}}
  - {name: six, addresses: ["2001:db8::6"]}
"""


@pytest.fixture
def wanted(tmp_path):
    (tmp_path / "devices.yml").write_text(DEVICES)
    inventory = load_inventory(tmp_path / "devices.yml")

    def wanted(text, *, devices=True):
        (tmp_path / "icmp.yml").write_text(text)
        config = load_icmp_config([tmp_path / "icmp.yml"], environment={})
        return list(wanted_targets(config, inventory if devices else None))

    return wanted


def where(targets):
    return [(target.device, target.host) for target in targets]


def test_host_is_its_own_device_where_there_is_no_inventory(wanted):
    (target,) = wanted("groups: {g: {hosts: [192.0.2.1]}}", devices=False)
    assert (target.device, target.group, target.host) == ("192.0.2.1", "g", "192.0.2.1")
    assert target.labels == ()


def test_host_that_is_an_address_of_a_device_is_that_device(wanted):
    targets = wanted("groups: {g: {hosts: ['2001:db8:0::1', 192.0.2.9, core.example]}}")
    assert where(targets) == [
        ("core", "2001:db8::1"),
        ("192.0.2.9", "192.0.2.9"),
        ("core", "core.example"),
    ]


@pytest.mark.parametrize(
    ("group", "pinged"),
    [
        ("{devices: all}", ["192.0.2.1", "192.0.2.2", "2001:db8::6"]),
        (
            "{devices: all, addresses: all}",
            ["192.0.2.1", "2001:db8::1", "core.example", "192.0.2.2", "2001:db8::6"],
        ),
        ("{devices: {site: [seoul, busan]}}", ["192.0.2.1", "192.0.2.2"]),
        ("{devices: all, family: ip6}", ["2001:db8::1", "2001:db8::6"]),
        (
            "{devices: all, family: ip4, addresses: all}",
            ["192.0.2.1", "core.example", "192.0.2.2"],
        ),
        ("{devices: {site: none}}", []),
        ("{hosts: [192.0.2.2], devices: all}", ["192.0.2.2", "192.0.2.1", "2001:db8::6"]),
    ],
)
def test_devices_are_pinged_at_the_addresses_that_the_group_chooses(wanted, group, pinged):
    assert [target.host for target in wanted(f"groups: {{g: {group}}}")] == pinged


def test_labels_are_those_of_device_group_and_host_and_the_nearest_counts(wanted):
    text = """
    groups:
      g:
        hosts: [{host: 192.0.2.1, labels: {team: b}}]
        devices: {device: edge}
        labels: {team: a, site: all}
    """
    first, second = wanted(text)
    assert dict(first.labels) == {
        "team": "b",
        "site": "all",
        "role": "core",
        "exported_group": "a",
    }
    assert dict(second.labels) == {"team": "a", "site": "all"}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("dscp: 46", [(184, {})]),
        ("dscp: [0, ef]", [(0, {"dscp": "0"}), (184, {"dscp": "46"})]),
        ("tos: [0, 1]", [(0, {"tos": "0"}), (1, {"tos": "1"})]),
    ],
)
def test_each_code_point_is_a_target_of_its_own(wanted, group, expected):
    targets = wanted(f"groups: {{g: {{hosts: [192.0.2.9], {group}}}}}")
    assert [(target.traffic_class, dict(target.labels)) for target in targets] == expected
    assert len({target.name for target in targets}) == len(targets)


def test_every_setting_of_a_group_is_passed_on(wanted):
    text = """
    groups:
      g:
        hosts: [a]
        family: ip6
        addresses: all
        resolve_interval: 5m
        interval: 50ms
        timeout: 1s
        size: 100
        ttl: 5
        source: [192.0.2.9, "2001:db8::9"]
        interface: eth0
        buckets: [1, 2]
        window: 7
    """
    (target,) = wanted(text)
    assert (target.version, target.all_addresses, target.resolve_seconds) == (6, True, 300)
    assert (target.interval_seconds, target.timeout_seconds) == (0.05, 1)
    assert (target.size_bytes, target.hop_limit, target.interface) == (100, 5, "eth0")
    assert (target.source_v4, target.source_v6) == ("192.0.2.9", "2001:db8::9")
    assert (target.bounds, target.window) == ((1, 2), 7)


def test_groups_with_the_same_host_have_a_target_each(wanted):
    targets = wanted("groups: {a: {hosts: [192.0.2.9]}, b: {hosts: [192.0.2.9]}}")
    assert len({target.name for target in targets}) == 2
