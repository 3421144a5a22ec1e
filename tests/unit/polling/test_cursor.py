"""One column, answer by answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exporters.polling.cursor import Cursor, Range, Verdict, is_after
from exporters.wire.ber import Oid, decode_subids, encode_oid, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import (
    END_OF_MIB_VIEW,
    INTEGER,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    NULL,
)

COLUMN = encode_oid("1.3.6.1.2.1.2.2.1.10")
NEXT_COLUMN = encode_oid("1.3.6.1.2.1.2.2.1.11")
COLUMN_BEFORE = encode_oid("1.3.6.1.2.1.2.2.1.9")

subid = st.one_of(
    st.integers(0, 3),
    st.sampled_from([127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 2**28 - 1, 2**28, 2**32 - 1]),
    st.integers(0, 2**32 - 1),
)
instance = st.lists(subid, min_size=1, max_size=4).map(tuple)


def cursor(root: Oid = COLUMN, column: Oid = COLUMN) -> Cursor:
    return Cursor(Range(root, column, column[:-1], scalar=False))


def row(*index: int, column: Oid = COLUMN, tag: int = INTEGER) -> VarBind:
    return (column + encode_subids(index), tag, b"\x05")


def rows(*numbers: int) -> list[VarBind]:
    return [row(number) for number in numbers]


def read(found: Cursor) -> list[tuple[int, ...]]:
    return [decode_subids(instance) for instance in found.rows]


def test_rows_are_kept_by_their_instance_with_tag_and_content() -> None:
    found = cursor()
    assert found.take([row(1), row(2, tag=NULL)]) is Verdict.MORE
    assert found.rows == {b"\x01": (INTEGER, b"\x05"), b"\x02": (NULL, b"\x05")}
    assert found.position == row(2)[0]


def test_answers_continue_where_the_last_one_ended() -> None:
    found = cursor()
    found.take(rows(1, 2))
    assert found.take(rows(3)) is Verdict.MORE
    assert read(found) == [(1,), (2,), (3,)]


def test_nothing_dealt_to_the_column_leaves_it_open() -> None:
    found = cursor()
    assert found.take([]) is Verdict.MORE
    assert found.position == COLUMN


def test_next_column_is_the_end() -> None:
    found = cursor()
    assert found.take([*rows(1), row(1, column=NEXT_COLUMN)]) is Verdict.END
    assert (read(found), found.position) == ([(1,)], row(1)[0])


@pytest.mark.parametrize("tag", [NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW])
@pytest.mark.parametrize("name", [COLUMN, row(1)[0], row(2)[0], COLUMN_BEFORE])
def test_exception_is_the_end_whatever_it_names(tag: int, name: Oid) -> None:
    found = cursor()
    assert found.take([*rows(1), (name, tag, b"")]) is Verdict.END
    assert read(found) == [(1,)]


def test_rows_behind_the_end_are_not_taken() -> None:
    found = cursor()
    found.take([*rows(1), row(1, column=NEXT_COLUMN), *rows(2)])
    assert read(found) == [(1,)]


def test_column_that_starts_like_another_is_another() -> None:
    """Column 128 is two bytes, the first of which is no number by itself."""
    found = cursor(encode_oid("1.3.6.1.2.1.2.2.1.1"), encode_oid("1.3.6.1.2.1.2.2.1.1"))
    assert found.take([row(1, column=encode_oid("1.3.6.1.2.1.2.2.1.128"))]) is Verdict.END


@pytest.mark.parametrize("where", [COLUMN_BEFORE, encode_oid("1.3.6.1.2.1.1.1")])
def test_what_lies_before_the_column_is_a_stray(where: Oid) -> None:
    found = cursor()
    found.take(rows(1))
    assert found.take([row(1, column=where)]) is Verdict.STRAY


def test_stray_is_told_by_numbers_not_by_bytes() -> None:
    """Column 300 lies before column 16384, whose bytes are the lesser ones."""
    column = encode_oid("1.3.6.1.4.1.99999.1.1.16384")
    found = cursor(column, column)
    assert found.take([row(1, column=encode_oid("1.3.6.1.4.1.99999.1.1.300"))]) is Verdict.STRAY


@pytest.mark.parametrize("again", [2, 1], ids=["same", "back"])
def test_row_that_goes_back_is_a_loop(again: int) -> None:
    found = cursor()
    assert found.take(rows(1, 2, again, 3)) is Verdict.LOOP
    assert read(found) == [(1,), (2,)]


def test_name_that_was_asked_for_is_no_answer() -> None:
    found = cursor()
    assert found.take([(COLUMN, INTEGER, b"")]) is Verdict.LOOP


@pytest.mark.parametrize(
    "steps",
    [
        [(127,), (128,)],
        [(16_383,), (16_384,)],
        [(2_097_151,), (2_097_152,)],
        [(300, 1), (16_384,)],
        [(1, 200), (200, 1)],
        [(10, 0, 0, 5), (10, 0, 0, 200), (10, 0, 1, 1)],
        [(1,), (1, 0), (1, 1), (2,)],
        [(2**28 - 1, 7), (2**28,), (2**32 - 1,)],
    ],
    ids=str,
)
def test_order_is_that_of_numbers_not_of_bytes(steps: list[tuple[int, ...]]) -> None:
    found = cursor()
    assert found.take([row(*step) for step in steps]) is Verdict.MORE
    assert read(found) == steps
    assert found.non_increasing == 0


@given(st.lists(instance, unique=True, max_size=30), st.integers(1, 40))
def test_sorted_rows_are_all_taken_however_they_arrive(
    indexes: list[tuple[int, ...]], size: int
) -> None:
    indexes = sorted(indexes)
    found = cursor()
    for start in range(0, len(indexes), size):
        batch = [row(*index) for index in indexes[start : start + size]]
        assert found.take(batch) is Verdict.MORE
    assert read(found) == indexes


@given(instance, instance)
def test_is_after_compares_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert is_after(encode_subids(one), encode_subids(other)) == (one > other)


@given(instance, instance, instance)
def test_what_lies_outside_a_range_is_after_its_rows_if_it_is_after_the_range(
    root: tuple[int, ...], row: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    assume(outside[: len(root)] != root)
    after_row = is_after(encode_subids(outside), encode_subids(root + row))
    assert is_after(encode_subids(outside), encode_subids(root)) == after_row


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_any_bytes_have_an_order(oids: list[bytes]) -> None:
    for one, other in pairwise(oids):
        assert not (is_after(one, other) and is_after(other, one))


def test_numbers_beyond_32_bits_do_no_harm() -> None:
    found = cursor()
    beyond = b"\x9f\xff\xff\xff\xff\x7f"
    assert found.take([(COLUMN + beyond, INTEGER, b"")]) is Verdict.MORE
    assert found.take([(COLUMN + beyond, INTEGER, b"")]) is Verdict.LOOP


@given(st.lists(st.tuples(st.binary(max_size=8), st.integers(0, 255)), max_size=12), st.booleans())
def test_whatever_an_agent_says_is_judged(said: list[tuple[bytes, int]], any_order: bool) -> None:
    found = cursor()
    varbinds = [(COLUMN + tail, tag, b"") for tail, tag in said]
    assert found.take(varbinds, any_order=any_order) in Verdict
    assert len(found.rows) <= len(varbinds)


@given(st.lists(instance, min_size=1, max_size=6, unique=True), st.booleans())
def test_circle_of_rows_ends(indexes: list[tuple[int, ...]], any_order: bool) -> None:
    """Whatever the order of the circle, it is seen before the third time round."""
    found = cursor()
    for _ in range(2):
        for index in indexes:
            if found.take([row(*index)], any_order=any_order) is Verdict.LOOP:
                assert not any_order or set(read(found)) == set(indexes)
                return
    raise AssertionError("went round and round")


class TestAnyOrder:
    def test_rows_that_go_back_are_taken_and_counted(self) -> None:
        found = cursor()
        assert found.take(rows(2, 1, 5, 3), any_order=True) is Verdict.MORE
        assert read(found) == [(2,), (1,), (5,), (3,)]
        assert found.non_increasing == 2

    def test_row_that_comes_twice_ends_it(self) -> None:
        found = cursor()
        found.take(rows(2, 1), any_order=True)
        assert found.take(rows(2), any_order=True) is Verdict.LOOP

    def test_end_is_the_end(self) -> None:
        found = cursor()
        assert found.take([row(1, column=NEXT_COLUMN)], any_order=True) is Verdict.END


def test_part_of_a_column_gives_instances_of_the_whole() -> None:
    part = COLUMN + encode_subids([7])
    found = cursor(part, COLUMN)
    assert found.take([row(7, 1), row(7, 2), row(8, 1)]) is Verdict.END
    assert read(found) == [(7, 1), (7, 2)]


def test_answer_can_be_given_back() -> None:
    found = cursor()
    found.take(rows(1, 4))
    assert found.take([*rows(5, 6), row(1, column=NEXT_COLUMN)]) is Verdict.END
    found.give_back()
    assert (read(found), found.position) == ([(1,), (4,)], row(4)[0])
    assert found.take(rows(5)) is Verdict.MORE


def test_giving_back_keeps_the_row_that_came_again() -> None:
    found = cursor()
    found.take(rows(1, 4))
    assert found.take(rows(5, 4)) is Verdict.LOOP
    found.give_back()
    assert read(found) == [(1,), (4,)]


def test_giving_back_uncounts_what_went_back() -> None:
    found = cursor()
    found.take(rows(4), any_order=True)
    found.take(rows(2), any_order=True)
    found.give_back()
    assert (read(found), found.non_increasing) == ([(4,)], 0)


def test_column_is_read_no_further_than_its_most_rows() -> None:
    reading = Cursor(Range(COLUMN, COLUMN, COLUMN[:-1], scalar=False, most=3))
    assert reading.take([row(1), row(2)]) is Verdict.MORE
    assert reading.take([row(3), row(4)]) is Verdict.END
    assert len(reading.rows) == 4
