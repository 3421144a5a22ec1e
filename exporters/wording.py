"""Numbers in sentences that people read; not for metrics, and not for the log's values."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Give ``1 device`` and ``3 devices``; *noun* is one of those that take an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
