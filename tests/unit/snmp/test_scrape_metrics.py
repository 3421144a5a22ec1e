from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.config.snmp_auth import Auth
from exporters.errors import FailureReason, TargetError
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.snmp.collect import ModuleOutcome
from exporters.snmp.scrape_metrics import add_outcomes, add_session, failure_text
from exporters.sockets.snmp_session import Traffic

PER_MODULE = {
    "snmp_scrape_walk_duration_seconds",
    "snmp_scrape_packets_sent",
    "snmp_scrape_packets_retried",
    "snmp_scrape_pdus_returned",
    "snmp_scrape_duration_seconds",
}


def read_outcome() -> ModuleOutcome:
    outcome = ModuleOutcome("if_mib")
    outcome.answered = True
    outcome.walk_seconds, outcome.seconds = 0.25, 0.5
    outcome.varbinds, outcome.rows = 150, 120
    outcome.write_seconds, outcome.varbinds_per_answer = 0.125, 64
    outcome.traffic = Traffic(
        packets_sent=7,
        packets_retried=2,
        bytes_sent=700,
        bytes_received=9000,
        decode_seconds=0.0625,
        limit_wait_seconds=1.5,
        round_trips=[0.01] * 5,
    )
    return outcome


def silent_outcome() -> ModuleOutcome:
    timeout = TargetError(FailureReason.TIMEOUT, "request timeout (after 3 retries)")
    return ModuleOutcome("system", [timeout, timeout])


def samples(*outcomes: ModuleOutcome) -> dict[tuple[str, ...], float]:
    exposition = Exposition()
    add_outcomes(exposition, outcomes)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition.text(TextFormat.PROMETHEUS))
        for sample in family.samples
    }


def test_module_that_was_read_tells_what_it_took() -> None:
    assert samples(read_outcome()) == {
        ("snmp_scrape_walk_duration_seconds", "if_mib"): 0.25,
        ("snmp_scrape_packets_sent", "if_mib"): 7,
        ("snmp_scrape_packets_retried", "if_mib"): 2,
        ("snmp_scrape_pdus_returned", "if_mib"): 120,
        ("snmp_scrape_duration_seconds", "if_mib"): 0.5,
        ("snmp_scrape_decode_duration_seconds", "if_mib"): 0.0625,
        ("snmp_scrape_write_duration_seconds", "if_mib"): 0.125,
        ("snmp_scrape_limit_wait_duration_seconds", "if_mib"): 1.5,
        ("snmp_scrape_round_trips", "if_mib"): 5,
        ("snmp_scrape_bytes_sent", "if_mib"): 700,
        ("snmp_scrape_bytes_received", "if_mib"): 9000,
        ("snmp_scrape_varbinds_received", "if_mib"): 150,
        ("snmp_scrape_varbinds_per_answer", "if_mib"): 64,
        ("snmp_module_success", "if_mib"): 1,
        ("snmp_up",): 1,
    }


def test_module_that_did_not_answer_tells_the_reason_alone() -> None:
    found = samples(silent_outcome())

    assert found == {
        ("snmp_module_success", "system"): 0,
        ("snmp_module_failure", "system", "timeout"): 1,
        ("snmp_up",): 0,
    }


def test_target_is_up_if_one_of_its_modules_answered() -> None:
    found = samples(silent_outcome(), read_outcome())

    assert found["snmp_up",] == 1
    assert found["snmp_module_success", "system"] == 0
    assert found["snmp_module_success", "if_mib"] == 1
    assert {key[1] for key in found if key[0] in PER_MODULE} == {"if_mib"}


def test_module_that_was_read_in_part_tells_both() -> None:
    outcome = read_outcome()
    outcome.failures.append(TargetError(FailureReason.NO_ACCESS, "noAccess at 1.3.6"))

    found = samples(outcome)

    assert found["snmp_scrape_packets_sent", "if_mib"] == 7
    assert found["snmp_module_success", "if_mib"] == 0
    assert found["snmp_module_failure", "if_mib", "no_access"] == 1


def test_families_have_snmp_exporters_help_and_type() -> None:
    exposition = Exposition()
    add_outcomes(exposition, [read_outcome()])

    lines = exposition.text(TextFormat.PROMETHEUS).splitlines()
    assert "# HELP snmp_scrape_pdus_returned PDUs returned from get, bulkget, and walk." in lines
    assert "# HELP snmp_scrape_walk_duration_seconds Time SNMP walk/bulkwalk took." in lines
    assert {line.split()[3] for line in lines if line.startswith("# TYPE")} == {"gauge"}


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        pytest.param(Auth(version=1), ("1", ""), id="version 1"),
        pytest.param(Auth(version=2), ("2c", ""), id="version 2c"),
        pytest.param(
            Auth(version=3, username="u", security_level="noAuthNoPriv"),
            ("3", "noAuthNoPriv"),
            id="version 3",
        ),
    ],
)
def test_session_tells_the_version_and_the_level_of_version_3(
    auth: Auth, told: tuple[str, str]
) -> None:
    exposition = Exposition()
    add_session(exposition, auth)

    (family,) = text_string_to_metric_families(exposition.text(TextFormat.PROMETHEUS))
    (sample,) = family.samples
    assert (sample.name, sample.value) == ("snmp_session_info", 1)
    assert (sample.labels["version"], sample.labels["security_level"]) == told


def test_failure_text_names_each_reason_of_each_module_once() -> None:
    refused = ModuleOutcome("if_mib", [TargetError(FailureReason.REFUSED, "connection refused")])

    text = failure_text("192.0.2.1:161", [silent_outcome(), refused])

    assert text == (
        "An error has occurred while serving metrics:\n\n"
        "error walking target 192.0.2.1:161: module system: "
        f"{TargetError(FailureReason.TIMEOUT, 'request timeout (after 3 retries)')}\n"
        "error walking target 192.0.2.1:161: module if_mib: "
        f"{TargetError(FailureReason.REFUSED, 'connection refused')}"
    )
