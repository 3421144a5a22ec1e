from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from exporters.config.secrets import Secret
from exporters.config.snmp_config import SnmpFile, load_snmp_config
from exporters.config.validation import load_model
from exporters.errors import ConfigError


def test_secret_shows_its_mask_everywhere():
    secret = Secret("hunter2")
    shown = [str(secret), repr(secret), f"{secret}", "%s" % secret, repr([secret]), format(secret)]  # noqa: UP031
    assert set(shown) == {"<secret>", "[<secret>]"}


def test_secret_is_masked_when_a_model_is_dumped():
    adapter = TypeAdapter(Secret)
    assert json.loads(adapter.dump_json(Secret("hunter2"))) == "<secret>"
    assert adapter.json_schema() == {"type": "string", "format": "password", "writeOnly": True}


def test_secret_compares_by_its_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert bool(Secret("a"))
    assert not Secret("")


def test_secrets_are_read_in_all_their_ways(cases, environment):
    config = load_model(
        SnmpFile, cases / "snmp" / "secrets.good.yml", environment=environment
    ).auths
    assert config["braces"].username == "snmp_scott"
    assert config["braces"].password.reveal() == "pre-tiger-post"
    assert config["braces"].priv_password.reveal() == "${SNMP_PASSWORD}"
    assert config["empty"].community.reveal() == ""
    assert config["file"].community.reveal() == "from-a-file"
    assert config["file"].password.reveal() == "from-a-file"
    assert config["numbers"].community.reveal() == "0123"
    assert config["numbers"].password.reveal() == "1e3"
    assert config["numbers"].priv_password.reveal() == "on"
    assert config["numbers"].context_name == "0x10"


def test_names_without_braces_are_text_unless_asked_for(cases, environment):
    path = cases / "snmp" / "secrets.good.yml"
    auth = load_model(SnmpFile, path, environment=environment).auths["dollars"]
    assert (auth.username, auth.password.reveal()) == ("$SNMP_USER", "$SNMP_PASSWORD$")

    auth = load_model(
        SnmpFile, path, environment=environment, expand_environment_variables=True
    ).auths["dollars"]
    assert (auth.username, auth.password.reveal()) == ("scott", "tiger$")
    assert auth.community.reveal() == "pa$$word"  # the peer expands no community


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"a\n", "a"), (b"a\r\n\n", "a"), (b" a \n", " a "), (b"", ""), (b"a\nb\n", "a\nb")],
)
def test_newlines_at_the_end_of_a_secret_file_are_dropped(content, secret, write):
    write("secret", content)
    path = write("snmp.yml", "auths: {a: {community_file: secret}}")
    config = load_model(SnmpFile, path, environment={})
    assert config.auths["a"].community.reveal() == secret
    assert config.auths["a"].community_file == "secret"


def test_variables_in_a_secret_file_are_not_expanded(write):
    write("secret", "${HOME}")
    path = write("snmp.yml", "auths: {a: {community_file: secret}}")
    config = load_model(SnmpFile, path, environment={})
    assert config.auths["a"].community.reveal() == "${HOME}"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('""', "is empty; write the path of a file, or leave the key out"),
        ("binary", "{directory}/binary is not UTF-8 text"),
    ],
)
def test_secret_file_that_is_none_is_refused(value, message, write, tmp_path):
    write("binary", b"\xff\xfe")
    path = write("snmp.yml", f"auths:\n  a:\n    community_file: {value}\n")
    with pytest.raises(ConfigError) as refused:
        load_model(SnmpFile, path, environment={})
    expected = message.format(directory=tmp_path)
    assert str(refused.value) == f"{path}:3: auths.a.community_file: {expected}"


def test_absolute_secret_file_is_taken_as_it_is(write):
    secret = write("elsewhere/secret", "s")
    path = write("etc/snmp.yml", f"auths: {{a: {{community_file: {secret}}}}}")
    config = load_model(SnmpFile, path, environment={})
    assert config.auths["a"].community.reveal() == "s"


def test_null_secret_file_is_no_secret_file(write):
    path = write("snmp.yml", "auths: {a: {community: c, community_file: }}")
    assert load_model(SnmpFile, path, environment={}).auths["a"].community.reveal() == "c"


def test_no_traceback_of_a_refused_file_shows_its_secrets(write):
    path = write("snmp.yml", "auths: {a: {password: hunter2, version: 3, oops: hunter2}}")
    try:
        load_snmp_config([path], environment={})
    except ConfigError:
        assert "hunter2" not in traceback.format_exc()
    else:
        pytest.fail("an unknown key was accepted")


def test_loading_reads_no_variable_of_the_process(monkeypatch, write):
    monkeypatch.setenv("NETEXPORTERS_TEST", "from-process")
    path: Path = write("snmp.yml", "auths: {a: {community: '${NETEXPORTERS_TEST}'}}")
    with pytest.raises(ConfigError, match="NETEXPORTERS_TEST is not set"):
        load_model(SnmpFile, path, environment={})
