"""What goes by the interfaces of a pretend RMON probe, and how its cells are written."""

from __future__ import annotations

import math
from typing import Final

from exporters.wire.tags import COUNTER32, COUNTER64

Cell = tuple[str, int, int | str | bytes]
"""OID below rmon, tag, value; the value of an OBJECT IDENTIFIER in dotted decimal."""

IF_INDEX: Final = "1.3.6.1.2.1.2.2.1.1"
OCTETS_PER_PACKET: Final = 600
MODULUS_32: Final = 1 << 32


def packets_at(index: int, uptime: float) -> int:
    """Count what has gone by an interface: more in one minute than in another, and never less."""
    rate = 200 + 37 * (index % 11)
    return int(rate * (max(0.0, uptime) + 5 * math.sin(max(0.0, uptime) / 30)))


def wide_count(table: str, column: int, instance: str, count: int) -> list[Cell]:
    """Tell a count by three columns: 32 bits, how often they overflowed, and 64 bits."""
    return [
        (f"{table}.{column}.{instance}", COUNTER32, count % MODULUS_32),
        (f"{table}.{column + 1}.{instance}", COUNTER32, count // MODULUS_32),
        (f"{table}.{column + 2}.{instance}", COUNTER64, count),
    ]
