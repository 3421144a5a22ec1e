"""Tables of text: aligned for a terminal, or Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]
"""Lays out heads and rows."""


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width, the first one to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *rows)
    )


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, aligned in the same way."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))
