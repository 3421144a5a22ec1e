"""DISPLAY-HINT of octet strings: the formats of RFC 2579 section 3.1, compiled.

A hint is a sequence of octet formats:

    [*]width form [separator [terminator]]

    *           the next octet of the value says how often this format is applied
    width       decimal digits: how many octets one application takes; may be 0
    form        d decimal, x hexadecimal, o octal, a ASCII, t UTF-8
    separator   one character, not a digit and not *, after each application
    terminator  the same, after the last application; only with *

The last format repeats until the value is used up, and what would stand at the very end of the text
(a separator, a terminator) is left out. A value that ends early uses as much of the hint as it has
octets for. Examples: ``1x:`` gives 00:1A:2B, ``1d.1d.1d.1d/1d`` gives 10.0.0.0/24, ``0a[2x]0a:2d``
gives [2001]:80, where the formats of width 0 only put their separators.

Two ways to fail. A hint that is none raises ``ValueError`` when it is compiled, wherever in it the
fault is. A value that the hint cannot show gives None: no octets at all, a number of more than 8
octets, or octets left over when the last format takes none. Callers show hexadecimal then.

Hints of integers (``d-2``) are another grammar and are not handled here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from exporters.smi.utf8 import decode_text

HintFormatter = Callable[[bytes], str | None]
"""Renders the octets of a value; None where the hint does not fit them."""

_WIDEST_NUMBER = 8
_OCTET_FORMAT = re.compile(
    r"(?P<repeated>\*)? (?P<width>[0-9]+) (?P<form>[dxoat])"
    r"(?: (?P<separator>[^0-9*]) (?P<terminator>(?(repeated)[^0-9*]|(?!)))? )?",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class OctetFormat:
    """One format of a hint; separator and terminator are empty where there is none."""

    repeated: bool
    width: int
    form: str
    separator: bytes
    terminator: bytes


def parse_hint(hint: str) -> tuple[OctetFormat, ...]:
    """Parse a hint into its octet formats.

    Raises:
        ValueError: It is not a sequence of octet formats, or none that could ever show anything.
    """
    if not hint.isascii():
        raise ValueError(f"DISPLAY-HINT {hint!r} has characters outside ASCII")
    formats: list[OctetFormat] = []
    position = 0
    while position < len(hint):
        match = _OCTET_FORMAT.match(hint, position)
        if match is None:
            raise ValueError(
                f"DISPLAY-HINT {hint!r} has no octet format at character {position + 1}: expected"
                " digits and one of d x o a t, such as 1x: or 255a"
            )
        formats.append(_octet_format(match))
        position = match.end()
    if not any(octet_format.width for octet_format in formats):
        raise ValueError(f"DISPLAY-HINT {hint!r} takes no octets: a width must be at least 1")
    return tuple(formats)


def _octet_format(match: re.Match[str]) -> OctetFormat:
    octet_format = OctetFormat(
        repeated=match["repeated"] is not None,
        width=int(match["width"]),
        form=match["form"],
        separator=(match["separator"] or "").encode("ascii"),
        terminator=(match["terminator"] or "").encode("ascii"),
    )
    if octet_format.repeated and not octet_format.width:
        # One octet of the value could call for 255 texts that show nothing of it.
        raise ValueError(f"DISPLAY-HINT format {match[0]!r} repeats something of width 0")
    return octet_format


def compile_hint(hint: str) -> HintFormatter:
    r"""Prepare the rendering of octets by *hint*.

    Raises:
        ValueError: As ``parse_hint``.

    Example: ``compile_hint("1d.1d.1d.1d")(b"\xc0\xa8\x01\x01") == "192.168.1.1"``
    """
    formats = parse_hint(hint)
    if len(formats) == 1:
        simple = _simple_formatter(formats[0])
        if simple is not None:
            return simple
    return lambda raw: _apply(formats, raw)


def _simple_formatter(only: OctetFormat) -> HintFormatter | None:
    """A shortcut for the commonest hints: text, hexadecimal groups and decimal octets."""
    if only.repeated:
        return None
    if only.form in "at" and not only.separator:
        return lambda raw: decode_text(raw) if raw else None
    separator = only.separator.decode()
    if only.form == "x" and not separator.islower():  # upper() must not change the separator
        if not separator:
            return lambda raw: raw.hex().upper() if raw else None
        groups = -min(only.width, 0xFFFF)  # Negative: groups are counted from the first octet
        return lambda raw: raw.hex(separator, groups).upper() if raw else None
    if only.form == "d" and only.width == 1:
        return lambda raw: separator.join(map(str, raw)) if raw else None
    return None


def _apply(formats: tuple[OctetFormat, ...], raw: bytes) -> str | None:
    """Walk formats and octets together (RFC 2579 s3.1, numbered parts of an octet format)."""
    if not raw:
        return None
    end = len(raw)
    position = 0
    used = 0
    text: list[bytes] = []
    while position < end:
        if used == len(formats) and not formats[-1].width:
            return None  # The last format would repeat for ever and take nothing
        current = formats[min(used, len(formats) - 1)]
        used += 1
        applications = 1
        if current.repeated:  # (1) the repeat count
            applications = raw[position]
            position += 1
        while applications and position < end:
            applications -= 1
            octets = raw[position : position + current.width]  # (2) the octet length
            position += len(octets)
            shown = _show(current.form, octets)
            if shown is None:
                return None
            text.append(shown)
            if position < end and (applications or not current.terminator):
                text.append(current.separator)  # (4)
        if position < end:
            text.append(current.terminator)  # (5)
    return decode_text(b"".join(text))


def _show(form: str, octets: bytes) -> bytes | None:
    """One application of a format (3); None for a number that is too wide."""
    if form in "at":
        return octets
    if form == "x":
        return octets.hex().upper().encode()
    if len(octets) > _WIDEST_NUMBER:
        return None
    return (b"%d" if form == "d" else b"%o") % int.from_bytes(octets)
