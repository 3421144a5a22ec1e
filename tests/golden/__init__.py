"""What the exporters really serve: the series of one scrape of each, without values.

``tests/integration/test_golden_scrapes.py`` makes the scrapes anew and compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_LABEL: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_RUNTIME: Final = ("python_", "promhttp_")


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a scrape."""

    name: str
    labels: frozenset[tuple[str, str]]

    def line(self) -> str:
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(self.labels))
        return f"{self.name}{{{labels}}}"


def read_series(text: str) -> Iterator[Series]:
    """The series of a text exposition, or of a golden file."""
    for line in text.splitlines():
        if line and not line.startswith(("#", *_RUNTIME)):
            name = re.split("[{ ]", line, maxsplit=1)[0]
            yield Series(name, frozenset(_LABEL.findall(line)))


def golden_series() -> list[Series]:
    """Every series of every golden file."""
    return [
        series
        for path in sorted(FOLDER.glob("*.series"))
        for series in read_series(path.read_text())
    ]


def shape(series: Series) -> tuple[str, frozenset[tuple[str, str]]]:
    """What a series has in common with those of other things: its name, its labels, our words."""
    return series.name, frozenset(
        (name, value if name in CLOSED_LABELS else "") for name, value in series.labels
    )


def golden_text(series: Iterable[Series]) -> str:
    """A golden file: of series that differ in nothing but names of things, the first alone."""
    kept: dict[tuple[str, frozenset[tuple[str, str]]], Series] = {}
    for one in sorted(series, key=Series.line):
        kept.setdefault(shape(one), one)
    return "".join(f"{one.line()}\n" for one in kept.values())


CLOSED_LABELS: Final = frozenset(
    (
        *("check", "event", "metric", "mode", "module", "outcome", "protocol", "reason", "result"),
        *("security_level", "severity", "state", "status", "transport", "trap", "version", "fault"),
    )
)
"""Labels whose values are the exporter's own words, which rules name."""
