"""What rules take from the messages that they match: values for labels, keys and instances.

A value is named: a named group of a pattern of the rule, else a field of the message. A group that
matched nothing has no value; no field of its name is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exporters.config.event_rules import Cleared, Raised
from exporters.config.re2 import Regex
from exporters.events.event import Change, Details, printable
from exporters.events.searching import search

MAX_VALUE_CHARACTERS: Final = 128
"""Of an instance or a label."""

CONSTANT: Final = "="
"""Before a word that stands for itself where a rule names values: ``=battery``."""


class StateChange:
    """What a rule raises or clears."""

    __slots__ = ("_event", "_instance", "_key", "_raised", "_survives", "_ttl")

    def __init__(self, source: Cleared, event: str) -> None:
        self._event = source.event or event
        self._instance = split_names(source.instance)
        self._key = split_names(source.key)
        self._raised = isinstance(source, Raised)
        self._ttl = source.ttl if isinstance(source, Raised) else 0.0
        self._survives = isinstance(source, Raised) and source.survives_restart

    def change(self, values: Values) -> Change:
        """Give the change that a message with these values asks for."""
        instance = values.first(self._instance)
        key = (values.first(self._key) if self._key else "") or instance
        return Change(self._raised, self._event, key, instance or key, self._ttl, self._survives)


class Values:
    """Values by name: a group of a pattern of the rule, else a field of the message."""

    def __init__(self, sources: Iterable[tuple[str, Regex]], details: Details) -> None:
        self._details = details
        self._groups: dict[str, str] = {}
        for field, pattern in sources:
            value = details.field(field) if field else details.text()
            match = search(pattern, str(value)) if value is not None else None
            if match is not None:
                for name, text in match.groupdict().items():
                    if text or name not in self._groups:
                        self._groups[name] = text or ""

    def first(self, alternatives: Iterable[tuple[str, ...]]) -> str:
        """Give the first alternative whose names all have a value; "" where none has."""
        for names in alternatives:
            values = [self._value(name) for name in names]
            if "" not in values:
                return printable(" ".join(values), MAX_VALUE_CHARACTERS)
        return ""

    def _value(self, name: str) -> str:
        if name.startswith(CONSTANT):
            return name.removeprefix(CONSTANT)
        if name in self._groups:
            return self._groups[name]
        found = self._details.field(name)
        return "" if found is None else str(found)


def split_names(alternatives: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Give the names of each alternative."""
    return tuple(tuple(names.split()) for names in alternatives)
