"""What validators may know besides the value: handed through pydantic's validation context.

The environment, the directory of the file and the flags come in from the command line; no
validator reads them from the process.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationInfo

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class LoadContext:
    """The surroundings of one load; ``shared`` lives as long as the load does."""

    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path = field(default_factory=Path)
    expand_environment_variables: bool = False
    shared: dict[Any, Any] = field(default_factory=dict)
    """Equal values of one load become one object: see ``share``."""


def context_of(info: ValidationInfo) -> LoadContext:
    """Give the context of a validation; an empty one where a model is built by hand."""
    return info.context if isinstance(info.context, LoadContext) else LoadContext()


def share(value: T, info: ValidationInfo) -> T:
    """Give the equal value that this load already holds, or *value* itself."""
    shared: T = context_of(info).shared.setdefault((type(value), value), value)
    return shared
