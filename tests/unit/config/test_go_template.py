from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.go_template import parse_template

MATCH = re.fullmatch(r"(?P<whole>\d+)\.(\d+)(x)?(?P<unit>C)", "12.5C")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("$1", "12"),
        ("${1}", "12"),
        ("$whole", "12"),
        ("${unit}", "C"),
        ("$0", "12.5C"),
        ("$1.$2", "12.5"),
        ("0$1.0$2", "012.05"),
        ("0.0$2", "0.05"),
        ("$1x", ""),
        ("${1}x", "12x"),
        ("$1_", ""),
        ("$3", ""),
        ("$9", ""),
        ("$none", ""),
        ("$01", ""),
        ("$999999999999", ""),
        ("$$1", "$1"),
        ("$$$1", "$12"),
        ("5", "5"),
        ("", ""),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("${1", "${1"),
        ("${}", "${}"),
        ("${a-b}", "${a-b}"),
        ("$-1", "$-1"),
    ],
)
def test_template_expands_as_in_go(template, text):
    assert parse_template(template).expand(MATCH) == text


@given(st.text(alphabet="$ {}a1_.-"))
def test_every_text_is_a_template_that_expands(text):
    template = parse_template(text)
    assert template.source == text
    if "$" not in text:
        assert template.expand(MATCH) == text


def test_equal_texts_are_equal_templates():
    assert parse_template("$1") == parse_template("$1")
    assert hash(parse_template("$1")) == hash(parse_template("$1"))
