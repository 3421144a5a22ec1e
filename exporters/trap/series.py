"""The traps themselves as metrics: by device and name, and the OIDs of those that have no name.

A trap is counted whatever the rules say of it, but for those that a rule drops. One that no MIB
knows has the name ``other``; its OID has a series of its own if a device of the inventory sent it.
What devices send in vain, and their restarts, are here because alerts wait for the first of them.
"""

from __future__ import annotations

from exporters.config.event_settings import EventSettings
from exporters.config.event_taxonomy import OTHER, UNKNOWN
from exporters.events.counters import CounterFamily, LastSeenFamily
from exporters.events.event import Action, Message, Verdict
from exporters.trap.objects import oid_text

_MOST_UNKNOWN_OIDS = 500


class TrapSeries:
    """The families of traps."""

    def __init__(self, settings: EventSettings) -> None:
        self.received = CounterFamily(
            "snmp_trap_received_total",
            "Traps and informs, by their names in MIBs.",
            ("device", "trap", "severity"),
            open_labels=("trap",),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )
        self.last_seen = LastSeenFamily(
            "snmp_trap_last_seen_timestamp_seconds",
            "Unix time of the last trap of that name.",
            ("device", "trap"),
            open_labels=("trap",),
            limit=settings.series_limit,
        )
        self.unknown = CounterFamily(
            "snmp_trap_unknown_received_total",
            "Traps that no MIB knows, by OID; other: of senders outside of the inventory.",
            ("oid",),
            open_labels=("oid",),
            limit=_MOST_UNKNOWN_OIDS,
            scrape_interval_seconds=settings.scrape_interval,
        )
        self.refused = CounterFamily(
            "snmp_trap_refused_total",
            "Datagrams of a device that were not taken, by outcome.",
            ("device", "outcome"),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )
        self.restarts = CounterFamily(
            "snmp_trap_device_restarts_total",
            "Restarts of a device, by what it says or by its sysUpTime.",
            ("device",),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )

    def families(self) -> tuple[CounterFamily | LastSeenFamily, ...]:
        """Give all of them."""
        return self.received, self.last_seen, self.unknown, self.refused, self.restarts

    def count(self, message: Message, verdict: Verdict) -> None:
        """Count a trap that the rules have judged."""
        if verdict.action is Action.DROP:
            return
        name = message.name or OTHER
        self.received.inc((message.device, name, verdict.severity))
        self.last_seen.set((message.device, name), message.received_at)
        if not message.name:
            is_stranger = message.device == UNKNOWN
            self.unknown.inc((OTHER if is_stranger else oid_text(message.oid),))
