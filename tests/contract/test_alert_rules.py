"""The rules in alert_rules: Prometheus takes them, they keep what their tests say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).resolve().parents[2] / "alert_rules"
FILES = sorted(RULES.glob("*.rules.yml"))
TESTS = sorted((RULES / "tests").glob("*.test.yml"))
METRIC = re.compile(
    r"\b(?:snmp|icmp|rmon2?|network_event|network_events|trap_exporter)_[a-z0-9_]+\b"
)
SUFFIXES = ("_sum", "_count", "_bucket")

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


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_metric_of_the_rules_is_documented(file: Path, repository: Path) -> None:
    documented = "\n".join(page.read_text() for page in (repository / "docs").glob("*.md"))
    named = {
        re.sub(f"({'|'.join(SUFFIXES)})$", "", metric)
        for metric in METRIC.findall(file.read_text())
    }
    assert named
    assert sorted(metric for metric in named if not is_documented(metric, documented)) == []


def is_documented(metric: str, documented: str) -> bool:
    """Whether it is told of under its name, or under that which several exporters share."""
    shared = re.sub("^[a-z]+_exporter_", "<name>_exporter_", metric)
    return f"`{metric}" in documented or f"`{shared}" in documented


def test_shipped_prometheus_configuration_is_right() -> None:
    checked = promtool("check", "config", RULES / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(FILES)} rule files" in checked.stdout
