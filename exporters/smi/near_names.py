"""Which known name may be meant by one that is not known.

Names of all MIB modules are kept as one text, because nothing else of an object matters here: to
collect those of 2,850 modules takes half a second, once, and a look through them some milliseconds.

The source of what is near is difflib: how much two names have in common, whatever their case.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import Final

_MOST_COMPARED: Final = 1000
"""Comparing takes some ten microseconds a name."""
_LEAST_RATIO: Final = 0.7
_SHORTEST_START: Final = 4


def nearest_name(wanted: str, names: Iterable[str]) -> str:
    """The one of *names* that is most like *wanted*, or nothing if none is."""
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), folded, n=1, cutoff=_LEAST_RATIO)
    return folded[near[0]] if near else ""


class KnownNames:
    """Names of objects, to look through for one that is nearly so."""

    def __init__(self, names: Iterable[bytes]) -> None:
        self._names = b"\n".join(dict.fromkeys(names)) + b"\n"
        self._folded = self._names.lower()

    def nearest(self, wanted: str) -> str:
        """The name that is most like *wanted*, or nothing; it has the first half of it somewhere.

        Where a thousand names and more have that, those are compared that are most like it in
        where they have it, as ``match_rank`` tells, and in their length.
        """
        start = wanted[: max(_SHORTEST_START, len(wanted) // 2)]
        best = nsmallest(
            _MOST_COMPARED,
            (
                (match_rank(name, start), abs(len(name) - len(wanted)), name)
                for name in self._with(start)
                if _may_be_near(name, wanted)
            ),
        )
        return nearest_name(wanted, (name for *_, name in reversed(best)))

    def _with(self, part: str) -> Iterator[str]:
        """The names that have *part* in them, whatever its case."""
        wanted = part.encode().lower()
        at = self._folded.find(wanted) if wanted else -1
        while at >= 0:
            end = self._folded.find(b"\n", at)
            yield self._names[self._folded.rfind(b"\n", 0, at) + 1 : end].decode()
            at = self._folded.find(wanted, end)


def _may_be_near(name: str, wanted: str) -> bool:
    """Whether names of these lengths can have enough in common."""
    both = len(name) + len(wanted)
    return 2 * min(len(name), len(wanted)) >= _LEAST_RATIO * both


def match_rank(name: str, part: str) -> int:
    """How well *part* describes *name*: 0 is the name itself."""
    if name == part:
        return 0
    folded, wanted = name.lower(), part.lower()
    if folded == wanted:
        return 1
    if folded.startswith(wanted):
        return 2
    start = folded.find(wanted, 1)
    while start >= 0:  # in ifInOctets, a word starts at In and at Octets
        if name[start].isupper() and not name[start - 1].isupper():
            return 3
        start = folded.find(wanted, start + 1)
    return 4
