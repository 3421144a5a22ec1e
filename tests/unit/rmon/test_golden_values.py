"""What recordings of real devices must come to, value by value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.rmon.reader import combine

from .reading import NOW, Samples, Target

First = Callable[[str], Samples]
Device = Callable[[str], Target]
DLINK = "dlink-des3200"
DCN = "dcs-3726c"
WLC = "cisco-controller"
HPE = "hpe-procurve-516733-b21"
CAT6K = "cisco-unknown-01"


def history(samples: Samples, name: str, control: int, **labels: str) -> float:
    return samples.one(f"rmon_history_{name}", rmon_index=str(control), **labels)


def test_dlink_control_7_has_its_newest_complete_bucket(first_scrape: First) -> None:
    samples = first_scrape(DLINK)
    assert history(samples, "sample_index", 7) == 14439
    assert history(samples, "bucket_bytes", 7, if_name="4", interval="30") == 2_328_583
    assert history(samples, "bucket_packets", 7) == 21_669
    assert history(samples, "bucket_drop_events", 7) == 6
    assert history(samples, "utilization_ratio", 7, source="device") == 0.06
    computed = history(samples, "utilization_ratio", 7, source="computed")
    assert computed == pytest.approx((21_669 * 160 + 2_328_583 * 8) / (30 * 1e8))
    ended = history(samples, "bucket_end_timestamp_seconds", 7)
    assert NOW - ended == pytest.approx(12.53, abs=0.02)


def test_dlink_port_without_a_speed_has_no_computed_utilization(first_scrape: First) -> None:
    samples = first_scrape(DLINK)
    assert history(samples, "sample_index", 1) == 14439
    assert history(samples, "bucket_packets", 1) == 0
    assert history(samples, "bucket_bytes", 1) == 0
    assert samples.all("rmon_history_utilization_ratio", rmon_index="1", source="computed") == []


@pytest.mark.parametrize(
    ("control", "interval", "sample", "octets", "packets"),
    [(2, "30", 356_174, 6_669, 67), (1, "1800", 5_935, 77_880, 836)],
)
def test_dcn_controls_have_their_newest_buckets(
    device: Device, control: int, interval: str, sample: int, octets: int, packets: int
) -> None:
    samples = device(DCN).scrape("history")
    assert history(samples, "sample_index", control, interval=interval) == sample
    assert history(samples, "bucket_packets", control, if_index="1") == packets
    assert history(samples, "bucket_bytes", control) == octets
    if control == 2:
        ended = history(samples, "bucket_end_timestamp_seconds", 2)
        assert NOW - ended == pytest.approx(22.2, abs=0.1)


def test_wlc_half_minute_bucket_is_believed(first_scrape: First) -> None:
    samples = first_scrape(WLC)
    assert history(samples, "sample_index", 3) == 1_347_565
    assert history(samples, "bucket_bytes", 3, if_index="2") == 621_273_897
    assert history(samples, "bucket_packets", 3) == 888_400
    assert history(samples, "utilization_ratio", 3, source="device") == 0.1704
    computed = history(samples, "utilization_ratio", 3, source="computed")
    assert computed == pytest.approx(0.17041, abs=1e-5)


def test_wlc_half_hour_bucket_of_17_octets_a_packet_has_no_octets(first_scrape: First) -> None:
    samples = first_scrape(WLC)
    assert history(samples, "sample_index", 4) == 22_459
    assert history(samples, "bucket_packets", 4) == 51_182_992
    assert history(samples, "overflow_suspect", 4) == 1
    for name in ("bucket_bytes", "bytes_total", "utilization_ratio"):
        assert samples.all(f"rmon_history_{name}", rmon_index="4") == []


def test_brocade_control_without_buckets_gives_no_series_rather_than_zeros(
    first_scrape: First,
) -> None:
    samples = first_scrape("brocade-icx6430-24")
    assert samples.findings()["history_without_buckets"] == 2
    buckets = {name for name in samples.names() if name.startswith("rmon_history_")}
    assert buckets == {
        "rmon_history_info",
        "rmon_history_interval_seconds",
        "rmon_history_buckets_granted",
    }


def test_brocade_uptime_of_zero_is_survived(first_scrape: First) -> None:
    samples = first_scrape("brocade-icx6430-24")
    assert samples.one("rmon_uptime_seconds") == 0
    assert samples.one("rmon_boot_timestamp_seconds") == NOW
    assert len(samples.all("rmon_ether_packets_total")) == 29


def test_hpe_64_bit_count_wins_over_the_32_bit_one(first_scrape: First) -> None:
    samples = first_scrape(HPE)
    packets = samples.one("rmon_ether_packets_total", if_index="1")
    assert packets == 30_269_262_553
    assert combine(204_491_432, 7, None) == 30_269_262_504
    assert "high_capacity_mismatch" not in samples.findings()


@pytest.mark.parametrize(
    ("event", "entries", "age"), [("329", 75_877, 78.7), ("828", 86_779, 573.5)]
)
def test_hpe_events_are_counted_by_their_log(
    first_scrape: First, event: str, entries: int, age: float
) -> None:
    samples = first_scrape(HPE)
    assert samples.one("rmon_event_log_entries_total", rmon_index=event) == entries
    fired = samples.one("rmon_event_last_fired_timestamp_seconds", rmon_index=event)
    assert NOW - fired == pytest.approx(age, abs=0.1)


def test_hpe_shows_the_37_events_that_fired_of_2747(first_scrape: First) -> None:
    samples = first_scrape(HPE)
    assert samples.one("rmon_events_configured") == 2747
    assert len(samples.all("rmon_event_info")) == 37
    assert samples.one("rmon_event_log_retained", rmon_index="329") == 1202


def test_cat6k_vlan_1_is_found_by_its_control_row_285(first_scrape: First) -> None:
    samples = first_scrape(CAT6K)
    packets = samples.one("rmon_vlan_packets_total", rmon_index="285", vlan="1")
    octets = samples.one("rmon_vlan_bytes_total", rmon_index="285", vlan="1")
    assert packets == 8_098_476_219 == combine(3_803_508_923, 1, None)
    assert octets == 2_055_916_607_356 == combine(2_922_239_868, 478, None)
    assert len(samples.all("rmon_vlan_packets_total")) == 183


def test_cat6k_mirror_session_is_named_and_not_ready(first_scrape: First) -> None:
    samples = first_scrape(CAT6K)
    (labels,) = samples.labels("rmon_mirror_session")
    assert labels == {
        "src": "Po20",
        "src_if_index": "115",
        "dst": "Gi1/37",
        "dst_if_index": "37",
        "direction": "both",
        "status": "notReady",
    }
    assert samples.one("rmon_mirror_dest_drop_events_total", dst="Gi1/37") == 0


def test_dcn_alarm_1_is_configured_and_can_never_notify(first_scrape: First) -> None:
    samples = first_scrape(DCN)
    (info,) = samples.labels("rmon_alarm_info", rmon_index="1")
    assert info["variable"] == "1.3.6.1.2.1.16.1.1.1.6.1"
    assert info["variable_name"] == "etherStatsBroadcastPkts"
    assert (info["sample_type"], info["startup"]) == ("delta", "rising")
    assert samples.one("rmon_alarm_interval_seconds", rmon_index="1") == 30
    assert samples.one("rmon_alarm_rising_threshold", rmon_index="1") == 892_800
    assert samples.one("rmon_alarm_falling_threshold", rmon_index="1") == 446_400
    assert samples.one("rmon_alarm_value", rmon_index="1") == 1
    assert samples.all("rmon_alarm_unwired") == [1] * 24
    assert samples.findings()["alarm_unwired"] == 24


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (DLINK, 18),
        (HPE, 24),
        (DCN, 24),
        ("cts-media-converter", 3),
        ("maipu-sm4200-16gef8ge-ac", 24),
        ("dcrs-5980-28t-dc", 28),
        (WLC, 8),
        ("vss-monitoring-optimizer-2400-span", 24),
        ("arista-dcs-7150s-52-cl", 53),
        ("juniper-mx960-12-3r6-6", 48),
    ],
)
def test_recording_serves_all_its_rows_of_statistics(device: Device, name: str, rows: int) -> None:
    samples = device(name).scrape("statistics")
    assert len(samples.all("rmon_ether_packets_total")) >= rows
    assert len(samples.all("rmon_ether_info")) == len(samples.all("rmon_ether_packets_total"))


@pytest.mark.parametrize(
    "name", ["vyatta-unknown", "netentsec-ngfw", "unknown-007", "zte-embsys-cgel"]
)
def test_table_of_nothing_but_an_index_gives_nothing(device: Device, name: str) -> None:
    samples = device(name).scrape()
    assert not {item for item in samples.names() if item.startswith("rmon_ether_")}
    assert samples.outcome.failures == []


def test_dlink_costs_about_a_thousand_varbinds_rather_than_27643(device: Device) -> None:
    target = device(DLINK)
    first = target.scrape().outcome.varbinds
    again = target.scrape(now=NOW + 1).outcome.varbinds
    assert first < 2500
    assert again < 1100


@pytest.mark.parametrize("name", [HPE, "juniper-mx960-12-3r6-6"])
def test_device_of_long_names_is_asked_for_no_more_than_an_answer_holds(
    device: Device, name: str
) -> None:
    target = device(name)
    for seconds in range(3):
        assert target.scrape(now=NOW + seconds).outcome.failures == []
        assert target.agent.varbinds_limit == 0  # it has never said tooBig
