"""Token ring statistics: of the ring's own (MAC) frames, and of the data on it.

Nobody builds such rings any more, so that the group is read when it is named, and not otherwise.

Source: RFC 1513 (tokenRingMLStatsTable, tokenRingPStatsTable).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exporters.rmon.interfaces import row_source
from exporters.rmon.row_status import live_entries
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import TOKEN_RING_ML, TOKEN_RING_P

_EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ring_purge_events": "ring_purge",
        "beacon_events": "beacon",
        "claim_token_events": "claim_token",
        "neighbour_changes": "neighbour_change",
        "soft_error_reports": "soft_error_report",
        "ring_poll_events": "ring_poll",
    }
)
_ERRORS: Final = (
    *("line", "internal", "burst", "access_control", "abort", "lost_frame", "congestion"),
    *("frame_copied", "frequency", "token"),
)
_SIZES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "size_18": "18-63",
        "size_64": "64-127",
        "size_128": "128-255",
        "size_256": "256-511",
        "size_512": "512-1023",
        "size_1024": "1024-2047",
        "size_2048": "2048-4095",
        "size_4096": "4096-8191",
        "size_8192": "8192-18000",
        "size_above": "18001-",
    }
)


async def write_token_rings(scrape: Scrape) -> None:
    """Write both tables."""
    add = scrape.samples.add
    for table, frames in ((TOKEN_RING_ML, "mac"), (TOKEN_RING_P, "data")):
        for row in live_entries(scrape.rows(table)):
            source = scrape.interface_labels(row, row_source(row))
            labels = {**source, "frames": frames}
            add("rmon_token_ring_packets_total", labels, row.counter("packets"))
            add("rmon_token_ring_bytes_total", labels, row.counter("octets"))
            add("rmon_token_ring_drop_events_total", labels, row.counter("drop_events"))
            add("rmon_token_ring_broadcast_packets_total", source, row.counter("broadcast"))
            add("rmon_token_ring_multicast_packets_total", source, row.counter("multicast"))
            hundredths = row.counter("beacon_time")
            seconds = None if hundredths is None else hundredths / 100
            add("rmon_token_ring_beacon_seconds_total", source, seconds)
            for name, event in _EVENTS.items():
                add("rmon_token_ring_events_total", {**source, "event": event}, row.counter(name))
            for name in _ERRORS:
                add("rmon_token_ring_errors_total", {**source, "error": name}, row.counter(name))
            for name, size in _SIZES.items():
                add(
                    "rmon_token_ring_size_packets_total",
                    {**source, "size": size},
                    row.counter(name),
                )
