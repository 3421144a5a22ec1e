from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.enumerations import compile_bits, compile_enum_text, compile_state_set
from exporters.wire import tags
from exporters.wire.tags import OCTET_STRING

_NAMES = st.dictionaries(st.integers(-5, 40), st.text(max_size=3), max_size=10)


def test_name_of_case(enum_names_case: dict[str, Any]) -> None:
    text = compile_enum_text(enum_names_case["enum_values"])

    assert text(enum_names_case["value"]) == enum_names_case["expected"]


def test_states_of_case(state_sets_case: dict[str, Any]) -> None:
    states = compile_state_set(state_sets_case["enum_values"])(state_sets_case["value"])

    assert states == tuple(map(tuple, state_sets_case["expected"]))


def test_bits_of_case(bits_case: dict[str, Any]) -> None:
    bits = compile_bits(bits_case["enum_values"])
    tag = getattr(tags, bits_case["tag"])

    if "error" in bits_case:
        with pytest.raises(ValueError, match=bits_case["error"]):
            bits(tag, bits_case["raw"])
    else:
        assert bits(tag, bits_case["raw"]) == tuple(map(tuple, bits_case["expected"]))


def test_negative_bit_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid bit number -1 of 'a': expected 0 or more"):
        compile_bits({-1: "a"})


@given(_NAMES, st.integers(-10, 50))
def test_exactly_one_state_is_current_and_it_is_the_named_one(
    enum_values: dict[int, str], value: int
) -> None:
    states = compile_state_set(enum_values)(value)

    assert len({name for name, _ in states}) == len(states)
    assert [name for name, state in states if state] == [compile_enum_text(enum_values)(value)]
    assert set(enum_values.values()) <= {name for name, _ in states}


@given(st.sets(st.integers(0, 60)), st.integers(0, 8))
def test_bits_are_counted_from_the_most_significant(named: set[int], size: int) -> None:
    raw = bytes.fromhex("A5C3F00F69960180")[:size]
    expected = "".join(format(octet, "08b") for octet in raw).ljust(61, "0")

    states = compile_bits({bit: f"bit{bit}" for bit in named})(OCTET_STRING, raw)

    assert states == tuple((f"bit{bit}", int(expected[bit])) for bit in sorted(named))
