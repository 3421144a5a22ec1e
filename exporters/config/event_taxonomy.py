"""The closed sets of words that events have in common, whoever sent them."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"

EVENTS: Final = (
    "link", "bgp", "ospf", "power", "fan", "temperature", "cpu", "memory", "auth", "config",
    "reboot", "hardware", "redundancy", "vpn", "rmon", "license", "storage", "security", OTHER,
)  # fmt: skip
"""What can have happened: all values of the label ``event``.

What has no word of its own goes under the nearest: IS-IS and EIGRP, the other protocols of interior
routing, under ``ospf``; spanning tree and BFD under ``link``; a duplicate address and port security
under ``security``.
"""

SEVERITIES: Final = (
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
)  # fmt: skip
"""By their number in RFC 5424 s6.2.1, the worst first."""

UNKNOWN: Final = "unknown"
"""The device of senders that are not in the inventory, and the severity of what has none."""
