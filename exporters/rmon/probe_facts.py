"""Small groups: filter and capture status, the address map's size, facts of probeConfig.

Of captured packets nothing is ever read: they are other people's words. Of probeConfig neither are
the trap communities, and nothing of it may ever be written.
"""

from __future__ import annotations

from exporters.rmon.interfaces import Source
from exporters.rmon.row_status import live_entries
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    ADDRESS_MAP_DELETES,
    ADDRESS_MAP_INSERTS,
    BUFFER_CONTROL,
    CHANNEL,
    PROBE_HARDWARE,
    PROBE_SOFTWARE,
)
from exporters.smi.utf8 import decode_text
from exporters.smi.values import integer
from exporters.wire.ber import Oid
from exporters.wire.tags import INTEGER_TAGS, OCTET_STRING


async def write_channels(scrape: Scrape) -> None:
    """Write what channels have let through."""
    for row in live_entries(scrape.rows(CHANNEL)):
        source = Source("interface", row.counter("if_index") or 0)
        labels = {
            **scrape.interface_labels(row, source),
            "description": row.text("description"),
        }
        scrape.samples.add("rmon_channel_matches_total", labels, row.counter("matches"))
        control = row.number("control")
        scrape.samples.add(
            "rmon_channel_enabled", labels, None if control is None else int(control == 1)
        )


async def write_buffers(scrape: Scrape) -> None:
    """Write how full capture buffers are; one that somebody forgot is a finding."""
    for row in live_entries(scrape.rows(BUFFER_CONTROL)):
        labels = {"rmon_index": str(row.index[0]), "channel": str(row.counter("channel") or 0)}
        scrape.samples.add("rmon_buffer_captured_packets", labels, row.counter("packets"))
        full = row.number("full")
        scrape.samples.add("rmon_buffer_full", labels, None if full is None else int(full == 2))
        scrape.findings["capture_buffer_present"] += 1


async def write_address_map(scrape: Scrape) -> None:
    """Write how many addresses are mapped, without the map."""
    inserts = _number(scrape, ADDRESS_MAP_INSERTS)
    deletes = _number(scrape, ADDRESS_MAP_DELETES)
    if inserts is None or deletes is None:
        return
    scrape.configured["address_map"] = bool(inserts)
    scrape.samples.add("rmon2_address_map_inserts_total", {}, inserts)
    scrape.samples.add("rmon2_address_map_deletes_total", {}, deletes)
    scrape.samples.add("rmon2_address_map_entries", {}, (inserts - deletes) % 2**32)


async def write_probe(scrape: Scrape) -> None:
    """Write what the probe says of itself."""
    software, hardware = _text(scrape, PROBE_SOFTWARE), _text(scrape, PROBE_HARDWARE)
    if software is None and hardware is None:
        return
    scrape.configured["probe"] = True
    labels = {"software": software or "", "hardware": hardware or ""}
    scrape.samples.add("rmon_probe_info", labels, 1)


def _number(scrape: Scrape, instance: Oid) -> int | None:
    value = scrape.scalars.get(instance)
    return integer(*value) if value is not None and value[0] in INTEGER_TAGS else None


def _text(scrape: Scrape, instance: Oid) -> str | None:
    value = scrape.scalars.get(instance)
    if value is None or value[0] != OCTET_STRING:
        return None
    return decode_text(value[1].rstrip(b"\0")).strip()
