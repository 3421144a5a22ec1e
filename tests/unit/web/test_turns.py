"""Long texts in turns: others go ahead in between, and the text is whole."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from exporters.web.turns import TURN_SECONDS, BodyWriter


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("pieces", [[], [""], ["a", "", "b\n", "\u00e9"]])
async def test_pieces_are_joined_whatever_they_are(pieces, gzipped):
    writer = BodyWriter(gzipped=gzipped)
    await writer.write_in_turns(pieces)
    writer.write(b"end")
    body = writer.finish()
    assert (gzip.decompress(body) if gzipped else body) == ("".join(pieces) + "end").encode()


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
    writer = BodyWriter(gzipped=False)
    await writer.write_in_turns(pieces(), clock=lambda: now[0])
    task.cancel()
    assert writer.finish() == b"x" * 10
    assert len(set(seen)) >= 4


@pytest.mark.parametrize(
    ("others_seconds", "turns"), [(0.0, 10), (TURN_SECONDS, 10), (18 * TURN_SECONDS, 2)]
)
async def test_turn_is_longer_where_others_take_long(others_seconds, turns):
    now = [0.0]
    seen: list[int] = []
    written = 0

    def pieces():
        nonlocal written
        for _ in range(10):
            now[0] += TURN_SECONDS
            written += 1
            yield "x"

    async def other():
        while True:
            seen.append(written)
            now[0] += others_seconds
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await BodyWriter(gzipped=False).write_in_turns(pieces(), clock=lambda: now[0])
    task.cancel()
    assert len(seen) == turns


async def test_failure_of_a_piece_is_the_callers():
    def pieces():
        yield "x"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await BodyWriter(gzipped=False).write_in_turns(pieces())
