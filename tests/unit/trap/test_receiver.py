"""Datagrams and what becomes of them: the awkward ones, each with its one outcome."""

from __future__ import annotations

import random

import pytest

from exporters.config.event_settings import AccessSettings, RateLimit
from exporters.events.recent import Query
from exporters.wire.snmp_message import decode_community_message
from exporters.wire.snmp_trap import SNMP_TRAP_ADDRESS, SNMP_TRAP_OID
from exporters.wire.tags import (
    COUNTER64,
    GET_REQUEST,
    INFORM_REQUEST,
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    RESPONSE,
    TRAP_V2,
)
from exporters.wire.usm import UsmUser

from .conftest import (
    DEVICE,
    LINK_UP,
    STRANGER,
    Station,
    head,
    interface,
    link_down,
    make_station,
    message_v3,
    samples,
    trap_v1,
    trap_v2c,
    varbind,
)

BGP_STATE = varbind("1.3.6.1.2.1.15.3.1.2.203.0.113.5", INTEGER, b"\x01")


def network(text: str) -> object:
    import ipaddress

    return ipaddress.ip_network(text)


@pytest.mark.parametrize(
    ("packet", "outcome"),
    [
        pytest.param(link_down(), "accepted", id="v2c"),
        pytest.param(trap_v2c(), "no_trap_oid", id="v2c without varbinds"),
        pytest.param(trap_v2c(*reversed(head())), "accepted", id="v2c swapped"),
        pytest.param(trap_v2c(head()[1]), "accepted", id="v2c with its trap OID alone"),
        pytest.param(trap_v2c(head()[0]), "no_trap_oid", id="v2c with sysUpTime alone"),
        pytest.param(
            trap_v2c(head()[0], (SNMP_TRAP_OID, OBJECT_IDENTIFIER, b"")), "no_trap_oid", id="no OID"
        ),
        pytest.param(
            trap_v2c(head()[0], (SNMP_TRAP_OID, OBJECT_IDENTIFIER, b"\x00")),
            "no_trap_oid",
            id="OID 0.0",
        ),
        pytest.param(
            trap_v2c(
                head()[0], (SNMP_TRAP_OID, OBJECT_IDENTIFIER, b"\x2b\xff\xff\xff\xff\xff\x7f")
            ),
            "accepted",
            id="OID beyond 32 bits",
        ),
        *(pytest.param(trap_v1(n), "accepted", id=f"v1 generic {n}") for n in range(6)),
        pytest.param(trap_v1(6, 0), "accepted", id="v1 specific 0"),
        pytest.param(trap_v1(6, 1, enterprise="1.3.6.1.4.1.9.0"), "accepted", id="v1 ent .0"),
        pytest.param(trap_v1(7), "bad_v1", id="v1 generic 7"),
        pytest.param(trap_v1(-1), "bad_v1", id="v1 generic -1"),
        pytest.param(trap_v1(6, -5), "bad_v1", id="v1 specific -5"),
        pytest.param(trap_v1(3, agent=b""), "accepted", id="v1 without agent address"),
        pytest.param(trap_v1(3, agent=bytes(range(16))), "accepted", id="v1 agent of 16 octets"),
        pytest.param(
            trap_v1(3, 0, varbind("1.3.6.1.2.1.31.1.1.1.6.1", COUNTER64, b"\x01" * 8)),
            "accepted",
            id="v1 with Counter64",
        ),
        pytest.param(trap_v1(3, version=1), "unsupported_pdu", id="A4 in v2c"),
        pytest.param(link_down(version=0), "accepted", id="A7 in v1"),
        pytest.param(link_down(pdu_type=GET_REQUEST), "unsupported_pdu", id="a request"),
        pytest.param(link_down(pdu_type=RESPONSE), "unsupported_pdu", id="a response"),
        pytest.param(link_down(version=2), "bad_version", id="version 2"),
        pytest.param(link_down(version=77), "bad_version", id="version 77"),
        pytest.param(link_down(community=b""), "accepted", id="empty community"),
        pytest.param(link_down(community=b"\xff" * 255), "accepted", id="long community"),
        pytest.param(link_down() + b"junk", "accepted", id="trailing junk"),
        pytest.param(b"", "ber_error", id="nothing"),
        pytest.param(b"\x30\x80" + link_down()[2:], "ber_error", id="indefinite length"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "ber_error", id="HTTP"),
        pytest.param(
            b"\x30\x84" + (len(link_down()) - 2).to_bytes(4, "big") + link_down()[2:],
            "accepted",
            id="length longer than needed",
        ),
    ],
)
def test_datagram_has_one_outcome(station: Station, packet: bytes, outcome: str) -> None:
    assert station.take(packet) == [outcome]


def test_every_truncation_and_bit_flip_has_one_outcome_and_no_fault(station: Station) -> None:
    chance = random.Random(7)
    packets = [
        link_down(),
        trap_v1(6, 1, *interface()),
        link_down(pdu_type=INFORM_REQUEST),
        message_v3(*head(), *interface()),
    ]
    for packet in packets:
        station.take(*(packet[:end] for end in range(len(packet))))
        for place in range(len(packet)):
            flipped = bytearray(packet)
            flipped[place] ^= 1 << chance.randrange(8)
            station.take(bytes(flipped))
    assert station.receiver.outcomes["internal_error"] == 0
    for event in station.intake.recent.search(Query(), limit=10_000):
        event.as_json()


def test_faults_of_ours_are_counted_and_logged_once_a_minute(
    station: Station, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(station.intake, "take", break_down)
    assert station.take(link_down(), link_down()) == ["internal_error"] * 2
    assert len(caplog.records) == 1
    station.clock.pass_seconds(61)
    station.take(link_down())
    assert len(caplog.records) == 2


# --- what is told -----------------------------------------------------------------------------


def test_link_down_raises_a_state_that_link_up_clears(station: Station) -> None:
    state = 'network_event_active{device="core-1",event="link",instance="Gi0/7"}'
    station.take(link_down())
    assert f"{state} 1" in samples(station.intake)
    station.take(trap_v2c(*head(LINK_UP, 12400), *interface()))
    assert f"{state} 0" in samples(station.intake)


def test_link_that_an_operator_took_down_raises_nothing(station: Station) -> None:
    admin_down = varbind("1.3.6.1.2.1.2.2.1.7.7", INTEGER, b"\x02")
    station.take(trap_v2c(*head(), *interface(), admin_down))
    assert station.last["severity"] == "notice"
    assert not any(line.startswith("network_event_active{") and line.endswith(" 1")
                   for line in samples(station.intake))  # fmt: skip


def test_trap_is_counted_by_its_name_and_last_seen(station: Station) -> None:
    station.take(link_down(), link_down())
    lines = set(samples(station.intake))
    labels = 'device="core-1",trap="linkDown"'
    assert f'snmp_trap_received_total{{{labels},severity="error"}} 2' in lines
    assert f"snmp_trap_last_seen_timestamp_seconds{{{labels}}} 1000000.000" in lines


def test_trap_that_no_mib_knows_is_other_and_its_oid_is_counted(station: Station) -> None:
    station.take(trap_v2c(*head("1.3.6.1.4.1.99999.0.1")))
    lines = set(samples(station.intake))
    assert 'snmp_trap_received_total{device="core-1",trap="other",severity="unknown"} 1' in lines
    assert 'snmp_trap_unknown_received_total{oid="1.3.6.1.4.1.99999.0.1"} 1' in lines
    assert station.last["text"].startswith("1.3.6.1.4.1.99999.0.1")


def test_strangers_have_no_series_of_their_own(station: Station) -> None:
    station.take(trap_v2c(*head("1.3.6.1.4.1.99999.0.2")), link_down(), peer=STRANGER)
    text = "\n".join(samples(station.intake))
    assert STRANGER not in text
    assert "99999" not in text
    assert 'snmp_trap_received_total{device="unknown",trap="linkDown",severity="error"} 1' in text
    assert station.last["source"] == STRANGER


def test_notification_without_trap_oid_is_counted_under_its_device(station: Station) -> None:
    station.take(trap_v2c(head()[0]))
    assert 'snmp_trap_received_total{device="core-1",trap="other",severity="unknown"} 1' in samples(
        station.intake
    )


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("1.3.6.1.2.1.15.7.2", "bgpBackwardTransition"),
        ("1.3.6.1.2.1.15.7.0.2", "bgpBackwardTransition"),
        ("1.3.6.1.2.1.11.0.2", "linkDown"),
        ("1.3.6.1.4.1.9.9.109.2.1", "cpmCPURisingThreshold"),
    ],
)
def test_every_form_of_an_oid_leads_to_the_trap(station: Station, oid: str, name: str) -> None:
    station.take(trap_v2c(*head(oid), BGP_STATE))
    assert station.last["name"] == name


def test_index_of_a_row_is_the_instance_of_a_state(station: Station) -> None:
    station.take(trap_v2c(*head("1.3.6.1.2.1.15.7.2"), BGP_STATE))
    assert station.last["states"] == [{"event": "bgp", "instance": "203.0.113.5", "active": True}]


def test_communities_and_users_are_never_shown(station: Station) -> None:
    station.take(link_down(community=b"s3cret-community"))
    assert "s3cret" not in str(station.last)
    station.take(message_v3(*head(), *interface()))
    assert "nms" not in str(station.last)


def test_version_1_tells_generic_and_specific_to_rules(station: Station) -> None:
    station.take(trap_v1(6, 42))
    message = station.intake.recent.search(Query(), limit=1)[0].message
    assert (message.version, message.generic, message.specific) == ("1", 6, 42)
    station.take(trap_v1(2))
    message = station.intake.recent.search(Query(), limit=1)[0].message
    assert (message.name, message.generic, message.specific) == ("linkDown", 2, 0)


# --- who may send -----------------------------------------------------------------------------


def test_agent_address_is_believed_from_trusted_relays_alone() -> None:
    edge = bytes((192, 0, 2, 77))
    claims = varbind("1.3.6.1.6.3.18.1.3.0", IP_ADDRESS, edge)
    assert claims[0] == SNMP_TRAP_ADDRESS
    packets = (trap_v1(3, agent=edge), trap_v2c(*head(), claims))
    station = make_station()
    for packet in packets:
        station.take(packet)
        assert station.last["device"] == "core-1"
    station = make_station(access=AccessSettings(trusted_relays=(network(f"{DEVICE}/32"),)))
    for packet in packets:
        station.take(packet)
        assert station.last["device"] == "edge-1"
        assert station.last["source"] == DEVICE
    station.take(trap_v1(3, agent=bytes((203, 0, 113, 9))), trap_v1(3))
    assert station.last["device"] == "core-1"


def test_sender_outside_of_allowed_networks_is_denied() -> None:
    station = make_station(access=AccessSettings(allowed_networks=(network("192.0.2.0/24"),)))
    assert station.take(link_down()) == ["accepted"]
    assert station.take(link_down(), peer=STRANGER) == ["source_denied"]


def test_community_that_is_not_taken_is_refused_in_every_version() -> None:
    station = make_station(communities=(b"right",))
    assert station.take(link_down(community=b"right"), link_down(community=b"wrong")) == [
        "accepted",
        "bad_community",
    ]
    assert station.take(trap_v1(3)) == ["bad_community"]
    inform = link_down(community=b"wrong", pdu_type=INFORM_REQUEST)
    assert station.take(inform) == ["bad_community"]
    assert station.line.answers == []


def test_version_that_is_not_taken_is_refused() -> None:
    station = make_station(versions=("3",))
    assert station.take(link_down(), trap_v1(3), message_v3()) == [
        "bad_version",
        "bad_version",
        "accepted",
    ]


def test_sender_that_sends_too_much_is_limited_alone() -> None:
    station = make_station(limit=RateLimit(per_second=1.0, burst=2))
    assert station.take(link_down(), link_down(), link_down()) == [
        "accepted",
        "accepted",
        "rate_limited",
    ]
    assert station.take(link_down(), peer=STRANGER) == ["accepted"]
    station.clock.pass_seconds(1.5)
    assert station.take(link_down()) == ["accepted"]


def test_datagram_that_was_cut_is_not_looked_at(station: Station) -> None:
    assert station.take(link_down(), is_cut=True) == ["oversize_or_truncated"]


def test_what_a_device_sends_in_vain_is_told_of_the_device(station: Station) -> None:
    station.take(message_v3(user=UsmUser("who")), link_down())
    station.take(b"", peer=STRANGER)
    assert station.series.refused.value(("core-1", "unknown_user")) == 1
    assert list(station.series.refused.lines()) == [
        'snmp_trap_refused_total{device="core-1",outcome="unknown_user"} 0\n'
    ]  # that it has increased is to be seen


# --- informs ----------------------------------------------------------------------------------


def test_inform_is_acknowledged_and_one_that_comes_again_is_not_counted_again(
    station: Station,
) -> None:
    inform = link_down(pdu_type=INFORM_REQUEST)
    assert station.take(inform, inform) == ["accepted", "duplicate"]
    assert len(station.line.answers) == 2
    answer = decode_community_message(station.line.answers[0])
    asked = decode_community_message(inform)
    assert answer.pdu.type == RESPONSE
    assert (answer.pdu.request_id, answer.pdu.varbinds) == (4711, asked.pdu.varbinds)
    assert answer.community == b"public"
    assert station.receiver.informs_acked == 2
    station.clock.pass_seconds(301)
    assert station.take(inform) == ["accepted"]


def test_same_inform_of_another_sender_is_another(station: Station) -> None:
    inform = link_down(pdu_type=INFORM_REQUEST)
    assert station.take(inform) + station.take(inform, peer=STRANGER) == ["accepted"] * 2


def test_inform_whose_answer_cannot_be_sent_is_counted_all_the_same(station: Station) -> None:
    station.line.fails = True
    assert station.take(link_down(pdu_type=INFORM_REQUEST)) == ["accepted"]
    assert station.receiver.informs_ack_failed == 1


def test_traps_are_never_answered(station: Station) -> None:
    station.take(link_down(), trap_v1(3), message_v3(), message_v3(pdu_type=TRAP_V2, time=2000))
    assert station.line.answers == []


# --- restarts ---------------------------------------------------------------------------------


def test_cold_start_ends_the_states_of_its_device(station: Station) -> None:
    station.take(link_down())
    station.clock.pass_seconds(100)
    station.take(trap_v2c(*head("1.3.6.1.6.3.1.1.5.1", 10)))
    state = 'network_event_active{device="core-1",event="link",instance="Gi0/7"} 0'
    assert state in samples(station.intake)
    assert station.series.restarts.value(("core-1",)) == 1


def test_hostile_octets_are_shown_escaped(station: Station) -> None:
    name = varbind("1.3.6.1.2.1.2.2.1.2.7", OCTET_STRING, b"\x1b[31m<script>\n")
    station.take(trap_v2c(*head(), name))
    assert "\x1b" not in station.last["text"]
    assert "\n" not in station.last["text"]


def test_trap_with_a_thousand_varbinds_shows_the_first_and_stays_small(station: Station) -> None:
    many = [varbind(f"1.3.6.1.2.1.2.2.1.2.{n}", OCTET_STRING, b"x") for n in range(1000)]
    assert station.take(trap_v2c(*head(), *many)) == ["accepted"]
    assert len(station.last["fields"]) <= 64


def test_value_that_is_longer_than_its_varbind_is_no_trap(station: Station) -> None:
    packet = bytearray(link_down())
    packet[-len("Gi0/7") - 1] += 1
    assert station.take(bytes(packet)) == ["ber_error"]


def test_opaque_that_is_no_number_is_text(station: Station) -> None:
    station.take(trap_v2c(*head(), varbind("1.3.6.1.4.1.99999.1", OPAQUE, b"nonsense")))
    assert station.last["fields"] == {"1.3.6.1.4.1.99999.1": "0x6E6F6E73656E7365"}


def test_opaque_float_is_a_number(station: Station) -> None:
    value = bytes.fromhex("9f780442280000")
    station.take(trap_v2c(*head(), varbind("1.3.6.1.4.1.99999.1", OPAQUE, value)))
    assert station.last["fields"] == {"1.3.6.1.4.1.99999.1": 42.0}
