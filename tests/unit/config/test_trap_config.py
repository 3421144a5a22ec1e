from __future__ import annotations

import pytest

from exporters.config.trap_config import load_trap_config
from exporters.config.trap_dump import dump_trap_config
from exporters.errors import ConfigError

ENVIRONMENT = {"SNMP_USER": "s3cret"}


def test_every_key_is_read(cases):
    config = load_trap_config([cases / "trap" / "full.good.yml"], environment=ENVIRONMENT)
    assert config.versions == ("2c", "3")
    assert [one.reveal() for one in config.communities] == ["public", "s3cret"]
    assert [user.username for user in config.users] == ["nms", "nms", "lab"]
    assert config.engine_id == "80001f880474657374"
    assert config.events.scrape_interval == 30.0
    assert config.rule_files == (str(cases / "trap" / "rules/*.yml"),)


def test_nothing_configured_takes_every_version_and_community():
    config = load_trap_config([], environment={})
    assert config.versions == ("1", "2c", "3")
    assert config.communities == ()
    assert config.shipped_rules


def test_dump_has_no_secret_and_the_rest_loads_again(cases, write):
    config = load_trap_config([cases / "trap" / "full.good.yml"], environment=ENVIRONMENT)
    dumped = dump_trap_config(config)
    for secret in ("s3cret", "public", "authentic1", "private123", "oldpassword"):
        assert secret not in dumped
    again = load_trap_config(
        [write("again.yml", dumped.replace("<secret>", "another"))], environment={}
    )
    assert dump_trap_config(again) == dumped
    assert (again.access, again.events, again.engine_id) == (
        config.access,
        config.events,
        config.engine_id,
    )


def test_lists_of_several_files_add_up(write):
    one = write("one.yml", "communities: [a]\nrule_files: [x.yml]\n")
    two = write("two.yml", "communities: [b]\nengines_limit: 7\n")
    config = load_trap_config([one, two], environment={})
    assert [community.reveal() for community in config.communities] == ["a", "b"]
    assert config.engines_limit == 7


def test_key_that_two_files_give_is_an_error(write):
    one = write("one.yml", "engines_limit: 7\n")
    two = write("two.yml", "users:\nengines_limit: 8\n")
    with pytest.raises(ConfigError) as caught:
        load_trap_config([one, two], environment={})
    assert str(caught.value) == (
        f"{two}:2: engines_limit: is given twice; it is in {one}:1 already; keep one"
    )


def test_password_can_be_in_a_file(write):
    write("password", "authentic1\n")
    text = "users: [{username: nms, security_level: authNoPriv, password_file: password}]"
    config = load_trap_config([write("trap.yml", text)], environment={})
    assert config.users[0].password.reveal() == "authentic1"
    assert "password_file: password" in dump_trap_config(config)
