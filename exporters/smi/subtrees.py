"""OIDs that lie in one another. An OID is its bytes, so it lies in another that it starts with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from exporters.wire.ber import Oid


def outermost(oids: Iterable[Oid]) -> tuple[Oid, ...]:
    """Those that lie in none of the others, each once, sorted by their bytes."""
    kept: list[Oid] = []
    for oid in sorted(oids):
        if not kept or not oid.startswith(kept[-1]):
            kept.append(oid)
    return tuple(kept)


def covering(roots: Sequence[Oid], oid: Oid) -> Oid | None:
    """The one of *roots*, as ``outermost`` gives them, that *oid* is or lies in."""
    at = bisect_right(roots, oid) - 1
    if at >= 0 and oid.startswith(roots[at]):
        return roots[at]
    return None
