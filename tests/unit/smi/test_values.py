from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto import rfc1902

from exporters.smi.addresses import SUBTYPED_TYPES, value_type
from exporters.smi.values import compile_text, integer, number
from exporters.wire import tags
from exporters.wire.tags import COUNTER64, OCTET_STRING, OPAQUE

_ADDRESSES = ["InetAddressIPv4", "InetAddressIPv6", "IpAddress", "PhysAddress48"]
_OTHERS = ["", "Bits", "DisplayString", "OctetString", "gauge"]
_TYPES = st.sampled_from([*_ADDRESSES, *_OTHERS, *sorted(SUBTYPED_TYPES)])


def test_number_of_case(numbers_case: dict[str, Any]) -> None:
    tag = getattr(tags, numbers_case["tag"])
    wrap_counters = numbers_case.get("wrap_counters", True)

    found = number(tag, numbers_case["raw"], wrap_counters=wrap_counters)

    assert found == numbers_case["expected"]
    assert isinstance(found, type(numbers_case["expected"]))


def test_integer_of_case(integers_case: dict[str, Any]) -> None:
    found = integer(getattr(tags, integers_case["tag"]), integers_case["raw"])

    assert found == integers_case["expected"]
    assert type(found) is int


def test_text_of_case(text_case: dict[str, Any]) -> None:
    text = compile_text(text_case["type"], text_case.get("hint"))

    assert text(getattr(tags, text_case["tag"]), text_case["raw"]) == text_case["expected"]


def test_text_by_subtype_of_case(subtypes_case: dict[str, Any]) -> None:
    text = compile_text(value_type(subtypes_case["type"], subtypes_case["subtype"]))

    assert text(OCTET_STRING, subtypes_case["raw"]) == subtypes_case["expected"]


@pytest.mark.parametrize(
    ("syntax", "values"),
    [
        (rfc1902.Integer32, st.integers(-(1 << 31), (1 << 31) - 1)),
        (rfc1902.Counter32, st.integers(0, (1 << 32) - 1)),
        (rfc1902.Gauge32, st.integers(0, (1 << 32) - 1)),
        (rfc1902.TimeTicks, st.integers(0, (1 << 32) - 1)),
        (rfc1902.Unsigned32, st.integers(0, (1 << 32) - 1)),
        (rfc1902.Counter64, st.integers(0, (1 << 64) - 1)),
    ],
    ids=lambda argument: getattr(argument, "__name__", ""),
)
def test_numbers_that_pysnmp_encodes_are_read_back(
    syntax: type, values: st.SearchStrategy[int]
) -> None:
    @given(values)
    def check(value: int) -> None:
        tag, _, *content = encoder.encode(syntax(value))
        raw = bytes(content)

        assert integer(tag, raw) == value
        assert number(tag, raw, wrap_counters=False) == float(value)
        assert compile_text("DisplayString")(tag, raw) == str(value)
        wrapped = value % (1 << 53) if tag == COUNTER64 else value
        assert number(tag, raw, wrap_counters=True) == wrapped

    check()


@given(st.integers(0, 255), st.binary(max_size=40), st.booleans())
def test_any_value_has_a_number_that_is_a_float64(tag: int, raw: bytes, wrap: bool) -> None:
    found = number(tag, raw, wrap_counters=wrap)

    assert math.isnan(found) or -(1 << 63) <= found <= 1 << 64 or tag == OPAQUE
    assert -(1 << 63) <= integer(tag, raw) < 1 << 64 or tag == OPAQUE


@given(_TYPES, st.sampled_from([None, "1x:", "*1d.", "2d-1a"]), st.integers(0, 255), st.binary())
def test_any_value_has_a_text_that_is_utf8(
    type_name: str, hint: str | None, tag: int, raw: bytes
) -> None:
    assert compile_text(type_name, hint)(tag, raw).encode().decode() is not None


@given(st.floats(width=32))
def test_float_text_reads_back_as_the_same_float32(value: float) -> None:
    raw = bytes.fromhex("9F7804") + rfc_float32(value)

    text = compile_text("")(OPAQUE, raw)

    assert "e" not in text.lower().replace("inf", "")
    assert rfc_float32(float(text)) == rfc_float32(value) or math.isnan(value)


def rfc_float32(value: float) -> bytes:
    """IEEE 754 single precision, big-endian, through ctypes rather than the module's ``struct``."""
    from ctypes import c_float

    return bytes(c_float(value))[::-1]
