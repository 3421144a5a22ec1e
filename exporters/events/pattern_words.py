"""What a text must hold for a pattern to match: asked of the text before the pattern is.

Looking for a word in a set costs nothing beside a search for a pattern, so a thousand patterns
need not be tried on every message. What is found here is necessary, never sufficient.

Source: the RE2 syntax page; ``exporters.config.re2`` says which part of it there is.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[a-z0-9]+")
_MANDATORY_WORD: Final = re.compile(r"(?<=[^a-z0-9])[a-z0-9]{2,}(?=[^a-z0-9])")
_COUNT: Final = re.compile(r"\d+(,\d*)?\}")
_OPTIONAL_AFTER: Final = ("*", "?", "{")


def words_of(text: str) -> set[str]:
    """Give the words of a text in lower case: what is of ASCII letters and digits alone."""
    return set(_WORD.findall(text.lower()))


def mandatory_word(source: str) -> str:
    """Give a word that is among ``words_of`` every text that a pattern matches; "" for none known.

    Example: ``changed state to (up|down)`` gives ``state``; what stands at the edge of a literal
    may be a part of a longer word, and is none.
    """
    words = [word for run in _literals(source) for word in _MANDATORY_WORD.findall(run.lower())]
    return max(words, key=len, default="")


def mandatory_literal(source: str) -> str:
    """Give a text that every text has in it that a pattern matches; "" for none known."""
    if re.search(r"\(\?[a-zA-Z]*i", source):
        return ""
    return max(_literals(source), key=len, default="")


def _literals(source: str) -> list[str]:
    """Give the runs of plain ASCII characters that stand outside of all groups and classes.

    A pattern with alternatives at the top has none: any of them may be the one that matches.
    """
    runs = [""]
    depth = position = 0
    while position < len(source):
        char = source[position]
        position += 1
        literal = ""
        if char == "\\":
            literal, position = _escape(source, position)
        elif char == "[":
            position = _class_end(source, position)
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "{" and (count := _COUNT.match(source, position)):
            position = count.end()
        elif char == "|" and depth == 0:
            return []
        elif char not in ".^$|*+?{}" and char.isascii():
            literal = char
        if depth or not literal or source.startswith(_OPTIONAL_AFTER, position):
            runs.append("")
        else:
            runs[-1] += literal
            if source.startswith("+", position):
                runs.append("")
    return [run for run in runs if run]


def _escape(source: str, position: int) -> tuple[str, int]:
    r"""Give the character that an escape stands for, "" for what is none or more, and its end.

    What follows ``\x`` or a digit is skipped with it.
    """
    char = source[position : position + 1]
    if char == "Q":
        end = source.find(r"\E", position)
        return "", len(source) if end < 0 else end + 2
    if char == "x":
        code = re.compile(r"x(?:\{[^}]*\}|..)").match(source, position)
        return "", code.end() if code else position + 1
    if char.isdigit():
        digits = re.compile(r"[0-7]{1,3}").match(source, position)
        return "", digits.end() if digits else position + 1
    literal = char if char.isascii() and not char.isalnum() else ""
    return literal, position + 1


def _class_end(source: str, position: int) -> int:
    """Give where the class ends whose ``[`` stands before *position*."""
    if source.startswith("^", position):
        position += 1
    first = position
    while position < len(source):
        if source[position] == "]" and position > first:
            return position + 1
        if source.startswith("[:", position):
            end = source.find(":]", position)
            position = end + 2 if end >= 0 else position + 1
        else:
            position += 2 if source[position] == "\\" else 1
    return position
