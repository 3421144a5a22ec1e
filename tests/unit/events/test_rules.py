"""Rules: what matches, what it means, and that the index never changes the verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.events import rules as rules_module
from exporters.events.event import Action, Change, Verdict
from exporters.events.rules import RuleSet
from exporters.wire.ber import encode_oid

from .conftest import make_message, read_rules

LINK = """
rules:
  - name: down
    match: {trap: linkDown}
    event: link
    severity: error
    raise: {key: ifIndex, instance: [ifDescr, ifName, ifIndex], ttl: 1h}
  - name: up
    match: {trap: [linkUp, 1.3.6.1.6.3.1.1.5.4]}
    event: link
    severity: info
    clear: {key: ifIndex, instance: [ifDescr, ifName, ifIndex]}
  - name: cold
    match: {trap: coldStart}
    event: reboot
    restart: true
"""


def judge(text, message, kind="trap"):
    return RuleSet(read_rules(text), kind).judge(message)


def matches(match, message, kind="trap"):
    text = f"rules: [{{name: it, match: {{{match}}}, event: fan}}]"
    return judge(text, message, kind).event == "fan"


def test_message_that_no_rule_knows_is_other():
    assert judge(LINK, make_message("fooTrap")) == Verdict()


def test_severity_of_the_sender_counts_where_the_rule_has_none():
    assert judge(LINK, make_message("fooTrap", severity="alert")).severity == "alert"
    assert judge(LINK, make_message("coldStart", severity="alert")).severity == "alert"
    assert judge(LINK, make_message("linkDown", severity="alert")).severity == "error"


def test_group_that_matched_nothing_is_not_looked_for_among_the_fields():
    rule = (
        "rules: [{name: bgp, match: {message: 'peer (?P<peer>[^ ]+)( in (?P<vrf>[^ ]+))? down'},"
        " event: bgp, raise: {instance: [vrf peer, peer]}}]"
    )
    fields = {"vrf": "of the message"}
    plain = make_message(kind="syslog", text="peer a down", fields=fields)
    inside = make_message(kind="syslog", text="peer a in red down", fields=fields)
    verdicts = [judge(rule, message, "syslog") for message in (plain, inside)]
    assert [change.instance for said in verdicts for change in said.changes] == ["a", "red a"]


def test_raise_and_clear_name_the_same_state():
    down = judge(LINK, make_message("linkDown", fields={"ifIndex": 7, "ifDescr": "Gi0/7"}))
    up = judge(LINK, make_message("linkUp", fields={"ifIndex": 7}))

    assert down.changes == (Change(True, "link", "7", "Gi0/7", 3600.0),)
    assert up.changes == (Change(False, "link", "7", "7"),)


def test_restart_is_told():
    assert judge(LINK, make_message("coldStart")).restarted


def test_name_and_oid_lead_to_the_same_rule():
    by_oid = make_message("", oid=encode_oid("1.3.6.1.6.3.1.1.5.4"))

    assert judge(LINK, by_oid).rules == ("up",)


@pytest.mark.parametrize(
    ("match", "parts", "wanted"),
    [
        ("trap: 1.3.6.1.4.1.9.*", {"oid": encode_oid("1.3.6.1.4.1.9.0.1")}, True),
        ("trap: 1.3.6.1.4.1.9.*", {"oid": encode_oid("1.3.6.1.4.1.10")}, False),
        ("trap: 1.3.6.1.4.1.9", {"oid": encode_oid("1.3.6.1.4.1.9.1")}, False),
        ("trap: bgp*", {"name": "bgpEstablished"}, True),
        ("trap: bgp*", {"name": "isisUp"}, False),
        ("version: 1", {"version": "1"}, True),
        ("version: [2c, 3]", {"version": "1"}, False),
        ("generic: 6, specific: [1, 2]", {"generic": 6, "specific": 2}, True),
        ("generic: 6, specific: [1, 2]", {"generic": 6, "specific": 3}, False),
        ("enterprise: 1.3.6.1.4.1.9", {"enterprise": encode_oid("1.3.6.1.4.1.9")}, True),
        ("enterprise: 1.3.6.1.4.1.9.*", {"enterprise": encode_oid("1.3.6.1.4.1.9.1")}, True),
        ("enterprise: 1.3.6.1.4.1.9", {"enterprise": encode_oid("1.3.6.1.4.1.8")}, False),
        ("device: [core-1, core-2]", {"device": "core-2"}, True),
        ("device: core-1", {"device": "core-2"}, False),
        ("source: 192.0.2.0/24", {"source": "192.0.2.77"}, True),
        ("source: 192.0.2.0/24", {"source": "198.51.100.1"}, False),
        ("source: 192.0.2.0/24", {"source": "2001:db8::1"}, False),
        ("source: 192.0.2.0/24", {"source": "/run/socket"}, False),
    ],
)
def test_condition_on_a_trap_holds_or_not(match, parts, wanted):
    assert matches(match, make_message(**parts)) is wanted


@pytest.mark.parametrize(
    ("condition", "value", "wanted"),
    [
        ("2", 2, True),
        ("2", "2", True),
        ("2", 2.0, True),
        ("2", 3, False),
        ("2", None, False),
        ("[1, down]", "down", True),
        ("-1", -1, True),
        ("{above: 70}", 71, True),
        ("{above: 70}", 70, False),
        ("{above: 70}", "70.5", True),
        ("{above: 70}", "hot", False),
        ("{above: 70, below: 80}", 81, False),
        ("{below: 0}", -3, True),
        ("{below: 0}", None, False),
        ("{matches: 'f.o$'}", "a foo", True),
        ("{matches: 'f.o$'}", "foobar", False),
        ("{matches: '^4'}", 42, True),
        ("{present: true}", "", True),
        ("{present: true}", None, False),
        ("{present: false}", None, True),
        ("{present: false}", 1, False),
    ],
)
def test_condition_on_a_field_holds_or_not(condition, value, wanted):
    fields = {} if value is None else {"x": value}

    assert matches(f"fields: {{x: {condition}}}", make_message(fields=fields)) is wanted


@pytest.mark.parametrize(
    ("match", "parts", "wanted"),
    [
        ("app: sshd", {"app": "sshd"}, True),
        ("app: sshd", {"app": "su"}, False),
        ("facility: [auth, authpriv]", {"facility": "auth"}, True),
        ("severity: error", {"severity": "error"}, True),
        ("severity: error", {"severity": "info"}, False),
        ("vendor: cisco", {"vendor": "cisco"}, True),
        ("vendor_event: BGP-5-*", {"name": "BGP-5-ADJCHANGE"}, True),
        ("vendor_event: [A, B]", {"name": "C"}, False),
        ("message: 'to (up|down)'", {"text": "changed to up"}, True),
        ("message: 'to (up|down)$'", {"text": "changed to upper"}, False),
    ],
)
def test_condition_on_a_syslog_message_holds_or_not(match, parts, wanted):
    assert matches(match, make_message(kind="syslog", **parts), "syslog") is wanted


@pytest.mark.parametrize(("begin", "wanted"), [(1000, True), (1022, False), (60_000, False)])
@pytest.mark.parametrize("match", ["message: 'down'", "fields: {x: {matches: 'down'}}"])
def test_pattern_is_looked_for_where_messages_begin(match, begin, wanted):
    text = "a" * begin + "down"
    message = make_message(kind="syslog", text=text, fields={"x": text})
    assert matches(match, message, "syslog") is wanted


def test_explanation_looks_no_further_than_the_verdict():
    rules = RuleSet(read_rules("rules: [{name: r, match: {message: down}, event: fan}]"), "syslog")
    message = make_message(kind="syslog", text="a" * 1024 + "down")
    verdict, trials = rules.explain(message)
    assert verdict == rules.judge(message)
    assert [trial.matched for trial in trials] == [False]


def test_rule_for_one_kind_is_not_tried_for_the_other():
    text = "rules: [{name: t, match: {trap: x}, event: fan}, {name: s, match: {app: x}}]"

    assert len(RuleSet(read_rules(text), "trap")) == 1
    assert len(RuleSet(read_rules(text), "syslog")) == 1


def test_first_rule_that_matches_decides():
    text = "rules: [{name: a, match: {trap: x}, event: fan}, {name: b, event: cpu}]"

    assert judge(text, make_message("x")).rules == ("a",)
    assert judge(text, make_message("y")).rules == ("b",)


def test_rules_that_continue_add_up_and_the_first_word_counts():
    text = """
    rules:
      - {name: a, match: {trap: x}, severity: alert, labels: {p: f}, continue: true}
      - {name: b, match: {fields: {f: 1}}, event: cpu, severity: info, labels: {p: g, q: g},
         raise: {instance: f}, continue: true}
      - {name: c, event: fan, action: count_only}
      - {name: d, event: power}
    """

    verdict = judge(text, make_message("x", fields={"f": 1, "g": 2}))

    assert verdict == Verdict(
        "cpu",
        "alert",
        (("p", "1"), ("q", "2")),
        (Change(True, "cpu", "1", "1", 604800.0),),
        Action.COUNT_ONLY,
        rules=("a", "b", "c"),
    )


def test_labels_and_instances_come_from_groups_and_fields():
    text = """
    rules:
      - name: adj
        match:
          message: 'neighbor (?P<peer>\\S+)( vpn vrf (?P<vrf>\\S+))? (?P<state>Up|Down)'
          fields: {host: {matches: '^(?P<site>[a-z]+)-'}}
        event: bgp
        labels: {site: site, direction: [state, host]}
        raise: {instance: ["vrf peer", peer]}
    """
    with_vrf = make_message(
        kind="syslog", text="neighbor 192.0.2.9 vpn vrf blue Down", fields={"host": "fra-1"}
    )
    without = make_message(kind="syslog", text="neighbor 192.0.2.9 Up", fields={"host": "fra-1"})

    assert judge(text, with_vrf, "syslog").changes[0].instance == "blue 192.0.2.9"
    verdict = judge(text, without, "syslog")
    assert verdict.changes[0].instance == "192.0.2.9"
    assert verdict.labels == (("site", "fra"), ("direction", "Up"))


def test_value_from_a_message_is_printable_and_short():
    text = "rules: [{name: a, event: fan, raise: {instance: f}, labels: {l: f}}]"

    verdict = judge(text, make_message(fields={"f": "\x1b[31m\n" + "x" * 1000}))

    assert verdict.changes[0].instance.isprintable()
    assert len(verdict.changes[0].instance) < 160
    assert verdict.labels[0][1].isprintable()


def test_explanation_names_the_condition_that_failed():
    text = """
    rules:
      - {name: a, match: {trap: x, fields: {f: {above: 3}}}}
      - {name: b, match: {trap: y}}
      - {name: c, match: {trap: x}, event: fan}
      - {name: d}
    """

    verdict, trials = RuleSet(read_rules(text), "trap").explain(make_message("x", fields={"f": 1}))

    assert verdict.event == "fan"
    assert [trial.failed for trial in trials] == [
        "f is above 3",
        "trap is y",
        "",
        "a rule before it has decided",
    ]


def test_rules_tell_what_they_look_at():
    rules = RuleSet(read_rules(LINK), "trap")

    assert rules.trap_names == {"linkDown", "linkUp", "coldStart"}
    assert rules.field_names == {"ifIndex", "ifDescr", "ifName"}
    assert rules.outcomes == {("link", "error", "raised"), ("link", "info", "cleared")}


def test_names_made_up_by_senders_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(rules_module, "_MOST_PLANS", 100)
    rules = RuleSet(read_rules(LINK), "trap")

    for number in range(1000):
        rules.judge(make_message(f"trap{number}"))

    assert len(rules._plans) <= 100
    assert rules.judge(make_message("linkDown")).event == "link"


NAMES = st.sampled_from(["a", "b", "abc", "abd", ""])
WORDS = st.lists(st.sampled_from(["link", "down", "fan", "x1", "up"]), max_size=6).map(" ".join)


@st.composite
def one_rule(draw):
    match = {}
    if draw(st.booleans()):
        match["vendor_event"] = draw(st.lists(st.sampled_from(["a", "ab*", "b"]), min_size=1))
    if draw(st.booleans()):
        match["app"] = draw(st.lists(st.sampled_from(["p", "q"]), min_size=1))
    if draw(st.booleans()):
        pattern = draw(st.sampled_from(["a link b", " down ", "(?i) FAN ", "x1|up", "down$"]))
        match["message"] = pattern
    return {
        "match": match,
        "event": draw(st.sampled_from(["link", "fan", "cpu"])),
        "continue": draw(st.booleans()),
        "severity": draw(st.sampled_from(["error", "info"])),
    }


@given(
    st.lists(one_rule(), max_size=30),
    st.lists(st.tuples(NAMES, st.sampled_from(["p", "q", "r", ""]), WORDS), max_size=5),
)
def test_index_gives_what_trying_all_rules_gives(many, messages):
    import yaml

    rules = [{"name": f"r{place}", **rule} for place, rule in enumerate(many)]
    compiled = RuleSet(read_rules(yaml.safe_dump({"rules": rules})), "syslog")

    for name, app, text in messages:
        message = make_message(name, f"a {text} b", kind="syslog", app=app)
        assert compiled.judge(message) == compiled.explain(message)[0]


def test_word_after_an_equals_sign_stands_for_itself():
    rule = "{name: it, match: {trap: upsOnBattery}, event: power, raise: {instance: =battery}}"
    text = f"rules: [{rule}]"
    (change,) = judge(text, make_message("upsOnBattery", fields={"battery": "another"})).changes
    assert (change.key, change.instance) == ("battery", "battery")
    assert RuleSet(read_rules(text), "trap").field_names == frozenset()
