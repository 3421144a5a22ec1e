"""How values that several processes have of one series become one, by what the metric is.

Counters and histograms add up, as do gauges, which mostly count what is there now, or how much of
it there may be. What does not is known by how its name ends:

    when something happened, was last seen, changed     the latest
    whether something is so: active, degraded           whether it is so anywhere
    what all have alike: build, rules, watchers         that
    whether and when the last reload succeeded          the worst, and the earliest
    when a certificate expires                          the earliest

Not here: where the values come from, ``merging`` for registries and ``joining`` for texts.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Rule(Enum):
    """How several values become one."""

    SUM = "sum"
    MOST = "most"
    LEAST = "least"


_CUMULATIVE: Final = frozenset(("counter", "histogram", "summary"))
_OF_RELOADS: Final = "_config_last_reload_"
_EXPIRY: Final = "_not_after_timestamp_seconds"
_MOST: Final = (
    "_info",
    "_timestamp_seconds",
    # Whether something is so
    "_active",
    "_degraded",
    "_failing",
    "_damaged",
    "_unsynchronised",
    "_unreadable",
    # What only one process knows, but for a moment in which two do
    "_skew_seconds",
    # What all have alike
    "_exporter_rules",
    "_event_watchers",
)
_TAKEN_UP: Final = "_transitions"
"""What a process that follows another takes up from where that one has kept it."""

_SEEN: Final = ("_last_seen_timestamp_seconds", "_last_message_timestamp_seconds")


def rule_of(name: str, family_type: str) -> Rule:
    """Return how values of a family become one; *name* may have ``_total`` or lack it."""
    if family_type in _CUMULATIVE:
        return Rule.MOST if name.removesuffix("_total").endswith(_TAKEN_UP) else Rule.SUM
    if _OF_RELOADS in name or name.endswith(_EXPIRY):
        return Rule.LEAST
    return Rule.MOST if name.endswith(_MOST) else Rule.SUM


def outlives_its_process(name: str, family_type: str) -> bool:
    """Whether values count on when their process is gone, beside those of its successor.

    Counters do, or they would fall, and when something was seen: it was.
    """
    if family_type in _CUMULATIVE:
        return rule_of(name, family_type) is Rule.SUM
    return name.endswith(_SEEN)
