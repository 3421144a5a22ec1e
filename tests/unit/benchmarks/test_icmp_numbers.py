"""What the ICMP race reads of what pingers say."""

from __future__ import annotations

import pytest

from benchmarks.icmp_network import addresses
from benchmarks.icmp_numbers import buckets, quantile, read_fping, read_ours, read_smokeping

FPING = """\
127.1.0.1   : xmt/rcv/%loss = 12/12/0%, min/avg/max = 0.025/0.038/0.058
127.1.0.2   : xmt/rcv/%loss = 12/9/25%, min/avg/max = 0.005/0.006/0.007
127.1.0.3   : xmt/rcv/%loss = 12/0/100%
"""

OURS = """\
# TYPE icmp_replies_total counter
icmp_replies_total{{ip="127.1.0.1"}} {replies}
icmp_replies_total{{ip="127.1.0.2"}} 5
icmp_lost_total{{ip="127.1.0.1",reason="timeout"}} {lost}
icmp_rtt_last_seconds{{ip="127.1.0.1"}} 2e-05
icmp_rtt_last_seconds{{ip="127.1.0.2"}} 4e-05
"""

SMOKEPING = """\
smokeping_requests_total{{ip="127.1.0.1"}} {requests}
smokeping_response_duration_seconds_bucket{{ip="127.1.0.1",le="5e-05"}} {fast}
smokeping_response_duration_seconds_bucket{{ip="127.1.0.1",le="0.0001"}} {all}
smokeping_response_duration_seconds_bucket{{ip="127.1.0.1",le="+Inf"}} {all}
smokeping_response_duration_seconds_count{{ip="127.1.0.1"}} {all}
"""


def test_summary_of_fping_is_read_with_its_losses() -> None:
    pings = read_fping(FPING)
    assert (pings.ended, pings.lost) == (36, 15)
    assert pings.p50_seconds == pytest.approx(22e-6)


def test_summary_that_fping_did_not_write_has_no_pings() -> None:
    assert read_fping("fping error: not enough sequence numbers available!").ended == 0


def test_our_counters_are_compared_over_all_targets() -> None:
    pings = read_ours(OURS.format(replies=10, lost=0), OURS.format(replies=90, lost=2))
    assert (pings.ended, pings.lost) == (82, 2)
    assert pings.p50_seconds == pytest.approx(3e-5)


def test_requests_without_a_response_are_the_losses_of_smokeping() -> None:
    before = SMOKEPING.format(requests=10, fast=4, all=8)
    pings = read_smokeping(before, SMOKEPING.format(requests=110, fast=54, all=106))
    assert (pings.ended, pings.lost) == (100, 2)
    assert pings.p50_seconds == pytest.approx(49e-6)


def test_response_to_an_earlier_request_is_no_gain() -> None:
    before = SMOKEPING.format(requests=10, fast=0, all=8)
    assert read_smokeping(before, SMOKEPING.format(requests=20, fast=0, all=20)).lost == 0


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (1.0, 2.0)]
)
def test_quantile_lies_evenly_within_its_bucket(share: float, expected: float) -> None:
    cumulative = {1.0: 50.0, 2.0: 100.0, float("inf"): 100.0}
    assert quantile(cumulative, share) == pytest.approx(expected)


def test_quantile_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile({1.0: 0.0, float("inf"): 10.0}, 0.5) == 1.0


def test_quantile_of_nothing_is_unknown() -> None:
    assert quantile({}, 0.5) is None
    assert quantile(buckets("", "x"), 0.5) is None


@pytest.mark.parametrize("path", ["loopback", "veth"])
def test_addresses_are_hosts_of_their_network_and_all_different(path: str) -> None:
    found = addresses(path, 30_000)
    assert len(set(found)) == 30_000
    assert all(0 <= int(part) <= 255 for ip in found for part in ip.split("."))
    assert all(ip.split(".")[3] not in ("0", "255") for ip in found)
    assert all(64 <= int(ip.split(".")[1]) <= 127 for ip in found) or path == "loopback"
