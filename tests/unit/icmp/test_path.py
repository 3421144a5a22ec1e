"""What rounds of probes say of a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.icmp.path import MAX_HOPS, HopAnswer, Path, PathTracker

NOW = 1_700_000_000.0


def answers(*addresses: str | None, end: bool = True) -> dict[int, HopAnswer | None]:
    """One round; the last address is the end of the path, unless told otherwise."""
    return {
        limit: None
        if address is None
        else HopAnswer(address, limit / 1000, end and limit == len(addresses))
        for limit, address in enumerate(addresses, 1)
    }


def after(*rounds: dict[int, HopAnswer | None]) -> PathTracker:
    tracker = PathTracker()
    for number, found in enumerate(rounds):
        tracker.finish_round(found, NOW + number)
    return tracker


def test_the_first_round_finds_a_path_and_is_no_change():
    tracker = after(answers("r1", "r2", "target"))
    assert tracker.path == Path(("r1", "r2", "target"), complete=True)
    assert (tracker.changes, tracker.changed_at) == (0, None)


def test_what_lies_beyond_the_end_is_not_part_of_the_path():
    found = answers("r1", "target") | {
        limit: HopAnswer("target", 0.1, is_end=True) for limit in range(3, 10)
    }
    tracker = after(found)
    assert tracker.path.hops == ("r1", "target")
    assert len(tracker.hops) == 2


@pytest.mark.parametrize(
    "second",
    [
        answers("r1", "other", "target"),
        answers("r1", "r2", "r3", "target"),
        answers("r1", "target"),
        answers("r1", "other", None, end=False),
        answers("r1", "firewall"),
    ],
    ids=["other router", "longer", "shorter", "other router and broken", "rejected earlier"],
)
def test_another_router_or_length_is_a_change(second):
    tracker = after(answers("r1", "r2", "target"), second)
    assert (tracker.changes, tracker.changed_at) == (1, NOW + 1)


@pytest.mark.parametrize(
    "second",
    [
        answers("r1", None, "target"),
        answers(None, None, "target"),
        answers("r1", None, None, end=False),
        answers(None, None, None, end=False),
        {1: HopAnswer("r1", 0.1, is_end=False)},
        {},
    ],
    ids=["one silent", "two silent", "target lost", "all lost", "only one probed", "none probed"],
)
def test_silence_is_no_change_and_takes_nothing_away(second):
    tracker = after(answers("r1", "r2", "target"), second)
    assert tracker.path == Path(("r1", "r2", "target"), complete=True)
    assert tracker.changes == 0


def test_a_silent_router_that_answers_later_is_filled_in():
    tracker = after(answers("r1", None, "target"), answers(None, "r2", "target"))
    assert tracker.path.hops == ("r1", "r2", "target")
    assert tracker.changes == 0


@pytest.mark.parametrize(
    "rounds",
    [
        [answers("r1", "r2", "target"), answers("r1", "r2", None, "target")],
        [answers("r1", "r2", None, "target"), answers("r1", "r2", "target")],
        [answers("r1", None, None, "target"), answers("r1", "r2", "target")],
    ],
    ids=["later", "at first", "with a router"],
)
def test_the_targets_lost_answer_makes_the_path_no_longer(rounds):
    tracker = after(*rounds)
    assert tracker.path == Path(("r1", "r2", "target"), complete=True)
    assert tracker.changes == 0
    assert len(tracker.hops) == 3


def test_a_path_whose_end_was_unknown_is_completed_without_a_change():
    tracker = after(answers("r1", end=False), answers("r1", "r2", "target"))
    assert tracker.path == Path(("r1", "r2", "target"), complete=True)
    assert tracker.changes == 0


def test_all_hop_limits_are_probed_first_and_then_a_few_beyond_the_end():
    tracker = PathTracker()
    assert tracker.hop_limits() == range(1, MAX_HOPS + 1)
    tracker.finish_round(answers("r1", "r2", "target"), NOW)
    assert tracker.hop_limits() == range(1, 6)


def test_all_hop_limits_are_probed_now_and_then_while_the_end_is_unknown():
    tracker = after(answers("r1", end=False))
    lengths = []
    for _ in range(16):
        lengths.append(len(tracker.hop_limits()))
        tracker.finish_round(answers("r1", end=False), NOW)
    assert lengths.count(MAX_HOPS) == 2
    assert lengths.count(3) == 14


def test_loss_that_does_not_persist_behind_a_hop_is_a_rate_limit():
    tracker = after(*[answers("r1", "r2" if turn % 2 else None, "target") for turn in range(20)])
    assert [tracker.rate_limited(limit) for limit in (1, 2, 3)] == [False, True, False]


def test_loss_that_persists_behind_a_hop_is_loss():
    lossy = [
        answers("r1", None, None, end=False) if turn % 2 else answers("r1", "r2", "target")
        for turn in range(20)
    ]
    tracker = after(*lossy)
    assert [tracker.rate_limited(limit) for limit in (1, 2, 3)] == [False, False, False]
    assert tracker.hops[1].loss == tracker.hops[2].loss == 0.5


def test_a_hop_that_never_answers_is_not_called_rate_limited():
    tracker = after(*[answers("r1", None, "target")] * 20)
    assert not tracker.rate_limited(2)


def test_what_is_counted_of_a_hop_goes_on_over_a_change_but_its_loss_begins_anew():
    tracker = after(answers("r1", None, "target"), answers("r1", "r2", "r3", "target"))
    assert [hop.probes for hop in tracker.hops] == [2, 2, 2, 1]
    assert all(hop.loss == 0 for hop in tracker.hops)


def test_the_hash_stands_for_the_addresses():
    paths = [Path(("a", "b")), Path(("a", "b"), complete=True), Path(("a", None)), Path(("b", "a"))]
    hashes = {path.hash() for path in paths}
    assert len(hashes) == 4
    assert all(len(text) == 16 for text in hashes)
    assert Path(("a", None, "b"), complete=True).text() == "a > * > b"
    assert Path(("a", None)).text() == "a > * > ?"


rounds = st.dictionaries(
    st.integers(1, MAX_HOPS),
    st.none()
    | st.builds(HopAnswer, st.sampled_from(["a", "b", "c"]), st.floats(0, 2), st.booleans()),
)


@given(st.lists(rounds, max_size=12))
def test_whatever_comes_back_the_counts_hold(all_rounds):
    tracker = PathTracker()
    changes = 0
    for number, found in enumerate(all_rounds):
        changes += tracker.finish_round(found, NOW + number)
        assert len(tracker.hops) >= len(tracker.path.hops)
        assert all(0 <= hop.answers <= hop.probes for hop in tracker.hops)
        assert all(0 <= hop.loss <= 1 for hop in tracker.hops)
        assert len(tracker.path.hops) <= MAX_HOPS
        assert not tracker.path.hops or tracker.path.hops[-1] is not None
        assert len(tracker.hop_limits()) <= MAX_HOPS
    assert changes == tracker.changes
