"""Messages made by hand, and rules read from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from exporters.config.context import LoadContext
from exporters.config.event_rules import EventRule, EventRules
from exporters.config.validation import validate
from exporters.config.yaml_file import parse_yaml
from exporters.events.event import Message, Remarks, Value


class Said:
    """The details of a message, as they are given."""

    def __init__(
        self, values: Mapping[str, Value], text: str, remarks: Remarks | None = None
    ) -> None:
        self.values = values
        self.said = text
        self.remarked = remarks or Remarks()

    def field(self, name: str) -> Value | None:
        return self.values.get(name)

    def fields(self) -> Mapping[str, Value]:
        return self.values

    def text(self) -> str:
        return self.said

    def remarks(self, received_at: float) -> Remarks:
        return self.remarked


def make_message(
    name: str = "", text: str = "", fields: Mapping[str, Value] | None = None, **parts: Any
) -> Message:
    given = {
        "kind": "trap",
        "received_at": 1000.0,
        "source": "192.0.2.1",
        "device": "core-1",
        "name": name,
        "details": Said(fields or {}, text),
        "size_bytes": 100,
    }
    return Message(**{**given, **parts})


def read_rules(text: str) -> tuple[EventRule, ...]:
    content = parse_yaml(text.encode())
    return validate(EventRules, content, path=Path("rules.yml"), context=LoadContext()).rules


@pytest.fixture
def message() -> Callable[..., Message]:
    return make_message


@pytest.fixture
def rules() -> Callable[[str], tuple[EventRule, ...]]:
    return read_rules
