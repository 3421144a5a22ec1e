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
    """What the agent last took after it had said tooBig; 0 while it never did."""
    row_counts: dict[Oid, int] = field(default_factory=dict)
    """Rows that each range had in the latest scrape."""


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
