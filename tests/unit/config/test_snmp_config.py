from __future__ import annotations

import logging
import sys
from dataclasses import FrozenInstanceError

import pytest

from exporters.bundled import modules_directory
from exporters.config.snmp_config import Lookup, Metric, SnmpFile, load_snmp_config
from exporters.config.validation import load_model
from exporters.errors import ConfigError
from exporters.wire.ber import encode_oid

AUTHS = "auths: {public_v2: {version: 2}}\n"
MODULES = "modules: {if_mib: {walk: [1.3.6.1.2.1.2], metrics: []}}\n"


def load(path, **options):
    return load_model(SnmpFile, path, environment={}, **options)


@pytest.fixture(scope="module")
def peers_config(shared_dir):
    path = shared_dir / "peers" / "snmp_exporter-snmp.yml"
    return load_snmp_config([path], environment={})


def test_auth_has_the_peers_defaults(cases):
    auth = load(cases / "snmp" / "defaults.good.yml").auths["public_v2"]
    assert auth.version == 2
    assert auth.community.reveal() == "public"
    assert auth.security_level == "noAuthNoPriv"
    assert (auth.auth_protocol, auth.priv_protocol) == ("MD5", "DES")
    assert (auth.username, auth.context_name, auth.targets) == ("", "", ())
    assert not auth.password
    assert not auth.priv_password


@pytest.mark.parametrize("name", ["empty", "nulls"])
def test_module_has_the_peers_defaults(name, cases):
    module = load(cases / "snmp" / "defaults.good.yml").modules[name]
    assert (module.walk, module.get, module.metrics, module.filters) == ((), (), (), ())
    assert (module.max_repetitions, module.retries, module.timeout) == (25, 3, 5.0)
    assert module.use_unconnected_udp_socket is False
    assert module.allow_nonincreasing_oids is False
    assert module.lookup_cache is None
    assert (module.concurrency, module.packets_per_second) == (0, 0)


def test_every_key_is_read(cases):
    config = load(cases / "snmp" / "full.good.yml")
    auth = config.auths["prod_v3"]
    assert (auth.version, auth.username, auth.security_level) == (3, "scott", "authPriv")
    assert (auth.auth_protocol, auth.priv_protocol) == ("SHA256", "AES256C")
    assert auth.password.reveal() == "tiger-tiger"
    assert auth.priv_password.reveal() == "burning-bright"
    assert auth.context_name == "vrf1"
    assert [str(target) for target in auth.targets] == [
        "192.0.2.0/24",
        "2001:db8::/32",
        "198.51.100.7/32",
    ]
    module = config.modules["full"]
    assert module.walk == (encode_oid("1.3.6.1.2.1.2.2"),)
    assert module.get == (encode_oid("1.3.6.1.2.1.1.3.0"),)
    assert (module.max_repetitions, module.retries, module.timeout) == (10, 0, 90.0)
    assert module.use_unconnected_udp_socket
    assert module.allow_nonincreasing_oids
    assert module.lookup_cache == 600.0
    assert (module.concurrency, module.packets_per_second) == (2, 12.5)
    (row_filter,) = module.filters
    assert row_filter.targets == (encode_oid("1.3.6.1.2.1.2.2.1.8"),)
    assert [bool(regex.search("is up")) for regex in row_filter.values] == [False, True]
    assert config.version == 2


def test_every_key_of_a_metric_is_read(cases):
    metric, dated, untyped = load(cases / "snmp" / "full.good.yml").modules["full"].metrics
    assert (metric.name, metric.type) == ("ifOperStatus", "EnumAsStateSet")
    assert metric.oid == encode_oid("1.3.6.1.2.1.2.2.1.8")
    assert metric.enum_values == {1: "up", 2: "down", 3: "", 4: "1.10", 5: "True"}
    assert (metric.offset, metric.scale, metric.display_hint) == (-1.0, 0.1, "1x:")
    assert [index.type for index in metric.indexes] == [
        "gauge",
        "EnumAsInfo",
        "OctetString",
        "ObjectIdentifier",
    ]
    assert metric.indexes[1].enum_values == {1: "on", 2: "off"}
    assert (metric.indexes[2].fixed_size, metric.indexes[3].implied) == (4, True)
    name, state, dropped = metric.lookups
    assert name.oid == encode_oid("1.3.6.1.2.1.31.1.1.1.1")
    assert (state.labels, state.enum_values) == (("ifName", "kind"), {1: "yes"})
    assert (dropped.labels, dropped.oid) == ((), b"")
    assert (dated.name, dated.datetime_pattern) == ("job:seen", "%b %d %Y")
    assert (untyped.type, untyped.help) == ("OctetString", "")


def test_regex_extract_gives_what_it_finds(cases):
    metric = load(cases / "snmp" / "overrides.good.yml").modules["default"].metrics[0]
    (never,) = metric.regex_extracts["Temp"]
    assert never.extract("21 C") is None
    first, second = metric.regex_extracts[""]
    assert first.extract("21 C") == "0.021"
    assert first.extract("21 C\n") is None
    assert second.extract("hot") == ""  # $1 of a pattern without groups


def test_leading_dot_of_an_oid_is_dropped(cases):
    module = load(cases / "snmp" / "overrides.good.yml").modules["default"]
    assert module.walk == (encode_oid("1.3.6.1.2.1.1"),)


def test_configuration_cannot_be_changed(cases):
    config = load(cases / "snmp" / "full.good.yml")
    metric = config.modules["full"].metrics[0]
    with pytest.raises(FrozenInstanceError):
        metric.name = "other"
    for mapping in (config.auths, config.modules, metric.enum_values, metric.regex_extracts):
        with pytest.raises(TypeError):
            mapping["new"] = None


def test_values_may_be_built_by_hand():
    lookup = Lookup(labels=["a"], labelname="b", oid="1.3.6")
    assert lookup.oid == encode_oid("1.3.6")
    metric = Metric(
        name="m", oid=b"\x2b", indexes=[{"labelname": "a", "type": "gauge"}], lookups=[lookup]
    )
    assert metric.lookups == (lookup,)
    assert hash(lookup) == hash(Lookup(labels=["a"], labelname="b", oid=lookup.oid))


@pytest.mark.parametrize("version", [1, 2])
def test_versions_without_users_do_not_look_at_the_keys_of_version_3(version, write):
    path = write(
        "snmp.yml",
        f"auths: {{a: {{version: {version}, security_level: ReadOnly, auth_protocol: X}}}}",
    )
    assert load(path).auths["a"].security_level == "ReadOnly"


def test_files_are_merged_in_order(write, tmp_path):
    write("1-auths.yml", AUTHS)
    write("2-modules.yml", MODULES)
    extra = write(
        "extra.yaml", "modules: {system: {walk: [1.3.6.1.2.1.1], metrics: []}}\nversion: 3\n"
    )
    config = load_snmp_config([f"{tmp_path}/*.yml", extra], environment={})
    assert list(config.auths) == ["public_v2"]
    assert list(config.modules) == ["if_mib", "system"]
    assert config.version == 3


def test_file_that_two_patterns_match_is_read_once(write, tmp_path):
    path = write("snmp.yml", AUTHS + MODULES)
    config = load_snmp_config([path, f"{tmp_path}/*.yml"], environment={})
    assert list(config.modules) == ["if_mib"]


def test_name_given_twice_tells_both_places(write, tmp_path):
    first = write("a.yml", AUTHS + MODULES)
    second = write("b.yml", "modules:\n  if_mib: {metrics: []}\nauths:\n  public_v2: {}\n")
    with pytest.raises(ConfigError) as refused:
        load_snmp_config([f"{tmp_path}/*.yml"], environment={})
    assert str(refused.value).splitlines() == [
        f'{second}:4: auths.public_v2: the auth "public_v2" is given twice; '
        f"it is in {first}:1 already; keep one of them",
        f'{second}:2: modules.if_mib: the module "if_mib" is given twice; '
        f"it is in {first}:2 already; keep one of them",
    ]


def test_problems_of_all_files_are_reported_at_once(write, tmp_path):
    first = write("a.yml", "auths: {a: {versoin: 2}}")
    second = write("b.yml", "modules: [")
    missing = tmp_path / "c.yml"
    with pytest.raises(ConfigError) as refused:
        load_snmp_config([first, second, missing], environment={})
    assert [problem.file for problem in refused.value.problems] == [
        str(first),
        str(second),
        str(missing),
    ]


def test_pattern_without_a_match_is_only_logged(write, tmp_path, caplog):
    path = write("snmp.yml", AUTHS + MODULES)
    with caplog.at_level(logging.WARNING):
        load_snmp_config([path, f"{tmp_path}/none/*.yml"], environment={})
    (record,) = caplog.records
    assert record.getMessage() == "no configuration file matches"
    assert record.fields == {"pattern": f"{tmp_path}/none/*.yml"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("none.yml", "none.yml: cannot be read: no such file or directory"),
        ("[a", "[a: is not a file pattern: a [ is not closed"),
        (".", ".: is a directory; name a file, or a pattern such as *.yml"),
    ],
)
def test_pattern_that_names_no_file_is_a_problem(pattern, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        load_snmp_config([pattern], environment={})
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        (
            "",
            [
                "{path}: no auth is configured; "
                "add auths, as in auths: {{public_v2: {{version: 2, community: public}}}}",
                "{path}: no module is configured; add modules, or a file that has some, "
                "such as {if_mib}",
            ],
        ),
        (
            AUTHS,
            [
                "{path}: no module is configured; add modules, or a file that has some, "
                "such as {if_mib}"
            ],
        ),
    ],
)
def test_no_auth_or_no_module_is_a_problem(content, messages, write):
    path = write("snmp.yml", content)
    with pytest.raises(ConfigError) as refused:
        load_snmp_config([path], environment={})
    if_mib = modules_directory("snmp") / "if_mib.yml"
    assert str(refused.value).splitlines() == [
        message.format(path=path, if_mib=if_mib) for message in messages
    ]


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("5", "the duration 5 has no unit; write 5s"),
        ("-5s", "must not be less than 0, found -5s"),
        ("often", 'expected a duration, found "often"; write it as 5s, 1m30s or 500ms'),
    ],
)
def test_wrong_duration_for_the_labels_is_told_once(written, complaint, write):
    path = write("snmp.yml", f"{AUTHS}\nmodules: {{m: {{lookup_cache: {written}}}}}")
    with pytest.raises(ConfigError) as refused:
        load_snmp_config([path], environment={})
    (problem,) = refused.value.problems
    assert str(problem).endswith(f"modules.m.lookup_cache: {complaint}")


def test_labels_that_are_not_to_be_kept_are_told_from_no_word_of_it(write):
    modules = "{off: {lookup_cache: 0, metrics: []}, silent: {metrics: []}}"
    path = write("snmp.yml", f"{AUTHS}\nmodules: {modules}")
    modules = load_snmp_config([path], environment={}).modules
    assert (modules["off"].lookup_cache, modules["silent"].lookup_cache) == (0.0, None)


def test_secret_files_are_relative_to_the_file_that_names_them(write, tmp_path):
    write("secrets/auths.yml", "auths: {a: {community_file: community}}")
    write("secrets/community", "in-the-folder\n")
    write("modules.yml", MODULES)
    config = load_snmp_config(
        [f"{tmp_path}/modules.yml", f"{tmp_path}/secrets/*.yml"], environment={}
    )
    assert config.auths["a"].community.reveal() == "in-the-folder"


def test_peers_file_loads_unchanged(peers_config):
    assert len(peers_config.modules) == 53
    assert sum(len(module.metrics) for module in peers_config.modules.values()) == 4802
    assert list(peers_config.auths) == ["public_v1", "public_v2"]
    assert peers_config.modules["servertech_sentry3"].max_repetitions == 4
    speed = next(
        metric for metric in peers_config.modules["if_mib"].metrics if metric.name == "ifHighSpeed"
    )
    assert speed.oid == encode_oid("1.3.6.1.2.1.31.1.1.1.15")
    assert [lookup.labelname for lookup in speed.lookups] == ["ifAlias", "ifDescr", "ifName"]


def test_equal_parts_of_the_peers_file_are_one_object(peers_config):
    metrics = [m for module in peers_config.modules.values() for m in module.metrics]
    for values in (
        [m.enum_values for m in metrics],
        [m.indexes for m in metrics],
        [m.lookups for m in metrics],
        [m.help for m in metrics],
    ):
        distinct = {id(value): value for value in values}
        assert len(distinct) == len({repr(value) for value in values})


def test_metrics_are_lean(peers_config):
    metric = peers_config.modules["if_mib"].metrics[0]
    assert not hasattr(metric, "__dict__")
    assert sys.getsizeof(metric) <= 160


def test_dictionary_is_opened_once_and_only_for_modules_by_name(write, shipped):
    opened = []

    def open_dictionary():
        opened.append(1)
        return shipped

    by_oid = write("a.yml", AUTHS + MODULES)
    load_snmp_config([by_oid], environment={}, open_dictionary=open_dictionary)
    assert opened == []
    by_name = write("b.yml", "modules: {x: {walk: [ifTable]}, y: {walk: [system]}}")
    config = load_snmp_config([by_oid, by_name], environment={}, open_dictionary=open_dictionary)
    assert opened == [1]
    assert list(config.modules) == ["if_mib", "x", "y"]
    assert len(config.modules["x"].metrics) == 22


def test_modules_are_left_out_where_only_credentials_are_needed(write):
    path = write("a.yml", AUTHS + "modules: {x: {walk: [whatever]}}")
    config = load_snmp_config([path], environment={}, need_modules=False)
    assert (list(config.auths), dict(config.modules)) == (["public_v2"], {})
