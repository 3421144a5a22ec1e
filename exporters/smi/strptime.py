"""Dates in text: strptime patterns, compiled, English in every locale.

``datetime.strptime`` will not do: its month names are those of the process's locale, it skips white
space that is not in the pattern and it backtracks. Patterns here mean what snmp_exporter's users
know them to mean (itchyny/timefmt-go): each directive takes as many digits as it may, from left to
right and without a second try; names are English in any case of letters; the whole text must be
used; no zone is UTC.

    %Y %C %y        year of 4 digits, century, year of 2 digits (69 to 99 are 19xx)
    %m %B %b %h     month: number, name, short name
    %d %e %j        day of the month (%e: after one optional space), day of the year
    %H %k %I %l %p %P   hour of 24, of 12 (%k %l: after one optional space), AM or PM
    %M %S %f %s     minute, second, its fraction (ignored), Unix seconds
    %A %a %u %w     day of the week (checked, ignored)
    %z %:z %::z     offset from UTC: +0200, +02:00, +02 or Z; with colons, exactly so
    %Z              zone abbreviation: checked and taken as UTC, for it says nothing reliable
    %n %t %%        white space, white space, a percent sign
    %c %+ %D %F %r %R %T %v %x %X   combinations of these

Week numbers (%G %g %U %V %W) are not dates and are refused. Text that has parts which make no date,
such as 30 February, is refused too.

Sources: POSIX strptime(), timefmt-go 0.1.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

DateParser = Callable[[str], int]
"""Parses text as Unix seconds; raises ``ValueError`` where it is no date of the pattern."""

_MONTHS = ["January", "February", "March", "April", "May", "June"]
_MONTHS += ["July", "August", "September", "October", "November", "December"]
_WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_SHORT = slice(3)

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DEFAULT_YEAR = 1900
_QUOTED_CHARACTERS = 64


class _Directive(NamedTuple):
    """What a directive matches, and the field of the date that it sets."""

    regex: str
    field: str
    read: Callable[[str], int]


def _number(field: str, digits: int, least: int, most: int, before: str = "") -> _Directive:
    def read(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError(f"{field} {value} is not within {least} to {most}")
        return value

    return _Directive(f"{before}([0-9]{{1,{digits}}}+)", field, read)


def _name(field: str, names: list[str]) -> _Directive:
    """A directive that counts *names* from 1."""
    numbers = {name.lower(): position for position, name in enumerate(names, start=1)}
    return _Directive(f"((?i:{'|'.join(names)}))", field, lambda text: numbers[text.lower()])


def _read_short_year(text: str) -> int:
    value = int(text)
    return value + (2000 if value < 69 else 1900)


def _read_offset(text: str) -> int:
    """Seconds east of UTC."""
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f"offset {text} is not within a day")
    offset = hours * 3_600 + minutes * 60 + seconds
    return -offset if text[0] == "-" else offset


_OPTIONAL_SPACE = " ?+"
_DIRECTIVES = {
    "Y": _number("year", 4, 0, 9999),
    "y": _Directive("([0-9]{1,2}+)", "year", _read_short_year),
    "C": _number("century", 2, 0, 99),
    "m": _number("month", 2, 1, 12),
    "B": _name("month", _MONTHS),
    "b": _name("month", [name[_SHORT] for name in _MONTHS]),
    "d": _number("day", 2, 1, 31),
    "e": _number("day", 2, 1, 31, before=_OPTIONAL_SPACE),
    "j": _number("day of the year", 3, 1, 366),
    "H": _number("hour", 2, 0, 23),
    "k": _number("hour", 2, 0, 23, before=_OPTIONAL_SPACE),
    "I": _number("hour of twelve", 2, 1, 12),
    "l": _number("hour of twelve", 2, 1, 12, before=_OPTIONAL_SPACE),
    "p": _name("half of the day", ["AM", "PM"]),
    "M": _number("minute", 2, 0, 59),
    "S": _number("second", 2, 0, 60),
    "f": _number("fraction", 6, 0, 999_999),
    "s": _Directive("(-?[0-9]{1,19}+)", "unix", int),
    "A": _name("weekday", _WEEKDAYS),
    "a": _name("weekday", [name[_SHORT] for name in _WEEKDAYS]),
    "u": _number("weekday", 1, 1, 7),
    "w": _number("weekday", 1, 0, 6),
    "z": _Directive(
        "((?>Z|[+-][0-9]{2}(?::[0-9]{2}(?::[0-9]{2})?|[0-9]{2})?))", "offset", _read_offset
    ),
    ":z": _Directive("(Z|[+-][0-9]{2}:[0-9]{2})", "offset", _read_offset),
    "::z": _Directive("(Z|[+-][0-9]{2}:[0-9]{2}:[0-9]{2})", "offset", _read_offset),
    "Z": _Directive("((?:[A-Z]{3}|[A-Z]{3}T|[A-Z]{4}T|WITA)(?![A-Z]))", "zone", lambda _: 0),
}
_DIRECTIVES |= {"h": _DIRECTIVES["b"], "P": _DIRECTIVES["p"]}
_COMBINATIONS = {
    "c": "%a %b %e %H:%M:%S %Y",
    "+": "%a %b %e %H:%M:%S %Z %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "T": "%H:%M:%S",
    "v": "%e-%b-%Y",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}
_LITERALS = {"%": "%", "n": r"[ \t\n\v\f\r]++", "t": r"[ \t\n\v\f\r]++"}

_PART = re.compile(r"%(?P<directive>:{0,2}.)|(?P<literal>[^%]+)|(?P<stray>%)", re.DOTALL)


def compile_pattern(pattern: str) -> DateParser:
    """Prepare the parsing of text by a strptime *pattern*.

    Raises:
        ValueError: The pattern is empty or has a directive that is not in the table above.

    Example: ``compile_pattern("%b %d %Y")("Apr 01 2025") == 1743465600``
    """
    if not pattern:
        raise ValueError("the date pattern is empty: expected directives such as %Y-%m-%d")
    directives: list[_Directive] = []
    regex = re.compile("".join(_translate(pattern, directives)), re.ASCII)

    def parse(text: str) -> int:
        match = regex.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:_QUOTED_CHARACTERS]!r} is not a date of the form {pattern!r}")
        fields: dict[str, int] = {}
        for directive, part in zip(directives, match.groups(), strict=True):
            fields[directive.field] = directive.read(part)
        return _unix_seconds(fields)

    return parse


def _translate(pattern: str, directives: list[_Directive]) -> Iterator[str]:
    """Give *pattern* as pieces of a regular expression; append what its groups mean."""
    for part in _PART.finditer(pattern):
        if part["literal"] is not None:
            yield re.escape(part["literal"])
            continue
        if part["stray"] is not None:
            raise ValueError(f"the date pattern {pattern!r} ends in a stray %: expected %% or %Y")
        name = part["directive"]
        if name in _LITERALS:
            yield _LITERALS[name]
        elif name in _COMBINATIONS:
            yield from _translate(_COMBINATIONS[name], directives)
        elif name in _DIRECTIVES:
            directives.append(_DIRECTIVES[name])
            yield _DIRECTIVES[name].regex
        else:
            known = " ".join(f"%{known}" for known in [*_DIRECTIVES, *_COMBINATIONS, *_LITERALS])
            raise ValueError(f"the date pattern {pattern!r} has %{name}: expected one of {known}")


def _unix_seconds(fields: dict[str, int]) -> int:
    """Put the fields of a date together; what is not there is 1900-01-01 00:00:00 UTC."""
    if "unix" in fields:
        return fields["unix"]
    year = fields.get("year", _DEFAULT_YEAR)
    if "century" in fields:
        year = fields["century"] * 100 + year % 100
    day_of_year = 0 if "day" in fields else fields.get("day of the year", 0)
    if day_of_year:
        days = date(year, 1, 1).toordinal() + day_of_year - 1
    else:
        days = date(year, fields.get("month", 1), fields.get("day", 1)).toordinal()
    hours = fields["hour of twelve"] % 12 if "hour of twelve" in fields else fields.get("hour", 0)
    if fields.get("half of the day") == 2:
        hours += 12
    minutes = hours * 60 + fields.get("minute", 0)
    seconds = (days - _EPOCH_DAY) * 86_400 + minutes * 60 + fields.get("second", 0)
    return seconds - fields.get("offset", 0)
