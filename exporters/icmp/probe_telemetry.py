"""What the exporter counts of ``/probe``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class ProbeTelemetry:
    """Counters of the probes of one exporter, on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.module_unknown = Counter(
            "icmp_module_unknown",
            "Probes that named a module that is not there.",
            registry=registry,
        )
        self.targets_refused = Counter(
            "icmp_targets_refused",
            "Probes of a target that --targets.allow does not admit.",
            registry=registry,
        )
        self.probes = Counter(
            "icmp_probes", "Probes that came to an end.", ["result"], registry=registry
        )
        for result in ("success", "failure"):
            self.probes.labels(result)
        self.in_flight = Gauge(
            "icmp_probes_in_flight",
            "Probes that are under way, or wait for room.",
            registry=registry,
        )
        self.replies_rejected = Counter(
            "icmp_probe_replies_rejected",
            "Replies from another host, or with another payload, than a probe under way.",
            registry=registry,
        )
