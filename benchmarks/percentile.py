"""What nearly all of some times were at most."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles


def p99(values: Sequence[float]) -> float:
    """What 99 of a hundred values are at most; of few values the largest.

    Raises:
        ValueError: There are no values.
    """
    if len(values) < 2:
        return max(values)
    return min(max(values), quantiles(values, n=100)[-1])
