"""Labels that are remembered between scrapes, because the columns they come from hardly change.

Names and descriptions make up much of what a scrape asks for, and are the same each time. Where a
module says ``lookup_cache``, the columns that it reads for labels alone are read once in that time,
and sooner when anything tells that they may not be true any more (``Refresh``). What is kept is the
finished text of each row's labels, so that it is not built again either.

Labels belong to the set of rows that they were read with. If a scrape finds another set, be it one
row more or less, they are read again, all of them: whatever has renumbered the rows must not leave
old names on new rows.

Not here: how a module is read, which is ``exporters.polling.walk``'s and ``collect``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from sys import getsizeof
from typing import Final
from zlib import crc32

from exporters.polling.cursor import Range, Rows
from exporters.polling.walk import Instance, Read
from exporters.polling.walk_result import WalkResult
from exporters.snmp.agent_changes import Sighting
from exporters.snmp.plan import ModulePlan
from exporters.snmp.row_labels import LabelRecipe
from exporters.snmp.sheet import RowLabels
from exporters.wire.ber import Oid

_VALUE_BYTES: Final = 56
"""A tuple of tag and content, without the content."""


class Refresh(StrEnum):
    """Why columns of labels are read: a closed set, so that it may be a label itself."""

    UNKNOWN = "unknown"
    AGE = "age"
    RESTART = "restart"
    CHANGE = "change"
    ROWS = "rows"


@dataclass(slots=True, eq=False)
class HeldLabels:
    """The labels of one module of one target."""

    plan: ModulePlan
    asked: tuple[Sequence[Range], Sequence[Instance]]
    """What they were read from: filters may choose other rows next time."""
    rows: tuple[frozenset[bytes], ...]
    """For each recipe, the rows that they were read with."""
    columns: dict[Oid, Rows]
    """Columns whose values themselves are needed; of all others the text of labels is enough."""
    row_labels: dict[LabelRecipe, RowLabels]
    sighting: Sighting
    read_at: float
    expires_at: float
    size_bytes: int = 0

    @property
    def complete(self) -> bool:
        """Whether every row has its labels: not that of a metric that could not be written."""
        for (recipe, _), rows in zip(self.plan.labels.recipes, self.rows, strict=True):
            labels = self.row_labels.get(recipe)
            if labels is not None and rows - labels.texts.keys() - labels.nameless:
                return False
        return True

    def measure(self) -> None:
        """Find out what all of it takes in memory, but for what the plan has anyway."""
        size = sum(labels.size_bytes() for labels in self.row_labels.values())
        size += sum(map(getsizeof, chain(self.rows, self.columns.values())))
        for row in chain.from_iterable(self.rows):
            size += getsizeof(row)
        for rows in self.columns.values():
            for _, content in rows.values():
                size += _VALUE_BYTES + getsizeof(content)
        self.size_bytes = size


class LabelCache:
    """The labels of all targets, of *most_bytes* at the most.

    When it is full, what is too old to be used makes room (targets that nobody scrapes any more);
    else newcomers are not kept. To let the oldest go instead would be no better for them, and would
    leave nothing to anybody once there are a few targets too many: they come round in turn.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: dict[Hashable, HeldLabels] = {}
        """In the order of their reading."""
        self.size_bytes = 0

    def get(self, key: Hashable) -> HeldLabels | None:
        """Give what is held."""
        return self._held.get(key)

    def put(self, key: Hashable, labels: HeldLabels, now: float) -> bool:
        """Hold *labels*; False if there is no room for them."""
        self.drop(key)
        while self.size_bytes + labels.size_bytes > self._most_bytes:
            oldest = next(iter(self._held), None)
            if oldest is None or self._held[oldest].expires_at > now:
                return False
            self.drop(oldest)
        self._held[key] = labels
        self.size_bytes += labels.size_bytes
        return True

    def drop(self, key: Hashable) -> None:
        """Hold nothing there any more."""
        labels = self._held.pop(key, None)
        if labels is not None:
            self.size_bytes -= labels.size_bytes

    def clear(self) -> None:
        """Hold nothing at all."""
        self._held.clear()
        self.size_bytes = 0


@dataclass(frozen=True, slots=True)
class TargetLabels:
    """What one request may know of its target's labels.

    Attributes:
        cache: Where they are.
        target: Whose they are, as seen with one set of credentials.
        began_at: When the request began.
        default_seconds: How long they are kept where the module does not say; 0 for not at all.
    """

    cache: LabelCache
    target: Hashable
    began_at: float
    default_seconds: float

    def of(self, plan: ModulePlan, clock: Callable[[], float]) -> ModuleLabels | None:
        """The labels of one module in one scrape; None where none are to be kept."""
        seconds = plan.module.lookup_cache
        seconds = self.default_seconds if seconds is None else seconds
        if not seconds or not plan.labels.recipes:
            return None
        return ModuleLabels(plan, self, seconds, clock)


@dataclass(slots=True, eq=False)
class ModuleLabels:
    """Reads one module of one target once, with the help of what is remembered of its labels.

    Attributes:
        refresh: Why the columns of labels have been read.
        remembered: Whether they have not, because their labels were known.
    """

    plan: ModulePlan
    target: TargetLabels
    seconds: float
    clock: Callable[[], float]
    refresh: Refresh | None = None
    remembered: bool = False
    _held: HeldLabels | None = None

    @property
    def row_labels(self) -> dict[LabelRecipe, RowLabels]:
        """For the sheet: the labels that are known, and place for those that are not."""
        return {} if self._held is None else self._held.row_labels

    async def read(
        self, read: Read, ranges: Sequence[Range], instances: Sequence[Instance]
    ) -> WalkResult:
        """Read the module, with its labels or without them."""
        columns = self.plan.labels.columns
        asked = (
            [item for item in ranges if item.column in columns],
            [item for item in instances if item.column in columns],
        )
        if asked == ([], []):
            return await read(ranges, instances)
        watched = [item for item in self.plan.labels.watched if item not in ranges]
        held = self.target.cache.get(self._key)
        self.refresh = self._distrust(held, asked)
        if self.refresh is None:
            ranges = [item for item in ranges if item.column not in columns]
            instances = [item for item in instances if item.column not in columns]
        result = await read([*watched, *ranges], instances)
        _forgive(result, watched)
        sighting = Sighting.read(
            self.plan.labels.watched,
            result.columns,
            earliest_at=self.target.began_at,
            latest_at=self.clock(),
        )
        if held is not None and self.refresh is None:
            if not result.varbinds:
                return result  # there is nothing to label, and nobody to ask
            self.refresh = self._contradiction(held, sighting, result)
            if self.refresh is None:
                held.sighting = sighting
                self._held = held
                self.remembered = True
                result.columns.update(held.columns)
                return result
            result.include(await read(*asked))
        self._hold(asked, sighting, result)
        return result

    def keep(self) -> bool:
        """Remember the labels that were read, if all rows have got theirs; False without room."""
        held = self._held
        if held is None or self.remembered or not held.complete:
            return True
        held.measure()
        return self.target.cache.put(self._key, held, self.clock())

    def describe(self) -> str:
        """Tell, for ``debug=1``, where the labels come from."""
        if self._held is None or not self.remembered:
            return f"read ({self.refresh})" if self.refresh else "read"
        now = self.clock()
        age, left = now - self._held.read_at, self._held.expires_at - now
        return f"from memory, read {age:.0f} s ago, good for {left:.0f} s more"

    @property
    def _key(self) -> Hashable:
        return self.target.target, self.plan.name

    def _distrust(
        self, held: HeldLabels | None, asked: tuple[Sequence[Range], Sequence[Instance]]
    ) -> Refresh | None:
        """Why what is held is no use even before anything has been read."""
        if held is None or held.plan is not self.plan:
            return Refresh.UNKNOWN
        if held.asked != asked:
            return Refresh.ROWS
        return Refresh.AGE if self.clock() >= held.expires_at else None

    def _contradiction(
        self, held: HeldLabels, sighting: Sighting, result: WalkResult
    ) -> Refresh | None:
        """Why what is held is not true any more, as far as the agent has told now.

        What it has told in part has fewer rows for no other reason.
        """
        if sighting.restarted_since(held.sighting):
            return Refresh.RESTART
        if sighting.changed_since(held.sighting):
            return Refresh.CHANGE
        rows = self.plan.labels.rows(result)
        if rows == held.rows:
            return None
        partial = bool(result.failures)
        if partial and all(map(frozenset.issubset, rows, held.rows)):
            return None
        return Refresh.ROWS

    def _hold(
        self,
        asked: tuple[Sequence[Range], Sequence[Instance]],
        sighting: Sighting,
        result: WalkResult,
    ) -> None:
        """Prepare what is to be kept; nothing where not all of it could be read."""
        self.target.cache.drop(self._key)
        labels = self.plan.labels
        if not result.incomplete.isdisjoint(labels.columns) or (asked[1] and result.failures):
            return
        now = self.clock()
        self._held = HeldLabels(
            plan=self.plan,
            asked=asked,
            rows=labels.rows(result),
            columns={column: result.rows(column) for column in labels.raw},
            row_labels={
                recipe: RowLabels()
                for recipe, _ in labels.recipes
                if recipe.columns <= labels.columns
            },
            sighting=sighting,
            read_at=now,
            expires_at=expiry(self.target.target, now, self.seconds),
        )


def expiry(target: Hashable, now: float, seconds: float) -> float:
    """When what is read of *target* now is too old: after *seconds*, or sooner.

    Each target has its own place in that time, always the same, so that targets that are read for
    the first time in one minute, after a start, are not all read again in one minute.
    """
    if not seconds:
        return now
    place = crc32(repr(target).encode()) / (1 << 32) * seconds
    return now + seconds - (now - place) % seconds


def _forgive(result: WalkResult, watched: Sequence[Range]) -> None:
    """Forget errors of an agent that cannot tell what nobody but we wanted to know."""
    ours = {item.root for item in watched}
    result.failures[:] = [error for error in result.failures if error.oid not in ours]
