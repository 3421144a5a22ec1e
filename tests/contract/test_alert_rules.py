"""The rules in alert_rules: Prometheus takes them, they keep what their tests say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .metric_names import Rule, faults_of, labels_in, rules

RULES = Path(__file__).resolve().parents[2] / "alert_rules"
FILES = sorted(RULES.glob("*.rules.yml"))
TESTS = sorted((RULES / "tests").glob("*.test.yml"))
ALERTS = [rule for rule in rules() if rule.alert]
NAMES = [rule.name for rule in ALERTS]

pytestmark = pytest.mark.peer("promtool", "prometheus")


def name_of(rule: Rule) -> str:
    return f"{rule.file}-{rule.name}"


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *map(str, words)], check=False, capture_output=True, text=True, cwd=RULES
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_prometheus_takes_the_rules(file: Path) -> None:
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_rules_do_what_their_tests_say(file: Path) -> None:
    tested = promtool("test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_file_of_rules_has_a_test() -> None:
    tested = {file.name.removesuffix(".test.yml") for file in TESTS}
    assert sorted({file.name.removesuffix(".rules.yml") for file in FILES} - tested) == []


@pytest.mark.parametrize("rule", rules(), ids=name_of)
def test_series_and_labels_of_a_rule_are_in_a_golden_scrape(rule: Rule) -> None:
    assert faults_of(rule.expression) == []
    templates = "".join(rule.annotations.values())
    named = set(re.findall(r"\$labels\.(\w+)", templates))
    assert sorted(named - labels_in(rule.expression) - rule.labels.keys()) == []


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_alert_says_what_is_wrong_how_bad_it_is_and_what_to_do(rule: Rule) -> None:
    assert rule.labels["severity"] in ("critical", "warning", "info", "none")
    assert rule.annotations.keys() == {"summary", "description", "runbook_url"}
    assert rule.annotations["runbook_url"] == f"docs/runbooks.md#{rule.name.lower()}"


def cases() -> Iterator[dict[str, Any]]:
    """Every case of an alert in the tests of the rules."""
    for file in TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            yield from test.get("alert_rule_test", ())


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(rule: Rule) -> None:
    verdicts = {bool(case["exp_alerts"]) for case in cases() if case["alertname"] == rule.name}
    assert verdicts == ({True} if rule.name == "Watchdog" else {True, False})


@pytest.mark.parametrize(
    "case", list(cases()), ids=lambda case: f"{case['alertname']}-{case['eval_time']}"
)
def test_alert_that_fires_says_of_which_device_or_exporter_it_is(case: dict[str, Any]) -> None:
    if case["alertname"] in ("Watchdog", "AlertThresholdsMissing"):
        return
    for alert in case["exp_alerts"]:
        assert alert["exp_labels"].keys() & {"device", "instance"}


def test_every_alert_has_a_runbook_and_the_reverse(repository: Path) -> None:
    text = (repository / "docs" / "runbooks.md").read_text()
    assert sorted(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == sorted(NAMES)


def test_every_alert_is_in_the_table_with_its_severity_and_the_reverse(repository: Path) -> None:
    text = (repository / "docs" / "alerting.md").read_text()
    told = re.findall(r"^\| `([A-Z]\w+)` \| (\w+) \|", text, re.MULTILINE)
    assert sorted(told) == sorted((rule.name, rule.labels["severity"]) for rule in ALERTS)


def test_every_threshold_is_in_the_table_with_its_number_and_the_reverse(repository: Path) -> None:
    text = (repository / "docs" / "alerting.md").read_text()
    told = re.findall(r"^\| `(netexporters:threshold:\w+)` \| ([\d.]+) \|", text, re.MULTILINE)
    there = [
        (rule.name, number)
        for rule in rules()
        if rule.file == "thresholds.rules.yml"
        for number in re.findall(r"(?:vector\(|^)([\d.]+)", rule.expression)
    ]
    assert sorted(told) == sorted(there)


def test_every_recording_that_is_documented_exists(repository: Path) -> None:
    recorded = {rule.name for rule in rules()}
    pages = "".join(path.read_text() for path in (repository / "docs").glob("*.md"))
    told = set(re.findall(r"`((?:netexporters|interface|icmp|snmp):[\w:]+)", pages))
    assert sorted(told - recorded) == []


def test_shipped_prometheus_configuration_is_right() -> None:
    checked = promtool("check", "config", RULES / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(FILES)} rule files" in checked.stdout


def test_events_are_scraped_every_five_seconds_and_what_is_polled_less_often() -> None:
    configuration = yaml.safe_load((RULES / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
    intervals = {name: job["scrape_interval"] for name, job in jobs.items()}
    assert intervals == {"netexporters": "15s", "events": "5s", "snmp": "1m", "rmon": "1m"}
    assert jobs["events"]["honor_labels"] is True
    for name in ("snmp", "rmon"):
        (discovery,) = jobs[name]["http_sd_configs"]
        assert discovery["url"].endswith("/sd")
