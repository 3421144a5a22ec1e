r"""File name patterns as Go's ``filepath.Glob`` reads them.

``*``, ``?``, ``[a-z]``, ``[^a-z]`` and ``\`` before a character that is to mean itself. Unlike
Python's ``glob``, a leading dot is nothing special and there is no ``**``.

Source: the documentation of Go's ``path/filepath``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_META = frozenset("*?[\\")


def is_pattern(text: str) -> bool:
    """Tell whether *text* is a pattern; without special characters it names one file."""
    return not _META.isdisjoint(text)


def glob(pattern: str) -> list[Path]:
    """Give the existing paths that match, sorted within each directory.

    Raises:
        ValueError: The pattern is malformed.
    """
    if not is_pattern(pattern):
        return [Path(pattern)] if os.path.lexists(pattern) else []
    head, _, name = pattern.rpartition("/")
    directory = head or ("/" if pattern.startswith("/") else ".")
    matches = re.compile(_translate(name)).fullmatch
    found = []
    for parent in glob(directory):
        found += [parent / entry for entry in _entries(parent) if matches(entry)]
    return found


def _entries(directory: Path) -> list[str]:
    """List a directory; one that cannot be listed holds no match, as in Go."""
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - names are wanted, not paths
    except OSError:
        return []


def _translate(name: str) -> str:
    out = ""
    position = 0
    while position < len(name):
        char = name[position]
        position += 1
        if char == "*":
            out += ".*"
        elif char == "?":
            out += "."
        elif char == "[":
            item, position = _character_class(name, position)
            out += item
        else:
            literal, position = _character(name, position - 1)
            out += re.escape(literal)
    return f"(?s:{out})"


def _character_class(name: str, position: int) -> tuple[str, int]:
    out = "["
    if name.startswith("^", position):
        out += "^"
        position += 1
    start = position
    while position == start or not name.startswith("]", position):
        low, position = _character(name, position, "]-")
        high = low
        if name.startswith("-", position):
            high, position = _character(name, position + 1, "]-")
        if high < low:
            raise ValueError(f"the range {low}-{high} runs backwards")
        out += f"{re.escape(low)}-{re.escape(high)}"
    return f"{out}]", position + 1


def _character(name: str, position: int, forbidden: str = "") -> tuple[str, int]:
    """Read one character, escaped or not; give it and where the next one is."""
    if name.startswith("\\", position):
        position += 1
        forbidden = ""
    char = name[position : position + 1]
    if not char or char in forbidden:
        raise ValueError("a [ is not closed" if forbidden or not char else f"unexpected {char}")
    return char, position + 1
