"""What the exporter knows of devices beside the counts of their messages."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.config.event_settings import AccessSettings
from exporters.demo.syslog_corpus import FORMS, SyslogCorpus
from exporters.wire.syslog_faults import MessageFault
from exporters.wire.syslog_message import decode_message

from .conftest import SEOUL_DEVICE, STRANGER, Station

CISCO = b"<189>%d: *Mar 15 10:05:53.044: %%SYS-5-CONFIG_I: Configured from console by bob"
DOWN = b"<187>%d: Mar 15 10:05:53: %%LINK-3-UPDOWN: Interface Gi0/7, changed state to down"
REPEATED = b"<189>Mar 15 10:05:53 host last message repeated 5 times"
NOON = datetime.fromisoformat("2026-03-15T12:00:00Z").timestamp()

PIECES = st.sampled_from(
    [b"<189>", b"<189><30>", b"<192>", b"<007>", b"<", b">", b"1 ", b"2 ", b"- ", b"- - - - - ",
     b"217 <11>1 ", b"1000 - ", b'[a b="c"]', b"[", b'"', b"]", b"\xff", b"\xef\xbb\xbf",
     "é".encode(), b"\n", b"\0", b" ", b"%SYS-5-CONFIG_I: ", b"Oct 11 22:14:15 ", b'[action:"x" ',
     b"CheckPoint "]
)  # fmt: skip
CORPUS = st.builds(
    lambda seed, form: SyslogCorpus(seed=seed).fill(form),
    st.integers(0, 1_000_000),
    st.sampled_from(FORMS),
)
ANYTHING = st.one_of(st.lists(PIECES, max_size=10).map(b"".join), st.binary(max_size=40), CORPUS)


@pytest.fixture
def watching() -> Station:
    station = Station(is_watching=True)
    station.clock.wall = NOON
    return station


def values(station: Station, name: str) -> dict[str, float]:
    """Give the samples of a metric that are not 0, by their labels."""
    found = {}
    for line in station.samples():
        if line.startswith(f"{name}{{"):
            labels, _, value = line.removeprefix(name).rpartition(" ")
            if float(value):
                found[labels] = float(value)
    return found


def test_numbers_that_are_missing_are_lost_messages(watching: Station) -> None:
    watching.take(CISCO % 1, DOWN % 2, CISCO % 5)
    assert values(watching, "syslog_sequence_lost_total") == {}
    watching.clock.wall += 11
    assert values(watching, "syslog_sequence_lost_total") == {
        '{device="core-1",counter="message"}': 2
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(ANYTHING, max_size=8))
def test_faults_are_counted_as_they_are_read(messages: list[bytes]) -> None:
    station = Station(is_watching=True)
    station.take(*messages)
    read = Counter(fault for message in messages for fault in decode_message(message).faults)
    del read[MessageFault.BAD_TIMESTAMP]

    assert station.receiver.outcomes["internal_error"] == 0
    assert values(station, "syslog_message_faults_total") == {
        f'{{device="core-1",fault="{fault}"}}': count for fault, count in read.items()
    }


def test_message_that_is_too_long_has_a_fault() -> None:
    station = Station(is_watching=True, max_message_bytes=480)
    station.take(CISCO % 1 + b"x" * 500, CISCO % 2)
    source = station.receiver.policy.sources.source(SEOUL_DEVICE)
    station.receiver.count_truncated(3, source)

    assert values(station, "syslog_message_faults_total") == {
        '{device="core-1",fault="truncated"}': 1,
        '{device="edge-1",fault="truncated"}': 3,
    }


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
def test_repeated_message_is_counted_as_often_as_it_happened(
    watching: Station, together: bool
) -> None:
    messages = (CISCO % 1, REPEATED)
    for batch in [messages] if together else [[message] for message in messages]:
        watching.take(*batch)

    event = '{device="core-1",vendor="cisco",event="SYS-5-CONFIG_I"}'
    assert values(watching, "syslog_vendor_events_total")[event] == 6
    assert values(watching, "syslog_repeated_total") == {'{device="core-1"}': 5}
    assert sum(watching.receiver.outcomes.values()) == 2


def test_repeated_message_changes_no_state_again(watching: Station) -> None:
    watching.take(DOWN % 1, REPEATED)

    link = '{device="core-1",event="link",severity="error",state="raised"}'
    assert values(watching, "network_events_total")[link] == 6
    assert watching.intake.states.outcomes["raised"] == 1


def test_repeat_that_means_another_message_counts_nothing(watching: Station) -> None:
    watching.take(CISCO % 1, b"<38>Mar 15 10:05:53 h sshd[1]: message repeated 3 times: [ x]")

    assert max(values(watching, "syslog_messages_total").values()) == 1
    assert values(watching, "syslog_repeated_total") == {'{device="core-1"}': 3}


def test_repeats_of_strangers_count_nothing_again(watching: Station) -> None:
    watching.take(CISCO % 1, REPEATED, peer=STRANGER)

    assert values(watching, "syslog_messages_total") == {
        '{device="unknown",facility="local7",severity="notice"}': 2
    }
    assert values(watching, "syslog_repeated_total") == {'{device="unknown"}': 5}


def test_clock_is_told_in_the_zone_of_the_device(watching: Station) -> None:
    watching.take(b"<189>1: Mar 15 21:00:07: %SYS-5-CONFIG_I: x", peer=SEOUL_DEVICE)

    assert values(watching, "syslog_clock_skew_seconds") == {'{device="edge-1"}': 7}
    assert watching.last["device_time"] == NOON + 7


def test_event_tells_what_its_message_says_of_itself(watching: Station) -> None:
    watching.take(b"<86><189>1: *Mar 15 12:00:00: %SYS-5-CONFIG_I: x")

    assert watching.last["clock"] == "never_set"
    assert watching.last["faults"] == ("double_priority",)


def test_message_of_a_relay_is_about_its_device() -> None:
    relays = AccessSettings(trusted_relays=Station().access.trusted_relays)
    station = Station(is_watching=True, access=relays)
    station.clock.wall = NOON
    relayed = b"<189>Mar 15 12:00:01 edge-1 %d: *Mar 15 20:59:59.000: %%SYS-5-CONFIG_I: x"
    station.take(relayed % 7, relayed % 9, peer=SEOUL_DEVICE)
    station.clock.wall += 11

    lost = values(station, "syslog_sequence_lost_total")
    assert lost == {'{device="edge-1",counter="message"}': 1}
    assert values(station, "syslog_clock_skew_seconds") == {'{device="edge-1"}': -1}


def test_device_that_leaves_the_inventory_is_known_no_more(watching: Station) -> None:
    watching.take(CISCO % 1)
    assert values(watching, "syslog_clock_unsynchronised")
    watching.watch.replace({"edge-1"}, {})

    assert values(watching, "syslog_clock_unsynchronised") == {}
