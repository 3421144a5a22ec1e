"""What was counted already: informs that are sent again, messages that are played back.

Remembered for five minutes: that is longer than any sender tries again, and than a message of
version 3 could be taken for new. And in bounded number, of which each takes some 150 bytes: beyond
it, the oldest are forgotten first, and how far back memory reaches is told.
"""

from __future__ import annotations

from hashlib import blake2b
from math import inf
from typing import Final

_REMEMBERED_SECONDS: Final = 300.0
_FINGERPRINT_BYTES: Final = 12


class Seen:
    """Fingerprints of messages, by when they were first seen; at most *most*."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._seen: dict[bytes, float] = {}
        self._forgotten_at = -inf
        """When the last one was seen that had to go early."""

    def __len__(self) -> int:
        return len(self._seen)

    def has_seen(self, sender: bytes, content: bytes, now: float) -> bool:
        """Whether a message was seen before, and note that it is now; *now* is monotonic."""
        self._forget_old(now)
        key = blake2b(content, digest_size=_FINGERPRINT_BYTES, key=sender[:64]).digest()
        if key in self._seen:
            return True
        self._seen[key] = now
        return False

    def reach_seconds(self, now: float) -> float:
        """For how long nothing was forgotten before its time."""
        return now - self._forgotten_at

    def _forget_old(self, now: float) -> None:
        """Drop those that are old enough; they stand in the order in which they came."""
        seen = self._seen
        while seen:
            first = next(iter(seen))
            if now - seen[first] < _REMEMBERED_SECONDS:
                if len(seen) < self._most:
                    return
                self._forgotten_at = seen[first]
            del seen[first]
