"""Targets as users write them; the cases are in ``tests/cases/snmp/targets.yml``."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.sockets.target_address import TargetAddress, parse_target


def test_target_means_what_the_case_says(target_case: dict[str, Any]) -> None:
    if "error" in target_case:
        with pytest.raises(ValueError, match=re.escape(target_case["error"])):
            parse_target(target_case["target"])
        return
    assert parse_target(target_case["target"]) == TargetAddress(
        target_case["transport"], target_case["host"], target_case["port"]
    )


def test_canonical_form_means_the_same(good_target_case: dict[str, Any]) -> None:
    address = parse_target(good_target_case["target"])
    assert parse_target(str(address)) == address


@pytest.mark.parametrize(
    ("target", "canonical"),
    [
        ("switch", "switch:161"),
        ("udp://switch:1161", "switch:1161"),
        ("tcp://::1", "tcp://[::1]:161"),
        ("udp6://switch", "udp6://switch:161"),
    ],
)
def test_canonical_form_names_the_transport_unless_it_is_udp(target: str, canonical: str) -> None:
    assert str(parse_target(target)) == canonical


@pytest.mark.parametrize("length", [253, 254])
def test_name_is_no_longer_than_dns_allows(length: int) -> None:
    name = "a" * length
    if length <= 253:
        assert parse_target(name).host == name
    else:
        with pytest.raises(ValueError, match="neither a host name nor an address"):
            parse_target(name)


@given(st.text(max_size=40))
def test_any_text_is_a_target_or_a_value_error(text: str) -> None:
    try:
        address = parse_target(text)
    except ValueError:
        return
    assert parse_target(str(address)) == address
    assert str(address).isprintable()
