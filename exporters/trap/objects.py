"""What the varbinds of a trap are called, and what their values mean, by the OID dictionary.

Numbers stay numbers, enumerations too: rules compare them, and ``2`` is ``down`` in every language.
Octets are written as their MIB says (DISPLAY-HINT), as text where they are text, in hexadecimal
else. What is looked up is remembered, up to a number: OIDs are chosen by senders. To look up what
lies below no object that is known already takes 0.1 ms, so this is done so many times a second and
no more: a search through thousands of made-up events must not keep the receiver waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

from exporters.config.event_settings import RateLimit
from exporters.config.event_taxonomy import UNKNOWN
from exporters.errors import WireError
from exporters.events.sources import SourceLimiter
from exporters.smi.addresses import format_ip_address
from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import MetricRules, NoMetricError, metric_type
from exporters.smi.indexes import IndexDecoder, compile_index
from exporters.smi.mib_objects import Kind, MibObject
from exporters.smi.values import compile_text, hex_text, number
from exporters.wire.ber import Oid, decode_subids, encode_oid, format_oid
from exporters.wire.tags import INTEGER_TAGS, OCTET_STRING, OPAQUE

Value = str | int | float

INDEX_SUFFIX: Final = ".index"
"""After the name of an object: the index of its row instead of its value."""

_MOST_REMEMBERED: Final = 10_000
_LOOKUPS_PER_SECOND: Final = 500
_LOOKUPS_AT_ONCE: Final = 2000
_ADDRESS_SIZES: Final = (4, 16)


@dataclass(frozen=True, slots=True)
class Instance:
    """A varbind's name taken apart."""

    object: Object
    index: str
    """Of the row, as text; empty for a scalar."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object, and how to write its values and the index of its rows."""

    name: str
    oid: Oid
    text: Callable[[int, bytes], str]
    indexes: tuple[IndexDecoder, ...]

    def value(self, tag: int, content: bytes) -> Value:
        """Give a value: a number of what is one, else text."""
        if tag in INTEGER_TAGS:
            return number(tag, content, wrap_counters=False)
        if tag == OPAQUE:
            return _float_or_text(self.text(tag, content))
        return self.text(tag, content)

    def index(self, rest: bytes) -> str:
        """Write the index of a row, of which *rest* follows the object's OID."""
        try:
            subids = decode_subids(rest)
        except WireError:
            return rest.hex()
        if not self.indexes:
            return "" if subids == (0,) else ".".join(map(str, subids))
        parts = []
        position = 0
        for decode in self.indexes:
            text, _, position = decode(subids, position)
            parts.append(text)
        return ".".join(parts)


class Objects:
    """The objects of a dictionary, by OID and by name."""

    def __init__(
        self, dictionary: Dictionary, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._dictionary = dictionary
        self._monotonic = monotonic
        self._rules = MetricRules(dictionary)
        limit = RateLimit(per_second=_LOOKUPS_PER_SECOND, burst=_LOOKUPS_AT_ONCE)
        self._unknown = SourceLimiter(limit)
        self._by_oid: dict[Oid, Object | None] = {}
        self._named: dict[str, tuple[bool, tuple[tuple[Oid, Object], ...]]] = {}

    def named(self, name: str) -> tuple[bool, tuple[tuple[Oid, Object], ...]]:
        """Give whether a name is that of an index, and the objects that have it, by OID."""
        found = self._named.get(name)
        if found is None:
            oids = self.oids_of(name.removesuffix(INDEX_SUFFIX))
            objects = tuple((oid, self.at(oid)) for oid in oids)
            found = (name.endswith(INDEX_SUFFIX), objects)
            if len(self._named) >= _MOST_REMEMBERED:
                self._named.clear()
            self._named[name] = found
        return found

    def oids_of(self, name: str) -> tuple[Oid, ...]:
        """Give the OIDs of all objects of that name, which may be an OID itself."""
        return tuple(dict.fromkeys(self._look_up_name(name)))

    def instance(self, oid: Oid) -> Instance:
        """Take a varbind's name apart; what no module has is called by its number."""
        for end in range(len(oid) - 1, 0, -1):
            known = self._by_oid.get(oid[:end])
            if known is not None and known is not _UNKNOWN:
                return Instance(known, known.index(oid[end:]))
        found = None
        if self._unknown.take(UNKNOWN, self._monotonic()):
            found = self._dictionary.by_oid(oid)
        if found is None or found[0].kind not in (Kind.COLUMN, Kind.SCALAR):
            return Instance(replace(_UNKNOWN, name=oid_text(oid), oid=oid), "")
        item, rest = found
        known = self.at(item.oid, item)
        return Instance(known, known.index(rest))

    def at(self, oid: Oid, item: MibObject | None = None) -> Object:
        """Give the object whose OID this is."""
        known = self._by_oid.get(oid)
        if known is None:
            if item is None:
                leaves = (Kind.COLUMN, Kind.SCALAR)
                candidates = (one for one in self._dictionary.at(oid) if one.kind in leaves)
                item = next(candidates, None)
            known = _UNKNOWN if item is None else self._compile(item)
            if len(self._by_oid) >= _MOST_REMEMBERED:
                self._by_oid.clear()
            self._by_oid[oid] = known
        return known

    def _look_up_name(self, name: str) -> list[Oid]:
        items = self._dictionary.by_name(name)
        oids = [item.oid for item in items if item.kind in (Kind.COLUMN, Kind.SCALAR)]
        if not oids and name[:1].isdigit():
            try:
                return [encode_oid(name)]
            except ValueError:
                return []
        return oids

    def _compile(self, item: MibObject) -> Object:
        return Object(item.name, item.oid, _text_of(item), self._indexes(item))

    def _indexes(self, item: MibObject) -> tuple[IndexDecoder, ...]:
        if item.kind is not Kind.COLUMN:
            return ()
        try:
            shapes = self._rules.indexes_of_column(item)
        except NoMetricError:
            return ()
        return tuple(
            compile_index(shape.type, shape.fixed_size, shape.implied, dict(shape.enum_values))
            for shape in shapes
        )


def _text_of(item: MibObject) -> Callable[[int, bytes], str]:
    kind = "" if item.syntax is None else metric_type(item.syntax) or ""
    if kind.startswith("InetAddress"):
        return _address_text
    hint = "" if item.syntax is None else item.syntax.display_hint
    if not hint and kind in ("", "OctetString"):
        return _octets_text
    return compile_text(kind, hint)


def _float_or_text(text: str) -> Value:
    """Give the number that an Opaque has, if it has one; JSON knows no other than finite ones."""
    try:
        value = float(text)
    except ValueError:
        return text
    return value if isfinite(value) else text


def _address_text(tag: int, content: bytes) -> str:
    """The type of the address is another object, which need not be among the varbinds."""
    if len(content) in _ADDRESS_SIZES:
        return format_ip_address(content) or ""
    return _octets_text(tag, content)


def _octets_text(tag: int, content: bytes) -> str:
    """Octets of which no MIB says what they are: text where all of it prints."""
    if tag != OCTET_STRING:
        return _any_text(tag, content)
    try:
        text = content.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return hex_text(content)
    return text if all(map(_prints, text)) else hex_text(content)


def _prints(char: str) -> bool:
    return char.isprintable() or char in "\t\r\n"


def oid_text(oid: Oid) -> str:
    """Write an OID that a sender made up, which need not be one."""
    try:
        return format_oid(oid)
    except WireError:
        return hex_text(oid)


_any_text: Final = compile_text("")
_UNKNOWN: Final = Object("", b"", _octets_text, ())
