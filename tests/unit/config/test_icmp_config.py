"""What the files of the ICMP exporter and of its peers become."""

from __future__ import annotations

import pytest

from exporters.config.devices import Device
from exporters.config.icmp_config import load_icmp_config
from exporters.config.icmp_fields import DEFAULT_BUCKETS, DeviceChoice
from exporters.errors import ConfigError


@pytest.fixture
def load(write):
    """Load files, each given as its text."""

    def load(*texts, names=()):
        names = names or [f"{number}.yml" for number, _ in enumerate(texts)]
        paths = [write(name, text) for name, text in zip(names, texts, strict=True)]
        return load_icmp_config(paths, environment={})

    return load


def problems(load, *texts):
    with pytest.raises(ConfigError) as refused:
        load(*texts)
    return [(problem.line, problem.problem) for problem in refused.value.problems]


def test_group_has_the_defaults_of_the_documentation(load):
    group = load("groups: {a: {hosts: [192.0.2.1]}}").groups["a"]
    assert [host.host for host in group.hosts] == ["192.0.2.1"]
    assert (group.family, group.addresses, group.resolve_interval) == ("any", "first", 60)
    assert (group.interval, group.timeout, group.size, group.ttl) == (1, 2, 56, 64)
    assert group.traffic_classes == (0,)
    assert group.buckets == DEFAULT_BUCKETS
    assert (group.buckets[0], group.buckets[-1], len(group.buckets)) == (5e-05, 26.2144, 20)
    assert not group.path
    assert not group.pmtu


def test_every_key_of_a_group_is_read(cases):
    config = load_icmp_config([cases / "icmp" / "full.good.yml"], environment={})
    core = config.groups["core"]
    assert [host.host for host in core.hosts] == [
        "192.0.2.1",
        "2001:db8::1",
        "switch.example",
        "fe80::1%eth0",
    ]
    assert core.hosts[3].labels == {"site": "seoul", "rack": "0123", "on": "yes"}
    assert (core.addresses, core.resolve_interval, core.interval) == ("all", 300, 0.05)
    assert (core.timeout, core.size, core.ttl, core.window) == (60, 1472, 255, 3600)
    assert core.dscp == (0, 46, 48, 34, 63)
    assert core.traffic_classes == (0, 184, 192, 136, 252)
    assert core.source_address(4) == "192.0.2.9"
    assert core.source_address(6) == "2001:db8::9"
    assert (core.interface, dict(core.labels)) == ("eth0.100", {"team": "network"})
    assert core.buckets == (0.001, 0.01, 1)
    assert core.path
    assert core.pmtu
    assert config.groups["one"].traffic_classes == (184,)
    assert config.groups["one"].source_address(6) == ""
    assert config.groups["octet"].traffic_classes == (0xB8,)
    assert config.groups["octets"].traffic_classes == (0, 255)
    assert config.legacy_names == ("smokeping", "ping_exporter")


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ("all", ["sw-1", "sw-2", "fw-1"]),
        ("{role: core}", ["sw-1"]),
        ("{role: [core, edge]}", ["sw-1", "sw-2"]),
        ("{role: [core, edge], site: busan}", ["sw-2"]),
        ("{device: [fw-1, sw-1]}", ["sw-1", "fw-1"]),
        ("{role: none}", []),
        ("{floor: 3}", ["fw-1"]),
    ],
)
def test_devices_are_chosen_by_their_labels(load, choice, chosen):
    devices = [
        Device(name="sw-1", addresses=("192.0.2.1",), labels={"role": "core", "site": "seoul"}),
        Device(name="sw-2", addresses=("192.0.2.2",), labels={"role": "edge", "site": "busan"}),
        Device(name="fw-1", addresses=("192.0.2.3",), labels={"floor": "3"}),
    ]
    found = load(f"groups: {{a: {{devices: {choice}}}}}").groups["a"].devices
    assert isinstance(found, DeviceChoice)
    assert [device.name for device in devices if found.has(device)] == chosen


def test_equal_groups_are_equal_so_that_a_reload_keeps_them(load):
    text = "groups: {a: {hosts: [{host: a, labels: {x: y}}], devices: {role: core}, dscp: ef}}"
    assert load(text).groups == load(text).groups
    assert load(text).groups != load(text.replace("y}", "z}")).groups


def test_module_has_the_defaults_of_blackbox_exporter(load):
    module = load("modules: {a: {prober: icmp}}").modules["a"]
    assert module.timeout == 0
    assert module.icmp.preferred_ip_protocol == "ip6"
    assert module.icmp.ip_protocol_fallback
    assert module.icmp.source_ip_address is None
    assert (module.icmp.payload_size, module.icmp.ttl) == (0, 64)
    assert not module.icmp.dont_fragment


def test_modules_of_other_probers_load_without_their_options(cases):
    config = load_icmp_config([cases / "icmp" / "blackbox.good.yml"], environment={})
    assert [name for name, module in config.modules.items() if module.is_ours] == ["icmp"]
    assert config.modules["http_2xx"].prober == "http"
    assert "tiger" not in repr(config)


@pytest.mark.parametrize("text", ["", "groups: {a: {hosts: [a]}}", "modules:"])
def test_without_modules_there_is_one_named_icmp(load, text):
    assert list(load(text).modules) == ["icmp"]


def test_files_are_merged(load):
    config = load(
        "groups: {a: {hosts: [a]}}\nlegacy_names: [smokeping]",
        "modules: {m: {prober: icmp}}",
        "groups: {b: {hosts: [b]}}\nlegacy_names: [ping_exporter, smokeping]",
    )
    assert list(config.groups) == ["a", "b"]
    assert list(config.modules) == ["m"]
    assert config.legacy_names == ("smokeping", "ping_exporter")


def test_name_given_twice_is_refused_with_both_places(load, tmp_path):
    with pytest.raises(ConfigError) as refused:
        load(
            "\ngroups: {a: {hosts: [a]}}\nmodules: {m: {prober: icmp}}",
            "groups: {a: {hosts: [a]}}\nmodules: {m: {prober: icmp}}",
        )
    first, second = tmp_path / "0.yml", tmp_path / "1.yml"
    assert str(refused.value).splitlines() == [
        f'{second}:1: groups.a: the group "a" is given twice; '
        f"it is in {first}:2 already; keep one of them",
        f'{second}:2: modules.m: the module "m" is given twice; '
        f"it is in {first}:3 already; keep one of them",
    ]


def test_problems_of_all_files_are_told(load):
    assert problems(load, "groups: {a: {}}", "modules: {m: {prober: x}}\n") == [
        (1, "has neither hosts nor devices"),
        (1, 'unknown prober "x"'),
    ]


def test_file_of_smokeping_prober_becomes_groups_and_brings_its_names(cases):
    config = load_icmp_config([cases / "smokeping" / "full.good.yml"], environment={})
    first, second, third = config.groups.values()
    assert list(config.groups) == [f"full.good-{number}" for number in (1, 2, 3)]
    assert [host.host for host in first.hosts] == ["localhost", "192.0.2.1"]
    assert (first.family, first.addresses) == ("ip4", "first")
    assert (first.interval, first.timeout, first.size) == (0.5, 5, 1000)
    assert first.traffic_classes == (0xB8,)
    assert first.source_address(4) == "192.0.2.9"
    assert dict(first.labels) == {"site": "seoul"}
    assert [host.host for host in second.hosts] == ["2001:db8::1"]
    assert second.family == "ip6"
    assert (third.family, third.interval, third.size) == ("any", 1, 56)
    assert third.traffic_classes == (0,)
    assert config.legacy_names == ("smokeping",)


def test_file_of_ping_exporter_becomes_a_group_and_brings_its_names(cases):
    config = load_icmp_config([cases / "ping_exporter" / "full.good.yml"], environment={})
    (group,) = config.groups.values()
    assert [(host.host, dict(host.labels)) for host in group.hosts] == [
        ("192.0.2.1", {}),
        ("switch.example", {"site": "busan", "floor": "3"}),
        ("host.example", {}),
    ]  # the IPv6 address is left out, as disableIPv6 says
    assert (group.family, group.addresses, group.resolve_interval) == ("ip4", "all", 135)
    assert (group.interval, group.timeout, group.size, group.window) == (2, 3, 120, 42)
    assert config.legacy_names == ("ping_exporter",)


def test_zeros_of_ping_exporter_are_its_defaults(cases):
    config = load_icmp_config([cases / "ping_exporter" / "zeros.good.yml"], environment={})
    (group,) = config.groups.values()
    assert (group.interval, group.timeout, group.size, group.window) == (5, 4, 56, 10)
    assert group.resolve_interval == 60
    assert group.family == "any"


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("targets: [{hosts: [a]}]", "smokeping"),
        ("targets: [{host: a}]", "smokeping"),
        ("targets: [{host: a, interval: 1s, labels: {x: y}}]", "smokeping"),
        ("targets: [a]", "ping_exporter"),
        ("targets: [a, {host: b, site: c}]", "ping_exporter"),
        ("targets: [{host: b, site: c}]", "ping_exporter"),
        ("targets: [{host: b}]\nping: {interval: 1s}", "ping_exporter"),
        ("targets: [{b: {site: c}}]", "ping_exporter"),
        ("targets: [b]\ndns:", "ping_exporter"),
    ],
)
def test_files_of_peers_are_told_by_their_shape(load, text, peer):
    assert load(text).legacy_names == (peer,)


def test_problem_in_a_peers_file_is_where_it_stands(load):
    assert problems(load, "targets:\n- hosts: [a]\n  size: 1\n") == [
        (3, "must be from 24 to 65507, found 1")
    ]
