"""What is remembered of agents, and how much of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exporters.snmp.agent_memory import AgentMemory, BoundedCache


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


def test_new_agent_may_be_dead() -> None:
    assert not AgentMemory().answered
