"""What the exporter tells of itself: datagrams and their outcomes, sockets, engines, its health."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exporters.events.health import Health
from exporters.events.intake import Intake
from exporters.metrics.receive_sockets import socket_families, worker_families
from exporters.sockets.datagrams import DatagramSocket
from exporters.trap.engines import Engines
from exporters.trap.handover import Handover
from exporters.trap.receiver import TrapReceiver


class TrapTelemetry(Collector):
    """Reads the counters of others when Prometheus asks."""

    def __init__(
        self,
        registry: CollectorRegistry,
        receiver: TrapReceiver,
        intake: Intake,
        engines: Engines,
        health: Health,
        listeners: Callable[[], Sequence[DatagramSocket]],
        handover: Callable[[], Handover | None],
    ) -> None:
        self._receiver = receiver
        self._intake = intake
        self._engines = engines
        self._health = health
        self._listeners = listeners
        self._handover = handover
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Give all families."""
        yield from self._datagrams()
        yield from socket_families("trap_exporter", self._listeners())
        yield from self._engine_families()
        yield _gauge("trap_exporter_rules", "Rules that are used.", len(self._intake.rules))
        yield self._health.family()
        if (handover := self._handover()) is not None:
            yield from worker_families(
                "trap_exporter",
                handed_over=handover.handed_over,
                waiting_bytes=handover.post.waiting_bytes,
                copies=sum(one.copies for one in self._listeners()),
            )

    def _datagrams(self) -> Iterator[Metric]:
        receiver = self._receiver
        yield _counter("snmp_trap_datagrams_total", "Datagrams received.", receiver.datagrams)
        outcomes = CounterMetricFamily(
            "snmp_trap_outcomes_total",
            "What became of datagrams; the sum of all outcomes is their number.",
            labels=("outcome",),
        )
        for outcome, count in receiver.outcomes.items():
            outcomes.add_metric((outcome,), count)
        yield outcomes
        notifications = CounterMetricFamily(
            "snmp_trap_notifications_total",
            "Traps and informs, each counted once, by the version of their messages.",
            labels=("version", "type"),
        )
        for key, count in receiver.notifications.items():
            notifications.add_metric(key, count)
        yield notifications
        yield _counter(
            "trap_exporter_informs_acked_total",
            "Answers sent to informs, those that were sent again included.",
            receiver.informs_acked,
        )
        yield _counter(
            "trap_exporter_informs_ack_failed_total",
            "Answers to informs that could not be sent.",
            receiver.informs_ack_failed,
        )
        yield _counter(
            "trap_exporter_handling_seconds_total",
            "Time spent on datagrams.",
            receiver.handling_seconds,
        )

    def _engine_families(self) -> Iterator[Metric]:
        engines = self._engines
        yield _gauge("trap_exporter_engines", "SNMPv3 engines that are known.", len(engines))
        yield _gauge(
            "trap_exporter_engines_limit", "SNMPv3 engines that may be known.", engines.limit
        )
        yield _gauge(
            "trap_exporter_engine_conflicts",
            "SNMPv3 engines that several addresses claimed to be in the last hour.",
            len(engines.conflicts()),
        )


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)
