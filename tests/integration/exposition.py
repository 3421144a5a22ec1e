"""Prometheus' text format, read strictly and by other code than what wrote it.

Source: Prometheus' documentation, "Exposition formats", text-based format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Series = tuple[str, frozenset[tuple[str, str]]]

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_HEADER = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")


@dataclass(slots=True)
class Exposition:
    """The samples of one response, and the type and help of each family."""

    samples: dict[Series, float] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    helps: dict[str, str] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float:
        """The value of one series, with exactly these labels."""
        return self.samples[series(name, labels)]

    def named(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """All series of one name, by their labels."""
        return {labels: value for (found, labels), value in self.samples.items() if found == name}


def of_the_device(exposition: Exposition) -> dict[Series, float]:
    """What the device has told, without what a scrape says of itself."""
    return {key: v for key, v in exposition.samples.items() if not key[0].startswith("snmp_")}


def series(name: str, labels: Mapping[str, str]) -> Series:
    return name, frozenset(labels.items())


def read_exposition(text: str) -> Exposition:
    """Read a response; what Prometheus would refuse, or should, is an AssertionError."""
    assert text.endswith("\n"), "the last line has no line feed"
    result = Exposition()
    family = ""
    seen: set[str] = set()
    for line in text.split("\n")[:-1]:
        if header := _HEADER.fullmatch(line):
            kind, name, rest = header.groups()
            if name != family:
                assert name not in seen, f"the family {name} comes twice"
                seen.add(name)
                family = name
            target = result.helps if kind == "HELP" else result.types
            assert name not in target, f"{kind} of {name} comes twice"
            target[name] = rest
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample, f"no sample: {line!r}"
        name, labels, value = sample.groups()
        assert _belongs(name, family, result.types.get(family, "")), f"{name} stands in {family}"
        key = series(name, _read_labels(labels or ""))
        assert key not in result.samples, f"twice: {line}"
        result.samples[key] = float(value)
    return result


def _belongs(name: str, family: str, kind: str) -> bool:
    suffixes = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count", "")}
    return name in [family + suffix for suffix in suffixes.get(kind, ("",))]


def _read_labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    position = 0
    while position < len(text):
        label = _LABEL.match(text, position)
        assert label, f"no label: {text[position:]!r}"
        name, value = label.groups()
        assert name not in labels, f"label {name} comes twice: {text}"
        labels[name] = _ESCAPE.sub(lambda m: "\n" if m[1] == "n" else m[1], value)
        position = label.end()
    return labels
