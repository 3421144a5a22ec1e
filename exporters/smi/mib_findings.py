"""What is wrong in a MIB file, and what it costs.

Sources: none; severities are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a problem costs."""

    ERROR = "error"
    """Something of the module is not in the dictionary."""
    WARNING = "warning"
    """The file is wrong, and what was meant could be told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong in a MIB file, at a line of it."""

    line: int
    severity: Severity
    text: str
