"""The text of a probe: names, labels and values of blackbox_exporter."""

from __future__ import annotations

import ipaddress

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.config.icmp_module import ProbeModule
from exporters.icmp.probe import ProbeResult
from exporters.icmp.probe_metrics import HELP, address_hash, probe_text
from exporters.icmp.query import ProbeQuery

MODULE = ProbeModule(prober="icmp")
ANSWERED = ProbeResult(
    ip=ipaddress.ip_address("127.0.0.1"),
    lookup_seconds=0.002,
    setup_seconds=0.001,
    sent=1,
    rtts=[0.25],
    hop_limit=63,
    duration_seconds=0.3,
)


def query(count: int = 1, *, statistics: bool = False) -> ProbeQuery:
    return ProbeQuery("a", "icmp", MODULE, 9.5, count, 0.2, statistics=statistics, debug=False)


def samples(text: str) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation == HELP[family.name]
        for sample in family.samples:
            found["/".join((sample.name, *sample.labels.values()))] = sample.value
    return found


def test_answered_probe_has_every_metric_of_the_peer():
    assert samples(probe_text(query(), ANSWERED)) == {
        "probe_dns_lookup_time_seconds": 0.002,
        "probe_duration_seconds": 0.3,
        "probe_icmp_duration_seconds/resolve": 0.002,
        "probe_icmp_duration_seconds/rtt": 0.25,
        "probe_icmp_duration_seconds/setup": 0.001,
        "probe_icmp_reply_hop_limit": 63,
        "probe_ip_addr_hash": 3668918509,
        "probe_ip_protocol": 4,
        "probe_success": 1,
        "probe_timeout_seconds": 9.5,
    }


def test_lost_probe_has_a_round_trip_time_of_zero_and_no_hop_limit():
    lost = ProbeResult(ip=ipaddress.ip_address("::1"), lookup_seconds=0.5, sent=1)
    found = samples(probe_text(query(), lost))
    assert found["probe_icmp_duration_seconds/rtt"] == 0
    assert found["probe_icmp_duration_seconds/resolve"] == 0.5
    assert (found["probe_success"], found["probe_ip_protocol"]) == (0, 6)
    assert "probe_icmp_reply_hop_limit" not in found


def test_probe_of_an_unknown_name_has_a_lookup_time_and_zeros():
    found = samples(probe_text(query(), ProbeResult(lookup_seconds=0.5)))
    assert found["probe_dns_lookup_time_seconds"] == 0.5
    assert found["probe_icmp_duration_seconds/resolve"] == 0
    assert (found["probe_ip_protocol"], found["probe_ip_addr_hash"]) == (0, 0)


def test_families_are_sorted_by_name():
    names = [family.name for family in text_string_to_metric_families(
        probe_text(query(3, statistics=True), ANSWERED))]  # fmt: skip
    assert names == sorted(names)
    assert set(names) == set(HELP)


def test_several_pings_give_loss_and_the_spread_of_times():
    result = ProbeResult(ip=ipaddress.ip_address("::1"), sent=4, rtts=[0.1, 0.3, 0.2])
    found = samples(probe_text(query(4, statistics=True), result))
    assert found["probe_icmp_requests"] == 4
    assert found["probe_icmp_replies"] == 3
    assert found["probe_icmp_loss_ratio"] == 0.25
    assert found["probe_icmp_rtt_min_seconds"] == 0.1
    assert found["probe_icmp_rtt_max_seconds"] == 0.3
    assert found["probe_icmp_rtt_avg_seconds"] == pytest.approx(0.2)
    assert found["probe_icmp_rtt_stddev_seconds"] == pytest.approx(0.0816496580927726)
    assert found["probe_icmp_duration_seconds/rtt"] == pytest.approx(0.2)


def test_ping_that_could_not_be_sent_is_lost():
    result = ProbeResult(ip=ipaddress.ip_address("::1"), sent=1, rtts=[0.1])
    found = samples(probe_text(query(2, statistics=True), result))
    assert (found["probe_icmp_requests"], found["probe_icmp_loss_ratio"]) == (1, 0.5)


def test_without_any_reply_there_are_no_times():
    result = ProbeResult(ip=ipaddress.ip_address("::1"), sent=2)
    found = samples(probe_text(query(2, statistics=True), result))
    assert found["probe_icmp_loss_ratio"] == 1
    assert not any("_rtt_" in name for name in found)


# The vectors of FNV-1a's authors end in other lengths; these are blackbox_exporter's own answers.
@pytest.mark.parametrize(
    ("address", "value"),
    [("127.0.0.1", 3668918509), ("::1", 1751717746)],
)
def test_hash_of_an_address_is_the_peers(address, value):
    assert address_hash(ipaddress.ip_address(address)) == value
