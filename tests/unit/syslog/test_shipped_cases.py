"""The rules that ship, by the messages that ship with them: what real devices write."""

from __future__ import annotations

import re

import pytest

from exporters.bundled import modules_directory
from exporters.config.event_rules import EventRule, load_event_rules
from exporters.config.re2 import Regex
from exporters.events.event import Message, Verdict
from exporters.events.rule_files import shipped_rule_files
from exporters.events.rules import RuleSet
from exporters.syslog.cases import Case, cases_named, shipped_cases
from exporters.syslog.details import SyslogDetails
from exporters.wire.syslog_classes import Classifier, MessageFormat

from .conftest import Station

CASES = shipped_cases()
SOURCES = load_event_rules([], shipped_rule_files("syslog"), environment={})
RULES = RuleSet(SOURCES, "syslog")


def read(content: bytes) -> Message:
    """Read a message as the receiver does."""
    of = Classifier().classify(content)
    assert of.format is not MessageFormat.UNPARSED
    return Message(
        "syslog",
        0.0,
        "192.0.2.1",
        "core-1",
        of.event,
        SyslogDetails(content, of),
        severity=of.severity,
        facility=of.facility,
        app=of.app,
        vendor=of.vendor,
    )


def changes(verdict: Verdict) -> str:
    words = [f"{'raise' if c.raised else 'clear'} {c.instance}" for c in verdict.changes]
    return ", ".join(words)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_shipped_message_comes_to_what_its_case_says(case: Case) -> None:
    message = read(case.message)
    verdict = RULES.judge(message)
    found = (verdict.rules, verdict.event, verdict.severity, changes(verdict))
    assert found == ((case.rule,), case.event, case.severity, case.change)
    assert RULES.explain(message)[0] == verdict


def test_every_rule_has_a_case_and_no_case_has_a_rule_of_nobody() -> None:
    assert sorted({case.rule for case in CASES}) == sorted(rule.name for rule in SOURCES)


def test_every_state_that_a_message_raises_another_clears() -> None:
    first = [case for case in CASES if case.name == case.rule.replace("_", "-")]
    states = [
        (change.raised, change.event, change.key)
        for case in first
        for change in RULES.judge(read(case.message)).changes
    ]
    raised = {state[1:] for state in states if state[0]}
    cleared = {state[1:] for state in states if not state[0]}
    assert len(raised) > 100
    assert sorted(raised - cleared) == []


TRAPS = RuleSet(
    load_event_rules([], sorted(modules_directory("trap").glob("*.yml")), environment={}), "trap"
)


class Varbinds:
    """Of a linkDown."""

    def __init__(self, interface: str) -> None:
        self._fields: dict[str, str | int] = {
            "ifIndex": 7, "ifIndex.index": "7", "ifAdminStatus": 1, "ifOperStatus": 2,
            "ifName": interface,
        }  # fmt: skip

    def field(self, name: str) -> str | int | None:
        return self._fields.get(name)

    def fields(self) -> dict[str, str | int]:
        return self._fields

    def text(self) -> str:
        return ""


LINK_DOWN = [
    case
    for case in CASES
    if "link_down" in case.rule and case.change.startswith("raise") and case.event == "link"
]


@pytest.mark.parametrize("case", LINK_DOWN, ids=lambda case: case.name)
def test_link_down_of_every_vendor_is_what_a_trap_of_it_is(case: Case) -> None:
    interface = case.change.removeprefix("raise ")
    trap = TRAPS.judge(Message("trap", 0.0, "192.0.2.1", "core-1", "linkDown", Varbinds(interface)))
    said = RULES.judge(read(case.message))
    assert (said.event, said.severity, changes(said)) == (
        trap.event,
        trap.severity,
        changes(trap),
    )


def test_links_are_known_of_every_kind_of_device() -> None:
    vendors = {read(case.message).vendor for case in LINK_DOWN}
    assert len(vendors) >= 18
    assert {"cisco", "juniper", "huawei", "h3c", "arista", "fortinet", "paloalto"} <= vendors


def test_no_rule_is_tried_on_every_message() -> None:
    anywhere = [
        rule.name
        for rule in SOURCES
        if not (rule.match.vendor_event or rule.match.app or rule.match.vendor)
    ]
    assert anywhere == []


def of_floods(rule: EventRule) -> bool:
    """Whether it is for messages that come by the thousand, and needs no pattern to tell them."""
    return rule.action == "count_only" and rule.match.message is None


@pytest.mark.parametrize("rule", list(filter(of_floods, SOURCES)), ids=lambda rule: rule.name)
def test_what_comes_by_the_thousand_is_counted_without_being_read(rule: EventRule) -> None:
    for case in CASES:
        if case.rule == rule.name:
            assert RULES.settled(read(case.message)) is not None


def test_few_patterns_are_tried_on_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    search = Regex.search

    def count(self: Regex, text: str) -> object:
        nonlocal tried
        tried += 1
        return search(self, text)

    monkeypatch.setattr(Regex, "search", count)
    most = {}
    for case in CASES:
        tried = 0
        RULES.judge(read(case.message))
        most[case.name] = tried
    assert len(SOURCES) > 500
    assert sorted(name for name, number in most.items() if number > 8) == []
    assert sum(most.values()) / len(most) < 1.5


def test_names_of_cases_are_unique_and_none_is_that_of_a_group() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert not set(names) & {case.group for case in CASES}


def test_case_is_found_by_its_name_and_a_group_by_its_own() -> None:
    (case,) = cases_named("junos-link-down")
    assert case.message.endswith(b"ifName ge-0/0/3")
    assert {case.rule.partition("_")[0] for case in cases_named("cisco")} == {"cisco", "nexus"}
    assert cases_named("nobody") == []


def test_nothing_that_ships_is_lost_on_its_way_through_the_receiver(station: Station) -> None:
    outcomes = station.take(*(case.message for case in CASES))
    assert len(outcomes) == len(CASES)
    assert set(outcomes) == {"rfc3164", "rfc5424", "vendor"}


def test_table_of_rules_in_the_documentation_is_that_of_the_rules() -> None:
    repository = modules_directory("syslog").parents[1]
    page = (repository / "docs" / "syslog.md").read_text()
    told = re.findall(r"^\| `(\w+)_\*` \| `(\w+\.yml)` \| .* \| (.*) \| (.*) \|$", page, re.M)
    kinds: dict[tuple[str, str], list[EventRule]] = {}
    for file in shipped_rule_files("syslog"):
        for rule in load_event_rules([], [file], environment={}):
            kinds.setdefault((rule.name.partition("_")[0], file.name), []).append(rule)
    expected = []
    for kind, found in kinds.items():
        states = {rule.event for rule in found if rule.raised is not None}
        others = {rule.event for rule in found} - states - {"other"}
        expected.append((*kind, ", ".join(sorted(states)), ", ".join(sorted(others))))
    assert sorted(told) == sorted(expected)
