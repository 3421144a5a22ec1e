"""protocolDir and protocolDist: traffic by protocol.

Everything in RMON2 names a protocol by its local index, which holds until the agent starts again.
The directory is read when it says that it has changed. A packet counts for each of its layers, so
that sums over protocols mean nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from exporters.rmon.interfaces import row_source
from exporters.rmon.reader import Row, combine
from exporters.rmon.row_status import live_rows
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    DISTRIBUTION,
    DISTRIBUTION_CONTROL,
    DISTRIBUTION_HC,
    PROTOCOL,
    PROTOCOL_LAST_CHANGE,
)
from exporters.smi.values import integer
from exporters.wire.tags import INTEGER_TAGS

_NEVER_CHANGED: Final = -1


async def read_protocols(scrape: Scrape) -> None:
    """Bring the names of protocols up to date."""
    value = scrape.scalars.get(PROTOCOL_LAST_CHANGE)
    changed = _NEVER_CHANGED
    if value is not None and value[0] in INTEGER_TAGS:
        changed = integer(*value)
    memory = scrape.memory
    if memory.protocols and memory.protocols_changed == changed and not scrape.restarted:
        return
    found = await scrape.reader.tables(PROTOCOL)
    memory.protocols = _names(found[PROTOCOL.entry].values())
    memory.protocols_changed = changed


def _names(rows: Iterable[Row]) -> dict[int, str]:
    """Name each local index by its description, with the index behind where two have the same."""
    described = {
        number: row.text("description")
        for row in rows
        if (number := row.counter("local_index")) is not None
    }
    times = Counter(described.values())
    return {
        number: name if times[name] == 1 else f"{name} ({number})"
        for number, name in described.items()
        if name
    }


def protocol_name(scrape: Scrape, local_index: int) -> str:
    """Name a protocol; by its local index where the directory has none."""
    return scrape.memory.protocols.get(local_index) or str(local_index)


async def write_distribution(scrape: Scrape) -> None:
    """Write packets and octets by protocol."""
    add = scrape.samples.add
    controls = {row.index[0]: row for row in live_rows(scrape.rows(DISTRIBUTION_CONTROL))}
    if not controls:
        return
    await read_protocols(scrape)
    for row in controls.values():
        labels = scrape.interface_labels(row, row_source(row))
        add("rmon2_protocol_dropped_frames_total", labels, row.counter("dropped"))
    for row in scrape.rows(DISTRIBUTION).values():
        if len(row.index) != 2 or row.index[0] not in controls:
            continue
        control = controls[row.index[0]]
        labels = {
            **scrape.interface_labels(control, row_source(control)),
            "protocol": protocol_name(scrape, row.index[1]),
        }
        high = scrape.row(DISTRIBUTION_HC, row.index)
        for name, metric in (("packets", "packets"), ("octets", "bytes")):
            count = combine(row.counter(name), None, high.counter(name))
            add(f"rmon2_protocol_{metric}_total", labels, count)
