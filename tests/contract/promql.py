"""Reads PromQL as far as is needed to know which series and labels an expression names.

Not a parser: it knows strings, selectors, lists of labels, functions and words of the language, and
takes every other word for the name of a metric.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    (?P<string> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<range> \[ [^\]]* \] )
    | (?P<number> (?<![\w:]) \d [\w.]* )
    | (?P<word> [a-zA-Z_:] [\w:]* )
    | (?P<sign> =~ | !~ | != | [-+*/%^(){}<>=,] | @ )
    | (?P<comment> \#.*$ )
    """,
    re.VERBOSE | re.MULTILINE,
)
_LISTS: Final = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS: Final = {"and", "or", "unless", "bool", "offset", "inf", "nan", "start", "end"}


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector of series: the name of the metric, and conditions on labels."""

    name: str
    matchers: tuple[tuple[str, str, str], ...] = ()

    def selects(self, name: str, labels: dict[str, str], unknown: frozenset[str]) -> bool:
        """Whether it selects a series, whose labels in ``unknown`` may have any value."""
        return all(
            label in unknown
            or _holds(sign, wanted, name if label == "__name__" else labels.get(label, ""))
            for label, sign, wanted in (("__name__", "=", self.name or name), *self.matchers)
        )


@dataclass(slots=True)
class Expression:
    """What an expression names."""

    selectors: list[Selector] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    """Labels after by, on, group_left and their like."""
    made: set[str] = field(default_factory=set)
    """Labels that label_replace and label_join make."""


def read_expression(text: str) -> Expression:
    """Read what an expression names.

    Raises:
        ValueError: It is none that this reads.
    """
    found = Expression()
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(text)]
    tokens = [token for token in tokens if token[0] not in ("range", "comment")]
    position = 0
    while position < len(tokens):
        kind, token = tokens[position]
        follows = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        if token == "{":
            matchers, position = _read_matchers(tokens, position + 1)
            found.selectors.append(Selector("", matchers))
            continue
        position += 1
        if kind != "word" or token in _WORDS:
            continue
        if token in _LISTS:
            if follows == "(":
                labels, position = _read_labels(tokens, position + 1)
                found.listed.update(labels)
        elif follows in ("(", "by", "without"):
            if token in ("label_replace", "label_join"):
                found.made.update(_second_argument(tokens, position + 1))
        elif follows == "{":
            matchers, position = _read_matchers(tokens, position + 1)
            found.selectors.append(Selector(token, matchers))
        else:
            found.selectors.append(Selector(token))
    return found


def _read_matchers(
    tokens: list[tuple[str, str]], position: int
) -> tuple[tuple[tuple[str, str, str], ...], int]:
    matchers = []
    while tokens[position][1] != "}":
        if tokens[position][1] == ",":
            position += 1
            continue
        (_, label), (_, sign), (kind, value) = tokens[position : position + 3]
        if kind != "string":
            raise ValueError(f"no matcher: {label} {sign} {value}")
        matchers.append((label, sign, _unquote(value)))
        position += 3
    return tuple(matchers), position + 1


def _read_labels(tokens: list[tuple[str, str]], position: int) -> tuple[list[str], int]:
    labels = []
    while tokens[position][1] != ")":
        if tokens[position][0] == "word":
            labels.append(tokens[position][1])
        position += 1
    return labels, position + 1


def _second_argument(tokens: list[tuple[str, str]], position: int) -> Iterator[str]:
    """The label that is made: the first string at the depth of the call."""
    depth = 1
    while depth:
        kind, token = tokens[position]
        depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(token, 0)
        if kind == "string" and depth == 1:
            yield _unquote(token)
            return
        position += 1


def _unquote(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _holds(sign: str, wanted: str, value: str) -> bool:
    matches = bool(re.fullmatch(wanted, value)) if "~" in sign else wanted == value
    return matches is not sign.startswith("!")
