from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.integer_hint import compile_integer_hint


@pytest.mark.parametrize(
    ("hint", "value", "text"),
    [
        ("d", 1234, "1234"),
        ("d", -1, "-1"),
        ("d-2", 1234, "12.34"),
        ("d-2", -5, "-0.05"),
        ("d-2", 0, "0.00"),
        ("d-1", 10, "1.0"),
        ("d-0", 7, "7"),
        ("x", 255, "FF"),
        ("o", 8, "10"),
        ("b", 5, "101"),
    ],
)
def test_a_number_is_written_as_its_hint_says(hint: str, value: int, text: str) -> None:
    assert compile_integer_hint(hint)(value) == text


@pytest.mark.parametrize("hint", ["", "255a", "1x:", "d-", "d2", "d--1", "dx", "x-2", "d-999", "D"])
def test_what_is_no_hint_of_an_integer_is_refused(hint: str) -> None:
    with pytest.raises(ValueError, match="expected d, d-2, x, o or b"):
        compile_integer_hint(hint)


@given(st.integers(-(2**63), 2**64), st.integers(1, 30))
def test_a_point_moves_nothing_but_itself(value: int, places: int) -> None:
    text = compile_integer_hint(f"d-{places}")(value)

    assert int(text.replace(".", "")) == value
    assert len(text.partition(".")[2]) == places
