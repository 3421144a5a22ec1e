"""Collects the families of one scrape and writes them once.

A family is opened by whoever names it first; samples that others add to it stand with the first,
as the text format demands. Of two samples with the same name and labels the first one stays and
the other is counted: Prometheus would refuse the whole scrape.

Labels have to come in the same order wherever they are the same, that of the alphabet: series are
compared as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType, family_header


@dataclass(slots=True)
class _Family:
    kind: FamilyType
    help: str
    samples: str = ""
    seen: set[str] | None = None


class Exposition:
    """The families of one response."""

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}
        self.duplicates = 0
        self._samples = 0

    def add(
        self, name: str, kind: FamilyType, help_text: str, lines: Sequence[str], *, unique: bool
    ) -> None:
        """Add sample lines, each ``name{labels} value`` with its line feed.

        *unique* promises that no two of *lines* have the same labels, which spares looking.
        """
        if not lines:
            return
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = _Family(kind, help_text)
        if family.samples or not unique:
            lines = self._unseen(family, lines)
        family.samples += "".join(lines)
        self._samples += len(lines)

    def sample_count(self) -> int:
        """How many samples are held."""
        return self._samples

    def text(self, text_format: TextFormat) -> str:
        """Write all families, in the order of their names, without the format's trailer."""
        parts: list[str] = []
        for name, family in sorted(self._families.items()):
            parts.append(family_header(name, family.kind, family.help, text_format))
            parts.append(family.samples)
        return "".join(parts)

    def _unseen(self, family: _Family, lines: Sequence[str]) -> list[str]:
        """Those of *lines* whose series the family does not have yet."""
        if family.seen is None:
            # A line feed in a label is escaped, so one line is one sample.
            family.seen = {_series(line) for line in family.samples.split("\n")}
        unseen: list[str] = []
        for line in lines:
            series = _series(line)
            if series in family.seen:
                self.duplicates += 1
            else:
                family.seen.add(series)
                unseen.append(line)
        return unseen


def _series(line: str) -> str:
    return line.rpartition(" ")[0]
