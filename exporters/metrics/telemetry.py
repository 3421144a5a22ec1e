"""What an exporter says of itself: its process, its build, its configuration's last reload.

Every exporter builds one registry at start and hands it to whoever counts; prometheus_client's
global registry is never used. Samples of devices do not belong here: they have a writer of their
own, because prometheus_client needs 10 us for one.

Source: the self metrics of Prometheus' own exporters, whose names are kept.
"""

from __future__ import annotations

from dataclasses import asdict

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporters.build import Build, this_build
from exporters.metrics.negotiation import TextFormat


def build_registry(name: str, build: Build | None = None) -> CollectorRegistry:
    """Build the registry of the exporter *name* ("snmp"), with what all exporters have in it.

    ``process_*``, ``python_*`` and ``<name>_exporter_build_info``.
    """
    # The _created twin of every counter would double the page; Prometheus reads it only behind a
    # feature flag. The library knows no setting of one registry for it.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    labels = asdict(build or this_build())
    Gauge(
        f"{name}_exporter_build_info",
        "A metric with a constant '1' value labeled by the build of the exporter.",
        tuple(labels),
        registry=registry,
    ).labels(**labels).set(1)
    return registry


class ReloadTelemetry:
    """The outcome of the last reload; a start counts as a reload that succeeded."""

    def __init__(self, name: str, registry: CollectorRegistry, now: float) -> None:
        self._successful = Gauge(
            f"{name}_exporter_config_last_reload_successful",
            "Whether the last reload of the configuration was successful.",
            registry=registry,
        )
        self._success_timestamp = Gauge(
            f"{name}_exporter_config_last_reload_success_timestamp_seconds",
            "Unix time of the last successful load of the configuration.",
            registry=registry,
        )
        self.succeeded(now)

    def succeeded(self, now: float) -> None:
        """Note a load at *now*, in Unix time."""
        self._successful.set(1)
        self._success_timestamp.set(now)

    def failed(self) -> None:
        """Note that the last reload was refused."""
        self._successful.set(0)


def render(registry: CollectorRegistry, text_format: TextFormat) -> bytes:
    """Render all samples of *registry*."""
    if text_format is TextFormat.OPENMETRICS:
        return generate_openmetrics(registry)  # type: ignore[no-untyped-call, no-any-return]
    return generate_latest(registry)
