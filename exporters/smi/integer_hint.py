"""DISPLAY-HINT of integers: ``d``, ``d-2``, ``x``, ``o`` and ``b`` of RFC 2579 section 3.1.

    d      decimal                1234
    d-2    decimal, with a point  12.34
    x o b  hexadecimal, octal, binary

Hints of octet strings are another grammar: ``exporters.smi.display_hint``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_HINT = re.compile(r"(?P<radix>[xob])|d(?:-(?P<places>[0-9]{1,2}))?")


def compile_integer_hint(hint: str) -> Callable[[int], str]:
    """Prepare the rendering of numbers by *hint*.

    Raises:
        ValueError: It is no hint of an integer.

    Example: ``compile_integer_hint("d-2")(-5) == "-0.05"``
    """
    match = _HINT.fullmatch(hint)
    if match is None:
        raise ValueError(f"DISPLAY-HINT {hint!r} is none of an integer: expected d, d-2, x, o or b")
    if match["radix"]:
        radix = match["radix"].upper() if match["radix"] == "x" else match["radix"]
        return lambda value: format(value, radix)
    places = int(match["places"] or 0)
    return str if not places else lambda value: _with_point(value, places)


def _with_point(value: int, places: int) -> str:
    digits = str(abs(value)).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
