"""The messages themselves as metrics: by facility and severity, and by the vendor's event.

A message is counted whatever the rules say of it, but for those that a rule drops. A vendor has
thousands of events, and a sender can make up more: those that a rule names have a series, all
others are ``other``.
"""

from __future__ import annotations

from exporters.config.event_settings import EventSettings
from exporters.events.counters import CounterFamily, LastSeenFamily


class SyslogSeries:
    """The families of messages."""

    def __init__(self, settings: EventSettings) -> None:
        self.messages = CounterFamily(
            "syslog_messages_total",
            "Messages, by what they say of themselves.",
            ("device", "facility", "severity"),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )
        self.vendor_events = CounterFamily(
            "syslog_vendor_events_total",
            "Messages, by the vendor whose form they have and its name of the event.",
            ("device", "vendor", "event"),
            open_labels=("event",),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )
        self.last_seen = LastSeenFamily(
            "syslog_last_message_timestamp_seconds",
            "Unix time of the last message.",
            ("device",),
            limit=settings.series_limit,
        )

        self.faults = CounterFamily(
            "syslog_message_faults_total",
            "Messages with something wrong, by what it is.",
            ("device", "fault"),
            limit=settings.series_limit,
            scrape_interval_seconds=settings.scrape_interval,
        )

    @property
    def families(self) -> tuple[CounterFamily | LastSeenFamily, ...]:
        """All of them."""
        return self.messages, self.vendor_events, self.last_seen, self.faults
