"""What the exporter says of its own pinging, and when it doubts itself."""

from __future__ import annotations

import errno

import pytest
from prometheus_client import CollectorRegistry

from exporters.icmp.origin import OriginKey
from exporters.icmp.pinging import Pinging
from exporters.icmp.probe_sockets import ProbeSockets
from exporters.icmp.self_check import Degradation, SelfCheck
from exporters.icmp.telemetry import PingTelemetry
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import render
from exporters.sockets.host_resolution import HostResolver

from .pretend_pings import CONGESTED, Host, World

GOOD, BAD = "192.0.2.1", "192.0.2.2"


class Place:
    def __init__(self, **options: float) -> None:
        self.world = World(**options)
        pinging = Pinging(HostResolver(), ProbeSockets(lambda: None))
        pinging.engine = self.world.engine
        pinging.check = self.check = SelfCheck(self.world.engine)
        self.registry = CollectorRegistry()
        PingTelemetry(self.registry, pinging, lambda: self.world.now_ns)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.world.run(1)
            self.check.look(self.world.now_ns)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"icmp_exporter_{name}", labels)

    def doubts(self) -> set[Degradation]:
        return {reason for reason in Degradation if self.value("degraded", reason=reason.value)}


@pytest.fixture
def place() -> Place:
    return Place()


ORIGIN = {"version": "4", "source": "", "interface": ""}


def test_good_network_raises_no_doubt(place: Place) -> None:
    for number in range(50):
        place.world.add(f"10.0.0.{number}")
    place.run(30)
    assert place.doubts() == set()
    assert place.value("targets") == 50
    assert place.value("replies_unmatched_total") == 0
    assert place.value("send_lag_seconds_count") == 50 * 30
    assert place.value("send_lag_seconds_bucket", le="0.01") == 50 * 30
    assert place.value("socket_info", **ORIGIN, mode="datagram") == 1
    asked = place.value("receive_buffer_asked_bytes", **ORIGIN)
    assert asked == place.value("receive_buffer_granted_bytes", **ORIGIN) > 0


def test_doubts_last_a_minute(place: Place) -> None:
    place.world.add(GOOD)
    place.run(2)
    place.world.stall(3)
    place.run(1)
    assert place.doubts() == {Degradation.LAG, Degradation.SKIPPED}
    place.run(58)
    assert place.doubts()
    place.run(3)
    assert place.doubts() == set()


def test_full_send_buffers_are_a_doubt(place: Place) -> None:
    place.world.hosts[BAD] = Host(send_error=CONGESTED)
    place.world.add(BAD)
    place.run(3)
    assert Degradation.CONGESTION in place.doubts()
    assert place.value("send_errors_total", error="ENOBUFS") > 0
    assert place.value("pings_put_off_total") > 0


def test_missing_socket_is_a_doubt(place: Place) -> None:
    key = OriginKey(4, "", "eth9")
    place.world.refused_origins.add(key)
    place.world.add(GOOD, interface="eth9")
    place.run(3)
    assert place.doubts() == {Degradation.SOCKET}
    assert place.value("send_errors_total", error="no_socket") == 3
    labels = {"version": "4", "source": "", "interface": "eth9"}
    assert place.value("receive_buffer_granted_bytes", **labels) is None


def test_times_that_the_kernel_did_not_take_are_a_doubt(place: Place) -> None:
    place.world.add(GOOD)
    place.run(2)
    place.world.sockets[0].kernel_stamps = False
    place.run(1)
    assert place.doubts() == {Degradation.STAMPS}


def test_dropped_replies_are_a_doubt(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.world.add(GOOD)
    place.run(2)
    monkeypatch.setattr(place.world.sockets[0], "drops", lambda: 7)
    place.run(1)
    assert place.doubts() == {Degradation.DROPS}
    assert place.value("socket_drops_total", **ORIGIN) == 7


def test_dead_hosts_and_firewalls_are_no_doubt(place: Place) -> None:
    place.world.hosts[GOOD] = Host(delay_ns=None)
    place.world.hosts[BAD] = Host(send_error=errno.EPERM)
    place.world.add(GOOD)
    place.world.add(BAD)
    place.run(60)
    assert place.doubts() == set()
    assert place.value("send_errors_total", error="EPERM") == 60


def test_step_of_the_clock_is_counted(place: Place) -> None:
    place.world.hosts[GOOD] = Host(delay_ns=500_000_000)
    target = place.world.add(GOOD)
    place.run(3)
    while not target.account.in_flight:
        place.world.run(0.01)
    place.world.unix_offset_ns += 3_600_000_000_000
    place.run(5)
    assert place.value("clock_steps_discarded_total") == 1
    assert sum(target.account.lost) == 0


def test_telemetry_is_text_of_both_formats(place: Place) -> None:
    place.world.add(GOOD)
    place.run(2)
    for text_format in TextFormat:
        assert b"icmp_exporter_degraded" in render(place.registry, text_format)
