"""alertmanager.yml: Alertmanager takes it, and everything reaches whom it should."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .metric_names import labels_in, rules

FILE = Path(__file__).resolve().parents[2] / "alert_rules" / "alertmanager.yml"
ALERTS = [rule for rule in rules() if rule.alert]

pytestmark = pytest.mark.peer("amtool", "prometheus-alertmanager")


def amtool(*words: str) -> str:
    done = subprocess.run(["amtool", *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_alertmanager_takes_the_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(FILE))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "DeviceDown", "severity": "critical", "site": "busan"}, "pager"),
        ({"alertname": "DeviceDown", "severity": "critical"}, "pager"),
        ({"alertname": "DeviceDown", "severity": "critical", "site": "seoul"}, "site-seoul-pager"),
        ({"alertname": "PacketLoss", "severity": "warning", "site": "seoul"}, "site-seoul"),
        ({"alertname": "PacketLoss", "severity": "warning", "site": "busan"}, "operations"),
        (
            {"alertname": "DeviceRestarted", "severity": "warning", "kind": "event"},
            "operations-events",
        ),
        (
            {
                "alertname": "DeviceRestarted",
                "severity": "warning",
                "kind": "event",
                "site": "seoul",
            },
            "site-seoul-events",
        ),
        ({"alertname": "NetworkEventCritical", "severity": "critical", "kind": "event"}, "pager"),
        ({"alertname": "PathChanged", "severity": "info", "site": "seoul"}, "journal"),
        ({"alertname": "ParentDown", "severity": "none"}, "nobody"),
        ({"alertname": "ParentDown", "severity": "none", "site": "seoul"}, "nobody"),
        ({"alertname": "Watchdog", "severity": "none"}, "heartbeat"),
        ({"alertname": "ExporterDown", "severity": "critical", "exporter": "trap"}, "pager"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
def test_alert_reaches_its_receiver(labels: dict[str, str], receiver: str) -> None:
    words = [f"{name}={value}" for name, value in labels.items()]
    amtool(
        "config",
        "routes",
        "test",
        f"--config.file={FILE}",
        f"--verify.receivers={receiver}",
        *words,
    )


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.name)
def test_every_alert_reaches_somebody_but_those_that_only_inhibit(rule: Any) -> None:
    words = [f"alertname={rule.name}", *(f"{name}={value}" for name, value in rule.labels.items())]
    reached = amtool("config", "routes", "test", f"--config.file={FILE}", *words)
    assert (reached == "nobody") == (rule.name == "ParentDown")


def inhibitions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["inhibit_rules"]
    return found


@pytest.mark.parametrize("rule", inhibitions(), ids=lambda rule: rule["source_matchers"][0])
def test_inhibition_names_alerts_that_there_are_and_labels_that_both_have(
    rule: dict[str, Any],
) -> None:
    sources = matched(rule["source_matchers"])
    targets = matched(rule["target_matchers"])
    assert sources
    assert targets
    assert not set(sources) & set(targets), "it would silence itself"
    by_name = {alert.name: labels_in(alert.expression) for alert in ALERTS}
    assert all(set(rule["equal"]) <= by_name[name] for name in sources)
    assert any(set(rule["equal"]) <= by_name[name] for name in targets)


def test_no_two_alerts_silence_each_other_so_that_nobody_is_told() -> None:
    """Alertmanager lets alerts inhibit that are inhibited themselves."""
    silences = {
        (source, target)
        for rule in inhibitions()
        for source in matched(rule["source_matchers"])
        for target in matched(rule["target_matchers"])
        if set(rule["equal"]) <= labels_of(source) & labels_of(target)
    }
    assert sorted(pair for pair in silences if pair[::-1] in silences) == []


def labels_of(name: str) -> set[str]:
    (alert,) = (alert for alert in ALERTS if alert.name == name)
    return labels_in(alert.expression)


def matched(matchers: list[str]) -> list[str]:
    """The names of alerts that matchers of ``alertname`` select."""
    names = [alert.name for alert in ALERTS]
    for matcher in matchers:
        match = re.fullmatch(r'alertname(=~|!~|!=|=)"([^"]*)"', matcher)
        if match:
            sign, pattern = match.groups()
            pattern = pattern if "~" in sign else re.escape(pattern)
            names = [n for n in names if bool(re.fullmatch(pattern, n)) != sign.startswith("!")]
    return names
