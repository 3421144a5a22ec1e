"""What one module of one scrape has read, laid out for the writers of samples.

The labels of a table's rows are built once and shared by all metrics of the table. On a large
device that is the only work that takes long, so it can be done in steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from sys import getsizeof
from typing import Final, NamedTuple

from exporters.errors import WireError
from exporters.metrics.exposition import Exposition
from exporters.polling.cursor import Rows, Value
from exporters.polling.walk import WalkResult
from exporters.snmp.row_labels import LabelRecipe, RowSource

_ROWS_PER_STEP: Final = 500


@dataclass(slots=True)
class RowLabels:
    """The labels of one recipe's rows, as far as rows were met.

    *nameless* are rows whose instance is no OID: they have no labels, and so no samples. *latest*
    are the rows asked for last, with their texts: the columns of a table have the same rows, as a
    rule.
    """

    pairs: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    texts: dict[bytes, str] = field(default_factory=dict)
    unique: bool = True
    nameless: set[bytes] = field(default_factory=set)
    latest: list[bytes] = field(default_factory=list)
    latest_texts: list[str] = field(default_factory=list)

    def size_bytes(self) -> int:
        """What the labels take in memory."""
        size = getsizeof(self.pairs) + getsizeof(self.texts)
        size += getsizeof(self.latest) + getsizeof(self.latest_texts)
        size += sum(map(getsizeof, chain(self.texts, self.texts.values(), self.pairs.values())))
        return size + sum(map(getsizeof, chain.from_iterable(self.pairs.values())))

    def unmet(self, rows: Rows) -> list[bytes]:
        """The rows that have no labels yet."""
        known = self.texts
        return [row for row in rows if row not in known and row not in self.nameless]


class LabelledRows(NamedTuple):
    """Rows of an object in the order in which they were read, as three parallel sequences.

    *labels* has each row's label set in braces, nothing where there is none. *unique* promises that
    no two of them are equal. *names* and *pairs* are the labels' names and, of more rows than these
    maybe, the labels one by one.
    """

    instances: Sequence[bytes]
    values: Sequence[Value]
    labels: Sequence[str]
    unique: bool
    names: tuple[str, ...]
    pairs: dict[bytes, tuple[str, ...]]

    def around(self, label_name: str) -> Iterator[tuple[str, str]]:
        """For each row what stands before and after the value of one more label.

        The label takes its place in the alphabet, so that equal label sets are equal texts.
        """
        at = bisect_left(self.names, label_name)
        if at == len(self.names):
            for labels in self.labels:
                yield f'{labels[:-1]},{label_name}="' if labels else f'{{{label_name}="', '"}'
            return
        for instance in self.instances:
            pairs = self.pairs[instance]
            before = "".join([f"{pair}," for pair in pairs[:at]])
            after = "".join([f",{pair}" for pair in pairs[at:]])
            yield f'{{{before}{label_name}="', f'"{after}}}'


class Sheet:
    """What one module of one scrape has read and written so far."""

    def __init__(
        self,
        result: WalkResult,
        exposition: Exposition,
        *,
        wrap_counters: bool,
        row_labels: Mapping[LabelRecipe, RowLabels] | None = None,
    ) -> None:
        """Lay *result* out; *row_labels* are taken as they are, and more is added to them."""
        self.result = result
        self.exposition = exposition
        self.wrap_counters = wrap_counters
        self.values_unreadable = 0
        self.types_unexpected = 0
        self._held = dict(row_labels or {})

    def rows(self, cells: RowSource, recipe: LabelRecipe) -> LabelledRows:
        """The rows of an object with their labels."""
        held = self._held.setdefault(recipe, RowLabels())
        rows = cells.rows_of(self.result)
        instances = list(rows)
        if instances != held.latest:
            self._build(held, recipe, held.unmet(rows))
            if held.nameless:
                rows = {row: value for row, value in rows.items() if row in held.texts}
                instances = list(rows)
            held.latest = instances
            held.latest_texts = [held.texts[instance] for instance in instances]
            held.unique = len(set(held.texts.values())) == len(held.texts)
        return LabelledRows(
            instances, list(rows.values()), held.latest_texts, held.unique, recipe.names, held.pairs
        )

    def label_in_steps(self, cells: RowSource, recipe: LabelRecipe) -> Iterator[None]:
        """Build the labels that ``rows`` will want, some hundred rows in each step.

        Does nothing for small tables.
        """
        rows = cells.rows_of(self.result)
        if len(rows) <= _ROWS_PER_STEP:
            return
        held = self._held.setdefault(recipe, RowLabels())
        unmet = held.unmet(rows)
        for start in range(0, len(unmet), _ROWS_PER_STEP):
            self._build(held, recipe, unmet[start : start + _ROWS_PER_STEP])
            yield

    def _build(self, held: RowLabels, recipe: LabelRecipe, instances: Sequence[bytes]) -> None:
        try:
            built = recipe.label_pairs(instances, self.result.columns)
        except WireError:
            if len(instances) > 1:
                for instance in instances:
                    self._build(held, recipe, [instance])
            else:
                held.nameless.update(instances)
                self.values_unreadable += 1
            return
        for instance, pairs in zip(instances, built, strict=True):
            held.pairs[instance] = pairs
            held.texts[instance] = f"{{{','.join(pairs)}}}" if pairs else ""
