"""Names beside OIDs: ``IF-MIB::ifDescr.3 (1.3.6.1.2.1.2.2.1.2.3)``.

The name is there for people and the number for everything else, so that a line can be read and
searched by both. An OID of which nothing is known is its number alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from exporters.errors import WireError
from exporters.wire.ber import Oid, encode_oid, format_oid

if TYPE_CHECKING:
    from exporters.smi.dictionary import Dictionary

# Five numbers at least: four may be an IP address.
_OID = re.compile(r"(?<![\w.(])[0-2](?:\.[0-9]+){4,}(?![\w.]*\w)")
_MOST_NAMES = 10_000


def name_oid(dictionary: Dictionary, oid: Oid) -> str:
    """Write an OID with its name; one that is none, in hexadecimal."""
    try:
        numbers = format_oid(oid)
    except WireError:
        return oid.hex()
    name = dictionary.format_oid_named(oid)
    return numbers if name == numbers else f"{name} ({numbers})"


def has_oids(text: str) -> bool:
    """Whether ``name_oids`` would find something to name."""
    return _OID.search(text) is not None


def name_oids(dictionary: Dictionary, text: str) -> str:
    """Write names beside the OIDs in *text*; beside the first ten thousand different ones."""
    named: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        numbers = match[0]
        if numbers not in named:
            if len(named) >= _MOST_NAMES:
                return numbers
            try:
                oid = encode_oid(numbers)
            except ValueError:
                named[numbers] = numbers
            else:
                named[numbers] = name_oid(dictionary, oid)
        return named[numbers]

    return _OID.sub(name, text)
