"""What the ICMP exporter tells of its own pinging: sockets, lag, discarded samples, doubts.

Read from the engine when a scrape asks, with nothing to count while it pings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from time import monotonic_ns
from typing import Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from exporters.icmp.engine import LAG_BOUNDS
from exporters.icmp.pinging import Pinging

_ORIGIN_LABELS: Final = ("version", "source", "interface")


class PingTelemetry(Collector):
    """Metrics named ``icmp_exporter_*``."""

    def __init__(
        self,
        registry: CollectorRegistry,
        pinging: Pinging,
        clock_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._pinging = pinging
        self._engine = pinging.engine
        self._clock_ns = clock_ns
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Read everything (called by prometheus_client)."""
        yield from self._targets()
        yield from self._sending()
        yield from self._receiving()
        yield from self._sockets()
        degraded = GaugeMetricFamily(
            "icmp_exporter_degraded",
            "Whether the exporter itself may be the cause of what it measures, by reason.",
            labels=["reason"],
        )
        for reason, is_so in self._pinging.check.reasons(self._clock_ns()).items():
            degraded.add_metric([reason.value], int(is_so))
        yield degraded
        yield CounterMetricFamily(
            "icmp_exporter_faults",
            "Times that a part of the pinging failed and started again: a bug, see the log.",
            self._pinging.faults,
        )

    def _targets(self) -> Iterator[Metric]:
        roster = self._pinging.roster
        yield GaugeMetricFamily(
            "icmp_exporter_targets", "Targets that are pinged.", len(self._engine.targets)
        )
        yield GaugeMetricFamily(
            "icmp_exporter_hosts_unresolved",
            "Configured hosts that have no address.",
            roster.unresolved(),
        )
        yield CounterMetricFamily(
            "icmp_exporter_resolutions_failed",
            "Times that a name had no address, or no answer.",
            roster.resolutions_failed,
        )
        yield CounterMetricFamily(
            "icmp_exporter_address_changes",
            "Addresses that a name had and has no more.",
            roster.address_changes,
        )

    def _sending(self) -> Iterator[Metric]:
        engine, counters = self._engine, self._engine.counters
        cumulated = accumulate(counters.lag_counts)
        bounds = (*map(str, LAG_BOUNDS), "+Inf")
        yield HistogramMetricFamily(
            "icmp_exporter_send_lag_seconds",
            "How much later than planned pings went out.",
            buckets=[*zip(bounds, map(float, cumulated), strict=True)],
            sum_value=counters.lag_sum_seconds,
        )
        yield CounterMetricFamily(
            "icmp_exporter_pings_skipped",
            "Pings left out because the process was held up, or by the cap on the rate.",
            engine.skipped,
        )
        yield CounterMetricFamily(
            "icmp_exporter_pings_put_off",
            "Times that a ping had to wait because send buffers were full.",
            counters.put_off,
        )
        errors = CounterMetricFamily(
            "icmp_exporter_send_errors",
            "Pings that the system did not send, by its error.",
            labels=["error"],
        )
        for name, count in sorted(counters.send_errors.items()):
            errors.add_metric([name], count)
        yield errors
        yield CounterMetricFamily(
            "icmp_exporter_identifier_rotations",
            "Times that a silent target got another identifier, past a firewall's dead session.",
            counters.rotations,
        )

    def _receiving(self) -> Iterator[Metric]:
        counters = self._engine.counters
        yield CounterMetricFamily(
            "icmp_exporter_replies_unmatched",
            "Replies and errors that belong to no target.",
            counters.unmatched,
        )
        yield CounterMetricFamily(
            "icmp_exporter_clock_steps_discarded",
            "Round-trip times discarded because the clock was set meanwhile.",
            counters.clock_steps,
        )

    def _sockets(self) -> Iterator[Metric]:
        drops = CounterMetricFamily(
            "icmp_exporter_socket_drops",
            "Messages that the kernel dropped for want of receive buffer.",
            labels=_ORIGIN_LABELS,
        )
        garbage = CounterMetricFamily(
            "icmp_exporter_messages_undecodable",
            "Messages that are no ICMP of ours.",
            labels=_ORIGIN_LABELS,
        )
        opened = CounterMetricFamily(
            "icmp_exporter_sockets_opened", "Sockets opened so far.", labels=_ORIGIN_LABELS
        )
        asked = GaugeMetricFamily(
            "icmp_exporter_receive_buffer_asked_bytes",
            "Receive buffer that each socket should have, from the number of its targets.",
            labels=_ORIGIN_LABELS,
        )
        granted = GaugeMetricFamily(
            "icmp_exporter_receive_buffer_granted_bytes",
            "Receive buffer that the system granted: the least of the sockets.",
            labels=_ORIGIN_LABELS,
        )
        mode = GaugeMetricFamily(
            "icmp_exporter_socket_info",
            "How the sockets were had: datagram, or raw.",
            labels=[*_ORIGIN_LABELS, "mode"],
        )
        for key, origin in self._engine.origins.items():
            labels = [str(key.version), key.source, key.interface]
            drops.add_metric(labels, origin.drops())
            garbage.add_metric(labels, origin.garbage())
            opened.add_metric(labels, origin.opened)
            asked.add_metric(labels, origin.buffer_asked_bytes)
            sockets = origin.sockets()
            if sockets:
                granted.add_metric(labels, min(item.buffer_granted_bytes for item in sockets))
            for kind in sorted({item.mode for item in sockets}):
                mode.add_metric([*labels, kind], 1)
        yield from (drops, garbage, opened, asked, granted, mode)
