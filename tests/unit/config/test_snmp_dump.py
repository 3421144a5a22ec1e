from __future__ import annotations

import yaml

from exporters.config.snmp_config import SnmpFile, load_snmp_config
from exporters.config.snmp_dump import dump_snmp_config
from exporters.config.validation import load_model

DEFAULTS = ("    max_repetitions: 25\n", "    retries: 3\n", "    timeout: 5s\n")


def test_peers_file_is_written_as_the_peer_wrote_it(shared_dir):
    path = shared_dir / "peers" / "snmp_exporter-snmp.yml"
    config = load_snmp_config([path], environment={})
    dumped = dump_snmp_config(config).splitlines(keepends=True)
    ours = [line for line in dumped if line not in DEFAULTS]
    theirs = path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]  # without its comment
    masked = [line.replace("community: public", "community: <secret>") for line in theirs]
    assert ours == masked


def test_dump_loads_again_to_the_same_but_for_secrets(cases, write):
    config = load_model(SnmpFile, cases / "snmp" / "full.good.yml", environment={})
    dumped = dump_snmp_config(config)
    readable = dumped.replace("<secret>", "some-secret")
    again = load_model(SnmpFile, write("again.yml", readable), environment={})
    assert again.modules == config.modules
    assert dump_snmp_config(again) == dumped


def test_no_secret_is_in_a_dump(cases, environment):
    config = load_model(SnmpFile, cases / "snmp" / "secrets.good.yml", environment=environment)
    dumped = dump_snmp_config(config)
    for secret in ("tiger", "from-a-file", "0123", "1e3", "pa$$word", "public"):
        assert secret not in dumped
    auths = yaml.safe_load(dumped)["auths"]
    assert auths["braces"]["username"] == "snmp_scott"
    assert auths["braces"]["password"] == "<secret>"
    assert "community" not in auths["empty"]
    assert auths["file"]["community_file"] == "secret.txt"
    assert "community" not in auths["file"]


def test_every_key_is_dumped_in_the_peers_order(cases):
    config = load_model(SnmpFile, cases / "snmp" / "full.good.yml", environment={})
    document = yaml.safe_load(dump_snmp_config(config))
    assert list(document) == ["auths", "modules", "version"]
    assert list(document["auths"]["prod_v3"]) == [
        "community", "security_level", "username", "password", "auth_protocol", "priv_protocol",
        "priv_password", "context_name", "version", "targets",
    ]  # fmt: skip
    module = document["modules"]["full"]
    assert list(module) == [
        "walk", "get", "metrics", "max_repetitions", "retries", "timeout",
        "use_unconnected_udp_socket", "allow_nonincreasing_oids", "filters",
        "lookup_cache",
            "concurrency", "packets_per_second",
    ]  # fmt: skip
    assert (module["timeout"], module["lookup_cache"]) == ("1m30s", "10m0s")
    metric = module["metrics"][0]
    assert list(metric) == [
        "name", "oid", "type", "help", "indexes", "lookups", "enum_values", "offset", "scale",
        "display_hint",
    ]  # fmt: skip
    assert metric["enum_values"] == {1: "up", 2: "down", 3: "", 4: "1.10", 5: "True"}
    assert metric["offset"] == -1
    assert metric["indexes"][3] == {
        "labelname": "oid",
        "type": "ObjectIdentifier",
        "implied": True,
    }
    assert metric["lookups"][2] == {"labels": [], "labelname": "ifIndex"}


def test_labels_that_are_not_kept_are_dumped_as_such(write):
    modules = "{off: {lookup_cache: 0, metrics: []}, silent: {metrics: []}}"
    path = write("snmp.yml", f"modules: {modules}")
    dumped = dump_snmp_config(load_model(SnmpFile, path, environment={}))
    modules = yaml.safe_load(dumped)["modules"]
    assert modules["off"]["lookup_cache"] == "0s"
    assert "lookup_cache" not in modules["silent"]


def test_null_regex_is_dumped_as_null(cases):
    config = load_model(SnmpFile, cases / "snmp" / "overrides.good.yml", environment={})
    dumped = dump_snmp_config(config)
    assert "      - value: $1\n          regex: null\n" in dumped


def test_names_are_sorted_with_their_numbers_by_value(write):
    path = write("snmp.yml", "modules: {m10: &x {metrics: []}, m9: *x, m: *x, a: *x}")
    dumped = dump_snmp_config(load_model(SnmpFile, path, environment={}))
    assert list(yaml.safe_load(dumped)["modules"]) == ["a", "m", "m9", "m10"]
