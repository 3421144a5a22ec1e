"""Messages and what becomes of them, each with its one outcome."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.config.event_rules import load_event_rules
from exporters.config.event_settings import AccessSettings, RateLimit
from exporters.events.rule_files import shipped_rule_files
from exporters.events.rules import RuleSet

from .conftest import DEVICE, RELAY, STRANGER, Station

LINK = b"<187>42: *Mar  1 18:46:11: %%LINK-3-UPDOWN: Interface %s, changed state to %s"
DOWN = LINK % (b"GigabitEthernet0/7", b"down")
UP = LINK % (b"GigabitEthernet0/7", b"up")
CONFIG = b"<189>43: *Mar  1 18:46:12: %SYS-5-CONFIG_I: Configured from console by bob on vty0"
REPEATED = b"<34>Oct 11 22:14:15 mymachine last message repeated 5 times"
SU = b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed"

PIECES = st.sampled_from([DOWN, UP, CONFIG, SU, b"<34>", b"<", b"%%", b"<165>1 - - - - - -", b"\0"])
MESSAGES = st.lists(
    st.one_of(st.binary(max_size=80), st.builds(lambda a, b: a + b, PIECES, st.binary(max_size=9))),
    max_size=20,
)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        pytest.param(b"<165>1 - - - - - -", "rfc5424", id="nil in all fields"),
        pytest.param(SU, "rfc3164", id="BSD"),
        pytest.param(DOWN, "vendor", id="Cisco"),
        pytest.param(b"<34>some text of no form", "unparsed", id="text"),
        pytest.param(b"\x00\xff\xfe", "unparsed", id="octets"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"  \n", "empty", id="blanks"),
    ],
)
def test_message_has_one_outcome(station: Station, message: bytes, outcome: str) -> None:
    assert station.take(message) == [outcome]


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_sum_of_outcomes_is_what_arrived_whatever_arrives(messages: list[bytes]) -> None:
    station = Station()
    assert len(station.take(*messages)) == len(messages)
    assert station.receiver.outcomes["internal_error"] == 0


@settings(max_examples=100, deadline=None)
@given(MESSAGES)
def test_batch_counts_as_its_messages_do_one_by_one(messages: list[bytes]) -> None:
    together, alone = Station(), Station()
    together.take(*messages)
    for message in messages:
        alone.take(message)
    assert sorted(together.samples()) == sorted(alone.samples())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.one_of(PIECES, st.sampled_from([LINK % (b"Gi0/8", b"down"), REPEATED])),
                max_size=12,
            ),
            st.sampled_from([DEVICE, "192.0.2.77", STRANGER, RELAY]),
            st.sampled_from(["", "settle", "reload"]),
        ),
        max_size=8,
    )
)
def test_boundaries_of_batches_change_nothing(
    batches: list[tuple[list[bytes], str, str]],
) -> None:
    """Nor does it matter when counts are settled, or that rules are loaded again meanwhile."""
    access = AccessSettings(trusted_relays=(ipaddress.ip_network(f"{RELAY}/32"),))
    together, alone = Station(access=access), Station(access=access)
    for messages, peer, then in batches:
        together.hand_over(*messages, peer=peer)
        for message in messages:
            alone.take(message, peer=peer)
        if then == "settle":
            together.receiver.settle()
        elif then == "reload":
            together.intake.replace(together.rules, ["core-1", "edge-1"])
            together.receiver.replace(together.receiver.policy)
    assert sorted(together.samples()) == sorted(alone.samples())
    assert together.receiver.outcomes == alone.receiver.outcomes
    assert [event.as_json() for event in together.events()] == [
        event.as_json() for event in alone.events()
    ]


def test_settled_messages_count_as_judged_ones(tmp_path: Path) -> None:
    """A pattern that never matches leaves nothing settled, and changes nothing."""
    file = tmp_path / "rules.yml"
    file.write_text("rules: [{name: never, match: {message: 'never ever'}, event: fan}]")
    shipped = shipped_rule_files("syslog")
    rules = RuleSet(load_event_rules([file], shipped, environment={}), "syslog")
    fast, slow = Station(), Station(rules=rules)
    for station in (fast, slow):
        station.take(*[DOWN, CONFIG, SU, UP, CONFIG, b"", b"<34>hello"] * 3)
    assert sorted(slow.samples()) == sorted(fast.samples())


def test_link_is_raised_and_cleared_by_its_interface(station: Station) -> None:
    state = 'network_event_active{device="core-1",event="link",instance="GigabitEthernet0/7"}'
    station.take(DOWN)
    assert f"{state} 1" in station.samples()
    station.take(UP)
    assert f"{state} 0" in station.samples()


def test_settled_event_is_counted_and_shown(station: Station) -> None:
    station.take(CONFIG, CONFIG)
    samples = station.samples()
    assert 'network_events_total{device="core-1",event="config",severity="notice"} 2' in samples
    assert 'syslog_messages_total{device="core-1",facility="local7",severity="notice"} 2' in samples
    event = 'syslog_vendor_events_total{device="core-1",vendor="cisco",event="SYS-5-CONFIG_I"} 2'
    assert event in samples
    assert station.last["text"].startswith("%SYS-5-CONFIG_I: Configured")
    assert len(station.intake.recent) == 2


def test_event_that_no_rule_names_is_other(station: Station) -> None:
    station.take(b"<187>1: *Mar  1 18:46:11: %MADEUP-3-THING: x")
    wanted = 'syslog_vendor_events_total{device="core-1",vendor="cisco",event="other"} 1'
    assert wanted in station.samples()


@pytest.mark.parametrize("condition", ["app: su", "message: failed"], ids=["settled", "judged"])
def test_dropped_message_has_an_outcome_and_no_series(tmp_path: Path, condition: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(f"rules: [{{name: quiet, match: {{{condition}}}, action: drop}}]")
    station = Station(rules=RuleSet(load_event_rules([file], [], environment={}), "syslog"))
    assert station.take(SU) == ["rfc3164"]
    assert [line for line in station.samples() if "core-1" in line and line[-2:] != " 0"] == []


def test_stranger_has_no_series_of_its_own(station: Station) -> None:
    station.take(DOWN, peer=STRANGER)
    assert station.last["device"] == "unknown"
    assert not any(STRANGER in line for line in station.samples())
    assert len(station.intake.states) == 0


def test_relay_is_believed_whose_message_it_is() -> None:
    relays = (ipaddress.ip_network("192.0.2.9/32"),)
    station = Station(access=AccessSettings(trusted_relays=relays))
    station.take(b"<34>Oct 11 22:14:15 edge-1 su: hello", peer=RELAY)
    assert station.last["device"] == "edge-1"
    station.take(b"<34>Oct 11 22:14:15 elsewhere su: hello", peer=RELAY)
    assert station.last["device"] == "unknown"


def test_hostname_of_others_is_not_believed(station: Station) -> None:
    station.take(b"<34>Oct 11 22:14:15 edge-1 su: hello")
    assert station.last["device"] == "core-1"


def test_sender_outside_of_allowed_networks_is_denied(caplog: pytest.LogCaptureFixture) -> None:
    networks = (ipaddress.ip_network("192.0.2.0/24"),)
    station = Station(access=AccessSettings(allowed_networks=networks))
    assert station.take(SU, peer=STRANGER) == ["source_denied"]
    assert caplog.text == ""
    assert station.take(SU) == ["rfc3164"]


def test_sender_that_sends_too_much_is_limited() -> None:
    limit = RateLimit(per_second=1.0, burst=2)
    station = Station(access=AccessSettings(rate_limit=limit))
    assert station.take(SU, SU, SU) == ["rate_limited", "rfc3164", "rfc3164"]
    assert station.receiver.refused == {("core-1", "rate_limited"): 1}


def test_long_datagram_is_cut_counted_and_taken() -> None:
    station = Station(max_message_bytes=480)
    assert station.take(SU + b"x" * 1000) == ["rfc3164"]
    assert station.receiver.truncated_datagrams == 1
    assert len(station.last["text"]) < 480


def test_fault_of_the_program_is_an_outcome(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(station.intake, "change_states", fail)
    assert station.take(DOWN, CONFIG) == ["internal_error", "vendor"]


def test_reload_judges_by_the_new_rules(station: Station) -> None:
    station.take(CONFIG)
    station.intake.replace(RuleSet((), "syslog"), ["core-1"])
    station.receiver.replace(station.receiver.policy)
    station.take(CONFIG)
    assert station.last["event"] == "other"
