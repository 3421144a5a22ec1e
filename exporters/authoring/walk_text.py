"""What a device has: the OIDs and strings of a recording, or of what snmpwalk printed.

A recording is ``.snmprec`` (``exporters.demo.snmprec``). Of snmpwalk's text, the OIDs must be in
numbers, as ``snmpwalk -On`` and ``-OQn`` print them::

    .1.3.6.1.2.1.2.2.1.2.1 = STRING: "eth0"

Source: net-snmp's snmpcmd(1), output options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exporters.demo.snmprec import load_recording, open_recording
from exporters.errors import ConfigError, Problem
from exporters.wire.ber import Oid, encode_oid
from exporters.wire.tags import OCTET_STRING

_LINE = re.compile(rb"\.?(?P<oid>[0-2](?:\.\d+)+) = (?:(?P<type>[A-Za-z0-9-]+): )?(?P<value>.*)\Z")
_ABSENT = (b"No Such ", b"No more variables")


@dataclass(frozen=True, slots=True)
class Value:
    """One instance that a device has."""

    oid: Oid
    text: str
    """Of strings; empty for everything else."""


def load_values(path: Path) -> list[Value]:
    """Give what the device of a file has, in the order of OIDs that the file has.

    Raises:
        ConfigError: The file cannot be read, or is neither of both.
    """
    try:
        with open_recording(path) as lines:
            head = next((line for line in lines if line.strip() and line[:1] != b"#"), b"")
            if _LINE.match(head.strip()):
                return list(_read_lines([head, *lines]))
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Problem(f"cannot be read: {reason}", file=str(path))]) from error
    try:
        recording = load_recording(path)
    except ConfigError as error:
        hint = "a recording, or what snmpwalk -On printed"
        problem = Problem("has no line that tells what a device has", hint, str(path))
        raise ConfigError([problem, *error.problems[1:]]) from error
    return [
        Value(oid, content.decode("utf-8", "replace") if tag == OCTET_STRING else "")
        for oid, tag, content in recording
    ]


def _read_lines(lines: list[bytes]) -> Iterator[Value]:
    """Read snmpwalk's lines; one that continues a string is none of its own."""
    for line in lines:
        match = _LINE.match(line.rstrip(b"\r\n"))
        if match is None or match["value"].startswith(_ABSENT):
            continue
        is_text = match["type"] == b"STRING" or match["value"].startswith(b'"')
        text = match["value"].strip(b'"').decode("utf-8", "replace") if is_text else ""
        try:
            yield Value(encode_oid(match["oid"].decode()), text)
        except ValueError:
            continue
