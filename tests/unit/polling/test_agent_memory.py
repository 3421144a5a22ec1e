"""What is remembered of agents, and how much of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.polling.agent_memory import READINGS_BEFORE_GROWTH, AgentMemory, BoundedCache


def test_entry_is_made_once_and_kept() -> None:
    cache = BoundedCache[str, AgentMemory](AgentMemory)
    first = cache.get("one")
    assert cache.get("one") is first
    assert cache.get("two") is not first
    assert len(cache) == 2


def test_agents_do_not_share_what_is_learnt() -> None:
    cache = BoundedCache[str, AgentMemory](AgentMemory)
    cache.get("one").row_counts[b"\x2b"] = 7
    cache.get("one").rtt.observe(1.0)
    assert cache.get("two").row_counts == {}
    assert cache.get("two").rtt.smoothed_seconds is None


def test_entry_not_used_for_longest_makes_room() -> None:
    cache = BoundedCache[str, list[int]](list, size=2)
    one = cache.get("one")
    two = cache.get("two")
    cache.get("one")
    cache.get("three")
    assert cache.get("one") is one
    assert cache.get("two") is not two


def test_cleared_cache_knows_nobody() -> None:
    cache = BoundedCache[str, list[int]](list)
    one = cache.get("one")
    cache.clear()
    assert len(cache) == 0
    assert cache.get("one") is not one


@given(st.lists(st.integers(0, 20), max_size=100), st.integers(1, 10))
def test_cache_is_bounded_and_has_what_was_used_last(keys: list[int], size: int) -> None:
    cache = BoundedCache[int, list[int]](list, size)
    entries = {}
    for key in keys:
        entries[key] = cache.get(key)
        assert len(cache) <= size
        assert cache.get(key) is entries[key]
    latest = list(dict.fromkeys(reversed(keys)))[:size]
    assert all(cache.get(key) is entries[key] for key in latest)


def agent_below_limit(limit: int) -> AgentMemory:
    memory = AgentMemory(varbinds_per_answer=2 * limit)
    memory.note_too_big(2 * limit)
    assert (memory.varbinds_limit, memory.varbinds_per_answer) == (limit, limit)
    return memory


def read_often(memory: AgentMemory, steps: int = 1) -> None:
    for _ in range(steps * (READINGS_BEFORE_GROWTH + 1)):
        memory.note_reading()


def test_limit_grows_by_a_step_when_it_has_held_for_long() -> None:
    memory = agent_below_limit(10)
    for _ in range(READINGS_BEFORE_GROWTH):
        memory.note_reading()
    assert memory.varbinds_limit == 10
    memory.note_reading()
    assert memory.varbinds_limit == 20
    assert memory.varbinds_per_answer == 10, "which grows with the answers"


def test_limit_is_forgotten_in_the_end() -> None:
    memory = agent_below_limit(1)
    read_often(memory, 7)
    assert memory.varbinds_limit == 0


def test_agent_that_never_said_too_big_has_no_limit() -> None:
    memory = AgentMemory(varbinds_per_answer=20)
    read_often(memory, 3)
    assert memory.varbinds_limit == 0


@pytest.mark.parametrize("wanted", [11, 12, 20, 40])
def test_growth_that_was_too_much_falls_back_to_what_went_well(wanted: int) -> None:
    memory = agent_below_limit(10)
    read_often(memory)
    memory.varbinds_per_answer = wanted
    memory.note_too_big(wanted)
    assert memory.varbinds_limit == max(10, wanted // 2)
    read_often(memory)
    assert memory.varbinds_limit == 2 * max(10, wanted // 2)


def test_limit_that_does_not_hold_any_more_is_not_kept_to() -> None:
    """Rows have become longer since."""
    memory = agent_below_limit(10)
    read_often(memory)
    memory.varbinds_per_answer = 20
    memory.note_too_big(10)
    assert memory.varbinds_limit == 5
    memory.note_too_big(5)
    assert memory.varbinds_limit == 2


def test_each_refusal_starts_the_count_anew() -> None:
    memory = agent_below_limit(10)
    for _ in range(READINGS_BEFORE_GROWTH):
        memory.note_reading()
    memory.note_too_big(10)
    memory.note_reading()
    assert memory.varbinds_limit == 5


def test_new_agent_may_be_dead() -> None:
    assert not AgentMemory().answered
