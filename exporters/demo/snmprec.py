r"""The text format of recorded devices that snmpsim made common: one row a line.

A line is ``OID|TAG|VALUE``. The tag is the BER tag in decimal (2, 4, 5, 6, 64 to 71, 128 to 130),
optionally with how the value is written and with a module that varies it::

    1.3.6.1.2.1.1.1.0|4|Cisco IOS Software          text, taken as it stands
    1.3.6.1.2.1.2.2.1.6.1|4x|00127962f940           x: hexadecimal
    1.3.6.1.2.1.1.6.0|4e|floor 1\nrack 2            e: with Python's escapes
    1.3.6.1.2.1.4.20.1.1.10.0.0.1|64|10.0.0.1       or 64x|0a000001
    1.3.6.1.2.1.2.2.1.10.1|65:numeric|rate=20       computed: see exporters.demo.numeric

Empty lines and lines that start with ``#`` say nothing. A file may be compressed (``.bz2``,
``.gz``), unsorted, and may name an OID twice: the later line stays, as in snmpsim. Two things are
wider than snmpsim's: text keeps blanks at its ends, and ``x`` after any tag gives the content
bytes, so that ``70x|ff`` records a device that encodes a counter as -1.

This module reads and writes lines. What holds the rows is ``exporters.demo.recording``.

Source: snmpsim's user guide, "Simulation data" and "Variation modules".
"""

from __future__ import annotations

import bz2
import gzip
import re
from binascii import unhexlify
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import BinaryIO, Final, cast

from exporters.demo.numeric import Moment, Numeric, integer_range, parse_options
from exporters.demo.recording import Recording, decode_varbind, encode_varbind, sort_key
from exporters.errors import ConfigError, Problem, WireError
from exporters.wire.ber import Oid, encode_integer_content, encode_oid, encode_subids, format_oid
from exporters.wire.tags import (
    COUNTER32,
    COUNTER64,
    EXCEPTIONS,
    GAUGE32,
    INTEGER,
    INTEGER_TAGS,
    IP_ADDRESS,
    NSAP,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
    UINTEGER32,
)

MAX_PROBLEMS: Final = 1000
"""How many problems of one file are kept with their line; the rest is counted."""

_MAX_REMEMBERED: Final = 100_000
_MAX_ARCS: Final = 128
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.?)", re.DOTALL)
_ESCAPED: Final[Mapping[bytes, bytes]] = MappingProxyType(
    {
        b"\\": b"\\",
        b"'": b"'",
        b'"': b'"',
        b"a": b"\a",
        b"b": b"\b",
        b"f": b"\f",
        b"n": b"\n",
        b"r": b"\r",
        b"t": b"\t",
        b"v": b"\v",
    }
)
_PLAIN_TEXT = re.compile(rb"[!-~](?:[ -~]*[!-~])?")


def load_recording(path: Path, *, strict: bool = False) -> Recording:
    """Load a recording from a file, compressed or not.

    Raises:
        ConfigError: The file cannot be read or has no usable line; with *strict*, also when any
            line of it has a problem.
    """
    try:
        with open_recording(path) as lines:
            recording = read_recording(lines, str(path))
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Problem(f"cannot be read: {reason}", file=str(path))]) from error
    if strict and recording.problems:
        raise ConfigError(recording.problems)
    if not len(recording):
        nothing = Problem("no line is OID|TAG|VALUE", "a recording in .snmprec format", str(path))
        raise ConfigError([nothing, *recording.problems[:10]])
    return recording


def open_recording(path: Path, mode: str = "rb") -> BinaryIO:
    """Open a recording's bytes for reading (``rb``) or writing (``wb``) by the file's suffix.

    Raises:
        OSError: It cannot be opened.
    """
    if path.suffix == ".bz2":
        return cast(BinaryIO, bz2.open(path, mode))
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, mode))
    return cast(BinaryIO, path.open(mode))


def read_recording(lines: Iterable[bytes], file: str = "") -> Recording:
    """Read the lines of a recording; a line that cannot be used becomes a problem."""
    reader = _Reader(file)
    for number, line in enumerate(lines, 1):
        reader.read_line(number, line)
    return reader.finish()


def format_line(oid: Oid, tag: int, raw: bytes) -> str:
    """Write one row, without a line end; ``read_recording`` gives back the same bytes.

    Numbers and printable text are written plainly, all else in hexadecimal.

    Raises:
        WireError: *oid* is not an OID.

    Example: ``1.3.6.1.2.1.1.3.0|67|165660250``
    """
    text = _format_value(tag, raw)
    if text is None:
        return f"{format_oid(oid)}|{tag}x|{raw.hex()}"
    return f"{format_oid(oid)}|{tag}|{text}"


def _format_value(tag: int, raw: bytes) -> str | None:
    """Write a value plainly, or None where that would not give back the same bytes."""
    if tag in INTEGER_TAGS:
        value = int.from_bytes(raw, "big", signed=True)
        lowest, highest = integer_range(tag)
        canonical = lowest <= value <= highest and encode_integer_content(value) == raw
        return str(value) if canonical else None
    if tag == OBJECT_IDENTIFIER:
        try:
            text = format_oid(raw)
            return text if encode_oid(text) == raw else None
        except (WireError, ValueError):
            return None
    if tag == OCTET_STRING and _PLAIN_TEXT.fullmatch(raw):
        return raw.decode("ascii")
    return "" if not raw and _TEXT_PARSERS.get(tag) in (bytes, _parse_nothing) else None


# --- values ---------------------------------------------------------------------------------


def _parse_integer(text: bytes) -> bytes:
    # a value outside of the type's range is kept: devices send such, and clients must cope
    return encode_integer_content(int(text))


def _parse_oid_value(text: bytes) -> bytes:
    return encode_oid(text.strip().decode("ascii", "replace"))


def _parse_ip_address(text: bytes) -> bytes:
    if len(text) == 4:  # snmpsim records so where all octets happen to be printable
        return text
    return IPv4Address(text.strip().decode("ascii", "replace")).packed


def _parse_nothing(text: bytes) -> bytes:
    if text.strip():
        raise ValueError("a value without content has text after it")
    return b""


def _unescape(text: bytes) -> bytes:
    return _ESCAPE.sub(_replace_escape, text)


def _replace_escape(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 3:
        return unhexlify(escape[1:])
    if escape not in _ESCAPED:
        raise ValueError(f"the escape \\{escape.decode('latin-1')} is not one of Python's")
    return _ESCAPED[escape]


def _parse_hexadecimal(text: bytes) -> bytes:
    try:
        return unhexlify(text.strip())
    except ValueError as error:
        raise ValueError("the value is not hexadecimal digits, two a byte") from error


_TEXT_PARSERS: Final[Mapping[int, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        **dict.fromkeys(
            (INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32), _parse_integer
        ),
        **dict.fromkeys((OCTET_STRING, OPAQUE, NSAP), bytes),
        **dict.fromkeys((NULL, *EXCEPTIONS), _parse_nothing),
        IP_ADDRESS: _parse_ip_address,
        OBJECT_IDENTIFIER: _parse_oid_value,
    }
)


def _value_parser(tag_text: bytes) -> tuple[int, Callable[[bytes], bytes]]:
    """Find what parses the values of a tag such as ``4``, ``4x`` or ``4e``.

    Raises:
        ValueError: There is no such tag.
    """
    digits = tag_text.rstrip(b"xe")
    if not digits.isdigit() or len(tag_text) - len(digits) > 1:
        raise ValueError(f"{tag_text.decode('latin-1')!r} is not a tag such as 2, 4x or 65:numeric")
    tag = int(digits)
    if tag_text.endswith(b"x") and 0 < tag < 0xFF and tag & 0x1F != 0x1F:
        return tag, _parse_hexadecimal
    if tag not in _TEXT_PARSERS:
        raise ValueError(f"tag {tag} is not one of SNMP's types")
    if tag_text.endswith(b"e"):
        return tag, _unescape
    return tag, _TEXT_PARSERS[tag]


# --- lines ----------------------------------------------------------------------------------


class _Subids(dict[bytes, bytes]):
    """Encoded sub-identifiers by their text: a recording of a million rows has few of them."""

    def __missing__(self, text: bytes) -> bytes:
        if not text.isdigit():
            raise ValueError(f"{text.decode('latin-1')!r} is not a sub-identifier of an OID")
        encoded = encode_subids((int(text),))
        if len(self) < _MAX_REMEMBERED:
            self[text] = encoded
        return encoded


class _Reader:
    """Collects the rows and the problems of a recording, line by line."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._keys: list[bytes] = []
        self._rows: list[bytes] = []
        self._numeric: dict[bytes, Numeric] = {}
        self._ascending = True
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._parsers: dict[bytes, tuple[int, Callable[[bytes], bytes]]] = {}
        self._heads: dict[tuple[bytes, ...], bytes] = {}
        self._subids = _Subids()

    def read_line(self, number: int, line: bytes) -> None:
        """Read one line; keep its row or its problem."""
        line = line.rstrip(b"\r\n")
        if line.startswith(b"#"):
            return
        parts = line.split(b"|", 2)
        try:
            if len(parts) < 3:
                if line.strip():
                    raise ValueError("the line is not OID|TAG|VALUE")
                return
            oid_text, tag_text, text = parts
            parser = self._parsers.get(tag_text)
            if parser is None:
                if b":" in tag_text:
                    self._read_variation(number, oid_text, tag_text, text)
                    return
                parser = self._parsers[tag_text] = _value_parser(tag_text.strip())
            tag, parse = parser
            self._add(self._encode_oid(oid_text), tag, parse(text))
        except ValueError as error:
            self._report(number, str(error))

    def finish(self) -> Recording:
        """Sort, drop all but the last row of each OID, and give the recording."""
        keys, rows = self._keys, self._rows
        if not self._ascending:
            # a dict keeps the place of the first and the row of the last line of an OID
            by_key = dict(zip(keys, rows, strict=True))
            if len(by_key) < len(keys):
                self._report_repeated(len(keys) - len(by_key))
            keys = sorted(by_key)
            rows = [by_key[key] for key in keys]
        numeric = {}
        if self._numeric:
            numeric = {n: self._numeric[key] for n, key in enumerate(keys) if key in self._numeric}
        return Recording(keys, rows, numeric, tuple(self._problems), self._problem_count)

    def _read_variation(self, number: int, oid: bytes, tag_text: bytes, text: bytes) -> None:
        tag_text, _, module = tag_text.strip().partition(b":")
        name = module.decode("latin-1")
        options = text.decode("latin-1").strip()
        if module == b"numeric":
            tag, _ = _value_parser(tag_text)
            row = Numeric.parse(tag, options)
            first = row.value(Moment(0.0, 0.0), None, Random(0))
            self._add(self._encode_oid(oid), tag, encode_integer_content(int(first)), row)
            return
        given = parse_options(options)
        if "hexvalue" in given:
            tag, parse = _value_parser(tag_text.rstrip(b"xe") + b"x")
            content = parse(given["hexvalue"].encode("latin-1"))
        elif "value" in given:
            tag, parse = _value_parser(tag_text)
            content = parse(given["value"].encode("latin-1"))
        else:
            raise ValueError(f"the variation module {name!r} is not simulated; the row is left out")
        self._add(self._encode_oid(oid), tag, content)
        self._report(number, f"the variation module {name!r} is not simulated; its value is served")

    def _encode_oid(self, text: bytes) -> Oid:
        arcs = text.strip().removeprefix(b".").split(b".")
        if len(arcs) > _MAX_ARCS:
            raise ValueError(f"the OID has more than {_MAX_ARCS} sub-identifiers")
        first = tuple(arcs[:2])  # these share a byte
        head = self._heads.get(first)
        if head is None:
            head = encode_oid(b".".join(first).decode("ascii", "replace"))
            self._heads[first] = head
        return head + b"".join(map(self._subids.__getitem__, arcs[2:]))

    def _add(self, oid: Oid, tag: int, content: bytes, numeric: Numeric | None = None) -> None:
        key = sort_key(oid)
        if self._ascending and self._keys and key <= self._keys[-1]:
            self._ascending = False
        self._keys.append(key)
        self._rows.append(encode_varbind(oid, tag, content))
        if numeric is not None:
            self._numeric[key] = numeric
        elif self._numeric:
            self._numeric.pop(key, None)

    def _report_repeated(self, count: int) -> None:
        first, _ = next(group for group in Counter(self._keys).items() if group[1] > 1)
        row = self._rows[self._keys.index(first)]
        oid = format_oid(decode_varbind(row)[0])
        self._report(None, f"{oid} stands there twice, the last is served ({count} such lines)")

    def _report(self, number: int | None, problem: str) -> None:
        self._problem_count += 1
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(problem, file=self._file, line=number))
