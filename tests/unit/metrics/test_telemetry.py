"""What an exporter says of itself."""

from __future__ import annotations

from prometheus_client import Counter
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from exporters import __version__
from exporters.build import Build, this_build
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import ReloadTelemetry, build_registry, render


def samples(text: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_registry_knows_process_python_and_build():
    build = Build("1.2.3", "abc", "main", "3.13.1", "linux", "x86_64")
    text = render(build_registry("snmp", build), TextFormat.PROMETHEUS).decode()
    names = samples(text)
    assert names["process_start_time_seconds"] > 0
    assert names["python_info"] == 1
    assert "python_gc_collections_total" in names
    assert (
        'snmp_exporter_build_info{arch="x86_64",branch="main",os="linux",pythonversion="3.13.1",'
        'revision="abc",version="1.2.3"} 1.0'
    ) in text


def test_registries_are_apart_from_each_other_and_from_the_global_one():
    from prometheus_client import REGISTRY

    first, second = build_registry("snmp"), build_registry("snmp")
    Counter("only_here", "Help.", registry=first)
    assert b"only_here" in render(first, TextFormat.PROMETHEUS)
    assert b"only_here" not in render(second, TextFormat.PROMETHEUS)
    assert "snmp_exporter_build_info" not in {family.name for family in REGISTRY.collect()}


def test_counters_come_without_their_creation_time():
    registry = build_registry("snmp")
    Counter("requests", "Help.", registry=registry).inc()
    for text_format in TextFormat:
        assert b"_created" not in render(registry, text_format)


def test_openmetrics_is_valid_to_a_strict_parser():
    registry = build_registry("snmp")
    ReloadTelemetry("snmp", registry, now=1.0)
    text = render(registry, TextFormat.OPENMETRICS).decode()
    assert text.endswith("# EOF\n")
    assert {family.name for family in parse_openmetrics(text)} >= {"snmp_exporter_build_info"}


def test_reload_telemetry_keeps_the_time_of_the_last_success():
    registry = build_registry("snmp")
    telemetry = ReloadTelemetry("snmp", registry, now=100.0)
    prefix = "snmp_exporter_config_last_reload"

    def state() -> tuple[float, float]:
        values = samples(render(registry, TextFormat.PROMETHEUS).decode())
        return values[f"{prefix}_successful"], values[f"{prefix}_success_timestamp_seconds"]

    assert state() == (1, 100)
    telemetry.failed()
    assert state() == (0, 100)
    telemetry.succeeded(200.0)
    assert state() == (1, 200)


def test_this_build_is_told_its_commit_by_the_environment():
    build = this_build({"NETEXPORTERS_REVISION": "abc", "NETEXPORTERS_BRANCH": "main"})
    assert (build.version, build.revision, build.branch) == (__version__, "abc", "main")
    assert this_build({}).revision == ""
