"""Verdicts that are remembered, which are those of judging anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.config.event_rules import load_event_rules
from exporters.demo.syslog_corpus import FORMS, SyslogCorpus
from exporters.events.event import Message
from exporters.events.rules import RuleSet
from exporters.syslog.batch import Batch
from exporters.syslog.judging import Judge
from exporters.wire.syslog_classes import Classifier

from .conftest import DEVICE, STRANGER, Station, shipped_rules

PORT = b"GigabitEthernet0/7"
DOWN = b"<187>%d: *Mar  1 18:46:11: %%LINK-3-UPDOWN: Interface %b, changed state to down"

HEADS = st.sampled_from(
    [b"<187>", b"<187>42: ", b"<187>Mar  1 18:46:11 core-1 ", b"<187>Mar  1 18:46:11 h%A-1-B ",
     b"<187>1 2026-03-14T09:26:53Z core-1 app 1 - - ", b"<187>1 - - app 1 - - ",
     b"<187>1 - - app - ", b"<187>1 2026-03-14 09:26:53Z core-1 app 1 - - ",
     b"< 7>1 - - app 1 - - ", b"<187>app[1]: ", b"<187>app: 42: ", b"%",
     b"<187>Mar  1 18:46:11 app app[12] ", b"app: ", b"[1]", b"[2]: ", b"] ", b"\n", b" ", b": ",
     b"<187>%%01A/4/B[3]: ", b"%%01A/4/B[4]: "]
)  # fmt: skip
TAILS = st.sampled_from(
    [b"%%LINK-3-UPDOWN: Interface %b, changed state to down" % PORT,
     b"%%LINK-3-UPDOWN: Interface %b, changed state to up" % PORT,
     b"SNMP_TRAP_LINK_DOWN: ifIndex 5, ifName ge-0/0/1", b'[a b="%LINK-3-UPDOWN: x"] text',
     b"Interface Gi0/7 is down", b"link up"]
)  # fmt: skip
MESSAGES = st.builds(lambda head, middle, tail: head + middle + tail, HEADS, HEADS, TAILS)


def judged_as(rules: RuleSet, messages: list[bytes]) -> tuple[list[object], list[object]]:
    """Give verdicts of a judge that remembers, and those of the rules."""
    batch = batch_of(messages)
    judge = Judge(rules)
    places = range(len(messages))
    remembered = [
        judge.judge(batch, place, is_by_text=rules.judges_by_text(batch.message(place))).verdict
        for place in places
    ]
    return list(remembered), [rules.judge(batch.message(place)) for place in places]


def batch_of(messages: list[bytes]) -> Batch:
    source = Station().receiver.policy.sources.source(DEVICE)
    classes = Classifier().classify_batch(messages)
    return Batch(messages, [source] * len(messages), ["core-1"] * len(messages), classes, 0.0, {})


def own_rules(folder: Path, match: str) -> RuleSet:
    """Give one rule, by which what it matches is about a fan."""
    file = folder / "rules.yml"
    file.write_text(f"rules: [{{name: own, match: {{{match}}}, event: fan}}]")
    return RuleSet(load_event_rules([file], [], environment={}), "syslog")


@settings(max_examples=400, deadline=None)
@given(st.lists(MESSAGES, max_size=12))
def test_remembered_verdict_is_that_of_the_rules(messages: list[bytes]) -> None:
    remembered, judged = judged_as(shipped_rules(), messages)
    assert remembered == judged


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.vendor} {form.event}".strip())
def test_verdict_on_messages_of_the_demo_is_that_of_the_rules(form: object) -> None:
    messages = [SyslogCorpus(seed=seed).fill(form) for seed in (1, 2, 1)]  # type: ignore[arg-type]
    remembered, judged = judged_as(shipped_rules(), messages)
    assert remembered == judged


def test_verdict_on_a_text_that_looks_like_the_end_of_a_tag_is_its_own(tmp_path: Path) -> None:
    text = b"Interface GigabitEthernet0/7, changed state to down"
    messages = [
        b"<187>Mar  1 18:46:11 core-1 app: " + text,
        b"<187>Mar  1 18:46:11 app app: : " + text,
    ]
    batch = batch_of(messages)
    assert batch.classes[0] is batch.classes[1]
    judge = Judge(own_rules(tmp_path, "app: [app], message: '^Interface'"))
    first, other = (judge.judge(batch, place, is_by_text=True).verdict.event for place in range(2))
    assert (first, other) == ("fan", "other")


def test_messages_of_several_lines_have_the_verdict_on_their_text(tmp_path: Path) -> None:
    head = b"<187>Mar  1 18:46:11 core-1 app[%d]: one"
    messages = [head % 1, head % 2 + b"\n", head % 3 + b"\ntwo", head % 4 + b"\r\n\0"]
    batch = batch_of(messages)
    judge = Judge(own_rules(tmp_path, "app: [app], message: 'one$'"))
    events = [judge.judge(batch, place, is_by_text=True).verdict.event for place in range(4)]
    assert events == ["fan", "fan", "other", "fan"]
    find = judge.finders[batch.classes[0]]
    assert [find(message) is not None for message in messages] == [True, False, False, False]


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporters.syslog.judging._MOST_REMEMBERED", 5)
    judge = Judge(own_rules(tmp_path, "app: [app], message: 'one$'"))
    messages = [b"<187>Mar  1 18:46:11 core-1 app: %d one" % number for number in range(9)]
    batch = batch_of(messages)
    verdicts = [judge.judge(batch, place, is_by_text=True).verdict.event for place in range(9)]
    assert verdicts == ["fan"] * 9
    find = judge.finders[batch.classes[0]]
    assert 0 < sum(find(message) is not None for message in messages) <= 5


def test_verdict_on_another_number_and_time_is_remembered() -> None:
    rules = shipped_rules()
    batch = batch_of([DOWN % (1, PORT), DOWN % (2, PORT), DOWN % (3, b"Gi0/8")])
    judge = Judge(rules)
    first, again, other = (judge.judge(batch, place, is_by_text=True) for place in range(3))
    assert first is again
    assert first is not other


@pytest.mark.parametrize(
    "match",
    ["device: [core-1]", "source: [192.0.2.0/24]", "fields: {host: {equals: a}}"],
    ids=["device", "source", "field"],
)
def test_rule_that_looks_beyond_the_text_is_asked_each_time(tmp_path: Path, match: str) -> None:
    station = Station(rules=own_rules(tmp_path, f"vendor_event: [LINK-3-UPDOWN], {match}"))
    station.take(DOWN % (1, PORT))
    station.take(DOWN % (2, PORT), peer=STRANGER)
    expected = "fan" if "host" not in match else "other"
    events = [event.verdict.event for event in station.events()]
    assert events == ["other", expected]


def test_group_that_is_called_as_a_field_of_the_header_is_no_text_alone(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(
        "rules: [{name: own, match: {vendor_event: [LINK-3-UPDOWN]}, event: link,"
        " raise: {instance: [host]}}]"
    )
    rules = RuleSet(load_event_rules([file], [], environment={}), "syslog")
    message = Message("syslog", 0.0, "", "core-1", "LINK-3-UPDOWN", batch_of([b""]).message(0)[5])
    assert not rules.judges_by_text(message)
    assert shipped_rules().judges_by_text(message)


def test_rule_on_values_of_the_text_looks_at_the_text_alone() -> None:
    message = b"<28>Nov 20 16:58:04 re0 mib2d[%d]: SNMP_TRAP_LINK_DOWN: ifIndex 5, ifName ge-0/0/1"
    batch = batch_of([message % 1, message % 2])
    assert shipped_rules().judges_by_text(batch.message(0))
    judge = Judge(shipped_rules())
    first, again = (judge.judge(batch, place, is_by_text=True) for place in range(2))
    assert first is again
    assert first.verdict == shipped_rules().judge(batch.message(1))
