"""The flags of the ICMP exporter, and the configuration that they lead to."""

from __future__ import annotations

import pytest

from exporters.config.icmp_config import COMMAND_LINE
from exporters.errors import ConfigError
from exporters.flags import FlagParser, add_exporter_arguments
from exporters.icmp.arguments import add_arguments, load, read_settings

DEVICES = "devices: [{name: sw-1, addresses: [192.0.2.1, 192.0.2.2], labels: {role: core}}]"


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def settings(*argv):
    parser = FlagParser("icmp", "")
    add_arguments(parser)
    add_exporter_arguments(parser, "icmp", "")
    return read_settings(parser.parse(argv))


def loaded(*argv):
    return load(settings(*argv))


def refused(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        settings(*argv)
    assert end.value.code == 2
    return capsys.readouterr().err


def test_without_anything_there_are_the_shipped_modules_and_nothing_is_pinged():
    config = loaded().config
    assert dict(config.groups) == {}
    assert list(config.modules) == ["icmp", "icmp_ttl5"]
    assert config.modules["icmp_ttl5"].icmp.ttl == 5


def test_with_devices_alone_every_address_of_every_device_is_pinged(write):
    found = loaded(f"--devices.file={write('devices.yml', DEVICES)}")
    group = found.config.groups["devices"]
    assert group.addresses == "all"
    assert [device.name for device in found.inventory.devices if group.devices.has(device)] == [
        "sw-1"
    ]


def test_icmp_yml_of_the_working_directory_is_used_where_none_is_named(write):
    write("icmp.yml", "groups: {a: {hosts: [192.0.2.1]}}")
    assert list(loaded().config.groups) == ["a"]


def test_group_that_chooses_from_devices_needs_an_inventory(write):
    path = write("x.yml", "groups: {a: {devices: all}, b: {hosts: [b]}}")
    with pytest.raises(ConfigError) as problem:
        loaded(f"--config.file={path}")
    assert str(problem.value) == (
        "groups.a.devices: there are no devices to choose from; "
        "name an inventory with --devices.file"
    )
    assert loaded(f"--config.file={path}", f"--devices.file={write('d.yml', DEVICES)}")


def test_hosts_of_the_command_line_are_a_group_as_its_flags_say():
    config = loaded(
        "192.0.2.1", "-i", "500ms", "--ping.timeout=3s", "Switch", "-s", "100", "-O", "0xb8",
        "--buckets=0.1,1,10",
    ).config  # fmt: skip
    (group,) = config.groups.values()
    assert list(config.groups) == [COMMAND_LINE]
    assert [host.host for host in group.hosts] == ["192.0.2.1", "switch"]
    assert (group.interval, group.timeout, group.size) == (0.5, 3, 100)
    assert group.traffic_classes == (0xB8,)
    assert group.buckets == (0.1, 1, 10)
    assert list(config.modules) == ["icmp", "icmp_ttl5"]


def test_hosts_of_the_command_line_and_of_files_are_merged(write):
    path = write("smoke.yml", "targets: [{hosts: [a]}]")
    config = loaded(f"--config.file={path}", "--buckets=0.1,1", "b").config
    assert list(config.groups) == ["smoke-1", COMMAND_LINE]
    assert {group.buckets for group in config.groups.values()} == {(0.1, 1)}
    assert config.legacy_names == ("smokeping",)


def test_buckets_of_the_command_line_do_not_touch_other_groups(write):
    path = write("x.yml", "groups: {a: {hosts: [a]}}")
    assert len(loaded(f"--config.file={path}", "--buckets=1").config.groups["a"].buckets) == 20


def test_names_of_peers_may_be_asked_for_on_the_command_line():
    found = loaded("--legacy-names=ping_exporter", "--legacy-names=smokeping", "a").config
    assert found.legacy_names == ("ping_exporter", "smokeping")


def test_label_that_a_peer_gives_itself_is_refused_where_its_names_are_asked_for(write):
    text = "groups: {a: {hosts: [{host: a, labels: {source: x}}], labels: {target: y}}}"
    path = write("x.yml", text)
    assert loaded(f"--config.file={path}")
    with pytest.raises(ConfigError) as problem:
        loaded(f"--config.file={path}", "--legacy-names=smokeping", "--legacy-names=ping_exporter")
    assert [entry.key_path for entry in problem.value.problems] == [
        "groups.a.labels.source",
        "groups.a.labels.target",
    ]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["a b"], 'hosts[0].host: "a b" is neither an IP address nor a host name'),
        (["-s", "10", "a"], "size: must be from 24 to 65507, found 10"),
        (["-i", "10ms", "a"], "interval: must be from 50ms to 24h0m0s, found 10ms"),
        (["--ping.timeout=2m", "a"], "timeout: must be from 1ms to 1m0s, found 2m0s"),
        (["a", "a"], 'hosts[1]: "a" is in this group already'),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told_as_in_a_file(argv, words):
    with pytest.raises(ConfigError) as problem:
        loaded(*argv)
    assert str(problem.value).startswith(f'groups."{COMMAND_LINE}".{words}')


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--ping.interval=1", "is not a duration; write one such as 1s or 500ms"),
        ("--ping.tos=256", "is not a number from 0 to 255"),
        ("--ping.tos=ef", "is not a number from 0 to 255"),
        ("--buckets=1,0.5", "0.5 does not exceed 1.0 before it"),
        ("--buckets=0,1", "must be more than 0"),
        ("--buckets=", "expected rising seconds"),
        ("--buckets=1,nan", "expected rising seconds"),
        ("--buckets=1,inf", "expected rising seconds"),
        ("--legacy-names=blackbox", "invalid choice: 'blackbox'"),
        ("--targets.allow=switch", "is not a network"),
        ("--probe.concurrency=many", "is not a number"),
    ],
)
def test_flag_that_is_wrong_is_refused(flag, words, capsys):
    assert words in refused(capsys, flag)
