"""The names of smokeping_prober and ping_exporter: what they say of the same pings."""

from __future__ import annotations

import math

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from exporters.icmp.accounting import LossReason
from exporters.icmp.legacy_names import (
    PING_EXPORTER_HELP,
    SMOKEPING_HELP,
    ExporterState,
    ping_exporter_text,
    smokeping_text,
)
from exporters.icmp.target import Address, Target, TargetSettings
from exporters.metrics.negotiation import TextFormat
from exporters.sockets.icmp_values import Reply, Stamp

STATE = ExporterState(3, reload_successful=True, loaded_at=1.5, build={"version": "1.2.3"})
SECOND = 1_000_000_000


class Pinged:
    """A target, and pings that end as the test says."""

    def __init__(self, host: str = "switch", ip: str = "192.0.2.1", **settings: object) -> None:
        given = {"device": host, "group": "g", "host": host, "bounds": (0.1, 1.0), "window": 5}
        address = Address(6 if ":" in ip else 4, ip, (ip, 0)) if ip else None
        self.target = Target(TargetSettings(**{**given, **settings}), address)
        self.account = self.target.account
        self.now_ns = 1000 * SECOND

    def stamp(self) -> Stamp:
        return Stamp(self.now_ns + 10**18, self.now_ns)

    def send(self) -> int:
        sequence = self.account.next_sequence
        self.account.begin(self.stamp())
        return sequence

    def answer(self, sequence: int, hop_limit: int | None = 60) -> None:
        payload = self.target.payload.encode(sequence)
        reply = Reply("", sequence & 0xFFFF, payload, self.stamp(), hop_limit, 0)
        self.account.reply(reply, self.target.payload, 2 * SECOND, 1.0)

    def replies(self, *seconds: float) -> Pinged:
        for rtt in seconds:
            sequence = self.send()
            self.now_ns += round(rtt * SECOND)
            self.answer(sequence)
        return self

    def losses(self, count: int) -> Pinged:
        for _ in range(count):
            sequence = self.send()
            self.now_ns += 3 * SECOND
            self.account.expire(sequence, self.now_ns, 1.0)
        return self


def read(text: str) -> dict[str, float]:
    return {
        "/".join((sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items())))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def smokeping(*pinged: Pinged, text_format: TextFormat = TextFormat.PROMETHEUS) -> str:
    return "".join(smokeping_text([it.target for it in pinged], STATE, text_format))


def ping_exporter(*pinged: Pinged, text_format: TextFormat = TextFormat.PROMETHEUS) -> str:
    return "".join(ping_exporter_text([it.target for it in pinged], "1.2.3", text_format))


LABELS = "host=switch/ip=192.0.2.1/source=/tos=0"


def test_smokeping_has_every_series_of_a_target_from_the_start():
    found = read(smokeping(Pinged()))
    assert found[f"smokeping_requests_total/{LABELS}"] == 0
    assert found[f"smokeping_response_ttl/{LABELS}"] == 0
    assert found[f"smokeping_response_duplicates_total/{LABELS}"] == 0
    assert found[f"smokeping_send_errors_total/{LABELS}"] == 0
    assert found[f"smokeping_response_duration_seconds_count/{LABELS}"] == 0
    of_target = [name for name in found if "host=switch" in name]
    assert len(of_target) == 4 + 5  # two bounds and +Inf, sum, count


def test_smokeping_counts_requests_in_flight_and_not_those_that_failed():
    it = Pinged().replies(0.05).losses(2)
    it.send()
    it.account.fail(LossReason.SEND_ERROR, it.stamp(), 1.0)
    it.account.fail(LossReason.DNS, it.stamp(), 1.0)
    found = read(smokeping(it))
    assert found[f"smokeping_requests_total/{LABELS}"] == 4
    assert found[f"smokeping_send_errors_total/{LABELS}"] == 1


def test_smokeping_has_a_histogram_of_the_replies():
    found = read(smokeping(Pinged().replies(0.05, 0.1, 0.5, 1.5)))
    name = "smokeping_response_duration_seconds"
    buckets = {
        bound: found[f"{name}_bucket/host=switch/ip=192.0.2.1/le={bound}/source=/tos=0"]
        for bound in ("0.1", "1", "+Inf")
    }
    assert buckets == {"0.1": 2, "1": 3, "+Inf": 4}
    assert found[f"{name}_count/{LABELS}"] == 4
    assert found[f"{name}_sum/{LABELS}"] == pytest.approx(2.15)


def test_smokeping_counts_duplicates_and_shows_the_ttl():
    it = Pinged().replies(0.05)
    it.answer(0)
    found = read(smokeping(it))
    assert found[f"smokeping_response_duplicates_total/{LABELS}"] == 1
    assert found[f"smokeping_response_ttl/{LABELS}"] == 60


def test_smokeping_ttl_is_minus_one_where_the_system_does_not_tell():
    it = Pinged()
    it.answer(it.send(), hop_limit=None)
    assert read(smokeping(it))[f"smokeping_response_ttl/{LABELS}"] == -1


def test_smokeping_labels_are_host_address_source_and_tos():
    it = Pinged(
        "core", "2001:db8::1", source_v6="2001:db8::9", source_v4="192.0.2.9", traffic_class=184
    )
    name = "smokeping_requests_total/host=core/ip=2001:db8::1/source=2001:db8::9/tos=184"
    assert name in read(smokeping(it))


@pytest.mark.parametrize("write", [smokeping, ping_exporter])
def test_label_that_only_others_have_is_empty(write):
    first = Pinged("a", "192.0.2.1", labels=(("site", 'se"oul'),)).replies(0.1)
    second = Pinged("b", "192.0.2.2", labels=(("rack", "7"),)).replies(0.1)
    text = write(first, second)
    lines = [line for line in text.splitlines() if 'ip="192.0.2.' in line]
    assert all('site="' in line and 'rack="' in line for line in lines)
    assert any('rack="",site="se\\"oul"' in line for line in lines)
    assert any('rack="7",site=""' in line for line in lines)


@pytest.mark.parametrize("write", [smokeping, ping_exporter])
def test_series_that_two_groups_have_is_written_once(write):
    first = Pinged(group="a").replies(0.1)
    second = Pinged(group="b").replies(0.1, 0.1)
    lines = [line.rpartition(" ")[0] for line in write(first, second).splitlines()]
    series = [line for line in lines if not line.startswith("#")]
    assert len(series) == len(set(series))


@pytest.mark.parametrize("write", [smokeping, ping_exporter])
def test_target_without_an_address_has_no_series(write):
    assert "switch" not in write(Pinged(ip=""))


@pytest.mark.parametrize(
    ("write", "names"), [(smokeping, SMOKEPING_HELP), (ping_exporter, PING_EXPORTER_HELP)]
)
def test_every_name_is_written_once_in_both_formats(write, names):
    it = Pinged().replies(0.05).losses(1)
    families = list(text_string_to_metric_families(write(it)))
    known = {name.removesuffix("_total") for name in names}
    assert {family.name.removesuffix("_total") for family in families} == known
    text = write(it, text_format=TextFormat.OPENMETRICS) + "# EOF\n"
    openmetrics = list(read_openmetrics(text))
    assert [family.name for family in openmetrics] == [
        name.removesuffix("_total") for name in (family.name for family in families)
    ]
    values = {
        "smokeping_receive_errors_total": 3,
        "smokeping_prober_errors_total": 0,
        "smokeping_prober_config_last_reload_successful": 1,
        "smokeping_prober_config_last_reload_success_timestamp_seconds": 1.5,
        "smokeping_prober_build_info/version=1.2.3": 1,
        "ping_up/version=1.2.3": 1,
    }
    found = read(write(it))
    for name in values.keys() & found.keys():
        assert found[name] == values[name]


PING_LABELS = "ip=192.0.2.1/ip_version=4/target=switch"


def test_ping_exporter_tells_of_the_last_pings_alone():
    found = read(ping_exporter(Pinged().replies(9.0, 0.1, 0.2).losses(1).replies(0.3, 0.6)))
    times = [0.1, 0.2, 0.3, 0.6]
    mean = sum(times) / 4
    assert found[f"ping_loss_ratio/{PING_LABELS}"] == pytest.approx(0.2)
    assert found[f"ping_rtt_best_seconds/{PING_LABELS}"] == pytest.approx(0.1)
    assert found[f"ping_rtt_worst_seconds/{PING_LABELS}"] == pytest.approx(0.6)
    assert found[f"ping_rtt_mean_seconds/{PING_LABELS}"] == pytest.approx(mean)
    deviation = math.sqrt(sum((rtt - mean) ** 2 for rtt in times) / 4)
    assert found[f"ping_rtt_std_deviation_seconds/{PING_LABELS}"] == pytest.approx(deviation)


def test_ping_exporter_says_nothing_before_the_first_ping_has_ended():
    it = Pinged()
    it.send()
    assert set(read(ping_exporter(it))) == {"ping_up/version=1.2.3"}


def test_ping_exporter_does_not_count_pings_in_flight():
    it = Pinged().replies(0.1, 0.1, 0.1, 0.1).losses(1)
    for _ in range(3):
        it.send()
    assert read(ping_exporter(it))[f"ping_loss_ratio/{PING_LABELS}"] == pytest.approx(0.2)


def test_ping_exporter_has_no_times_where_all_is_lost():
    found = read(ping_exporter(Pinged().replies(0.1).losses(5)))
    assert found[f"ping_loss_ratio/{PING_LABELS}"] == 1
    assert not any("rtt" in name for name in found)


def test_ping_exporter_names_the_version_of_ip():
    found = read(ping_exporter(Pinged("core", "2001:db8::1").replies(0.1)))
    assert found["ping_loss_ratio/ip=2001:db8::1/ip_version=6/target=core"] == 0
