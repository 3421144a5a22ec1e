"""``legacy_names: [smokeping]`` against smokeping_prober itself, on one pretend network.

Both read the same file, which is the peer's, and ping the same hosts for a while. What they count
is compared as it grows, because the peer never matches the requests of before it listens. Debian
has 0.6: the labels ``source`` and ``tos`` and a few metrics came later, and are left out by name.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ..integration.inside import inside
from ..integration.namespaces import echo_network, names_of, needs_root, network_namespace
from ..integration.processes import NETEXPORTERS
from .snmp_sides import serving

pytestmark = [
    needs_root,
    pytest.mark.peer("ip", "iproute2"),
    pytest.mark.peer("prometheus-smokeping-prober", "prometheus-smokeping-prober"),
]

INTERVAL_SECONDS = 0.1
PINGS = 40
NAMES = "10.9.0.8 switch.example\nfd09::8 six.example\n"
HOSTS = {
    "10.9.1.1": {"answers": {"delay_seconds": 0.03}},
    "10.9.1.2": {"answers": {"drop_rate": 0.5}},
    "10.9.1.3": {"lose_every": 1},
    "10.9.1.4": {"answers": {"duplicate_rate": 1.0}},
    "10.9.1.5": {"hop_limit": 17},
    "10.9.1.6": {"error": (3, 1), "reporter": "10.9.9.1"},
}
UNANSWERED = ("10.9.1.3", "10.9.1.6")
TARGETS = ["10.9.0.7", "fd09::7", "switch.example", "six.example", *HOSTS]
CONFIG = f"""
targets:
  - hosts: {TARGETS[:4]}
    interval: 100ms
  - hosts: {TARGETS[4:]}
    interval: 100ms
    network: ip4
    size: 100
"""
NEWER_LABELS = {"source", "tos"}
NEWER = {
    "smokeping_send_errors",
    "smokeping_receive_errors",
    "smokeping_prober_errors",
    "smokeping_prober_config_last_reload_successful",
    "smokeping_prober_config_last_reload_success_timestamp_seconds",
}


@dataclass(frozen=True)
class Scrape:
    """What one of them says."""

    types: dict[str, str]
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    @classmethod
    def read(cls, text: str) -> Scrape:
        families = [
            family
            for family in text_string_to_metric_families(text)
            if family.name.startswith("smokeping_") and family.name not in NEWER
        ]
        samples = {}
        for family in families:
            for sample in family.samples:
                labels = {k: v for k, v in sample.labels.items() if k not in NEWER_LABELS}
                if not sample.name.endswith("build_info"):
                    samples[sample.name, tuple(sorted(labels.items()))] = sample.value
        return cls({family.name: family.type for family in families}, samples)

    def of(self, name: str, host: str, **more: str) -> float:
        wanted = {("host", host), *more.items()}
        (value,) = (
            value
            for (sample, labels), value in self.samples.items()
            if sample == name and wanted <= set(labels)
        )
        return value


@dataclass(frozen=True)
class Side:
    """What one of them says, a while apart."""

    before: Scrape
    after: Scrape

    def increase(self, name: str, host: str, **more: str) -> float:
        return self.after.of(name, host, **more) - self.before.of(name, host, **more)


@pytest.fixture(scope="module", params=["datagram", "raw"])
def sides(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Side, Side]]:
    """The peer and us, at the same time."""
    config = tmp_path_factory.mktemp("peer") / "smokeping_prober.yml"
    datagram = request.param == "datagram"
    config.write_text(CONFIG.replace("interval:", "protocol: udp\n    interval:")
                      if datagram else CONFIG)  # fmt: skip
    listen = "--web.listen-address=127.0.0.1:0"
    with (
        network_namespace() as namespace,
        names_of(namespace, NAMES),
        echo_network(namespace) as network,
    ):
        namespace.allow_ping_sockets(allowed=datagram)
        network.change(HOSTS)

        def scrape(url: str) -> Scrape:
            with inside(namespace):
                connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
                try:
                    connection.request("GET", "/metrics")
                    response = connection.getresponse()
                    assert response.status == 200
                    return Scrape.read(response.read().decode())
                finally:
                    connection.close()

        peer = namespace.command("prometheus-smokeping-prober", f"--config.file={config}", listen)
        ours = namespace.command(NETEXPORTERS, "icmp", f"--config.file={config}", listen)
        with serving(peer) as peer_url, serving(ours) as our_url:
            time.sleep(1)
            before = scrape(peer_url), scrape(our_url)
            time.sleep(PINGS * INTERVAL_SECONDS)
            yield Side(before[0], scrape(peer_url)), Side(before[1], scrape(our_url))


def test_metrics_have_the_peers_names_and_types(sides):
    peer, ours = sides
    assert ours.after.types == peer.after.types


def test_series_are_the_peers(sides):
    peer, ours = sides
    assert ours.after.samples.keys() == peer.after.samples.keys()
    of_one = [name for name, labels in ours.after.samples if ("host", "10.9.0.7") in labels]
    assert len(of_one) == 23 + 3


@pytest.mark.parametrize("host", TARGETS)
def test_requests_go_out_as_often_as_the_peers(sides, host):
    for side in sides:
        assert side.increase("smokeping_requests_total", host) == pytest.approx(PINGS, abs=4)


@pytest.mark.parametrize(
    ("host", "least", "most"),
    [
        *((host, 1.0, 1.0) for host in TARGETS if host not in ("10.9.1.2", *UNANSWERED)),
        *((host, 0.0, 0.0) for host in UNANSWERED),
        ("10.9.1.2", 0.2, 0.8),
    ],
)
def test_share_of_answered_requests_is_the_peers(sides, host, least, most):
    for side in sides:
        requests = side.increase("smokeping_requests_total", host)
        answered = side.increase("smokeping_response_duration_seconds_count", host)
        # What is in flight at either moment is counted as sent alone.
        assert requests * least - 1 <= answered <= requests * most + 1


def test_round_trip_times_fall_into_the_peers_buckets(sides):
    name = "smokeping_response_duration_seconds"
    for side in sides:
        count = side.increase(f"{name}_count", "10.9.1.1")
        assert side.increase(f"{name}_bucket", "10.9.1.1", le="0.0256") == 0
        assert side.increase(f"{name}_bucket", "10.9.1.1", le="0.1024") >= 0.9 * count > 0
        assert side.increase(f"{name}_bucket", "10.9.1.1", le="+Inf") == count
        assert 0.03 <= side.increase(f"{name}_sum", "10.9.1.1") / count < 0.06


@pytest.mark.parametrize(
    ("host", "ttl"), [("10.9.0.7", 64), ("fd09::7", 64), ("10.9.1.5", 17), ("10.9.1.3", 0)]
)
def test_ttl_is_the_peers(sides, host, ttl):
    for side in sides:
        assert side.after.of("smokeping_response_ttl", host) == ttl


def test_duplicates_are_the_peers(sides):
    for side in sides:
        requests = side.increase("smokeping_requests_total", "10.9.1.4")
        duplicates = side.increase("smokeping_response_duplicates_total", "10.9.1.4")
        assert duplicates == pytest.approx(requests, abs=2)
        assert side.after.of("smokeping_response_duplicates_total", "10.9.0.7") == 0
