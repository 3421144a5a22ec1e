r"""STRUCTURED-DATA of RFC 5424 s6.3, strict where that helps nobody and lenient where devices err.

Layout::

    STRUCTURED-DATA = "-" / 1*( "[" SD-ID *( SP NAME "=" %d34 VALUE %d34 ) "]" )

In a value ``\"``, ``\\`` and ``\]`` are escapes; a backslash before anything else is itself (RFC
5424 s6.3.3). Taken as they come: values with an unescaped ``]``, elements that occur twice
(merged), names of any length. What is no element at all is no structured data but the
beginning of MSG.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

StructuredData = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Values by SD-ID and name; a name may have several."""

_NAME: Final = r'[^\s="\]\[]+'
_ELEMENT: Final = re.compile(
    rf'\[({_NAME})((?:[ ]+{_NAME}="(?:[^"\\]|\\.)*+")*+)[ ]*\]', re.DOTALL | re.ASCII
)
_PARAMETER: Final = re.compile(rf'({_NAME})="((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPE: Final = re.compile(r'\\(["\\\]])')


def parse_structured_data(text: str, position: int) -> tuple[StructuredData, int] | None:
    """Read the elements that begin at *position*, and where they end; None where none is whole."""
    if text.startswith("-", position) and text[position + 1 : position + 2] in ("", " "):
        return {}, position + 1
    elements: dict[str, dict[str, tuple[str, ...]]] = {}
    end = position
    while match := _ELEMENT.match(text, end):
        parameters = elements.setdefault(match[1], {})
        for name, value in _PARAMETER.findall(match[2]):
            parameters[name] = (*parameters.get(name, ()), _ESCAPE.sub(r"\1", value))
        end = match.end()
    return (elements, end) if elements else None
