"""Replacement texts of ``regex_extracts``, parsed once: ``$1``, ``${1}``, ``$name``, ``$$``.

Go's rules, which differ from those of ``re.Match.expand``: an unbraced name is as long as it can
be (``$1x`` is ``${1x}``), a group that is not there is empty, and a dollar sign that begins no
name stands for itself.

Source: the documentation of Go's ``regexp.Regexp.Expand``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)\}|(?P<bare>\w+))")
_MAX_GROUP = 10**8


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed replacement text; equal texts are equal templates."""

    source: str
    parts: tuple[str | int, ...] = field(repr=False, compare=False)
    """Literal texts at even places, group numbers or names at odd ones."""

    def expand(self, match: re.Match[str]) -> str:
        """Give the text with each reference replaced by what its group matched."""
        return "".join(
            _group(match, part) if place % 2 else str(part) for place, part in enumerate(self.parts)
        )


def parse_template(text: str) -> Template:
    """Parse a replacement text; every text is one.

    Example: ``parse_template("0.0$1")`` expands to ``0.07`` where group 1 is ``7``.
    """
    parts: list[str | int] = [""]
    position = 0
    for reference in _REFERENCE.finditer(text):
        literal = text[position : reference.start()]
        position = reference.end()
        if reference["dollar"]:
            parts[-1] = f"{parts[-1]}{literal}$"
            continue
        parts[-1] = f"{parts[-1]}{literal}"
        parts += (_group_key(reference["braced"] or reference["bare"]), "")
    parts[-1] = f"{parts[-1]}{text[position:]}"
    return Template(text, tuple(parts))


def _group_key(name: str) -> str | int:
    is_number = name.isascii() and name.isdigit() and (name == "0" or name[0] != "0")
    return int(name) if is_number and len(name) <= 9 and int(name) < _MAX_GROUP else name


def _group(match: re.Match[str], key: str | int) -> str:
    known = key <= match.re.groups if isinstance(key, int) else key in match.re.groupindex
    return (match[key] or "") if known else ""
