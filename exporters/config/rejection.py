"""How a validator says no: in words for people, at a place at or below its own.

A validator raises ``Rejected``; ``exporters.config.validation`` turns what it carries into
``Problem`` values with file and line. Nothing else about errors is known here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLAIN_KEY = re.compile(r"[^\s.\[\]\"]+\Z")

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: *at* is relative to the validator, *clashes_with* to the file."""

    problem: str
    hint: str = ""
    at: KeyPath = ()
    clashes_with: KeyPath | None = None


class Rejected(ValueError):  # noqa: N818 - a verdict, not a fault of the program
    """A value that may not be; a ``ValueError``, as pydantic asks of its validators."""

    def __init__(self, problem: str | Sequence[Fault], hint: str = "") -> None:
        faults = (Fault(problem, hint),) if isinstance(problem, str) else tuple(problem)
        self.faults = faults
        super().__init__("; ".join(fault.problem for fault in faults))


def format_key_path(key_path: KeyPath) -> str:
    """Write a place in a file.

    Example: ``("modules", "if_mib", "walk", 0)`` is ``modules.if_mib.walk[0]``.
    """
    text = ""
    for part in key_path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.match(part) else quote(part)
            text += f".{key}" if text else key
    return text


def describe(value: object) -> str:
    """Name the kind of a YAML value without showing it: it may hold a secret."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a {type(value).__name__}"


def quote(value: object) -> str:
    """Show a value in a message: text in double quotes, cut when long; others by their kind."""
    if isinstance(value, str):
        shown = value if len(value) <= 60 else f"{value[:57]}..."
        return '"' + shown.replace("\n", "\\n") + '"'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return describe(value)


def suggest(value: str, known: Sequence[str], title: str) -> str:
    """Hint at what was meant: the one word that is close, or under *title* all that there are."""
    by_lower_case = {word.lower(): word for word in known}
    close = difflib.get_close_matches(value.lower(), by_lower_case, n=1, cutoff=0.7)
    if close:
        return f"did you mean {quote(by_lower_case[close[0]])}?"
    return f"{title}: {', '.join(known)}" if known and title else ""
