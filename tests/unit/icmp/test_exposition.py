"""The text of /metrics: what Prometheus reads in it, and that it adds up."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections import defaultdict

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from exporters.icmp.exposition import write
from exporters.icmp.target import Target, TargetSettings
from exporters.metrics.negotiation import TextFormat

from .pretend_pings import MS, SECOND, Host, World

Samples = dict[str, list[tuple[dict[str, str], float]]]

GOOD, SILENT, REFUSED, BLOCKED = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"


def text_of(world: World, text_format: TextFormat = TextFormat.PROMETHEUS) -> str:
    return "".join(write(world.engine.targets.values(), text_format))


def read(text: str) -> Samples:
    samples: Samples = defaultdict(list)
    for family in parse_prometheus(text):
        for sample in family.samples:
            samples[sample.name].append((sample.labels, sample.value))
    return samples


def value(samples: Samples, name: str, ip: str, **labels: str) -> float:
    [found] = [
        number for own, number in samples[name] if own["ip"] == ip and labels.items() <= own.items()
    ]
    return found


@pytest.fixture
def world() -> World:
    """Four targets and a name that does not resolve, after ten seconds."""
    world = World()
    world.hosts[GOOD] = Host(delay_ns=20 * MS)
    world.hosts[SILENT] = Host(delay_ns=None)
    world.hosts[REFUSED] = Host(error=(3, 13))
    world.hosts[BLOCKED] = Host(send_error=errno.EPERM)
    for ip in (GOOD, SILENT, REFUSED, BLOCKED):
        world.add(ip, labels=(("site", 'a "quoted" one'),))
    world.engine.add(Target(TargetSettings(device="x", group="g", host="no.example"), None))
    world.run(10)
    return world


@pytest.mark.parametrize("text_format", TextFormat)
def test_peers_parsers_read_every_line(world: World, text_format: TextFormat) -> None:
    text = text_of(world, text_format)
    if text_format is TextFormat.OPENMETRICS:
        families = list(parse_openmetrics(text + "# EOF\n"))
    else:
        families = list(parse_prometheus(text))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert sum(len(family.samples) for family in families) == len(lines) > 150
    assert len({family.name for family in families}) == len(families)


@pytest.mark.peer("promtool", "prometheus")
def test_promtool_has_nothing_to_complain_of(world: World) -> None:
    done = subprocess.run(
        [shutil.which("promtool") or "promtool", "check", "metrics"],
        input=text_of(world),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_labels_start_with_the_device_and_are_escaped(world: World) -> None:
    start = 'icmp_sent_total{device="192.0.2.1",group="group 0",host="192.0.2.1",ip="192.0.2.1",'
    assert start + 'site="a \\"quoted\\" one"} 10\n' in text_of(world)


def test_account_of_every_target_closes(world: World) -> None:
    samples = read(text_of(world))
    for labels, sent in samples["icmp_sent_total"]:
        ip = labels["ip"]
        lost = sum(number for own, number in samples["icmp_lost_total"] if own["ip"] == ip)
        rest = value(samples, "icmp_replies_total", ip) + value(samples, "icmp_in_flight", ip)
        assert sent == rest + lost


@pytest.mark.parametrize(
    ("ip", "reason", "count"),
    [
        (SILENT, "timeout", 8),
        (REFUSED, "prohibited", 10),
        (BLOCKED, "send_error", 10),
        (GOOD, "timeout", 0),
        ("", "dns", 10),
    ],
)
def test_losses_are_told_by_reason(world: World, ip: str, reason: str, count: int) -> None:
    assert value(read(text_of(world)), "icmp_lost_total", ip, reason=reason) == count


def test_every_reason_is_there_before_it_happens(world: World) -> None:
    reasons = {
        own["reason"] for own, _ in read(text_of(world))["icmp_lost_total"] if own["ip"] == GOOD
    }
    assert reasons == {
        "timeout",
        "unreachable",
        "prohibited",
        "ttl_exceeded",
        "too_big",
        "neighbor",
        "send_error",
    }


def test_name_without_an_address_has_its_account_and_nothing_else(world: World) -> None:
    samples = read(text_of(world))
    names = {name for name, rows in samples.items() if any(own["ip"] == "" for own, _ in rows)}
    assert names == {"icmp_sent_total", "icmp_replies_total", "icmp_in_flight", "icmp_lost_total"}


def test_histogram_is_cumulative_and_ends_with_its_count(world: World) -> None:
    samples = read(text_of(world))
    buckets = [
        (float(own["le"]), number)
        for own, number in samples["icmp_rtt_seconds_bucket"]
        if own["ip"] == GOOD
    ]
    assert [number for _, number in sorted(buckets)] == sorted(number for _, number in buckets)
    assert len(buckets) == 21
    assert dict(buckets)[0.0128] == 0
    assert dict(buckets)[0.0256] == dict(buckets)[float("inf")] == 10
    assert value(samples, "icmp_rtt_seconds_count", GOOD) == 10
    assert value(samples, "icmp_rtt_seconds_sum", GOOD) == pytest.approx(0.2)


def test_bounds_look_like_floats_in_both_formats() -> None:
    world = World()
    world.add(GOOD, bounds=(0.5, 1, 10.0))
    for text_format in TextFormat:
        text = text_of(world, text_format)
        assert [
            line.split('le="')[1].split('"')[0] for line in text.splitlines() if "le=" in line
        ] == [
            "0.5",
            "1.0",
            "10.0",
            "+Inf",
        ]


def test_window_has_its_extremes_without_the_noise_of_its_ring(world: World) -> None:
    text = text_of(world)
    for name in ("last", "min", "max"):
        [line] = [
            line
            for line in text.splitlines()
            if line.startswith(f"icmp_rtt_{name}_seconds{{") and GOOD in line
        ]
        assert line.endswith(" 0.02")
    assert value(read(text), "icmp_rtt_stddev_seconds", GOOD) == pytest.approx(0, abs=1e-8)


def test_target_that_never_replied_has_no_times(world: World) -> None:
    samples = read(text_of(world))
    for name in ("icmp_rtt_last_seconds", "icmp_rtt_min_seconds", "icmp_jitter_seconds"):
        assert [own["ip"] for own, _ in samples[name]] == [GOOD]
    assert [own["ip"] for own, _ in samples["icmp_reply_hop_limit"]] == [GOOD]


def test_last_error_is_told_with_its_reporter(world: World) -> None:
    samples = read(text_of(world))
    [(labels, number)] = samples["icmp_error_info"]
    assert number == 1
    assert (labels["reporter"], labels["type"], labels["code"]) == ("10.0.0.9", "3", "13")
    assert labels["error"] == "Packet filtered"
    at = value(samples, "icmp_error_timestamp_seconds", REFUSED)
    unix = (world.now_ns + world.unix_offset_ns) / SECOND
    assert unix - 2 < at <= unix


def test_no_targets_have_no_text() -> None:
    assert text_of(World()) == ""


def test_every_piece_is_short_and_all_of_a_target_is_read_at_once() -> None:
    world = World()
    for number in range(1000):
        world.add(f"10.0.{number // 250}.{number % 250}")
    world.run(2)
    pieces = []
    for piece in write(world.engine.targets.values(), TextFormat.PROMETHEUS):
        pieces.append(piece)
        world.run(0.05)  # pings go on while it is written
    assert max(piece.count("\n") for piece in pieces) < 2500
    samples = read("".join(pieces))
    sent = {own["ip"]: number for own, number in samples["icmp_sent_total"]}
    for own, in_flight in samples["icmp_in_flight"]:
        replies = (
            value(samples, "icmp_replies_total", own["ip"]) if own["ip"].endswith(".7") else None
        )
        if replies is not None:
            assert sent[own["ip"]] == replies + in_flight
            assert value(samples, "icmp_rtt_seconds_count", own["ip"]) == replies
