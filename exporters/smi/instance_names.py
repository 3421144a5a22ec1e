"""The instance in an OID, with the names that its index gives to numbers and to text.

    ifDescr.3                                 3
    vacmAccessStatus."admin"."".3.authPriv    5.97.100.109.105.110.0.3.3
    ipAddressIfIndex.ipv4.4.127.0.0.1         1.4.127.0.0.1

An enumeration stands by its label, a string of printable ASCII in quotation marks and without its
length, everything else in numbers as it is in the OID. What does not fit the index is numbers too.
Both directions are here: what ``format_instance`` writes, ``parse_instance`` reads.

Source: RFC 2578 section 7.7 (INDEX).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exporters.smi.mib_objects import IndexPart, MibObject, Syntax

_TOKEN = re.compile(r'"(?P<text>[^"]*)"|(?P<word>[^."]+)')
_TEXT = re.compile(r"[ !#-\[\]-~]*")
"""Printable ASCII without the quotation mark and the backslash."""
_SIZES = {"IpAddress": 4, "NetworkAddress": 5}
_STRINGS = frozenset(("BITS", "OCTET STRING", "OBJECT IDENTIFIER", "Opaque"))

_COUNTED = 0
_REST = -1


@dataclass(frozen=True, slots=True)
class InstancePart:
    """What one object of an index takes of the sub-identifiers."""

    size: int = 1
    """How many; ``_COUNTED``: the first says how many follow it; ``_REST``: all that are left."""
    is_octets: bool = False
    labels: Mapping[int, str] = field(default_factory=dict)


def instance_parts(
    index: Iterable[tuple[IndexPart, MibObject | None]],
) -> tuple[InstancePart, ...]:
    """Tell what each object of an index takes; nothing for an index that is not wholly known."""
    parts: list[InstancePart] = []
    for part, item in index:
        if item is None or item.syntax is None or not item.syntax.base:
            return ()
        parts.append(_part(item.syntax, implied=part.implied))
    return tuple(parts)


def _part(syntax: Syntax, *, implied: bool) -> InstancePart:
    base = syntax.base
    if base not in _STRINGS:
        return InstancePart(_SIZES.get(base, 1), labels=dict(syntax.enumeration))
    is_octets = base == "OCTET STRING"
    sizes = syntax.effective_ranges
    if is_octets and len(sizes) == 1 and sizes[0][0] == sizes[0][1]:
        return InstancePart(sizes[0][0], is_octets)
    return InstancePart(_REST if implied else _COUNTED, is_octets)


def format_instance(parts: Sequence[InstancePart], subids: Sequence[int]) -> str:
    """Write *subids*, with a dot between any two."""
    words: list[str] = []
    rest = list(subids)
    for part in parts:
        length = _length(part, rest)
        if length is None:
            return ".".join(map(str, subids))
        if length or part.is_octets:
            words.append(_word(part, rest[:length]))
        del rest[:length]
    words.extend(map(str, rest))
    return ".".join(words)


def _length(part: InstancePart, rest: Sequence[int]) -> int | None:
    """How many sub-identifiers a part takes; None where there are not so many."""
    length = part.size
    if length == _REST:
        return len(rest)
    if length == _COUNTED:
        length = 1 + rest[0] if rest else 1
    return length if length <= len(rest) else None


def _word(part: InstancePart, subids: Sequence[int]) -> str:
    if part.is_octets:
        octets = subids[1:] if part.size == _COUNTED else subids
        if all(octet < 0x80 for octet in octets) and _TEXT.fullmatch(bytes(octets).decode()):
            return f'"{bytes(octets).decode()}"'
    elif len(subids) == 1 and subids[0] in part.labels:
        return part.labels[subids[0]]
    return ".".join(map(str, subids))


def parse_instance(parts: Sequence[InstancePart], text: str) -> Iterator[int]:
    """Read what ``format_instance`` writes, whole or its start, or numbers.

    Raises:
        ValueError: A word is no number, and nothing that its part of the index could be.
    """
    tokens = list(_tokens(text))
    for part in parts:
        if not tokens:
            return
        yield from _read(part, tokens)
    yield from map(_number, tokens)


_Token = tuple[str, bool]
"""A word, and whether it stood in quotation marks."""


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() not in (len(text), text.find(".", match.end())):
            raise ValueError(f"{text!r} is no instance")
        yield match["text"] if match["word"] is None else match["word"], match["word"] is None
        position = match.end() + 1
    if text.endswith("."):
        raise ValueError(f"{text!r} ends with a dot")


def _read(part: InstancePart, tokens: list[_Token]) -> Iterator[int]:
    """Take the tokens of one part."""
    word, is_quoted = tokens[0]
    if is_quoted and part.is_octets:
        del tokens[0]
        octets = word.encode("ascii")
        if part.size > 0 and len(octets) != part.size:
            raise ValueError(f"{word!r} has not the {part.size} characters that it must have")
        if part.size == _COUNTED:
            yield len(octets)
        yield from octets
        return
    for number, label in part.labels.items():
        if word == label:
            del tokens[0]
            yield number
            return
    length = part.size if part.size > 0 else len(tokens)
    if part.size == _COUNTED:
        length = 1 + _number(tokens[0])
    yield from map(_number, tokens[:length])
    del tokens[:length]


def _number(token: _Token) -> int:
    word, is_quoted = token
    if is_quoted or not (word.isascii() and word.isdigit()):
        raise ValueError(f"{word!r} is no number")
    return int(word)
