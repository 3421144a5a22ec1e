"""Groups that no recording has, on a pretend probe with live counters."""

from __future__ import annotations

import pytest

from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording, encode_varbind
from exporters.demo.rmon_probe import Rmon
from exporters.demo.rmon_switch import CAPTURED
from exporters.demo.rmon_view import RmonView
from exporters.rmon.groups import GROUPS
from exporters.rmon.scrape import Bounds
from exporters.wire.ber import Oid, decode_subids, encode_oid, encode_subids
from exporters.wire.tags import COUNTER32, GAUGE32, INTEGER, OCTET_STRING

from .reading import NOW, Samples, Target, interface, row, target, uptime

UPTIME = 86_400


class Probe:
    """A probe whose time is the test's."""

    def __init__(self, *, torn: bool = False, endless: bool = False) -> None:
        self.now = 0.0
        rows = [uptime(UPTIME * 100), *interface(1), *interface(2)]
        recording = Recording.from_varbinds(rows)
        settings = Rmon((1, 2), torn=torn, endless=endless)
        behind = MibView(recording, moving=True, clock=lambda: self.now)
        view = RmonView(behind, settings.probe(recording), clock=lambda: self.now)
        self.target = Target(view)

    def scrape(self, *groups: str, bounds: Bounds | None = None) -> Samples:
        keywords = {} if bounds is None else {"bounds": bounds}
        return self.target.scrape(*(groups or tuple(GROUPS)), now=NOW + self.now, **keywords)


class EndlessView:
    """A view in which every column has a row behind every other, and every instance exists."""

    def row(self, oid: Oid) -> bytes | None:
        return encode_varbind(oid, INTEGER, b"\x01")

    def rows_after(self, oid: Oid, count: int) -> list[bytes]:
        *above, last = decode_subids(oid)
        depth = 14
        above, last = ([*above, last], 0) if len(above) < depth else (above, last)
        start = [*above, *[1] * (depth - len(above))]
        return [
            encode_varbind(encode_subids([*start, last + step]), INTEGER, b"\x01")
            for step in range(1, count + 1)
        ]


def test_every_group_of_the_probe_is_read() -> None:
    samples = Probe().scrape()
    assert samples.outcome.failures == []
    assert {
        "rmon_host_bytes_total",
        "rmon_matrix_bytes_total",
        "rmon_host_top_bytes_per_second",
        "rmon2_protocol_packets_total",
        "rmon2_address_map_entries",
        "rmon2_host_bytes_total",
        "rmon2_conversation_bytes_total",
        "rmon2_conversation_top_packets_per_second",
        "rmon_user_history_value",
        "rmon_probe_info",
    } <= samples.names()
    assert samples.one("rmon2_address_map_entries") == 33
    assert samples.one("rmon2_host_table_size", rmon_index="1", layer="nl") == 4
    assert samples.labels("rmon2_protocol_packets_total", protocol="ether2.ip")


def test_history_adds_up_to_the_counters_beside_it() -> None:
    probe = Probe()
    probe.scrape("statistics", "history")
    before = probe.scrape("statistics", "history")
    probe.now = 300.0
    after = probe.scrape("statistics", "history")

    def grown(name: str, **labels: str) -> float:
        return after.one(name, **labels) - before.one(name, **labels)

    # 300 s are whole buckets of 30 s from an uptime that is a multiple of both.
    counted = grown("rmon_ether_packets_total", if_index="1")
    for interval in ("30", "300"):
        summed = grown("rmon_history_packets_total", if_index="1", interval=interval)
        assert summed == counted > 0


def test_torn_buckets_are_passed_over() -> None:
    probe = Probe(torn=True)
    samples = probe.scrape("history")
    newest = samples.one("rmon_history_sample_index", if_index="1", interval="30")
    assert newest == UPTIME // 30
    assert samples.findings()["history_bucket_torn"] == 4


def test_endless_time_filter_ends() -> None:
    groups = ("nl_host", "nl_matrix", "al_host", "al_matrix")
    endless, plain = Probe(endless=True).scrape(*groups), Probe().scrape(*groups)
    assert endless.all("rmon2_host_bytes_total") == plain.all("rmon2_host_bytes_total")
    assert endless.outcome.varbinds < 2 * plain.outcome.varbinds
    assert endless.outcome.failures == []


def test_large_tables_are_read_only_when_they_are_named_and_show_the_top() -> None:
    probe = Probe()
    assert not probe.target.scrape().all("rmon_host_bytes_total")
    bounds = Bounds(top=2, rows=100, peak_seconds=300)
    samples = probe.scrape("hosts", bounds=bounds)
    addresses = {item["address"] for item in samples.labels("rmon_host_bytes_total")}
    assert addresses == {"00:00:5E:00:53:01", "00:00:5E:00:53:02"}
    assert samples.one("rmon_rows_not_shown", rmon_index="1", group="hosts") == 2


@pytest.mark.parametrize("group", ["hosts", "matrix", "nl_host", "al_matrix"])
def test_table_above_the_bound_is_not_read(group: str) -> None:
    samples = Probe().scrape(group, bounds=Bounds(top=2, rows=3, peak_seconds=300))
    assert samples.findings()[f"{group}_too_large"] == 2
    assert not [name for name in samples.names() if name.endswith("_bytes_total")]


def test_table_that_has_more_rows_than_it_says_is_not_shown_and_not_read_on() -> None:
    hosts = [
        row(f"4.2.1.{column}.1.6.0.0.94.0.{host // 256}.{host % 256}", COUNTER32, host)
        for host in range(5000)
        for column in (4, 5, 6, 7)
    ]
    control = [row("4.1.1.3.1", INTEGER, 3), row("4.1.1.6.1", INTEGER, 1)]
    bounds = Bounds(top=2, rows=100, peak_seconds=300)
    samples = target([uptime(100), *control, *hosts]).scrape("hosts", bounds=bounds)
    assert samples.findings()["hosts_too_large"] == 1
    assert not samples.all("rmon_host_bytes_total")
    assert samples.outcome.varbinds < 1000
    assert samples.outcome.failures == []


@pytest.mark.parametrize("groups", [("statistics", "event"), ("hosts", "nl_matrix"), ()])
def test_agent_of_endless_tables_is_given_up_table_by_table(groups: tuple[str, ...]) -> None:
    device = Target(EndlessView())
    samples = device.scrape(*groups, bounds=Bounds(top=10, rows=200, peak_seconds=300))
    assert samples.findings()["table_too_large"] > 0
    assert not samples.all("rmon_ether_packets_total")
    assert samples.outcome.varbinds < 60_000
    assert len(samples.values) < 200


def test_protocols_of_one_description_are_told_apart() -> None:
    rows = [row("12.1.1.6.1", INTEGER, 1)]
    for local, name in ((1, "ether2"), (2, "ip"), (3, "ip")):
        rows.append(row(f"11.2.1.3.4.0.0.0.{local}.1.0", INTEGER, local))
        rows.append(row(f"11.2.1.4.4.0.0.0.{local}.1.0", OCTET_STRING, name))
        rows.append(row(f"12.2.1.1.1.{local}", GAUGE32, 10 * local))
    device = target([uptime(100), *rows])
    samples = device.scrape()
    found = {
        labels["protocol"]: samples.one("rmon2_protocol_packets_total", **labels)
        for labels in samples.labels("rmon2_protocol_packets_total")
    }
    assert found == {"ether2": 10, "ip (2)": 20, "ip (3)": 30}
    assert device.duplicates == 0


def test_rates_of_reports_are_divided_by_their_window() -> None:
    samples = Probe().scrape("host_top_n")
    rates = samples.all("rmon_host_top_bytes_per_second", rank_base="in_octets")
    # Half of some 240 packets a second of 600 octets.
    assert rates[0] == pytest.approx(0.5 * 237 * 600, rel=0.2)
    assert rates == sorted(rates, reverse=True)


def test_secret_of_an_event_stays_where_it_is() -> None:
    samples = Probe().scrape()
    assert samples.one("rmon_event_log_entries_total", rmon_index="1") == UPTIME // 600
    assert "a secret" not in repr(samples.values)


def test_captured_packets_are_never_asked_for() -> None:
    probe = Probe()
    assert probe.target.view.row(encode_oid("1.3.6.1.2.1.16.8.2.1.4.1.1")) is not None
    samples = probe.scrape()
    assert samples.one("rmon_buffer_full", channel="1") == 1
    assert samples.findings()["capture_buffer_present"] == 1
    assert CAPTURED not in repr(samples.values)
    packets = encode_oid("1.3.6.1.2.1.16.8.2")
    asked = {oid for request in samples.requests for oid in request.oids}
    assert not [oid for oid in asked if oid.startswith(packets)]


def test_newest_bucket_of_a_user_history_is_dated() -> None:
    samples = Probe().scrape("user_history")
    assert samples.one("rmon_user_history_end_timestamp_seconds") == NOW
    assert samples.one("rmon_user_history_value") > 0
    (labels,) = samples.labels("rmon_user_history_value")
    assert labels["variable_name"] == "etherStatsPkts"


@pytest.mark.parametrize(("mark", "there"), [(0, True), (7, True), (2**31, False)])
def test_row_of_a_time_filter_is_there_at_every_mark_up_to_now(mark: int, there: bool) -> None:
    view = Probe(endless=True).target.view
    oid = encode_oid(f"1.3.6.1.2.1.16.14.2.1.5.1.{mark}.2.4.192.0.2.1")
    assert (view.row(oid) is not None) is there
