"""The rules in alert_rules: Prometheus takes them, they keep what their tests say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .metric_names import Rule, faults_of, labels_in, rules

RULES = Path(__file__).resolve().parents[2] / "alert_rules"
FILES = sorted(RULES.glob("*.rules.yml"))
TESTS = sorted((RULES / "tests").glob("*.test.yml"))

pytestmark = pytest.mark.peer("promtool", "prometheus")


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
    assert [file.name.split(".")[0] for file in FILES] == [
        file.name.split(".")[0] for file in TESTS
    ]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule.file}-{rule.name}")
def test_series_and_labels_of_a_rule_are_in_a_golden_scrape(rule: Rule) -> None:
    assert faults_of(rule.expression) == []
    templates = "".join(rule.annotations.values())
    named = set(re.findall(r"\$labels\.(\w+)", templates))
    assert sorted(named - labels_in(rule.expression) - rule.labels.keys()) == []


def test_shipped_prometheus_configuration_is_right() -> None:
    checked = promtool("check", "config", RULES / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(FILES)} rule files" in checked.stdout
