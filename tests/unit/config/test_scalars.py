from __future__ import annotations

import math

import pytest

from exporters.config.scalars import boolean_of, resolve, text_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("0x1F", 31),
        ("-0x1f", -31),
        ("017", 15),
        ("0o17", 15),
        ("0b101", 5),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        ("08", 8.0),
        (".5", 0.5),
        ("1_0.5", 10.5),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("false", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
    ],
)
def test_plain_scalar_becomes_a_value_and_keeps_its_text(text, value):
    resolved = resolve(text)
    assert resolved == value
    assert isinstance(resolved, type(value))
    assert text_of(resolved) == ("" if value is None else text)


def test_nan_is_a_number():
    assert math.isnan(resolve(".nan"))
    assert text_of(resolve(".NaN")) == ".NaN"


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "on",
        "OFF",
        "True",
        "FALSE",
        "y",
        "1:30",
        "0x",
        "1.3.6.1",
        "2025-01-01",
        "10.0.0.1",
        "e3",
        "+",
        "-",
        ".",
        "_1",
        "1e",
        "nul",
        ".infinity",
        "9" * 101,
    ],
)
def test_plain_scalar_stays_text(text):
    assert resolve(text) is text
    assert text_of(text) == text


@pytest.mark.parametrize(
    ("value", "boolean"),
    [
        (True, True),
        ("yes", True),
        ("On", True),
        ("TRUE", True),
        ("n", False),
        ("off", False),
        ("maybe", None),
        (1, None),
        (None, None),
        ("", None),
    ],
)
def test_boolean_field_accepts_the_spellings_of_yaml_1_1(value, boolean):
    assert boolean_of(value) is boolean


def test_structures_have_no_text():
    assert text_of([]) is None
    assert text_of({}) is None
