"""Rows in OID order: sort keys, encoding, look-up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.demo.recording import Recording, decode_varbind, encode_varbind, sort_key
from exporters.wire.ber import encode_oid, encode_subids
from exporters.wire.snmp_message import decode_varbinds
from exporters.wire.tags import INTEGER, OCTET_STRING

# the borders between encodings of one, two, three, four and five bytes, and numbers around them
BORDERS = [0, 1, 127, 128, 129, 16383, 16384, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**32 - 1]
subids = st.lists(st.sampled_from(BORDERS) | st.integers(0, 2**32 - 1), min_size=1, max_size=6)


@given(subids, subids)
def test_sort_keys_compare_as_sub_identifiers_do(left: list[int], right: list[int]) -> None:
    keys = sort_key(encode_subids(left)), sort_key(encode_subids(right))
    assert (keys[0] < keys[1]) == (tuple(left) < tuple(right))
    assert (keys[0] == keys[1]) == (left == right)


@given(subids, st.sampled_from([INTEGER, OCTET_STRING, 0x46, 0x82]), st.binary(max_size=300))
def test_varbind_reads_back_through_the_codec_and_through_its_inverse(
    oid: list[int], tag: int, content: bytes
) -> None:
    row = encode_varbind(encode_subids(oid), tag, content)
    varbind = (encode_subids(oid), tag, content)
    assert decode_varbinds(row, 0, len(row)) == [varbind]
    assert decode_varbind(row) == varbind


@pytest.fixture
def recording() -> Recording:
    oids = ["1.3.6.1.20000", "1.3.6.1.3", "1.3.6.1.200", "1.3.6.1.3.0", "1.3.6.1.16383"]
    return Recording.from_varbinds((encode_oid(oid), INTEGER, b"\x01") for oid in oids)


def test_rows_come_in_numeric_order_whatever_order_they_were_given_in(recording: Recording) -> None:
    expected = ["1.3.6.1.3", "1.3.6.1.3.0", "1.3.6.1.200", "1.3.6.1.16383", "1.3.6.1.20000"]
    assert [oid for oid, _, _ in recording] == [encode_oid(oid) for oid in expected]


@pytest.mark.parametrize(
    ("oid", "position", "after"),
    [
        pytest.param("1.3.6.1.3", 0, 1, id="a row"),
        pytest.param("1.3.6.1", None, 0, id="before all"),
        pytest.param("1.3.6.1.3.0.0", None, 2, id="below a row"),
        pytest.param("1.3.6.1.16384", None, 4, id="between encodings of two and three bytes"),
        pytest.param("1.3.6.1.20000", 4, 5, id="the last row"),
        pytest.param("1.3.7", None, 5, id="behind all"),
    ],
)
def test_position_is_found_exactly_and_after(
    recording: Recording, oid: str, position: int | None, after: int
) -> None:
    assert recording.position(encode_oid(oid)) == position
    assert recording.position_after(encode_oid(oid)) == after


def test_of_two_rows_with_one_oid_the_later_stays() -> None:
    oid = encode_oid("1.3.6.1.3")
    recording = Recording.from_varbinds([(oid, INTEGER, b"\x01"), (oid, INTEGER, b"\x02")])
    assert list(recording) == [(oid, INTEGER, b"\x02")]
