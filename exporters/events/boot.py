"""What sysUpTime tells of two messages of one device: their order, and whether it has restarted.

Datagrams overtake each other within milliseconds, and a linkUp that comes before its linkDown would
leave a link down for ever. sysUpTime says which was sent first, as long as both were sent in one
life of the device, and counts from 0 again after 497 days (RFC 3418: TimeTicks, modulo 2^32).

Two messages are of one life if sysUpTime moved on between them as far as our clock did. Some
devices send from several processes that each count for themselves: of what seems to be another
life, the order of arrival is believed.
"""

from __future__ import annotations

from typing import Final

_WRAP: Final = 2**32
_HALF: Final = 2**31
_TOLERANCE_TICKS: Final = 500
_DRIFT: Final = 0.001
"""A clock may be this much fast or slow, beside a tolerance for messages under way."""

_REORDERING_SECONDS: Final = 60.0
"""Who comes later than this has not been overtaken but is late."""


def is_same_boot(before_ticks: int, before_at: float, after_ticks: int, after_at: float) -> bool:
    """Whether two messages, by their sysUpTime and receipt, are of one life of their device."""
    elapsed_ticks = (after_at - before_at) * 100.0
    error = (after_ticks - before_ticks - elapsed_ticks + _HALF) % _WRAP - _HALF
    return abs(error) <= _TOLERANCE_TICKS + abs(elapsed_ticks) * _DRIFT


def is_overtaken(before_ticks: int, before_at: float, after_ticks: int, after_at: float) -> bool:
    """Whether the message that came after was sent before the other, in the same life."""
    if abs(after_at - before_at) > _REORDERING_SECONDS:
        return False
    sent_after = (after_ticks - before_ticks + _HALF) % _WRAP - _HALF
    return sent_after < 0 and is_same_boot(before_ticks, before_at, after_ticks, after_at)
