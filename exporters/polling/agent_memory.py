"""What is remembered of an agent between scrapes, and forgotten of agents not asked any more.

Nothing here is needed for a correct scrape: a fresh process reads the same rows with a few
packets more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from exporters.sockets.rtt import RttEstimator
from exporters.wire.ber import Oid

MAX_AGENTS: Final = 20_000
MAX_VARBINDS_PER_ANSWER: Final = 128
READINGS_BEFORE_GROWTH: Final = 100
"""How many times an agent is read before it is asked again for what was once too big."""

Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry")


@dataclass(slots=True)
class AgentMemory:
    """One agent, as seen with one set of credentials."""

    rtt: RttEstimator = field(default_factory=RttEstimator)
    answered: bool = False
    """Whether the latest question got an answer: a silent agent is asked one thing first."""
    varbinds_per_answer: int = 0
    """How many varbinds an answer may ask for; 0 while unknown."""
    varbinds_limit: int = 0
    """What the agent may be asked for since it has said tooBig; 0 if it has not, or long ago."""
    readings_below_limit: int = 0
    """How many times it was read with that limit."""
    limit_before_growth: int = 0
    """What the agent was known to take before the limit grew; 0 if it did not."""
    row_counts: dict[Oid, int] = field(default_factory=dict)
    """Rows that each range had in the latest scrape."""
    passing_rows: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Rows that met each condition in the latest scrape, and rows that there were."""

    def note_too_big(self, wanted: int) -> None:
        """Ask for half as much as the *wanted* varbinds from now on, or for what went well before.

        Questions that were under way together do not add up.
        """
        limit = max(1, min(self.varbinds_per_answer, wanted // 2))
        if wanted > self.limit_before_growth:
            limit = max(limit, self.limit_before_growth)
        else:
            self.limit_before_growth = 0
        self.varbinds_per_answer = self.varbinds_limit = limit
        self.readings_below_limit = 0

    def note_reading(self) -> None:
        """Let the limit grow by one step, to the double, when it has held for long.

        A single row that was too long, and is gone, must not cost packets for ever. An agent that
        really takes no more says so again, which costs a packet or a few in a hundred readings.
        """
        if not self.varbinds_limit:
            return
        self.readings_below_limit += 1
        if self.readings_below_limit > READINGS_BEFORE_GROWTH:
            self.limit_before_growth = self.varbinds_limit
            doubled = 2 * self.varbinds_limit
            self.varbinds_limit = doubled if doubled < MAX_VARBINDS_PER_ANSWER else 0
            self.readings_below_limit = 0


class BoundedCache(Generic[Key, Entry]):
    """The *size* entries used last; the oldest one makes room."""

    def __init__(self, make: Callable[[], Entry], size: int = MAX_AGENTS) -> None:
        self._make = make
        self._size = size
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry:
        """Give the entry of *key*, made on first use."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = self._make()
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        else:
            self._entries.move_to_end(key)
        return entry

    def clear(self) -> None:
        """Forget everything (credentials have changed)."""
        self._entries.clear()
