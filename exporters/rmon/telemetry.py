"""The RMON exporter's own metrics, and what each response says of its scrape."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exporters.errors import FailureReason
from exporters.metrics.exposition import Exposition
from exporters.metrics.text import FamilyType, format_value, label_text
from exporters.rmon.collect import Outcome

SCRAPE_HELP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rmon_up": "Whether the target answered.",
        "rmon_scrape_success": "Whether all that was asked for was read.",
        "rmon_scrape_failure": "Why something could not be read.",
        "rmon_scrape_duration_seconds": "Time that the scrape took.",
        "rmon_scrape_varbinds_received": "Varbinds in all answers.",
        "rmon_scrape_packets_sent": "Packets sent, with retries.",
        "rmon_scrape_packets_retried": "Packets sent again for want of an answer.",
        "rmon_scrape_bytes_received": "Bytes of SNMP messages received.",
    }
)


def add_outcome(exposition: Exposition, outcome: Outcome) -> None:
    """Add what a response says of its own scrape."""
    traffic = outcome.traffic
    values: dict[str, float] = {
        "rmon_up": int(outcome.answered),
        "rmon_scrape_success": int(not outcome.failures),
    }
    if outcome.answered:
        values |= {
            "rmon_scrape_duration_seconds": outcome.seconds,
            "rmon_scrape_varbinds_received": outcome.varbinds,
            "rmon_scrape_packets_sent": traffic.packets_sent,
            "rmon_scrape_packets_retried": traffic.packets_retried,
            "rmon_scrape_bytes_received": traffic.bytes_received,
        }
    for name, value in values.items():
        _add(exposition, name, {}, value)
    for reason in dict.fromkeys(failure.reason.value for failure in outcome.failures):
        _add(exposition, "rmon_scrape_failure", {"reason": reason}, 1)


def _add(exposition: Exposition, name: str, labels: Mapping[str, str], value: float) -> None:
    line = f"{name}{label_text(labels.items())} {format_value(value)}\n"
    exposition.add(name, FamilyType.GAUGE, SCRAPE_HELP[name], [line], unique=True)


class RmonTelemetry:
    """Counters of one exporter, on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.request_errors = Counter(
            "rmon_request_errors",
            "Requests that were refused for their parameters.",
            registry=registry,
        )
        self.request_failures = Counter(
            "rmon_request_failures",
            "Scrapes that could not read everything, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in FailureReason:
            self.request_failures.labels(reason.value)
        self.targets_refused = Counter(
            "rmon_targets_refused",
            "Requests for a target that --targets.allow or the auth's targets do not admit.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "rmon_request_in_flight", "Scrapes that are running now.", registry=registry
        )
        self.duration = Histogram(
            "rmon_collection_duration_seconds",
            "Time that reading one target took.",
            registry=registry,
        )
        self.packets = Counter(
            "rmon_packets", "Packets sent to agents, with retries.", registry=registry
        )
        self.packet_retries = Counter(
            "rmon_packet_retries", "Packets sent again for want of an answer.", registry=registry
        )
        self.varbinds = Counter(
            "rmon_varbinds_received", "Varbinds in all answers.", registry=registry
        )
        self.scrapes_shared = Counter(
            "rmon_scrapes_shared",
            "Requests that were answered by an equal scrape under way.",
            registry=registry,
        )
        self.scrapes_dropped = Counter(
            "rmon_scrapes_dropped",
            "Scrapes that waited for room until their deadlines.",
            registry=registry,
        )
        self.scrapes_waiting = Gauge(
            "rmon_scrapes_waiting",
            "Scrapes that wait until there is room for them.",
            registry=registry,
        )
        self.circuits_open = Gauge(
            "rmon_circuits_open",
            "Targets that were silent for so long that they are probed before a scrape.",
            registry=registry,
        )
        self.targets = Gauge(
            "rmon_targets_remembered",
            "Targets whose cursors and totals are held.",
            registry=registry,
        )
        self.samples = Counter("rmon_samples_served", "Samples served.", registry=registry)
        self.duplicates = Counter(
            "rmon_samples_duplicate",
            "Samples dropped because one with the same name and labels was there already.",
            registry=registry,
        )

    def count_outcome(self, outcome: Outcome) -> None:
        """Add what reading one target came to."""
        self.duration.observe(outcome.seconds)
        for reason in {failure.reason.value for failure in outcome.failures}:
            self.request_failures.labels(reason).inc()
        self.packets.inc(outcome.traffic.packets_sent)
        self.packet_retries.inc(outcome.traffic.packets_retried)
        self.varbinds.inc(outcome.varbinds)
