"""The conditions of a rule, each as words for people and as a question to a message.

Rules are found by what they name, without asking: ``exporters.events.rules`` files them under it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from exporters.config.event_rules import FieldCondition, Match
from exporters.config.fields import IPNetwork
from exporters.config.re2 import Regex
from exporters.events.event import Message, Value
from exporters.events.searching import search
from exporters.wire.ber import encode_oid

_OID: Final = re.compile(r"\.?\d+(\.\d+)*(\.\*)?\Z")
_NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?\Z")


class Condition(NamedTuple):
    """One condition: *words* for people, *holds* for messages."""

    words: str
    holds: Callable[[Message], bool]


class NamePatterns:
    """Names, OIDs, and beginnings of both; what ``trap`` and ``vendor_event`` of a rule list.

    A vendor's event may be a number, such as ``0100032002`` of FortiGate, which is no OID.
    """

    def __init__(self, patterns: Collection[str], *, has_oids: bool) -> None:
        self.words = " or ".join(patterns)
        self.names: set[str] = set()
        self.oids: set[bytes] = set()
        names: list[str] = []
        oids: list[bytes] = []
        for pattern in patterns:
            if has_oids and _OID.match(pattern):
                oid = encode_oid(pattern.removesuffix(".*"))
                if pattern.endswith("*"):
                    oids.append(oid)
                else:
                    self.oids.add(oid)
            elif pattern.endswith("*"):
                names.append(pattern[:-1])
            else:
                self.names.add(pattern)
        self.name_prefixes = tuple(names)
        self.oid_prefixes = tuple(oids)

    @property
    def has_prefixes(self) -> bool:
        """Whether the names that it stands for cannot be listed."""
        return bool(self.name_prefixes or self.oid_prefixes)

    def pattern_of(self, name: str) -> str:
        """Give the pattern with a ``*`` that stands for a name; "" if none does."""
        found = (prefix for prefix in self.name_prefixes if name.startswith(prefix))
        return next((f"{prefix}*" for prefix in found), "")

    def holds(self, message: Message) -> bool:
        """Whether the name or the OID of a message is one of them."""
        return (
            message.name in self.names
            or message.oid in self.oids
            or message.name.startswith(self.name_prefixes)
            or message.oid.startswith(self.oid_prefixes)
        )


def compile_class_conditions(match: Match) -> Iterator[Condition]:
    """Give the conditions on what all messages have in common that share a plan."""
    for name in ("app", "vendor"):
        if values := getattr(match, name):
            yield _is_one_of(name, frozenset(values))


def compile_conditions(match: Match) -> Iterator[Condition]:
    """Give the others but for names and the pattern, the cheapest first."""
    for name in ("severity", "facility", "version", "generic", "specific"):
        if values := getattr(match, name):
            yield _is_one_of(name, frozenset(values))
    if match.enterprise:
        yield _enterprise(NamePatterns(match.enterprise, has_oids=True))
    if match.device:
        yield _is_one_of("device", frozenset(match.device))
    if match.source:
        yield _from_network(match.source)
    for name, condition in match.fields.items():
        yield from _field(name, condition)


def _is_one_of(name: str, values: frozenset[str | int]) -> Condition:
    place = Message._fields.index(name)
    words = f"{name} is {' or '.join(map(str, sorted(values, key=str)))}"
    return Condition(words, lambda message: message[place] in values)


def _enterprise(patterns: NamePatterns) -> Condition:
    def holds(message: Message) -> bool:
        oid = message.enterprise
        return oid in patterns.oids or oid.startswith(patterns.oid_prefixes)

    return Condition(f"enterprise is {patterns.words}", holds)


def _from_network(networks: tuple[IPNetwork, ...]) -> Condition:
    @lru_cache(maxsize=4096)
    def is_inside(address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False  # a Unix socket
        return any(ip in network for network in networks)

    words = f"source is in {' or '.join(map(str, networks))}"
    return Condition(words, lambda message: is_inside(message.source))


def _field(name: str, condition: FieldCondition) -> Iterator[Condition]:
    if condition.present is not None:
        yield _is_present(name, wanted=condition.present)
    if condition.equals:
        yield _equals(name, condition.equals)
    if condition.above is not None:
        yield _is_beyond(name, condition.above, above=True)
    if condition.below is not None:
        yield _is_beyond(name, condition.below, above=False)
    if condition.matches is not None:
        yield _matches(name, condition.matches)


def _is_present(name: str, *, wanted: bool) -> Condition:
    words = f"{name} is {'there' if wanted else 'not there'}"
    return Condition(words, lambda message: (message.details.field(name) is not None) is wanted)


def _equals(name: str, texts: tuple[str, ...]) -> Condition:
    values: frozenset[Value] = frozenset((*texts, *map(float, filter(_NUMBER.match, texts))))
    words = f"{name} equals {' or '.join(texts)}"
    return Condition(words, lambda message: message.details.field(name) in values)


def _is_beyond(name: str, limit: float, *, above: bool) -> Condition:
    def holds(message: Message) -> bool:
        number = number_of(message.details.field(name))
        return number is not None and (number > limit if above else number < limit)

    return Condition(f"{name} is {'above' if above else 'below'} {limit:g}", holds)


def _matches(name: str, pattern: Regex) -> Condition:
    def holds(message: Message) -> bool:
        value = message.details.field(name)
        return value is not None and search(pattern, str(value)) is not None

    return Condition(f"{name} matches {pattern.source}", holds)


def number_of(value: Value | None) -> float | None:
    """Give a value as a number, as text that is one is; None for what is none."""
    if isinstance(value, str):
        return float(value) if _NUMBER.match(value) else None
    return value
