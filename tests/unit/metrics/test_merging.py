"""Several processes' metrics as those of one exporter."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exporters.metrics.merging import (
    Snapshot,
    merge,
    never_falling,
    of_a_parent,
    registry_of,
    snapshot,
)
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import ReloadTelemetry, build_registry, render


def sent(snapshot: Snapshot) -> Snapshot:
    """What arrives where a snapshot was sent to."""
    return json.loads(json.dumps(snapshot))


def gauge(name: str, value: float) -> Snapshot:
    registry = CollectorRegistry()
    Gauge(name, "A gauge.", registry=registry).set(value)
    return sent(snapshot(registry))


def lines(families: Snapshot, text_format: TextFormat = TextFormat.PROMETHEUS) -> list[str]:
    return render(registry_of(families), text_format).decode().splitlines()


def samples(families: Snapshot) -> list[str]:
    return [line for line in lines(families) if not line.startswith("#")]


@pytest.fixture
def worked() -> CollectorRegistry:
    registry = build_registry("tiny")
    ReloadTelemetry("tiny", registry, 1000.0)
    seconds = Histogram("seconds", "Time.", ["module"], buckets=(1, 2), registry=registry)
    seconds.labels("if_mib").observe(1.5)
    Counter("failures", "Failures \\ of\nall.", ["reason"], registry=registry).labels('a"b').inc(2)
    Gauge("in_flight", "Running.", registry=registry).set(3)
    return registry


@pytest.mark.parametrize("text_format", TextFormat)
def test_one_process_reads_as_its_registry_does(worked, text_format):
    def apart(line: str) -> bool:
        return line.partition(" ")[0].startswith(("process_", "python_"))

    expected = render(worked, text_format).decode().splitlines()
    found = lines(merge([("0", sent(snapshot(worked)))]), text_format)
    assert len(found) == len(expected)
    assert [x for x in found if not apart(x)] == [x for x in expected if not apart(x)]


def test_counters_histograms_and_gauges_add_up(worked):
    family = sent(snapshot(worked))
    found = samples(merge([("0", family), ("1", family)]))
    assert 'failures_total{reason="a\\"b"} 4.0' in found
    assert 'seconds_bucket{le="1.0",module="if_mib"} 0.0' in found
    assert 'seconds_bucket{le="2.0",module="if_mib"} 2.0' in found
    assert 'seconds_bucket{le="+Inf",module="if_mib"} 2.0' in found
    assert 'seconds_count{module="if_mib"} 2.0' in found
    assert 'seconds_sum{module="if_mib"} 3.0' in found
    assert "in_flight 6.0" in found


def test_label_sets_that_one_process_has_stay_together_in_openmetrics():
    def process(*modules: str) -> Snapshot:
        registry = CollectorRegistry()
        seconds = Histogram("seconds", "Time.", ["module"], buckets=(1,), registry=registry)
        for module in modules:
            seconds.labels(module).observe(0.5)
        return sent(snapshot(registry))

    found = lines(
        merge([("0", process("a", "b")), ("1", process("c", "b"))]), TextFormat.OPENMETRICS
    )
    modules = [line.split('module="')[1][0] for line in found if "module=" in line]
    assert modules == sorted(modules)
    assert 'seconds_count{module="b"} 2.0' in found


def test_what_is_of_a_process_is_told_apart(worked):
    family = sent(snapshot(worked))
    found = samples(merge([("0", family), ("1", family), ("parent", of_a_parent(family))]))
    starts = [line for line in found if line.startswith("process_start_time_seconds")]
    assert [line.split("}")[0] for line in starts] == [
        'process_start_time_seconds{worker="0"',
        'process_start_time_seconds{worker="1"',
        'process_start_time_seconds{worker="parent"',
    ]
    assert sum(line.startswith("python_info{") for line in found) == 3


def test_build_is_there_once(worked):
    family = sent(snapshot(worked))
    found = samples(merge([("0", family), ("1", family)]))
    (build,) = [line for line in found if line.startswith("tiny_exporter_build_info")]
    assert build.endswith(" 1.0")


@pytest.mark.parametrize(
    ("name", "values", "merged"),
    [
        ("tiny_exporter_config_last_reload_successful", (1, 0, 1), 0),
        ("tiny_exporter_config_last_reload_success_timestamp_seconds", (20, 10, 30), 10),
        ("tiny_last_probe_timestamp_seconds", (20, 10, 30), 30),
        ("tiny_database_info", (1, 1, 1), 1),
        ("tiny_sessions", (1, 0, 2), 3),
    ],
)
def test_gauge_is_merged_by_what_it_means(name, values, merged):
    parts = [(str(worker), gauge(name, value)) for worker, value in enumerate(values)]
    assert samples(merge(parts)) == [f"{name} {float(merged)}"]


def test_what_never_falls_is_counters_and_histograms(worked):
    kept = {family[0] for family in never_falling(sent(snapshot(worked)))}
    assert kept == {"seconds", "failures"}


def test_parent_tells_of_itself_and_of_reloads_only(worked):
    kept = {family[0] for family in of_a_parent(sent(snapshot(worked)))}
    assert "process_start_time_seconds" in kept
    assert "tiny_exporter_config_last_reload_successful" in kept
    assert not kept & {"seconds", "failures", "in_flight", "tiny_exporter_build_info"}
