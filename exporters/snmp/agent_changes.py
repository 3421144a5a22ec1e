"""Whether an agent's tables may have changed since they were read: what it says of that itself.

sysUpTime starts over when the agent does. Some MIBs have, beside a table, an object that holds the
time of its last change. Both are scalars, and cost no packet where other scalars are asked for.

Sources: RFC 3418 (sysUpTime), RFC 2863 s3.1.5 (numbers of interfaces may change when the agent
starts again) and ifTableLastChange, RFC 6933 (entLastChangeTime), IEEE 802.1AB-2016
(lldpStatsRemTablesLastChangeTime).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exporters.polling.cursor import Range, Rows, Value
from exporters.smi.values import integer
from exporters.wire.ber import Oid, decode_subids, encode_oid, encode_subids
from exporters.wire.tags import INTEGER_TAGS

_SYS_UPTIME: Final = encode_oid("1.3.6.1.2.1.1.3")
_IF_TABLE_LAST_CHANGE: Final = encode_oid("1.3.6.1.2.1.31.1.5")
_LAST_CHANGES: Final = (
    (encode_oid("1.3.6.1.2.1.2.2"), _IF_TABLE_LAST_CHANGE),  # ifTable
    (encode_oid("1.3.6.1.2.1.31.1.1"), _IF_TABLE_LAST_CHANGE),  # ifXTable
    (encode_oid("1.3.6.1.2.1.47.1.1"), encode_oid("1.3.6.1.2.1.47.1.4.1")),  # entityPhysical
    (encode_oid("1.0.8802.1.1.2.1.4"), encode_oid("1.0.8802.1.1.2.1.2.1")),  # lldpRemoteSystems
)
_INSTANCE: Final = b"\0"
_WRAP_TICKS: Final = 1 << 32
"""sysUpTime is hundredths of a second in 32 bits: it wraps after 497 days."""
_SLACK_SECONDS: Final = 5.0
_SLACK_SHARE: Final = 0.01
"""Clocks of agents are neither exact nor read at once."""


def watched_with(columns: Collection[Oid]) -> tuple[Range, ...]:
    """The scalars that tell of changes of *columns*; sysUpTime is the first."""
    marks = dict.fromkeys(
        mark
        for column in sorted(columns)
        for table, mark in _LAST_CHANGES
        if column.startswith(table)
    )
    return tuple(_scalar(oid) for oid in (_SYS_UPTIME, *marks))


def _scalar(oid: Oid) -> Range:
    return Range(oid, oid, encode_subids(decode_subids(oid)[:-1]), scalar=True)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What an agent said of itself at some time between two instants of the monotonic clock."""

    uptime_ticks: int | None
    marks: tuple[Value | None, ...]
    earliest_at: float
    latest_at: float

    @classmethod
    def read(
        cls,
        watched: Sequence[Range],
        columns: Mapping[Oid, Rows],
        *,
        earliest_at: float,
        latest_at: float,
    ) -> Sighting:
        """Read the values of *watched* from what a walk has brought."""
        first, *marks = (columns.get(item.column, {}).get(_INSTANCE) for item in watched)
        ticks = None
        if first is not None and first[0] in INTEGER_TAGS:
            ticks = integer(*first) % _WRAP_TICKS
        return cls(ticks, tuple(marks), earliest_at, latest_at)

    def restarted_since(self, earlier: Sighting) -> bool:
        """Whether sysUpTime does not go on from where it was: back or ahead, or told no more.

        Ahead may be another device that has taken over the address. A number that stands still says
        nothing, and neither does an agent that never told one.
        """
        now, before = self.uptime_ticks, earlier.uptime_ticks
        if now == before:
            return False
        if now is None or before is None:
            return True
        grown_seconds = (now - before) % _WRAP_TICKS / 100
        least = self.earliest_at - earlier.latest_at
        most = self.latest_at - earlier.earliest_at
        slack = _SLACK_SECONDS + _SLACK_SHARE * most
        return not least - slack <= grown_seconds <= most + slack

    def changed_since(self, earlier: Sighting) -> bool:
        """Whether a table says that it has changed."""
        return self.marks != earlier.marks
