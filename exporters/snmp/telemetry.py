"""The SNMP exporter's own metrics: snmp_exporter's names where it has them, ours beside them."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exporters.errors import FailureReason
from exporters.snmp.collect import ModuleOutcome
from exporters.snmp.label_cache import Refresh
from exporters.snmp.module_choice import Asking

_PACKET_BUCKETS = tuple(0.0001 * 2**power for power in range(15))


class SnmpTelemetry:
    """Counters of one exporter, on one registry."""

    def __init__(self, registry: CollectorRegistry, modules: Iterable[str]) -> None:
        self.request_errors = Counter(
            "snmp_request_errors",
            "Requests that were refused for their parameters.",
            registry=registry,
        )
        self.request_failures = Counter(
            "snmp_request_failures",
            "Modules that could not be read completely, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in FailureReason:
            self.request_failures.labels(reason.value)
        self.targets_refused = Counter(
            "snmp_targets_refused",
            "Requests for a target that --targets.allow or the auth's targets do not admit.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "snmp_request_in_flight", "Module scrapes that are running now.", registry=registry
        )
        self.duration = Histogram(
            "snmp_collection_duration_seconds",
            "Time that reading one module of one target took.",
            ["module"],
            registry=registry,
        )
        self.packet_duration = Histogram(
            "snmp_packet_duration_seconds",
            "Time from sending a packet to its answer.",
            buckets=_PACKET_BUCKETS,
            registry=registry,
        )
        self.packets = Counter(
            "snmp_packets", "Packets sent to agents, with retries.", registry=registry
        )
        self.packet_retries = Counter(
            "snmp_packet_retries", "Packets sent again for want of an answer.", registry=registry
        )
        self.answers_rejected = Counter(
            "snmp_answers_rejected",
            "Packets from agents that do not decode, or whose digest is wrong.",
            registry=registry,
        )
        self.answers_unmatched = Counter(
            "snmp_answers_unmatched",
            "Packets from agents that answer no open request: late, twice, or with a wrong id.",
            registry=registry,
        )
        self.answers_truncated = Counter(
            "snmp_answers_truncated",
            "Answers with fewer varbinds than were asked for, before the end of what there is.",
            registry=registry,
        )
        self.not_increasing = Counter(
            "snmp_oids_not_increasing",
            "OIDs that an agent gave out of order.",
            registry=registry,
        )
        self.duplicates = Counter(
            "snmp_samples_duplicate",
            "Samples dropped because one with the same name and labels was there already.",
            registry=registry,
        )
        self.values_unreadable = Counter(
            "snmp_values_unreadable",
            "Values that gave no sample: no date, no bits, or an index that ends too early.",
            registry=registry,
        )
        self.unexpected_types = Counter(
            "snmp_unexpected_pdu_type",
            "Values of numeric metrics that were no numbers, and were served as 0.",
            registry=registry,
        )
        self.columns_shared = Counter(
            "snmp_columns_shared",
            "Columns that a module took from another one of the same request.",
            registry=registry,
        )
        self.lookup_cache_hits = Counter(
            "snmp_lookup_cache_hits",
            "Modules whose labels were known from an earlier scrape.",
            registry=registry,
        )
        self.lookup_cache_refreshes = Counter(
            "snmp_lookup_cache_refreshes",
            "Modules whose labels were read although they are to be remembered, by reason.",
            ["reason"],
            registry=registry,
        )
        for refresh in Refresh:
            self.lookup_cache_refreshes.labels(refresh.value)
        self.lookup_cache_refused = Counter(
            "snmp_lookup_cache_refused",
            "Modules whose labels were not kept, because the memory for labels is full.",
            registry=registry,
        )
        self.lookup_cache_bytes = Gauge(
            "snmp_lookup_cache_bytes", "What the labels kept take in memory.", registry=registry
        )
        self.auto_surveys = Counter(
            "snmp_auto_surveys",
            "Times that a target was asked which modules auto stands for, by reason.",
            ["reason"],
            registry=registry,
        )
        for asking in Asking:
            self.auto_surveys.labels(asking.value)
        self.circuits_open = Gauge(
            "snmp_circuits_open",
            "Targets that were silent for so long that they are probed before a scrape.",
            registry=registry,
        )
        self.circuit_probes = Counter(
            "snmp_circuit_probes",
            "Single questions to targets that were silent for long.",
            ["result"],
            registry=registry,
        )
        for result in ("answered", "silent"):
            self.circuit_probes.labels(result)
        self.scrapes_waiting = Gauge(
            "snmp_scrapes_waiting",
            "Scrapes that wait until there is room for them.",
            registry=registry,
        )
        self.scrapes_dropped = Counter(
            "snmp_scrapes_dropped",
            "Scrapes that waited for room until their deadlines.",
            registry=registry,
        )
        self.limit_wait = Counter(
            "snmp_limit_wait_seconds",
            "Time in which packets waited for the limits of their devices, all modules added up.",
            registry=registry,
        )
        self.scrapes_shared = Counter(
            "snmp_scrapes_shared",
            "Requests that were answered by an equal scrape under way.",
            registry=registry,
        )
        self.samples = Counter("snmp_samples_served", "Samples served.", registry=registry)
        self.set_modules(modules)

    def set_modules(self, modules: Iterable[str]) -> None:
        """Let every loaded module have its histogram from the start."""
        for module in modules:
            self.duration.labels(module)

    def count_outcome(self, outcome: ModuleOutcome) -> None:
        """Add what reading one module of one target came to."""
        self.duration.labels(outcome.module).observe(outcome.seconds)
        for reason in {failure.reason.value for failure in outcome.failures}:
            self.request_failures.labels(reason).inc()
        self.answers_truncated.inc(outcome.truncated)
        self.not_increasing.inc(outcome.not_increasing)
        self.values_unreadable.inc(outcome.values_unreadable)
        self.unexpected_types.inc(outcome.types_unexpected)
        self.columns_shared.inc(outcome.columns_shared)
        self.lookup_cache_hits.inc(outcome.labels_remembered)
        self.lookup_cache_refused.inc(outcome.labels_refused)
        if outcome.labels_refresh is not None:
            self.lookup_cache_refreshes.labels(outcome.labels_refresh.value).inc()
        traffic = outcome.traffic
        self.packets.inc(traffic.packets_sent)
        self.packet_retries.inc(traffic.packets_retried)
        self.limit_wait.inc(traffic.limit_wait_seconds)
        self.answers_rejected.inc(traffic.answers_rejected)
        self.answers_unmatched.inc(traffic.answers_unmatched)
        for seconds in traffic.round_trips:
            self.packet_duration.observe(seconds)
