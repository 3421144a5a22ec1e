from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass
from pydantic_core._pydantic_core import list_all_errors

from exporters.config import validation
from exporters.config.rejection import format_key_path, quote
from exporters.config.validation import load_model
from exporters.errors import ConfigError


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Inner:
    word: Literal["red", "green"] = "red"
    only: Literal["one"] = "one"
    number: Annotated[int, Field(gt=0, lt=10)] = 1
    ratio: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    flag: bool = False
    text: str = ""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Outer:
    inner: Inner | None = None
    several: Annotated[list[Inner], Field(min_length=1, max_length=2)] | None = None
    by_name: Mapping[int, Inner] | None = None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inner: {wrod: red}", '1: inner.wrod: unknown key; did you mean "word"?'),
        (
            "inner: {zzz: red}",
            "1: inner.zzz: unknown key; known keys: word, only, number, ratio, flag, text",
        ),
        ("several: [{Word: red}]", '1: several[0].Word: unknown key; did you mean "word"?'),
        ("by_name: {7: {wrod: 1}}", '1: by_name[7].wrod: unknown key; did you mean "word"?'),
        ("inner: {word: blue}", '1: inner.word: unknown value "blue"; known values: red, green'),
        ("inner: {word: grean}", '1: inner.word: unknown value "grean"; did you mean "green"?'),
        ("inner: {word: [red]}", "1: inner.word: expected text, found a list"),
        ("inner: {only: two}", '1: inner.only: unknown value "two"; known values: one'),
        ("inner: {number: 0}", "1: inner.number: must be more than 0, found 0"),
        ("inner: {number: 10}", "1: inner.number: must be less than 10, found 10"),
        ("inner: {number: x}", '1: inner.number: expected a whole number, found "x"'),
        ("inner: {number: 1.5}", "1: inner.number: expected a whole number, found 1.5"),
        ("inner: {ratio: -1}", "1: inner.ratio: must be at least 0, found -1"),
        ("inner: {ratio: 2}", "1: inner.ratio: must be at most 1, found 2"),
        ("inner: {ratio: x}", '1: inner.ratio: expected a number, found "x"'),
        ("inner: {flag: perhaps}", '1: inner.flag: expected true or false, found "perhaps"'),
        ("inner: {text: [a]}", "1: inner.text: expected text, found a list"),
        ("inner: secret", "1: inner: expected a mapping, found text"),
        ("several: {}", "1: several: expected a list, found a mapping"),
        ("several: []", "1: several: must have at least 1 entry"),
        ("several: [{}, {}, {}]", "1: several: must have at most 2 entries"),
        ("by_name: []", "1: by_name: expected a mapping, found a list"),
        ("by_name: {x: {}}", '1: by_name.x: expected a whole number, found "x"'),
        ("[]", " expected a mapping, found a list"),
        ("text", " expected a mapping, found text"),
    ],
)
def test_problem_is_worded_for_people(text, message, write):
    path = write("x.yml", text)
    with pytest.raises(ConfigError) as refused:
        load_model(Outer, path, environment={})
    assert str(refused.value) == f"{path}:{message}"


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(write):
    path = write("x.yml", "several:\n- {nmber: 1}\n- {word: blue}\ninner:\n  oops: 1\nzzz: 1\n")
    with pytest.raises(ConfigError) as refused:
        load_model(Outer, path, environment={})
    found = [(problem.line, problem.key_path) for problem in refused.value.problems]
    assert found == [
        (2, "several[0].nmber"),
        (3, "several[1].word"),
        (5, "inner.oops"),
        (6, "zzz"),
    ]


def test_empty_file_is_an_empty_mapping(write):
    assert load_model(Outer, write("x.yml", ""), environment={}) == Outer()


@pytest.mark.parametrize("known", list_all_errors(), ids=lambda known: known["type"])
def test_no_error_of_the_library_speaks_of_the_program(known):
    details = {
        "type": known["type"],
        "loc": ("key",),
        "msg": known["example_message_python"],
        "input": "x",
        "ctx": known.get("example_context") or {},
    }
    (fault,) = validation._faults(details, {}, ("key",))
    assert fault.problem
    assert fault.problem[0].islower() or not fault.problem[0].isalpha()
    for jargon in ("pydantic", "Input should", "Value error", "Assertion failed", "http"):
        assert jargon not in fault.problem


@pytest.mark.parametrize(
    ("key_path", "text"),
    [
        ((), ""),
        (("a", "b", 0, "c"), "a.b[0].c"),
        (("a", ""), 'a.""'),
        (("a", "b.c", "d e"), 'a."b.c"."d e"'),
        ((0,), "[0]"),
    ],
)
def test_key_path_is_written_so_that_it_can_be_found(key_path, text):
    assert format_key_path(key_path) == text


def test_long_value_is_cut_in_a_message():
    assert quote("x" * 61) == '"' + "x" * 57 + '..."'
    assert quote("a\nb") == '"a\\nb"'
    assert quote(None) == "nothing"
    assert quote(True) == "true"
    assert quote(5) == "5"
