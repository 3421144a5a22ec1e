"""What connections tell of themselves: how many, what ended them, what they hold, what TLS says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from exporters.syslog.connections import Connections


def connection_families(connections: Connections) -> Iterator[Metric]:
    """Give the families."""
    framing, settings = connections.framing, connections.settings
    yield counter_by(
        "syslog_framing_faults_total",
        "Places of streams where no message could be found, by what is wrong.",
        "fault",
        ((fault.value, count) for fault, count in framing.faults.items()),
    )
    yield CounterMetricFamily(
        "syslog_partial_total",
        "Messages that ended with their connection, without an end of their own.",
        value=framing.partial,
    )
    yield counter_by(
        "syslog_exporter_connections_closed_total",
        "Connections that have ended, by why.",
        "reason",
        connections.closed.items(),
    )
    yield counter_by(
        "syslog_exporter_tls_failures_total",
        "Connections over TLS that were of no use, by what went wrong.",
        "reason",
        connections.tls_failures.items(),
    )
    yield CounterMetricFamily(
        "syslog_exporter_accept_failures_total",
        "How often a connection could not be accepted: most likely too many files were open.",
        value=connections.accept_failures,
    )
    for name, text, value in (
        ("connections", "Connections open.", len(connections)),
        ("connections_limit", "Connections that may be open.", connections.limit),
        (
            "handshakes",
            "Connections in a handshake of TLS or before a header.",
            connections.opening,
        ),
        ("handshakes_limit", "Connections that may be in one.", settings.handshake_limit),
        ("buffer_bytes", "What unfinished messages hold.", connections.held_bytes),
        ("buffer_limit_bytes", "What they may hold.", settings.buffer_bytes),
    ):
        yield GaugeMetricFamily(f"syslog_exporter_{name}", text, value=value)
    expiry = GaugeMetricFamily(
        "syslog_exporter_tls_certificate_not_after_timestamp_seconds",
        "Unix time when the certificate that is served expires.",
    )
    if connections.tls is not None:
        expiry.add_metric((), connections.tls.expires_at)
    yield expiry


def counter_by(name: str, help_text: str, label: str, values: Iterable[tuple[str, int]]) -> Metric:
    """Make a counter with one label."""
    family = CounterMetricFamily(name, help_text, labels=(label,))
    for value, count in values:
        family.add_metric((value,), count)
    return family
