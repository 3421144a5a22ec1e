"""Keeps Python's collector of reference cycles away from what lives as long as the process.

A scrape of a large switch holds thousands of tuples at a time, which the collector takes for a sign
that there must be garbage: it walks through everything, modules and configuration included. With
eight scrapes side by side that took an eighth of all CPU time.

Source: the documentation of Python's gc.freeze and gc.set_threshold.
"""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS_PER_COLLECTION: Final = 5_000
"""How many more objects are made than freed before the young ones are looked at; 700 by default."""


def settle_heap() -> None:
    """Collect all garbage, then leave what is there out of later collections.

    To be called when all is loaded, and again when a reload has replaced some of it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
