"""What a device says it supports, and what is configured on it: not the same at all.

Devices were seen that claim five groups and have no row of any. The capability scalars are bits,
the first in the highest place of the first octet (RFC 4502, probeCapabilities). A device without
them has said nothing: its tables are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from exporters.polling.cursor import Value
from exporters.rmon.groups import Group
from exporters.rmon.scrape import Scrape
from exporters.wire.ber import Oid
from exporters.wire.tags import OCTET_STRING


def supported(group: Group, scalars: Mapping[Oid, Value]) -> bool | None:
    """Whether the device says that it has the group; None if it says nothing."""
    value = scalars.get(group.capability) if group.capability else None
    if value is None or value[0] != OCTET_STRING or not value[1]:
        return None
    octets, (place, bit) = value[1], divmod(group.bit, 8)
    return place < len(octets) and bool(octets[place] & (0x80 >> bit))


def write_capabilities(
    scrape: Scrape, groups: Mapping[str, Group], claims: Mapping[str, bool | None]
) -> None:
    """Write both for every group that was asked for."""
    for name, group in groups.items():
        claim = claims[name]
        configured = scrape.configured.get(name) or any(
            scrape.rows(table) for table in group.evidence
        )
        labels = {
            "group": name,
            "supported": "unknown" if claim is None else str(claim).lower(),
            "configured": str(bool(configured)).lower(),
        }
        scrape.samples.add("rmon_capability", labels, 1)
