"""The arguments of flags: what they become, and what is said of those that are wrong."""

from __future__ import annotations

import argparse
import ipaddress

import pytest

from exporters.config import flag_values


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", 0.5), ("500ms", 0.5), ("1m30s", 90), ("0", 0), ("10", 10)]
)
def test_seconds_are_numbers_or_durations(text, value):
    assert flag_values.seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "-1", "-1s", "nan", "inf", "1e7", "5 s"])
def test_seconds_that_are_none_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        flag_values.seconds(text)


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("0", 0), ("-3", 0)])
def test_count_is_never_negative(text, value):
    assert flag_values.count(text) == value


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("0", 1), ("-3", 1)])
def test_positive_count_is_at_least_one(text, value):
    assert flag_values.positive(text) == value


@pytest.mark.parametrize("read", [flag_values.count, flag_values.positive])
def test_count_that_is_no_number_is_refused(read):
    with pytest.raises(argparse.ArgumentTypeError, match="'many' is not a number"):
        read("many")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_network_is_one_with_or_without_a_prefix(text, value):
    assert flag_values.network(text) == ipaddress.ip_network(value)


def test_network_that_is_none_is_refused():
    with pytest.raises(argparse.ArgumentTypeError, match="'switch' is not a network"):
        flag_values.network("switch")


@pytest.mark.parametrize("text", ["0", "0.0", "0s"])
def test_a_time_that_must_be_some_is_not_zero(text):
    with pytest.raises(argparse.ArgumentTypeError, match="no time at all"):
        flag_values.some_seconds(text)
    assert flag_values.some_seconds("500ms") == 0.5


@pytest.mark.parametrize("text", ["-1", "0", "2147483648", "32MiB", ""])
def test_size_that_is_none_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no size; expected a number of bytes"):
        flag_values.size_bytes(text)


def test_size_is_a_number_of_bytes() -> None:
    assert flag_values.size_bytes("65536") == 65536
