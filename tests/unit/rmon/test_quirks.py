"""What real devices get wrong, each as a test of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.demo.recording import decode_varbind
from exporters.rmon.direction import BOTH, IN, UNKNOWN, DirectionDetector, PortCounts, vote
from exporters.wire.ber import encode_oid, format_oid
from exporters.wire.tags import COUNTER32, GAUGE32, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING

from .reading import Samples, Target, interface, recorded, row, target, uptime

First = Callable[[str], Samples]
Device = Callable[[str], Target]
CTS = "cts-media-converter"
CAT6K = "cisco-unknown-01"


# --- the media converter -------------------------------------------------------------------


def test_cts_rows_of_a_state_that_does_not_exist_are_served(first_scrape: First) -> None:
    samples = first_scrape(CTS)
    assert samples.one("rmon_ether_bytes_total", rmon_index="1") == 1_396_840_400
    (info,) = samples.labels("rmon_ether_info", rmon_index="1")
    assert info["status"] == "unknown(0)"
    assert samples.findings()["status_unknown"] == 3


def test_cts_history_row_that_lingers_as_invalid_is_left_out(first_scrape: First) -> None:
    assert not [name for name in first_scrape(CTS).names() if name.startswith("rmon_history")]


def test_cts_alarm_that_is_invalid_says_so_and_has_no_value(first_scrape: First) -> None:
    samples = first_scrape(CTS)
    (info,) = samples.labels("rmon_alarm_info")
    assert info["variable"] == "1.3.4.1.2.1.16.1.1.1.4.1.0"
    assert samples.one("rmon_alarm_status") == 4
    assert samples.one("rmon_alarm_lint", check="invalid") == 1
    assert samples.all("rmon_alarm_value") == []


def test_cts_event_time_typed_integer_is_read_as_never(first_scrape: First) -> None:
    samples = first_scrape(CTS)
    assert samples.one("rmon_events_configured") == 1
    assert samples.all("rmon_event_last_fired_timestamp_seconds") == []


def test_cts_columns_under_entries_that_do_not_exist_are_counted_and_skipped(
    first_scrape: First,
) -> None:
    assert first_scrape(CTS).one("rmon_decode_unexpected_total") == 2


@pytest.mark.parametrize("name", [CTS, "hpe-procurve-516733-b21"])
def test_event_community_is_never_asked_for(device: Device, name: str) -> None:
    samples = device(name).scrape()
    secret = encode_oid("1.3.6.1.2.1.16.9.1.1.4")
    asked = {oid for request in samples.requests for oid in request.oids}
    assert asked
    # What precedes the column would bring it in by GETNEXT; the type column ends right before.
    assert not [format_oid(oid) for oid in asked if oid.startswith(secret)]
    walked = [
        oid
        for request in samples.requests
        if request.repetitions
        for oid in request.oids
        if oid.startswith(encode_oid("1.3.6.1.2.1.16.9.1.1.3"))
    ]
    assert walked == []
    text = repr(samples.values)
    assert "public" not in text


# --- strings, owners, data sources -----------------------------------------------------------


def test_owner_that_ends_with_a_nul_is_served_without_it(first_scrape: First) -> None:
    owners = {item["owner"] for item in first_scrape("dcs-3726c").labels("rmon_history_info")}
    assert owners == {"Monitor"}


def test_vss_data_source_of_a_vendor_is_served_as_it_is(first_scrape: First) -> None:
    samples = first_scrape("vss-monitoring-optimizer-2400-span")
    (info,) = samples.labels("rmon_ether_info", rmon_index="1")
    assert info["data_source"] == "1.3.6.1.4.1.21671.4.3.1.1.1.1"
    assert (info["if_index"], info["if_name"]) == ("", "")
    assert samples.findings()["source_unresolved"] == 24


def test_arista_row_97_is_about_interface_999001(first_scrape: First) -> None:
    (info,) = first_scrape("arista-dcs-7150s-52-cl").labels("rmon_ether_info", rmon_index="97")
    assert (info["if_index"], info["if_name"]) == ("999001", "Management1")


def test_text_longer_than_any_of_a_mib_is_cut_off_and_counted() -> None:
    source = row("1.1.1.2.1", OBJECT_IDENTIFIER, "1.3.6.1.2.1.2.2.1.1.1")
    owner = row("1.1.1.20.1", OCTET_STRING, b"x" * 1000)
    samples = target([uptime(100), source, owner, row("1.1.1.5.1", COUNTER32, 9)]).scrape()
    (info,) = samples.labels("rmon_ether_info")
    assert info["owner"] == "x" * 255
    assert samples.one("rmon_decode_unexpected_total") == 1


def test_variable_that_is_cut_off_is_counted_and_not_asked_for() -> None:
    samples = target([uptime(100), row("3.1.1.3.1", OBJECT_IDENTIFIER, b"\x2b\x81")]).scrape()
    assert samples.one("rmon_decode_unexpected_total") > 0
    assert not [name for name in samples.names() if name.startswith("rmon_alarm_")]


# --- capabilities --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cisco-c3560", "cisco-c3750", "h3c-e528-1"])
def test_capability_is_not_configuration(device: Device, name: str) -> None:
    samples = device(name).scrape()
    (labels,) = samples.labels("rmon_capability", group="history")
    assert (labels["supported"], labels["configured"]) == ("true", "false")


def test_group_that_the_device_says_it_lacks_is_not_asked_for(device: Device) -> None:
    samples = device("arista-dcs-7150s-52-cl").scrape()
    (labels,) = samples.labels("rmon_capability", group="alarm")
    assert labels["supported"] == "false"
    alarms = encode_oid("1.3.6.1.2.1.16.3.1.1.5")
    assert not [o for r in samples.requests for o in r.oids if o.startswith(alarms)]


def test_device_without_capabilities_has_said_nothing(first_scrape: First) -> None:
    (labels,) = first_scrape("dcs-3726c").labels("rmon_capability", group="history")
    assert (labels["supported"], labels["configured"]) == ("unknown", "true")


# --- SMON ----------------------------------------------------------------------------------


def test_smon_index_is_the_whole_data_source_without_a_length(first_scrape: First) -> None:
    (labels,) = first_scrape(CAT6K).labels("rmon_vlan_packets_total", vlan="1")
    assert (labels["if_index"], labels["if_name"]) == ("285", "VLAN-1")


@pytest.mark.parametrize("name", ["cisco-n5000", "cisco-ucs-6100"])
def test_vlan_statistics_without_a_control_row_are_about_the_device(
    device: Device, name: str
) -> None:
    samples = device(name).scrape()
    found = samples.labels("rmon_vlan_packets_total")
    assert len(found) in (16, 19)
    assert {(item["rmon_index"], item["if_name"]) for item in found} == {("0", "")}
    assert samples.findings()["smon_control_missing"] == len(found)


# --- direction -----------------------------------------------------------------------------


def counts(folder: Path, name: str) -> dict[int, PortCounts]:
    """The counts of a recording, by interface, from its rows themselves."""
    cells: dict[str, int] = {}
    for encoded in recorded(folder, name).rows:
        oid, tag, content = decode_varbind(encoded)
        text = format_oid(oid)
        if tag != OCTET_STRING and text.startswith(("1.3.6.1.2.1.16.1.", "1.3.6.1.2.1.31.1.1.1.")):
            cells[text] = int.from_bytes(content, "big")
    found = {}
    for index in range(1, 70):
        stats, high, extra = (
            f"1.3.6.1.2.1.16.1.1.1.%d.{index}",
            f"1.3.6.1.2.1.16.1.7.1.%d.{index}",
            f"1.3.6.1.2.1.31.1.1.1.%d.{index}",
        )
        if extra % 7 in cells and stats % 5 in cells:
            found[index] = PortCounts(
                cells.get(high % 2, cells[stats % 5]),
                sum(cells.get(high % (2 * c - 22), cells[stats % c]) for c in range(14, 20)),
                sum(cells[extra % c] for c in (7, 8, 9)),
                sum(cells[extra % c] for c in (11, 12, 13)),
            )
    return found


@pytest.mark.parametrize(
    ("name", "packets", "sizes"),
    [
        ("dlink-des3200", IN, BOTH),
        ("cisco-controller", IN, UNKNOWN),
        ("cts-media-converter", IN, IN),
        ("hpe-procurve-516733-b21", BOTH, BOTH),
        ("arista-dcs-7150s-52-cl", BOTH, BOTH),
    ],
)
def test_direction_is_found_from_counts_of_the_same_walk(
    recordings_dir: Path, name: str, packets: str, sizes: str
) -> None:
    now = counts(recordings_dir, name)
    assert now
    detector = DirectionDetector()
    detector.note({index: PortCounts(0, 0, 0, 0) for index in now})
    detector.note(now)
    assert detector.packets == packets
    assert detector.sizes in (sizes, UNKNOWN)


def test_port_that_hardly_sends_has_no_vote_whichever_way_the_device_counts() -> None:
    assert vote(500_000, 500_000, 1000) == UNKNOWN
    assert vote(501_000, 500_000, 1000) == UNKNOWN
    assert vote(500_000, 500_000, 100_000) == IN
    assert vote(600_000, 500_000, 100_000) == BOTH


def test_direction_of_a_device_that_stands_still_is_unknown(first_scrape: First) -> None:
    (labels,) = first_scrape("dlink-des3200").labels("rmon_ether_direction_info")
    assert labels == {"packets": "unknown", "sizes": "unknown"}


def test_no_metric_says_received() -> None:
    from exporters.rmon.families import FAMILIES

    assert not [name for name in FAMILIES if "rx" in name.split("_") or "received" in name]


# --- alarms --------------------------------------------------------------------------------


def alarm(index: int, variable: str, **columns: int) -> list[tuple[bytes, int, bytes]]:
    values = {"interval": 30, "type": 1, "value": 5, "startup": 1, "rising": 10, "falling": 1}
    values |= {"rising_event": 1, "falling_event": 1, "status": 1, **columns}
    numbers = (2, 4, 5, 6, 7, 8, 9, 10, 12)
    return [
        row(f"3.1.1.3.{index}", OBJECT_IDENTIFIER, variable),
        *(
            row(f"3.1.1.{number}.{index}", INTEGER, value)
            for number, value in zip(numbers, values.values(), strict=True)
        ),
    ]


def test_alarm_lint_finds_what_is_wrong() -> None:
    there = "1.3.6.1.2.1.31.1.1.1.15.1"
    samples = target(
        [
            uptime(100),
            *interface(1),
            row("9.1.1.5.1", INTEGER, 0),
            *alarm(1, there),
            *alarm(2, there, rising=1, falling=1),
            *alarm(3, "1.3.6.1.2.1.31.1.1.1.15.77"),
            *alarm(4, there, rising_event=9, falling_event=0),
            *alarm(5, there, value=-5),
        ]
    ).scrape("alarm")
    found = {
        (item["rmon_index"], item["check"])
        for item in samples.labels("rmon_alarm_lint")
        if samples.one("rmon_alarm_lint", **item) == 1
    }
    assert found == {
        ("2", "thresholds_inverted"),
        ("3", "dead_variable"),
        ("4", "unwired"),
        ("5", "value_out_of_range"),
    }


def test_high_capacity_alarm_has_signed_64_bit_thresholds() -> None:
    numbers = {2: 60, 4: 1, 5: 7, 6: 3, 7: 1, 8: 5, 9: 1, 10: 2, 11: 9, 12: 0, 13: 3}
    numbers |= {14: 0, 15: 0, 16: 4, 19: 1}
    samples = target(
        [
            uptime(100),
            row("29.1.1.1.1.3.8", OBJECT_IDENTIFIER, "1.3.6.1.2.1.2.2.1.10.1"),
            *(row(f"29.1.1.1.1.{column}.8", GAUGE32, n) for column, n in numbers.items()),
        ]
    ).scrape("alarm")
    assert samples.one("rmon_alarm_value", hc="true") == -7
    assert samples.one("rmon_alarm_rising_threshold") == 2**32 + 5
    assert samples.one("rmon_alarm_falling_threshold") == -9
    assert samples.one("rmon_alarm_failed_samples_total") == 4
    assert samples.one("rmon_alarm_lint", check="dead_variable") == 1


def test_cell_of_a_wrong_type_is_counted_and_left_out() -> None:
    samples = target(
        [
            uptime(100),
            row("1.1.1.2.1", OBJECT_IDENTIFIER, "1.3.6.1.2.1.2.2.1.1.1"),
            row("1.1.1.4.1", OCTET_STRING, "many"),
            row("1.1.1.5.1", COUNTER32, 9),
            row("1.1.1.21.1", INTEGER, 1),
        ]
    ).scrape("statistics")
    assert samples.all("rmon_ether_bytes_total") == []
    assert samples.one("rmon_ether_packets_total") == 9
    assert samples.one("rmon_decode_unexpected_total") >= 1
