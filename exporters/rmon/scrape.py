"""What the groups of one scrape share: the rows that were read, and where samples go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporters.polling.cursor import Value
from exporters.rmon.families import Samples
from exporters.rmon.interfaces import Interfaces, Source
from exporters.rmon.memory import TargetMemory
from exporters.rmon.reader import Index, Reader, Row, Rows
from exporters.rmon.tables import ETHER_STATS, Table
from exporters.wire.ber import Oid


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of what may be without end is shown."""

    top: int
    """Rows of a large table that get series."""
    rows: int
    """Rows of a large table that are read."""
    peak_seconds: float
    """How far back the peak of utilization looks."""


@dataclass(slots=True)
class Scrape:
    """One scrape under way."""

    reader: Reader
    memory: TargetMemory
    bounds: Bounds
    samples: Samples = field(default_factory=Samples)
    interfaces: Interfaces = field(default_factory=Interfaces)
    tables: dict[Oid, Rows] = field(default_factory=dict)
    scalars: Mapping[Oid, Value] = field(default_factory=dict)
    restarted: bool = False
    now: float = 0.0
    """Seconds since 1970."""
    findings: Counter[str] = field(default_factory=Counter)
    configured: dict[str, bool] = field(default_factory=dict)

    def rows(self, table: Table) -> Rows:
        """The rows of a table that the groups asked for."""
        return self.tables.get(table.entry, {})

    def row(self, table: Table, index: Index) -> Row:
        """One row, without cells if there is none."""
        return self.rows(table).get(index) or Row(index, self.reader)

    def interface_labels(self, row: Row, source: Source) -> dict[str, str]:
        """The labels of every series that is about a row on an interface."""
        if source.kind not in ("interface", "vlan"):
            self.findings["source_unresolved"] += source.kind != "none"
        index = ".".join(map(str, row.index))
        return {"rmon_index": index, **self.interfaces.labels(source)}

    def counts_both_ways(self) -> bool:
        """Whether the device was found to count packets in both directions."""
        return self.memory.direction.packets == "both"

    def ether_source(self, rmon_index: int) -> Oid:
        """The data source of a row of etherStatsTable; b"" if there is none."""
        row = self.rows(ETHER_STATS).get((rmon_index,))
        return row.oid("data_source") if row is not None else b""
