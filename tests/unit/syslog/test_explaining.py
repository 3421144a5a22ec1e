"""What is told of a message before it comes, whatever would become of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.syslog.arguments import Settings, load
from exporters.syslog.explaining import explain

RULES = """
rules:
  - {name: quiet, match: {app: su}, action: drop}
  - {name: many, match: {app: sshd}, event: auth, action: count_only}
"""
DEVICES = "devices: [{name: core-1, addresses: [192.0.2.1], timezone: Asia/Seoul}]"


@pytest.fixture
def files(tmp_path: Path) -> Settings:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "devices.yml").write_text(DEVICES)
    config = tmp_path / "syslog.yml"
    config.write_text(f"{{shipped_rules: false, rule_files: ['{tmp_path}/rules.yml']}}")
    return Settings((str(config),), str(tmp_path / "devices.yml"))


def told(files: Settings, message: bytes, source: str = "192.0.2.1") -> list[str]:
    return list(explain(load(files), message, source))


def test_message_that_a_rule_drops_is_explained(files: Settings) -> None:
    lines = told(files, b"<34>Oct 11 22:14:15 host su: x")

    assert "action: drop: it is no event" in lines
    assert "rules that match: quiet" in lines
    assert not any("network_events_total" in line for line in lines)


def test_message_that_is_only_counted_is_explained(files: Settings) -> None:
    lines = told(files, b"<34>Oct 11 22:14:15 host sshd: x")

    assert "action: count_only: it is counted, but neither shown nor logged" in lines
    assert '  network_events_total{device="core-1",event="auth",severity="critical"} 1' in lines


def test_clock_faults_and_numbers_are_explained(files: Settings) -> None:
    lines = told(files, b"<86><189>7: *Oct 11 22:14:15: %SYS-5-CONFIG_I: x")

    device_time = next(line for line in lines if line.startswith("device time: "))
    assert device_time.endswith("10-11 13:14:15.000+00:00")
    assert "clock: never_set" in lines
    assert "wrong with it: double_priority" in lines
    assert '  syslog_message_faults_total{device="core-1",fault="double_priority"} 1' in lines
    assert '  syslog_sequence_received_total{device="core-1",counter="message"} 1' in lines
    assert '  syslog_clock_unsynchronised{device="core-1"} 1' in lines


def test_nothing_is_no_event(files: Settings) -> None:
    assert told(files, b"  ") == ["outcome: empty: nothing, or blanks; no event"]
