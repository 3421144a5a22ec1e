"""Durations as Go writes them, which is how every configuration file of the field writes them.

Grammar: a sum of decimal numbers with units, ``1h30m``, ``1.5s``, ``500ms``; a bare ``0``. Units
are h, m, s, ms, us (µs, μs) and ns. A bare number other than 0 is refused: the peers read it as
nanoseconds or refuse it too.

Source: the documentation of Go's ``time.ParseDuration`` and ``Duration.String``.
"""

from __future__ import annotations

import re
from fractions import Fraction

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LONGEST_TEXT = 64
_MAX_NANOSECONDS = 2**63 - 1


def parse_duration(text: str) -> float:
    """Give the seconds that *text* means.

    Raises:
        ValueError: *text* is not a duration, or longer than Go can hold (292 years).

    Example: ``parse_duration("1m30s") == 90.0``
    """
    unsigned = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if unsigned == "0":
        return 0.0
    total = Fraction(0)
    position = 0
    while len(text) <= _LONGEST_TEXT and (part := _PART.match(unsigned, position)):
        number = part[1] if part[1][0] != "." else f"0{part[1]}"
        total += Fraction(number.removesuffix(".")) * _NANOSECONDS[part[2]]
        position = part.end()
    if position == 0 or position != len(unsigned) or total > _MAX_NANOSECONDS:
        raise ValueError(f"{text!r} is not a duration")
    seconds = float(int(total) / Fraction(_NANOSECONDS["s"]))
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """Write seconds as Go does.

    Example: ``format_duration(90.0) == "1m30s"``, ``format_duration(0.5) == "500ms"``
    """
    nanoseconds = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanoseconds else ""
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < _NANOSECONDS["s"]:
        unit = next(u for u in ("ms", "µs", "ns") if nanoseconds >= _NANOSECONDS[u])
        return f"{sign}{_decimal(nanoseconds, _NANOSECONDS[unit])}{unit}"
    minutes, rest = divmod(nanoseconds, _NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _NANOSECONDS['s'])}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).zfill(len(str(unit)) - 1)}".rstrip("0")
