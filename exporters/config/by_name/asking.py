"""What a module by name asks devices for: the subtrees to walk and the instances to get.

Subtrees that lie in one another become one, and so do instances that a walk covers. A static filter
takes its columns out: where the walk of a table covers them, the other columns that are needed are
walked instead of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporters.smi.subtrees import covering, outermost
from exporters.wire.ber import Oid


class Asking:
    """Collects what is needed, and says what to ask for."""

    def __init__(self, filtered: Mapping[Oid, Sequence[bytes]]) -> None:
        """Start with the targets of static filters: column or table, and the rows to read of it."""
        self._filtered = filtered
        self._walked: set[Oid] = set()
        self._got: dict[Oid, None] = {}
        self._rows: dict[Oid, Sequence[bytes]] = {}
        self._columns: dict[Oid, None] = {}

    def walk(self, oid: Oid) -> None:
        """Ask for all that lies at *oid* and below."""
        self._walked.add(oid)

    def get(self, oid: Oid) -> None:
        """Ask for an instance."""
        self._got[oid] = None

    def need(self, oid: Oid, instances: Sequence[bytes]) -> None:
        """Ask for some instances of a column that a metric needs, or for all if there are none."""
        self._columns[oid] = None
        if instances:
            self._got.update(dict.fromkeys(oid + instance for instance in instances))
        else:
            self._walked.add(oid)

    def has(self, oid: Oid) -> None:
        """Note a column that a metric is made of, and that is asked for already."""
        self._columns[oid] = None

    def filter_with(self, oid: Oid, other: Oid) -> None:
        """Read of a column only the rows that are read of *other*, if that is filtered."""
        rows = self._rows_of(other)
        if rows is not None:
            self._rows[oid] = rows

    def _rows_of(self, oid: Oid) -> Sequence[bytes] | None:
        target = next((target for target in self._filtered if oid.startswith(target)), None)
        return self._rows.get(oid) if target is None else self._filtered[target]

    def result(self) -> tuple[list[Oid], list[Oid]]:
        """Give the subtrees to walk and the instances to get."""
        filtered = {oid: rows for oid in self._columns if (rows := self._rows_of(oid)) is not None}
        walked: list[Oid] = []
        for root in outermost(self._walked):
            inside = [oid for oid in self._columns if oid.startswith(root)]
            if filtered.keys().isdisjoint(inside):
                walked.append(root)
            else:
                walked += [oid for oid in inside if oid not in filtered]
        got = {**self._got}
        for oid, rows in filtered.items():
            got.update(dict.fromkeys(oid + row for row in rows))
        roots = outermost(walked)
        return list(roots), [oid for oid in got if covering(roots, oid) is None]
