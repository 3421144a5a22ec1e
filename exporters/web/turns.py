"""Writing a long text without keeping others waiting, and compressing it on the way.

A text of fifty megabytes takes a second to make. Whoever makes it gives it in pieces, and between
two of them the event loop does what else is due. gzip works piece by piece as well: what is held
in the end is the compressed body and never the whole text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from exporters.web.compression import gzip_compressor

TURN_SECONDS: Final = 0.002
_PART_OF_OTHERS: Final = 0.25


class BodyWriter:
    """A body that grows."""

    def __init__(self, *, gzipped: bool) -> None:
        self._compressor = gzip_compressor() if gzipped else None
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Add *data* at the end."""
        self._parts.append(self._compressor.compress(data) if self._compressor else data)

    async def write_in_turns(
        self, pieces: Iterable[str], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Add *pieces*, which are made as they are asked for, and let others go ahead in between.

        A turn ends with the first piece after its time is over, so no piece may take long. Where
        others take long, as what receives at full speed does, a turn is longer by a part of that:
        or the text would not be done before it is of no use.
        """
        over_at = clock() + TURN_SECONDS
        for piece in pieces:
            if piece:
                self.write(piece.encode())
            now = clock()
            if now >= over_at:
                await asyncio.sleep(0)
                again = clock()
                over_at = again + max(TURN_SECONDS, (again - now) * _PART_OF_OTHERS)

    def finish(self) -> bytes:
        """Return the whole body."""
        if self._compressor is not None:
            self._parts.append(self._compressor.flush())
        return b"".join(self._parts)
