"""Long texts in turns: others go ahead in between, and the text is whole."""

from __future__ import annotations

import asyncio

import pytest

from exporters.icmp.turns import TURN_SECONDS, join_in_turns


@pytest.mark.parametrize("pieces", [[], [""], ["a", "", "b\n", "\u00e9"]])
async def test_pieces_are_joined_whatever_they_are(pieces):
    assert await join_in_turns(pieces) == "".join(pieces).encode()


async def test_others_go_ahead_whenever_a_turn_is_over():
    now = [0.0]
    seen: list[str] = []
    written = 0

    def pieces():
        nonlocal written
        for _ in range(10):
            now[0] += TURN_SECONDS / 2
            written += 1
            yield "x"

    async def other():
        while True:
            seen.append("x" * written)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert await join_in_turns(pieces(), clock=lambda: now[0]) == b"x" * 10
    task.cancel()
    assert len(set(seen)) >= 4


async def test_failure_of_a_piece_is_the_callers():
    def pieces():
        yield "x"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await join_in_turns(pieces())
