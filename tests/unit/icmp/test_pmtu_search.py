"""The search for a path's MTU, against made-up paths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.icmp.pmtu_search import LEAST_BYTES, MOST_BYTES, PathMtu, PmtuSearch

ROUTER = "10.0.0.1"


def run(search: PmtuSearch, ask: Callable[[PmtuSearch, int], None], most: int = 64) -> list[int]:
    """Let *ask* answer until the search ends; gives the sizes that were asked."""
    asked = []
    while (size := search.next_size()) is not None:
        asked.append(size)
        assert len(asked) <= most, f"no end: {asked}"
        ask(search, size)
    return asked


def path(mtu: int, *, told: int | None = None, local: int = MOST_BYTES) -> Callable[..., None]:
    """A path of *mtu* bytes, whose router tells *told*; None: it keeps silent."""

    def ask(search: PmtuSearch, size: int) -> None:
        if size > local:
            search.too_big(size, local, "")
        elif size <= mtu:
            search.replied(size)
        elif told is None:
            search.silent(size)
        else:
            search.too_big(size, told, ROUTER)

    return ask


def test_a_path_as_wide_as_the_interface_is_found_with_three_questions():
    search = PmtuSearch(4)
    assert run(search, path(1500, local=1500)) == [576, MOST_BYTES, 1500]
    assert search.found == PathMtu(1500)


def test_what_a_router_tells_is_checked_and_found_at_once():
    search = PmtuSearch(4)
    assert run(search, path(1400, told=1400, local=1500)) == [576, MOST_BYTES, 1500, 1400]
    assert search.found == PathMtu(1400, ROUTER)


@pytest.mark.parametrize("told", [0, 68, 1500, 9000], ids=["nothing", "tiny", "same", "more"])
def test_a_router_that_tells_nonsense_does_not_mislead(told):
    search = PmtuSearch(4)
    run(search, path(1400, told=told, local=1500))
    assert search.found == PathMtu(1400, ROUTER)


def test_several_narrow_places_are_found_one_after_the_other():
    def ask(search: PmtuSearch, size: int) -> None:
        for mtu, router in ((1500, ""), (1450, "10.0.0.1"), (1400, "10.0.0.2")):
            if size > mtu:
                search.too_big(size, mtu, router)
                return
        search.replied(size)

    search = PmtuSearch(4)
    assert run(search, ask) == [576, MOST_BYTES, 1500, 1450, 1400]
    assert search.found == PathMtu(1400, "10.0.0.2")


@pytest.mark.parametrize("mtu", [577, 1399, 1400, 1499])
def test_a_black_hole_is_found_to_the_byte(mtu):
    search = PmtuSearch(4)
    asked = run(search, path(mtu, local=1500))
    assert search.found == PathMtu(mtu, "", black_hole=True)
    assert len(asked) <= 20


def test_a_target_that_never_answers_ends_the_search_without_a_result():
    search = PmtuSearch(6)
    assert run(search, path(0)) == [1280]
    assert search.found is None


def test_a_large_packet_lost_by_chance_makes_no_black_hole():
    lost = iter([True])

    def ask(search: PmtuSearch, size: int) -> None:
        if size == 1500 and next(lost, False):
            search.silent(size)
        else:
            path(1500, local=1500)(search, size)

    search = PmtuSearch(4)
    run(search, ask)
    assert search.found == PathMtu(1500)


def test_nothing_is_found_before_the_end():
    search = PmtuSearch(4)
    search.replied(576)
    assert search.found is None


@given(
    st.sampled_from([4, 6]),
    st.integers(576, MOST_BYTES),
    st.none() | st.integers(0, MOST_BYTES),
    st.integers(1280, MOST_BYTES),
)
def test_every_path_is_found_to_the_byte(version, mtu, told, local):
    search = PmtuSearch(version)
    run(search, path(mtu, told=told, local=local))
    found = search.found
    if mtu < LEAST_BYTES[version]:
        assert found is None
    else:
        assert found is not None
        assert found.mtu_bytes == min(mtu, local) or (
            # a router that tells less than it takes is believed once that much has passed
            told is not None and found.mtu_bytes == told <= mtu
        )


@given(st.lists(st.tuples(st.sampled_from(["reply", "big", "silent"]), st.integers(0, 70_000))))
def test_contradictory_answers_never_break_the_search(answers):
    search = PmtuSearch(4)
    for kind, number in answers:
        size = search.next_size()
        if size is None:
            break
        if kind == "reply":
            search.replied(size)
        elif kind == "big":
            search.too_big(size, number, ROUTER)
        else:
            search.silent(size)
    assert search.found is None or 576 <= search.found.mtu_bytes <= MOST_BYTES
