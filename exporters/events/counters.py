"""Counters whose first event is seen: every series is shown at 0 before it is shown at more.

A counter that appears at 1 has not increased for Prometheus, and an alert on its increase is
silent. So what is known beforehand starts at 0, and a series that comes with its first event is
held back: shown at 0 until every Prometheus has had the time to scrape it, and one scrape has taken
place. Several Prometheis scrape at their own times; with one and a half scrape intervals from the
first scrape that showed the 0, each of them has seen it. What was counted meanwhile is not lost, it
is shown with the next scrape. Series of the start are held back alike: an event may come before the
first scrape.

How many series there may be is told in ``exporters.events.series``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence

from exporters.events.series import Key, SeriesLimit
from exporters.metrics.text import FamilyType, label_text

_SCRAPE_INTERVALS = 1.5
_OVERFLOWING = 4096
"""How many keys that found no place are remembered with the series that they were put into."""


class _Cohort:
    """Series that were born between the same two scrapes."""

    __slots__ = ("keys", "shown_at")

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.shown_at: float | None = None


class CounterFamily:
    """Counters of one name."""

    kind = FamilyType.COUNTER

    def __init__(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str],
        *,
        open_labels: Collection[str] = (),
        limit: int,
        scrape_interval_seconds: float,
    ) -> None:
        self.name = name
        self.help = help_text
        self._labels = list(labels)
        self.series = SeriesLimit(labels, open_labels, limit)
        self._hold_seconds = scrape_interval_seconds * _SCRAPE_INTERVALS
        self._values: dict[Key, int] = {}
        self._lines: list[tuple[Key, str]] = []
        self._held: set[Key] = set()
        self._cohorts: deque[_Cohort] = deque((_Cohort(),))
        self._folded: dict[Key, Key] = {}

    def add_labels(self, names: Iterable[str]) -> None:
        """Let keys have further values, whose labels are open; keys that end sooner lack them."""
        self._labels.extend(name for name in names if name not in self._labels)

    def inc(self, key: Key, amount: int = 1) -> None:
        """Count an event of the series whose label values *key* has, in the order of the labels."""
        try:
            self._values[key] += amount
        except KeyError:
            self._values[self._place(key, amount)] += amount

    def start(self, keys: Iterable[Key]) -> None:
        """Let there be series at 0, as far as there is place for them."""
        for key in keys:
            if key not in self._values:
                self._place(key, 1)

    def value(self, key: Key) -> int:
        """Give what was counted, shown or not."""
        return self._values.get(key, 0)

    def scraped(self, now: float) -> None:
        """Begin a scrape at *now* (monotonic): what was held back long enough is shown."""
        while self._cohorts[0].shown_at is not None:
            if now - self._cohorts[0].shown_at < self._hold_seconds:
                break
            self._held.difference_update(self._cohorts.popleft().keys)
        newest = self._cohorts[-1]
        if newest.keys:
            newest.shown_at = now
            self._cohorts.append(_Cohort())

    def lines(self) -> Iterator[str]:
        """Give the sample lines, which may become more while they are read."""
        held, values = self._held, self._values
        position = 0
        while position < len(self._lines):
            key, text = self._lines[position]
            yield f"{text}0\n" if key in held else f"{text}{values[key]}\n"
            position += 1

    def _place(self, key: Key, amount: int) -> Key:
        """Make the series for *key*, or find the one that *amount* events are folded into."""
        folded = self._folded.get(key)
        if folded is None:
            folded = self.series.admit(key, amount)
            if folded != key and len(self._folded) < _OVERFLOWING:
                self._folded[key] = folded
        else:
            self.series.overflow += amount
        if folded not in self._values:
            self._values[folded] = 0
            self._held.add(folded)
            self._cohorts[-1].keys.append(folded)
            # An empty label is no label: rules give some events labels that others have not.
            pairs = zip(self._labels, folded, strict=False)
            text = label_text((name, value) for name, value in pairs if value)
            self._lines.append((folded, f"{self.name}{text} "))
        return folded


class LastSeenFamily:
    """When something was last seen, in Unix time: right at the first event, and after resets."""

    kind = FamilyType.GAUGE

    def __init__(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str],
        *,
        open_labels: Collection[str] = (),
        limit: int,
    ) -> None:
        self.name = name
        self.help = help_text
        self.labels = tuple(labels)
        self.series = SeriesLimit(labels, open_labels, limit)
        self._values: dict[Key, float] = {}
        self._lines: list[tuple[Key, str]] = []

    def set(self, key: Key, unix_time: float) -> None:
        """Note that it was seen."""
        if key not in self._values:
            key = self._place(key)
        self._values[key] = unix_time

    def scraped(self, now: float) -> None:
        """Begin a scrape; nothing is held back."""

    def lines(self) -> Iterator[str]:
        """Give the sample lines, which may become more while they are read."""
        position = 0
        while position < len(self._lines):
            key, text = self._lines[position]
            yield f"{text}{self._values[key]:.3f}\n"
            position += 1

    def items(self) -> Iterable[tuple[Key, float]]:
        """Give all series."""
        return self._values.items()

    def _place(self, key: Key) -> Key:
        folded = self.series.admit(key)
        if folded not in self._values:
            text = label_text(zip(self.labels, folded, strict=True))
            self._lines.append((folded, f"{self.name}{text} "))
            self._values[folded] = 0.0
        return folded
