"""Families that write their own lines, and ``/metrics`` of tens of thousands of series in pieces.

Whoever reads the pieces lets others have their turn between two of them, so that no datagram is
lost to a scrape. A family is whole but not of one moment: a counter that is written later has
counted longer, as that of the next scrape will.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from exporters.events.series import SeriesLimit
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType, escape_label_value, family_header, format_value

_LINES_AT_ONCE: Final = 250


class Family(Protocol):
    """A family of samples that writes its own lines."""

    @property
    def name(self) -> str:
        """With ``_total`` where it is a counter."""

    @property
    def help(self) -> str:
        """What it is."""

    @property
    def kind(self) -> FamilyType:
        """Counter or gauge."""

    def scraped(self, now: float) -> None:
        """Be told, before the lines are read, that they will be; *now* is monotonic."""

    def lines(self) -> Iterator[str]:
        """Give the sample lines; series may come and go while they are read."""


class ValueFamily:
    """A few samples that are asked for at each scrape, each with at most one label."""

    def __init__(
        self,
        name: str,
        help_text: str,
        kind: FamilyType,
        read: Callable[[], Iterable[tuple[str, float]]],
        label: str = "",
    ) -> None:
        self.name = name
        self.help = help_text
        self.kind = kind
        self._read = read
        self._label = label

    def scraped(self, now: float) -> None:
        """Begin a scrape."""

    def lines(self) -> Iterator[str]:
        """Give the sample lines."""
        for value_of_label, value in self._read():
            labels = (
                f'{{{self._label}="{escape_label_value(value_of_label)}"}}' if self._label else ""
            )
            yield f"{self.name}{labels} {format_value(value)}\n"


def accounting_families(
    prefix: str, series: Callable[[], Iterable[tuple[str, SeriesLimit]]]
) -> list[Family]:
    """Give the families that say how many series the metrics have, may have, and could not have."""
    return [
        ValueFamily(
            f"{prefix}_series",
            "Series of a metric.",
            FamilyType.GAUGE,
            lambda: [(name, limit.count) for name, limit in series()],
            "metric",
        ),
        ValueFamily(
            f"{prefix}_series_limit",
            "Series that a metric may have; values beyond become other.",
            FamilyType.GAUGE,
            lambda: [(name, limit.limit) for name, limit in series()],
            "metric",
        ),
        ValueFamily(
            f"{prefix}_overflow_total",
            "Events counted as other, because their metric has as many series as it may.",
            FamilyType.COUNTER,
            lambda: [(name, limit.overflow) for name, limit in series()],
            "metric",
        ),
    ]


def write_families(
    families: Sequence[Family],
    text_format: TextFormat,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """Write whole families, in pieces that are each made within a millisecond.

    For ``Service.samples``.
    """
    for family in families:
        family.scraped(clock())
        lines = family.lines()
        header = family_header(family.name, family.kind, family.help, text_format)
        while text := "".join(islice(lines, _LINES_AT_ONCE)):
            yield header + text
            header = ""
