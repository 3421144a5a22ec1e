"""What several processes' values of a metric mean together: every metric of the receivers."""

from __future__ import annotations

import pytest

from exporters.metrics.combining import Rule, outlives_its_process, rule_of
from tests.golden import golden_series

_RUNTIME = ("process_", "python_")

GAUGES = {
    Rule.MOST: {
        "network_event_active",
        "network_event_last_change_timestamp_seconds",
        "network_event_last_seen_timestamp_seconds",
        "network_event_since_timestamp_seconds",
        "snmp_trap_last_seen_timestamp_seconds",
        "syslog_clock_skew_seconds",
        "syslog_clock_unreadable",
        "syslog_clock_unsynchronised",
        "syslog_last_message_timestamp_seconds",
        "*_exporter_build_info",
        "*_exporter_degraded",
        "*_exporter_event_watchers",
        "*_exporter_rules",
        "*_exporter_state_file_damaged",
        "*_exporter_state_file_failing",
    },
    Rule.LEAST: {
        "*_exporter_config_last_reload_success_timestamp_seconds",
        "*_exporter_config_last_reload_successful",
        "*_exporter_tls_certificate_not_after_timestamp_seconds",
    },
    Rule.SUM: {
        "network_event_states",
        "network_event_states_limit",
        "*_exporter_buffer_bytes",
        "*_exporter_buffer_limit_bytes",
        "*_exporter_connections",
        "*_exporter_connections_limit",
        "*_exporter_engine_conflicts",
        "*_exporter_engines",
        "*_exporter_engines_limit",
        "*_exporter_handover_waiting_bytes",
        "*_exporter_handshakes",
        "*_exporter_handshakes_limit",
        "*_exporter_recent_bytes",
        "*_exporter_recent_events",
        "*_exporter_series",
        "*_exporter_series_limit",
        "*_exporter_socket_buffer_asked_bytes",
        "*_exporter_socket_buffer_granted_bytes",
        "*_exporter_socket_waiting_bytes",
        "*_exporter_state_file_bytes",
    },
}


def of_receivers() -> set[str]:
    """The names of all that the trap and the syslog exporter serve."""
    names = {series.name for series in golden_series()}
    beginnings = ("network_event", "snmp_trap_", "syslog_", "trap_exporter_")
    # How many workers there are only their parent says.
    of_parents = ("_exporter_workers", "_exporter_workers_answered")
    return {n for n in names if n.startswith(beginnings) and not n.endswith(of_parents)}


def short(name: str) -> str:
    return f"*{name[name.index('_exporter_') :]}" if "_exporter_" in name else name


def test_every_gauge_of_the_receivers_has_a_rule_that_was_decided():
    found: dict[Rule, set[str]] = {rule: set() for rule in Rule}
    for name in of_receivers():
        if not name.endswith("_total"):
            found[rule_of(name, "gauge")].add(short(name))
    # Without TLS it has no sample.
    found[Rule.LEAST].add("*_exporter_tls_certificate_not_after_timestamp_seconds")
    assert found == GAUGES


def test_counters_of_the_receivers_add_up_but_for_one_that_a_successor_takes_up():
    counters = {name for name in of_receivers() if name.endswith("_total")}
    assert len(counters) > 30
    most = {name for name in counters if rule_of(name, "counter") is Rule.MOST}
    assert most == {"network_event_transitions_total"}
    assert {name for name in counters if not outlives_its_process(name, "counter")} == most


@pytest.mark.parametrize("name", ["snmp_packets", "snmp_packets_total"])
def test_counter_adds_up_whether_its_suffix_is_there_or_not(name):
    assert rule_of(name, "counter") is Rule.SUM


@pytest.mark.parametrize(
    ("name", "outlives"),
    [
        ("network_event_last_seen_timestamp_seconds", True),
        ("snmp_trap_last_seen_timestamp_seconds", True),
        ("syslog_last_message_timestamp_seconds", True),
        ("network_event_since_timestamp_seconds", False),
        ("network_event_active", False),
        ("syslog_exporter_recent_events", False),
    ],
)
def test_gauge_outlives_its_process_where_it_tells_when_something_was_seen(name, outlives):
    assert outlives_its_process(name, "gauge") is outlives
