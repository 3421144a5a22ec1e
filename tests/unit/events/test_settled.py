"""Verdicts that are settled for a name: whoever counts by them counts as if each were judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.config.event_rules import load_event_rules
from exporters.events.event import Action, Message, Remarks
from exporters.events.rules import RuleSet


class Nothing:
    """What a message says that nobody may look into."""

    def field(self, name: str) -> None:
        raise AssertionError("a settled verdict looks at no field")

    def fields(self) -> dict[str, str]:
        raise AssertionError("a settled verdict looks at no field")

    def text(self) -> str:
        raise AssertionError("a settled verdict looks at no text")

    def remarks(self, received_at: float) -> Remarks:
        raise AssertionError("a settled verdict looks at no remarks")


def message(name: str, app: str = "", severity: str = "notice") -> Message:
    return Message("syslog", 0.0, "", "core-1", name, Nothing(), severity=severity, app=app)


@pytest.fixture
def rules(tmp_path: Path) -> RuleSet:
    file = tmp_path / "rules.yml"
    file.write_text(
        """
rules:
  - {name: plain, match: {vendor_event: PLAIN}, event: config}
  - {name: begins, match: {vendor_event: BEGINS-*}, event: fan, severity: error}
  - {name: dropped, match: {vendor_event: DROPPED}, action: drop}
  - {name: restarts, match: {vendor_event: RESTARTS}, event: reboot, restart: true}
  - {name: pattern, match: {vendor_event: PATTERN, message: down}, event: link}
  - {name: where, match: {vendor_event: WHERE, device: core-1}, event: link}
  - {name: listed, match: {vendor_event: [BEGINS-LISTED, LISTED-*]}, event: fan}
  - {name: number, match: {vendor_event: ["0100032002", "0101*"], vendor: fortinet}, event: auth}
  - {name: app, match: {app: chronyd}, event: config}
  - {name: app_of_a_vendor, match: {app: meraki, vendor: cisco}, event: vpn}
  - {name: vendor, match: {vendor: nec}, event: fan}
  - {name: state, match: {vendor_event: STATE}, event: link, raise: {instance: host}}
"""
    )
    return RuleSet(load_event_rules([file], [], environment={}), "syslog")


@pytest.mark.parametrize("name", ["PLAIN", "BEGINS-1", "DROPPED", "NOBODYS"])
def test_settled_verdict_is_that_of_judging(rules: RuleSet, name: str) -> None:
    asked = message(name)
    assert rules.settled(asked) == rules.judge(asked)


def test_settled_verdict_has_the_severity_and_action_of_its_rule(rules: RuleSet) -> None:
    found = [rules.settled(message(name)) for name in ("PLAIN", "BEGINS-1", "DROPPED")]
    assert [verdict and verdict.severity for verdict in found] == ["notice", "error", "notice"]
    assert found[2] is not None
    assert found[2].action is Action.DROP


@pytest.mark.parametrize("name", ["RESTARTS", "PATTERN", "WHERE", "STATE"])
def test_verdict_that_depends_on_more_is_not_settled(rules: RuleSet, name: str) -> None:
    assert rules.settled(message(name)) is None


@pytest.mark.parametrize(
    ("app", "vendor", "event"),
    [
        ("chronyd", "", "config"),
        ("meraki", "cisco", "vpn"),
        ("meraki", "linux", "other"),
        ("", "nec", "fan"),
    ],
)
def test_rules_that_name_an_application_and_a_vendor_are_settled(
    rules: RuleSet, app: str, vendor: str, event: str
) -> None:
    asked = message("", app)._replace(vendor=vendor)
    verdict = rules.settled(asked)
    assert verdict is not None
    assert verdict == rules.judge(asked) == rules.explain(asked)[0]
    assert verdict.event == event


def test_event_that_is_a_number_is_no_oid(rules: RuleSet) -> None:
    for name in ("0100032002", "0101037138"):
        asked = message(name)._replace(vendor="fortinet")
        assert rules.judge(asked).event == "auth"
        assert rules.judge(asked._replace(vendor="f5")).event == "other"
    assert rules.catalogue_name(message("0101037138")._replace(vendor="fortinet")) == "0101*"
    assert rules.catalogue_name(message("0101037138")._replace(vendor="f5")) == "other"


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("PLAIN", "PLAIN"),
        ("STATE", "STATE"),
        ("BEGINS-2", "BEGINS-*"),
        ("BEGINS-LISTED", "BEGINS-LISTED"),
        ("NOBODYS", "other"),
        ("", "other"),
    ],
)
def test_event_is_counted_under_a_name_that_rules_have(
    rules: RuleSet, name: str, counted: str
) -> None:
    assert rules.catalogue_name(message(name)) == counted
