"""Whatever a file holds, loading it gives a value or a ConfigError, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.config.check import KINDS
from exporters.config.context import LoadContext
from exporters.config.validation import validate
from exporters.config.yaml_file import load_yaml, parse_yaml
from exporters.errors import ConfigError

YAML_PIECES = st.sampled_from(
    ["a", ": ", "- ", "\n", "  ", "&x ", "*x", "<<", "[", "]", "{", "}", ",", "'", '"', "|", "?",
     "!", "!!int ", "---\n", "...\n", "%YAML 1.1\n", "#", "\t", "1", "null", "\u00e9", "\x00",
     "\ufeff"]
)  # fmt: skip


@given(st.lists(YAML_PIECES, max_size=30).map("".join))
def test_any_text_is_yaml_or_refused(text):
    with contextlib.suppress(ConfigError):
        parse_yaml(text.encode())


@given(st.binary(max_size=50))
def test_any_bytes_are_yaml_or_refused(data):
    with contextlib.suppress(ConfigError):
        parse_yaml(data)


CASES = Path(__file__).parents[2] / "cases" / "config"
GOOD = {
    "snmp": load_yaml(CASES / "snmp" / "full.good.yml"),
    "icmp": load_yaml(CASES / "icmp" / "full.good.yml"),
    "smokeping": load_yaml(CASES / "smokeping" / "full.good.yml"),
    "ping_exporter": load_yaml(CASES / "ping_exporter" / "full.good.yml"),
    "devices": load_yaml(CASES / "devices" / "full.good.yml"),
    "events": load_yaml(CASES / "events" / "full.good.yml"),
    "trap": load_yaml(CASES / "trap" / "full.good.yml"),
    "syslog": load_yaml(CASES / "syslog" / "full.good.yml"),
    "web": {
        **load_yaml(CASES / "web" / "headers.good.yml"),
        **load_yaml(CASES / "web" / "users.good.yml"),
        "tls_server_config": {"client_auth_type": "RequestClientCert", "cipher_suites": ["x"]},
    },
}
ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1.3.6", "${X}", "(a", "5s", "192.0.2.1/24", "<secret>", "DateAndTime"])
    | st.sampled_from([[], {}, [[]], [{}], {"a": []}, {1: {}}, {None: None}])
)


def places(value, here=()):
    """Give the path of every value in a document."""
    yield here
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*here, key))


def changed(value, path, new):
    """Give a copy of a document with another value at *path*."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_change_of_a_configuration_is_loaded_or_refused(kind, data):
    content = GOOD[kind]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(content))))
        content = changed(content, path, data.draw(ODD))
    try:
        validate(KINDS[kind], content, path=Path("none.yml"), context=LoadContext())
    except ConfigError as error:
        assert all(problem.problem for problem in error.problems)
