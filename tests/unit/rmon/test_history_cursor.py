"""Buckets by cursor: restarts, gaps, torn rows, and several Prometheis on one target."""

from __future__ import annotations

import pytest

from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording
from exporters.errors import TargetError
from exporters.rmon.buckets import Bucket
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import VarBind, Version

from ..polling.fake_session import Request, silence
from .reading import NOW, RMON, Samples, Target, bucket, control, interface, uptime

SECONDS_AT_START = 1_000_000


class Device:
    """A device with one history of 30 s buckets, each with 100 packets more than the one before."""

    def __init__(self, *, granted: int = 10, interval: int = 30) -> None:
        self.granted = granted
        self.interval = interval
        self.newest = 500
        self.booted = -SECONDS_AT_START * 100
        self.target = Target(MibView(Recording.from_varbinds([])))
        self.torn: list[VarBind] = []

    def packets(self, sample: int) -> int:
        return 100 * (sample % 1000)

    def scrape(self, **keywords: int) -> Samples:
        ticks = self.newest * self.interval * 100 + 1000
        rows = [uptime(ticks), *interface(3), *control(1, 3, self.interval, self.granted)]
        for sample in range(max(1, self.newest - self.granted + 1), self.newest + 1):
            start = (sample - 1) * self.interval * 100
            packets = self.packets(sample)
            rows += bucket(1, sample, start, packets=packets, octets=packets * 200)
        self.target.view = MibView(Recording.from_varbinds([*rows, *self.torn]))
        return self.target.scrape("history", now=NOW + ticks / 100, **keywords)

    def total(self, first: int, last: int) -> int:
        return sum(self.packets(sample) for sample in range(first, last + 1))


def packets_total(samples: Samples) -> float:
    return samples.one("rmon_history_packets_total")


def test_bursts_between_scrapes_are_kept() -> None:
    device = Device()
    assert packets_total(device.scrape()) == 0
    device.newest += 6
    samples = device.scrape()
    assert packets_total(samples) == device.total(501, 506)
    assert samples.one("rmon_history_bytes_total") == 200 * device.total(501, 506)
    assert samples.one("rmon_history_buckets_total") == 6
    peak = samples.one("rmon_history_utilization_peak_ratio")
    newest = samples.one("rmon_history_utilization_ratio", source="computed")
    assert peak >= newest


def test_two_prometheis_at_different_intervals_get_consistent_counters() -> None:
    device = Device()
    often: list[float] = []
    seldom: list[float] = []
    for minute in range(8):
        device.newest += 1
        often.append(packets_total(device.scrape()))
        if minute % 4 == 3:
            seldom.append(packets_total(device.scrape()))
    assert often == sorted(often)
    assert seldom == [often[3], often[7]]
    assert often[-1] == device.total(502, 508)


def test_scrape_without_a_new_bucket_fetches_none() -> None:
    device = Device()
    first = device.scrape()
    again = device.scrape()
    assert again.outcome.varbinds < first.outcome.varbinds
    assert again.one("rmon_history_bucket_packets") == device.packets(500)
    assert packets_total(again) == 0


def test_buckets_that_are_gone_before_a_scrape_count_as_missed() -> None:
    device = Device(granted=10)
    device.scrape()
    device.newest += 25
    samples = device.scrape()
    assert samples.one("rmon_history_buckets_missed_total") == 15
    assert packets_total(samples) == device.total(516, 525)


def test_restart_of_the_device_begins_a_new_epoch_in_which_every_bucket_counts() -> None:
    device = Device()
    device.scrape()
    device.newest += 2
    before = packets_total(device.scrape())
    device.newest = 3
    samples = device.scrape()
    assert samples.one("rmon_history_sample_index") == 3
    assert packets_total(samples) == before + device.total(1, 3)
    assert samples.one("rmon_history_restarts_total") == 1
    device.newest = 5
    assert packets_total(device.scrape()) == before + device.total(1, 5)


def test_restart_that_leads_to_no_bucket_yet_loses_none_of_the_next() -> None:
    device = Device()
    device.scrape()
    device.newest = 0
    assert device.scrape().one("rmon_history_restarts_total") == 1
    device.newest = 2
    assert packets_total(device.scrape()) == device.total(1, 2)


def test_restart_of_the_exporter_starts_counters_at_0_and_not_at_a_jump() -> None:
    device = Device()
    device.scrape()
    device.newest += 5
    assert packets_total(device.scrape()) > 0
    device.target = Target(device.target.view)
    assert packets_total(device.scrape()) == 0
    device.newest += 1
    assert packets_total(device.scrape()) == device.packets(506)


def test_row_that_is_not_full_yet_is_read_from_its_first_bucket() -> None:
    device = Device(granted=50)
    device.newest = 4
    assert device.scrape().one("rmon_history_sample_index") == 4
    device.newest = 6
    assert packets_total(device.scrape()) == device.total(5, 6)


def test_torn_newest_bucket_waits_until_it_is_whole() -> None:
    device = Device()
    start = device.newest * 3000
    device.torn = bucket(1, device.newest + 1, start, packets=7, octets=700, columns=9)
    samples = device.scrape()
    assert samples.one("rmon_history_sample_index") == 500
    assert samples.findings()["history_bucket_torn"] == 1
    device.torn = []
    device.newest += 1
    assert packets_total(device.scrape()) == device.packets(501)


def test_interval_that_was_changed_makes_another_row() -> None:
    device = Device()
    device.scrape()
    device.newest += 1
    assert packets_total(device.scrape()) > 0
    device.interval = 60
    samples = device.scrape()
    assert packets_total(samples) == 0
    assert samples.one("rmon_history_restarts_total") == 0


def test_version_1_reads_the_same() -> None:
    device, other = Device(), Device()
    assert device.scrape(version=Version.V1).values == other.scrape().values


@pytest.mark.parametrize(
    "column",
    [
        pytest.param("2.2.1.3", id="buckets"),
        pytest.param("2.1.1", id="control rows"),
        pytest.param("2.1.1.2", id="sources"),
    ],
)
def test_answers_that_are_lost_cost_neither_totals_nor_an_epoch(column: str) -> None:
    device = Device()
    device.scrape()
    device.newest += 2
    before = packets_total(device.scrape())
    lost = encode_oid(f"{RMON}.{column}")

    def intervene(request: Request) -> TargetError | None:
        return silence() if any(oid.startswith(lost) for oid in request.oids) else None

    device.newest += 2
    device.target.intervene = intervene
    samples = device.scrape()
    assert samples.outcome.failures
    assert samples.all("rmon_history_packets_total") in ([], [before])
    device.target.intervene = None
    samples = device.scrape()
    assert packets_total(samples) == before + device.total(503, 504)
    assert samples.one("rmon_history_restarts_total") == 0


def test_device_without_an_uptime_has_no_time_stamps() -> None:
    rows = [*interface(3), *control(1, 3, 30), *bucket(1, 4, 9000, packets=9, octets=900)]
    samples = Target(MibView(Recording.from_varbinds(rows))).scrape()
    assert samples.one("rmon_history_bucket_packets") == 9
    assert not [name for name in samples.names() if "timestamp" in name]


def a_bucket(packets: int, octets: int) -> Bucket:
    return Bucket(1, 0, octets, False, {"packets": packets})


def test_octets_are_in_doubt_by_the_rule_and_by_the_proof_and_not_otherwise() -> None:
    many = 3_000_000
    # 10 Gb/s for 30 s is more than 32 bits of octets.
    assert a_bucket(many, many * 500).may_have_wrapped(30, 10**10, 1)
    assert not a_bucket(many, many * 500).may_have_wrapped(30, 10**9, 1)
    # Both ways at 1 Gb/s are too much again.
    assert a_bucket(many, many * 500).may_have_wrapped(30, 10**9, 2)
    # So few packets cannot have had so many octets.
    assert not a_bucket(800, 70_000).may_have_wrapped(1800, 10**9, 1)
    # Less than 64 octets a packet prove it, whatever the speed.
    assert a_bucket(1000, 63_999).may_have_wrapped(30, 0, 1)
    assert not Bucket(1, 0, 5, True, {"packets": 1000}).may_have_wrapped(1800, 10**10, 2)
