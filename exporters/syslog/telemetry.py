"""What the exporter tells of itself: messages and their outcomes, sockets, its health."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exporters.events.health import Health
from exporters.events.intake import Intake
from exporters.metrics.receive_sockets import socket_families, worker_families
from exporters.sockets.datagrams import DatagramSocket
from exporters.syslog.connection_telemetry import connection_families, counter_by
from exporters.syslog.connections import Connections
from exporters.syslog.handover import Handover
from exporters.syslog.receiver import SyslogReceiver


class SyslogTelemetry(Collector):
    """Reads the counters of others when Prometheus asks."""

    def __init__(
        self,
        registry: CollectorRegistry,
        receiver: SyslogReceiver,
        connections: Connections,
        intake: Intake,
        health: Health,
        listeners: Callable[[], Sequence[DatagramSocket]],
        handover: Callable[[], Handover | None],
    ) -> None:
        self._receiver = receiver
        self._connections = connections
        self._intake = intake
        self._health = health
        self._listeners = listeners
        self._handover = handover
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Give all families."""
        self._receiver.settle()
        yield from self._messages()
        yield from connection_families(self._connections)
        yield from socket_families("syslog_exporter", self._listeners())
        yield GaugeMetricFamily(
            "syslog_exporter_rules", "Rules that are used.", value=len(self._intake.rules)
        )
        yield self._health.family()
        if (handover := self._handover()) is not None:
            yield from worker_families(
                "syslog_exporter",
                handed_over=handover.handed_over,
                waiting_bytes=handover.post.waiting_bytes,
                copies=sum(one.copies for one in self._listeners()),
            )

    def _messages(self) -> Iterator[Metric]:
        receiver = self._receiver
        yield counter_by(
            "syslog_received_total",
            "Messages received, and places of streams where none could be found.",
            "transport",
            receiver.received.items(),
        )
        yield counter_by(
            "syslog_received_bytes_total",
            "Octets of messages received.",
            "transport",
            receiver.received_bytes.items(),
        )
        yield counter_by(
            "syslog_outcomes_total",
            "What became of messages; the sum of all outcomes is what was received.",
            "outcome",
            receiver.outcomes.items(),
        )
        yield counter_by(
            "syslog_truncated_total",
            "Messages that were cut, because they are too long.",
            "transport",
            {**self._connections.truncated, "udp": receiver.truncated_datagrams}.items(),
        )
        refused = CounterMetricFamily(
            "syslog_refused_total",
            "What a device has sent in vain, by outcome.",
            labels=("device", "outcome"),
        )
        for key, count in receiver.refused.items():
            refused.add_metric(key, count)
        yield refused
        yield CounterMetricFamily(
            "syslog_exporter_handling_seconds_total",
            "Time spent on messages.",
            value=receiver.handling_seconds,
        )
