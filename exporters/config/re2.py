r"""RE2's regular expressions, run by Python's ``re``.

Configurations of the field are written for Go, whose regular expressions are RE2's. Most of the
syntax is common; this module translates the rest and refuses what RE2 refuses (backreferences,
look-around, possessive repetition), so that a configuration means the same here and there.

Translated are ``$`` and ``\z`` (Python's ``$`` also matches before a last newline), flags in the
middle of a pattern, ``(?<name>...)``, ``\Q...\E``, ``\x{10FFFF}``, octal escapes, POSIX classes
such as ``[[:alpha:]]``, literal braces, and ``\d \s \w \b`` as ASCII. Refused, because ``re``
cannot do them, are ``\p{...}`` and the flag ``U``. One difference is left: ``(?i)`` folds ASCII
letters only.

Unlike RE2, ``re`` backtracks: a pattern with nested repetitions can be slow on hostile text.

Source: the RE2 syntax page (github.com/google/re2/wiki/Syntax), Go's ``regexp/syntax``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_REPETITION = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_GROUP_NAME = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_POSIX = re.compile(r"\[:(\^?)([a-z]+):\]")
_RANGE = re.compile(r"-(?!\]|\Z)")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_MAX_REPEAT = 1000
_MAX_RUNE = 0x10FFFF

_ANCHORS = {"A": r"\A", "z": r"\Z", "b": r"\b", "B": r"\B"}
_CONTROL_ESCAPES = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CLASS_ESCAPES = {
    "d": r"\d",
    "D": r"\D",
    "w": r"\w",
    "W": r"\W",
    "s": r"\t\n\f\r ",  # unlike Python's, without \v
    "S": r"\S\v",
}
_POSIX_CLASSES: dict[str, tuple[tuple[int, int], ...]] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": ((0x30, 0x39),),
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}


@dataclass(frozen=True, slots=True)
class Regex:
    """A compiled pattern that knows how it was written; equal texts are equal patterns."""

    source: str
    pattern: re.Pattern[str] = field(repr=False, compare=False)

    def search(self, text: str) -> re.Match[str] | None:
        """Match anywhere in *text*, as Go does."""
        return self.pattern.search(text)


def compile_regex(source: str, *, whole: bool = False) -> Regex:
    """Compile an RE2 pattern; *whole* means that it must match from end to end.

    Raises:
        ValueError: *source* is not RE2 syntax, or uses what ``re`` cannot do; says which.
    """
    translated = _Translator(source).translate()
    try:
        pattern = re.compile(rf"\A(?:{translated})\Z" if whole else translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        reason = error.msg if isinstance(error, re.error) else "too large"
        raise ValueError(reason) from error
    return Regex(source, pattern)


class _Group:
    """An open group: whether ``m`` is set in it, and the flag groups that were put into it."""

    def __init__(self, *, multiline: bool) -> None:
        self.multiline = multiline
        self.flag_groups: list[str] = []


class _Translator:
    """Reads RE2 syntax once from left to right and writes ``re`` syntax."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self._groups = [_Group(multiline=False)]

    def translate(self) -> str:
        out: list[str] = []
        while self._position < len(self._source):
            out.append(self._next())
        if len(self._groups) > 1:
            raise ValueError("a ( is not closed")
        return "".join(out) + ")" * len(self._groups[0].flag_groups)

    def _next(self) -> str:
        char = self._source[self._position]
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._character_class()
        if char == "(":
            return self._open_group()
        if char == ")":
            return self._close_group()
        if char in "*+?{":
            return self._repetition()
        self._position += 1
        if char == "|":
            flag_groups = self._groups[-1].flag_groups
            return ")" * len(flag_groups) + "|" + "".join(flag_groups)
        if char == "$" and not self._groups[-1].multiline:
            return r"\Z"
        return char

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match here, and move behind what matched."""
        match = pattern.match(self._source, self._position)
        if match:
            self._position = match.end()
        return match

    def _open_group(self) -> str:
        multiline = self._groups[-1].multiline
        if not self._source.startswith("(?", self._position):
            self._position += 1
            self._groups.append(_Group(multiline=multiline))
            return "("
        if named := self._match(_GROUP_NAME):
            self._groups.append(_Group(multiline=multiline))
            return f"(?P<{named[1]}>"
        flags = self._match(_FLAGS)
        if flags is None:
            shown = self._source[self._position : self._position + 4]
            raise ValueError(f"{shown} begins no group that RE2 has (it has no look-around)")
        return self._set_flags(flags[1], flags[2] or "", scoped=flags[3] == ":")

    def _set_flags(self, on: str, off: str, *, scoped: bool) -> str:
        if "U" in on + off:
            raise ValueError("the flag U is not supported: write *? for * and * for *?")
        multiline = ("m" in on or self._groups[-1].multiline) and "m" not in off
        opening = f"(?{on}-{off}:" if off else f"(?{on}:"
        if scoped:
            self._groups.append(_Group(multiline=multiline))
        else:
            self._groups[-1].multiline = multiline
            self._groups[-1].flag_groups.append(opening)
        return opening

    def _close_group(self) -> str:
        if len(self._groups) == 1:
            raise ValueError("a ) has no ( before it")
        self._position += 1
        return ")" * (len(self._groups.pop().flag_groups) + 1)

    def _repetition(self) -> str:
        start = self._position
        if self._match(_REPETITION) is None:
            self._position += 1
            return r"\{"  # as in RE2, a brace that counts nothing is a character
        repetition = self._source[start : self._position]
        if any(int(count) > _MAX_REPEAT for count in re.findall(r"\d+", repetition)):
            raise ValueError(f"{repetition} repeats more than {_MAX_REPEAT} times")
        if _REPETITION.match(self._source, self._position):
            raise ValueError(f"{repetition} is followed by another repetition")
        return repetition

    def _escape(self) -> str:
        char = self._source[self._position + 1 : self._position + 2]
        if char == "Q":
            end = self._source.find(r"\E", self._position)
            end = len(self._source) if end < 0 else end
            quoted = self._source[self._position + 2 : end]
            self._position = end + 2
            return re.escape(quoted)
        if char in _CLASS_ESCAPES:
            self._position += 2
            return f"[{_CLASS_ESCAPES[char]}]"
        if char in _ANCHORS:
            self._position += 2
            return _ANCHORS[char]
        return re.escape(self._character())

    def _character(self) -> str:
        """Read one character, escaped or not, as it may stand in a class."""
        if self._source[self._position] != "\\":
            self._position += 1
            return self._source[self._position - 1]
        self._position += 1
        if code := self._match(_HEX):
            return _chr(int(code[1] or code[2], 16))
        if code := self._match(_OCTAL):
            return _chr(int(code[0], 8))
        char = self._source[self._position : self._position + 1]
        self._position += 1
        if char in _CONTROL_ESCAPES:
            return _CONTROL_ESCAPES[char]
        if char.isascii() and char and not char.isalnum():
            return char
        raise ValueError(_why_not_escape(char))

    def _character_class(self) -> str:
        self._position += 1
        out = "["
        if self._source.startswith("^", self._position):
            self._position += 1
            out += "^"
        first = self._position
        while self._position == first or not self._source.startswith("]", self._position):
            if self._position >= len(self._source):
                raise ValueError("a [ is not closed")
            out += self._class_item()
        self._position += 1
        return out + "]"

    def _class_item(self) -> str:
        if posix := self._match(_POSIX):
            if posix[2] not in _POSIX_CLASSES:
                raise ValueError(f"{posix[0]} is not a class of characters")
            return _ranges(_POSIX_CLASSES[posix[2]], negated=bool(posix[1]))
        escaped = self._source[self._position + 1 : self._position + 2]
        if self._source[self._position] == "\\" and escaped in _CLASS_ESCAPES:
            self._position += 2
            return _CLASS_ESCAPES[escaped]
        low = self._character()
        if not _RANGE.match(self._source, self._position):
            return re.escape(low)
        self._position += 1
        high = self._character()
        if high < low:
            raise ValueError(f"the range {low}-{high} runs backwards")
        return f"{re.escape(low)}-{re.escape(high)}"


def _ranges(ranges: tuple[tuple[int, int], ...], *, negated: bool) -> str:
    if negated:
        edges = [-1, *(edge for pair in ranges for edge in pair), _MAX_RUNE + 1]
        gaps = zip(edges[::2], edges[1::2], strict=True)
        ranges = tuple((end + 1, start - 1) for end, start in gaps if end + 1 < start)
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)


def _chr(code: int) -> str:
    if code > _MAX_RUNE:
        raise ValueError(f"\\x{{{code:x}}} is not a character")
    return chr(code)


def _why_not_escape(char: str) -> str:
    if not char:
        return "it ends in a single backslash"
    if char in "123456789":
        return f"\\{char} is a backreference, which RE2 does not have"
    if char == "Z":
        return r"\Z is not RE2; \z is the end of the text"
    if char in "pP":
        return rf"\{char} (Unicode classes) is not supported; list the characters, as in [A-Za-z]"
    return f"\\{char} is not an escape that is known"
