"""Writing a long text without keeping pings waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

TURN_SECONDS: Final = 0.002


async def join_in_turns(
    pieces: Iterable[str], clock: Callable[[], float] = time.perf_counter
) -> bytes:
    """Join *pieces*, which are made as they are asked for, and let others go ahead in between.

    A turn ends with the first piece after its time is over, so no piece may take long.
    """
    found: list[bytes] = []
    turn: list[str] = []
    over_at = clock() + TURN_SECONDS
    for piece in pieces:
        turn.append(piece)
        if clock() >= over_at:
            found.append("".join(turn).encode())
            turn.clear()
            await asyncio.sleep(0)
            over_at = clock() + TURN_SECONDS
    found.append("".join(turn).encode())
    return b"".join(found)
