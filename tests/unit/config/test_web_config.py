from __future__ import annotations

import logging

import bcrypt
import pytest

from exporters.config.web_config import WebConfig, build_ssl_context, load_web_config
from exporters.errors import ConfigError


def test_empty_file_is_plain_http_for_everyone(cases):
    config = load_web_config(cases / "web" / "empty.good.yml", environment={})
    assert config == WebConfig()
    assert not config.tls_server_config.is_enabled
    assert build_ssl_context(config) is None
    assert (config.basic_auth_users, config.http_server_config.headers) == ({}, {})
    assert (config.rate_limit.interval, config.rate_limit.burst) == (0.0, 0)


def test_headers_are_read_and_blank_ones_left_out(cases):
    config = load_web_config(cases / "web" / "headers.good.yml", environment={})
    assert config.http_server_config.headers == {
        "Content-Security-Policy": "default-src 'self'",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "deny",
    }


def test_users_and_rate_limit_are_read(cases):
    config = load_web_config(cases / "web" / "users.good.yml", environment={})
    assert list(config.basic_auth_users) == ["alice", "bob"]
    assert config.basic_auth_users["alice"].reveal().startswith("$2y$10$")
    assert "$2y" not in repr(config)
    assert (config.rate_limit.interval, config.rate_limit.burst) == (1.0, 20)


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_hash_that_bcrypt_makes_is_a_hash(prefix, write):
    hashed = bcrypt.hashpw(b"password", bcrypt.gensalt(rounds=4, prefix=prefix)).decode()
    path = write("web.yml", f"basic_auth_users: {{alice: {hashed}}}")
    config = load_web_config(path, environment={})
    assert bcrypt.checkpw(b"password", config.basic_auth_users["alice"].reveal().encode())


def test_hash_may_come_from_the_environment(write):
    hashed = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
    path = write("web.yml", "basic_auth_users: {alice: '${HASH}'}")
    config = load_web_config(path, environment={"HASH": hashed})
    assert config.basic_auth_users["alice"].reveal() == hashed


@pytest.mark.parametrize(
    "hashed",
    [
        "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7z",
        "$2y$03$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG",
        "$2y$32$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG",
        "$2c$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG",
        "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7z=",
        "$6$salt$hash",
    ],
)
def test_what_is_no_bcrypt_hash_is_refused_without_showing_it(hashed, write):
    path = write("web.yml", f"basic_auth_users: {{alice: {hashed}}}")
    with pytest.raises(ConfigError) as refused:
        load_web_config(path, environment={})
    assert str(refused.value) == (
        f"{path}:1: basic_auth_users.alice: is not a bcrypt hash; "
        "make one with: htpasswd -nBC 10 NAME"
    )


@pytest.mark.parametrize(("text", "warnings"), [("true", 1), ("false", 0)])
def test_http2_is_accepted_and_said_to_have_no_effect(text, warnings, write, caplog):
    path = write("web.yml", f"http_server_config: {{http2: {text}}}")
    with caplog.at_level(logging.WARNING):
        load_web_config(path, environment={})
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["http2 has no effect, HTTP/1.1 is served"] * warnings


@pytest.mark.parametrize(
    "section", ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"]
)
def test_empty_section_is_no_section(section, write):
    assert load_web_config(write("web.yml", f"{section}:\n"), environment={}) == WebConfig()
