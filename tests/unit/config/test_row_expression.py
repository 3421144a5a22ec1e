"""The language of conditions on rows: what it means, and where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.row_expression import (
    And,
    ColumnKind,
    Comparison,
    ExpressionError,
    Node,
    Not,
    NumberTest,
    Or,
    TextTest,
    Word,
    parse_row_expression,
    resolve,
)

STATES = {1: "up", 2: "down", 3: "not-present", 4: "down"}
KINDS = {
    "state": ColumnKind(False, STATES),
    "speed": ColumnKind(False),
    "name": ColumnKind(True),
}


def shape(node: Node) -> Any:
    """A condition without places."""
    if isinstance(node, Comparison):
        value = node.value.text if isinstance(node.value, Word) else node.value
        return (node.column, node.operator, value)
    if isinstance(node, Not):
        return ("not", shape(node.inner))
    if isinstance(node, And | Or):
        word = "and" if isinstance(node, And) else "or"
        return (word, *map(shape, node.parts))
    if isinstance(node, NumberTest):
        return (node.column, node.operator, node.number)
    assert isinstance(node, TextTest)
    text = node.text if isinstance(node.text, str) else node.text.source
    return (node.column, node.operator, text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == up", ("a", "==", "up")),
        ("a==1 and b!=-2.5e3", ("and", ("a", "==", 1.0), ("b", "!=", -2500.0))),
        (
            "a < 1 or b > 2 and not c == 3",
            ("or", ("a", "<", 1.0), ("and", ("b", ">", 2.0), ("not", ("c", "==", 3.0)))),
        ),
        (
            "(a <= 1 or b >= 2) and c == d",
            ("and", ("or", ("a", "<=", 1), ("b", ">=", 2)), ("c", "==", "d")),
        ),
        ("not not a == 1", ("not", ("not", ("a", "==", 1.0)))),
        (r'a =~ "core\.1"', ("a", "=~", r"core\.1")),
        (r'a == "say \"hi\""', ("a", "==", 'say "hi"')),
        ("a != 'it is \"so\"'", ("a", "!=", 'it is "so"')),
        ("IF-MIB::ifAlias !~ 'a b'", ("IF-MIB::ifAlias", "!~", "a b")),
        ("1.3.6.1.2.1.2.2.1.8 == 1", ("1.3.6.1.2.1.2.2.1.8", "==", 1.0)),
        ("a == not-present\n  or\tb == +.5", ("or", ("a", "==", "not-present"), ("b", "==", 0.5))),
        ("android == orange", ("android", "==", "orange")),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_it_is_meant(source: str, expected: Any) -> None:
    assert shape(parse_row_expression(source).root) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("state == up", ("state", "==", 1)),
        ("state == 'up'", ("state", "==", 1)),
        ("state < 3", ("state", "<", 3.0)),
        ("state == down", ("or", ("state", "==", 2), ("state", "==", 4))),
        ("state != down", ("and", ("state", "!=", 2), ("state", "!=", 4))),
        ("state =~ 'not.*|up'", ("or", ("state", "==", 1), ("state", "==", 3))),
        ("state !~ 'not.*'", ("and", ("state", "!=", 3))),
        ("not name == 'a'", ("not", ("name", "==", "a"))),
        ("name =~ 'a.*' and speed > 1", ("and", ("name", "=~", "a.*"), ("speed", ">", 1.0))),
    ],
)
def test_a_condition_has_the_meaning_of_its_columns(source: str, expected: Any) -> None:
    assert shape(resolve(parse_row_expression(source), KINDS.__getitem__)) == expected


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("", 1),
        ("a", 2),
        ("a ==", 5),
        ("a == and", 6),
        ("== 1", 1),
        ("and a == 1", 1),
        ("a == 1 and", 11),
        ("a == 1 b == 2", 8),
        ("a && b", 3),
        ("a == 1 || b == 2", 8),
        ("!a == 1", 1),
        ("a = 1", 3),
        ('a == "x', 6),
        ("a == 10GE", 6),
        ("a == 1and b == 2", 6),
        ("a == 1.2.3.4.5x", 6),
        ("(a == 1", 1),
        ("((a == 1)", 1),
        ("a == 1)", 7),
        ("()", 2),
        ("a in b", 3),
        ("not", 4),
        ("a == ü", 6),
        ("(" * 1000 + "a == 1" + ")" * 1000, 51),
        ("not " * 1000 + "a == 1", 201),
    ],
)
def test_a_wrong_condition_says_at_which_character(source: str, at: int) -> None:
    with pytest.raises(ExpressionError, match=rf"^character {at}: "):
        parse_row_expression(source)


@given(st.text(alphabet="ab1.= <>!~()'\"\\\nandort:-", max_size=40))
def test_any_text_is_a_condition_or_refused(source: str) -> None:
    try:
        found = parse_row_expression(source)
    except ExpressionError:
        return
    assert list(found.comparisons())
