"""``/probe`` against blackbox_exporter itself, metric by metric, towards a pretend network.

Both run in a network namespace of the test, with both kinds of ICMP socket. Debian has 0.23; what
came later is left out of the comparison by name.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ..integration.inside import inside
from ..integration.namespaces import (
    EchoNetwork,
    Namespace,
    echo_network,
    names_of,
    needs_root,
    network_namespace,
)
from ..integration.processes import NETEXPORTERS
from .snmp_sides import serving

pytestmark = [
    needs_root,
    pytest.mark.peer("ip", "iproute2"),
    pytest.mark.peer("prometheus-blackbox-exporter", "prometheus-blackbox-exporter"),
]

TIMEOUT_SECONDS = 0.6
MODULES = f"""
modules:
  icmp: {{prober: icmp, timeout: {TIMEOUT_SECONDS}s}}
  patient: {{prober: icmp}}
  ip4: {{prober: icmp, timeout: 600ms, icmp: {{preferred_ip_protocol: ip4}}}}
  ip4_only:
    prober: icmp
    timeout: 600ms
    icmp: {{preferred_ip_protocol: ip4, ip_protocol_fallback: false}}
  ip6_only:
    prober: icmp
    timeout: 600ms
    icmp: {{preferred_ip_protocol: ip6, ip_protocol_fallback: false}}
  ttl1: {{prober: icmp, timeout: 600ms, icmp: {{ttl: 1}}}}
  ttl3: {{prober: icmp, timeout: 600ms, icmp: {{ttl: 3}}}}
  ttl255: {{prober: icmp, timeout: 600ms, icmp: {{ttl: 255}}}}
  size1: {{prober: icmp, timeout: 600ms, icmp: {{payload_size: 1}}}}
  size1400: {{prober: icmp, timeout: 600ms, icmp: {{payload_size: 1400}}}}
  size60000: {{prober: icmp, timeout: 600ms, icmp: {{payload_size: 60000}}}}
  whole: {{prober: icmp, timeout: 600ms, icmp: {{payload_size: 1400, dont_fragment: true}}}}
  source: {{prober: icmp, timeout: 600ms, icmp: {{source_ip_address: 10.9.0.2}}}}
  foreign_source: {{prober: icmp, timeout: 600ms, icmp: {{source_ip_address: 192.0.2.99}}}}
  other_source: {{prober: icmp, timeout: 600ms, icmp: {{source_ip_address: "fd09::1"}}}}
"""
NAMES = """
127.0.0.1 localhost
10.9.0.7 both.example
fd09::7 both.example
10.9.0.8 four.example
fd09::8 six.example
"""
HOSTS = {
    "10.9.1.1": {"answers": {"delay_seconds": 0.1}},
    "10.9.1.2": {"lose_every": 1},
    "fd09::1:2": {"lose_every": 1},
    "10.9.1.3": {"answers": {"delay_seconds": 0.9}},
    "10.9.1.4": {"answers_from": "10.9.1.5"},
    "10.9.1.6": {"garbled": True},
    "10.9.1.7": {"answers": {"duplicate_rate": 1.0}},
    "10.9.2.1": {"error": (3, 1), "reporter": "10.9.9.1"},
    "10.9.2.2": {"error": (3, 13), "reporter": "10.9.9.1"},
    "fd09::2:1": {"error": (1, 1), "reporter": "fd09::9:1"},
    "10.9.3.1": {"hops": ["10.9.9.1", "10.9.9.2"]},
    "fd09::3:1": {"hops": ["fd09::9:1", "fd09::9:2"]},
    "10.9.4.1": {"mtu": 1000, "mtu_reporter": "10.9.9.1"},
}
NEWER = {"probe_timeout_seconds"}
TIMES = {
    "probe_dns_lookup_time_seconds",
    "probe_duration_seconds",
    "probe_icmp_duration_seconds/resolve",
    "probe_icmp_duration_seconds/setup",
    "probe_icmp_duration_seconds/rtt",
}


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: str

    @property
    def samples(self) -> dict[str, float]:
        assert self.status == 200, self.body
        return {
            "/".join((sample.name, *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(self.body)
            for sample in family.samples
        }

    @property
    def types(self) -> dict[str, str]:
        return {family.name: family.type for family in text_string_to_metric_families(self.body)}


@dataclass(frozen=True)
class Sides:
    """Both exporters, in one namespace."""

    namespace: Namespace
    peer: str
    ours: str

    def ask(
        self, parameters: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> tuple[Answer, Answer]:
        """Give the peer's answer and ours."""
        peer, ours = (
            self._get(url, f"/probe?{urlencode(parameters)}", headers or {})
            for url in (self.peer, self.ours)
        )
        return peer, ours

    def _get(self, url: str, path: str, headers: Mapping[str, str]) -> Answer:
        with inside(self.namespace):
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
            try:
                connection.request("GET", path, headers=dict(headers))
                response = connection.getresponse()
                kind = response.getheader("Content-Type", "")
                return Answer(response.status, kind, response.read().decode())
            finally:
                connection.close()


@pytest.fixture(scope="module", params=["datagram", "raw"])
def sides(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sides]:
    config = tmp_path_factory.mktemp("peer") / "blackbox.yml"
    config.write_text(MODULES)
    listen = "--web.listen-address=127.0.0.1:0"
    with (
        network_namespace() as namespace,
        names_of(namespace, NAMES),
        echo_network(namespace) as network,
    ):
        prepare(namespace, network, datagram=request.param == "datagram")
        peer = namespace.command("prometheus-blackbox-exporter", f"--config.file={config}", listen)
        ours = namespace.command(NETEXPORTERS, "icmp", f"--config.file={config}", listen)
        with serving(peer) as peer_url, serving(ours) as our_url:
            yield Sides(namespace, peer_url, our_url)


def prepare(namespace: Namespace, network: EchoNetwork, *, datagram: bool) -> None:
    namespace.allow_ping_sockets(allowed=datagram)
    namespace.run("ip", "address", "add", "10.9.0.2/16", "dev", "pretend0")
    network.change(HOSTS)


def both_agree(peer: Answer, ours: Answer) -> None:
    """The same metrics with the same values; times are checked by whoever knows them."""
    assert ours.content_type == peer.content_type
    theirs = {name: kind for name, kind in ours.types.items() if name not in NEWER}
    assert theirs == peer.types
    mine = {name: value for name, value in ours.samples.items() if name not in NEWER}
    assert mine.keys() == peer.samples.keys()
    assert {name: mine[name] for name in mine.keys() - TIMES} == {
        name: peer.samples[name] for name in mine.keys() - TIMES
    }
    for name in TIMES - {"probe_dns_lookup_time_seconds"}:
        assert bool(mine[name]) == bool(peer.samples[name]), name


ANSWERED = [
    ("10.9.0.7", "icmp"),
    ("fd09::7", "icmp"),
    ("127.0.0.1", "icmp"),
    ("::1", "icmp"),
    ("::ffff:10.9.0.7", "icmp"),
    ("both.example", "icmp"),
    ("both.example", "ip4"),
    ("both.example", "ip4_only"),
    ("both.example", "ip6_only"),
    ("four.example", "icmp"),
    ("six.example", "ip4"),
    ("FOUR.example", "icmp"),
    ("10.9.0.7", "ttl255"),
    ("10.9.0.7", "size1"),
    ("fd09::7", "size1"),
    ("10.9.0.7", "size1400"),
    ("fd09::7", "size1400"),
    ("10.9.0.7", "size60000"),
    ("10.9.0.7", "source"),
    ("10.9.1.7", "icmp"),
    ("10.9.3.1", "ttl3"),
    ("fd09::3:1", "ttl3"),
]


@pytest.mark.parametrize(("target", "module"), ANSWERED)
def test_answered_probe_gives_the_peers_metrics(sides, target, module):
    peer, ours = sides.ask({"target": target, "module": module})
    assert peer.samples["probe_success"] == 1
    both_agree(peer, ours)


def test_round_trip_time_is_that_of_the_network(sides):
    peer, ours = sides.ask({"target": "10.9.1.1", "module": "icmp"})
    both_agree(peer, ours)
    for answer in (peer, ours):
        rtt = answer.samples["probe_icmp_duration_seconds/rtt"]
        assert 0.1 <= rtt < 0.2
        assert rtt < answer.samples["probe_duration_seconds"] < 0.3


LOST = [
    ("10.9.1.2", "icmp"),
    ("fd09::1:2", "icmp"),
    ("10.9.1.3", "icmp"),
    ("10.9.1.4", "icmp"),
    ("10.9.1.6", "icmp"),
]


@pytest.mark.parametrize(("target", "module"), LOST)
def test_lost_probe_gives_the_peers_metrics_when_its_time_is_over(sides, target, module):
    peer, ours = sides.ask({"target": target, "module": module})
    assert peer.samples["probe_success"] == 0
    both_agree(peer, ours)
    for answer in (peer, ours):
        assert answer.samples["probe_icmp_duration_seconds/rtt"] == 0
        assert 0.59 < answer.samples["probe_duration_seconds"] < 0.8


REFUSED = [
    ("10.9.2.1", "icmp"),
    ("10.9.2.2", "icmp"),
    ("fd09::2:1", "icmp"),
    ("10.9.3.1", "ttl1"),
    ("fd09::3:1", "ttl1"),
]


@pytest.mark.parametrize(("target", "module"), REFUSED)
def test_refused_probe_gives_the_peers_metrics_without_waiting(sides, target, module):
    peer, ours = sides.ask({"target": target, "module": module})
    assert peer.samples["probe_success"] == 0
    both_agree(peer, ours)
    assert peer.samples["probe_duration_seconds"] > 0.59
    assert ours.samples["probe_duration_seconds"] < 0.3


FAILED = [
    ("nosuch.example", "icmp"),
    ("four.example", "ip6_only"),
    ("six.example", "ip4_only"),
    ("10.9.0.7", "ip6_only"),
    ("fd09::7", "ip4_only"),
    ("127.1", "icmp"),
    ("10.9.0.300", "icmp"),
    ("a b", "icmp"),
    ("10.9.0.7", "foreign_source"),
    ("10.9.0.7", "other_source"),
    ("192.0.2.1", "icmp"),
]


@pytest.mark.parametrize(("target", "module"), FAILED)
def test_probe_that_cannot_be_sent_gives_the_peers_metrics_at_once(sides, target, module):
    peer, ours = sides.ask({"target": target, "module": module})
    assert peer.samples["probe_success"] == 0
    both_agree(peer, ours)
    for answer in (peer, ours):
        assert answer.samples["probe_duration_seconds"] < 0.3


@pytest.mark.parametrize("target", ["10.9.0.7", "10.9.4.1"])
def test_packet_that_may_not_be_cut_gives_the_peers_metrics(sides, target):
    """The second is on a way that is too narrow: the peer waits, we are told."""
    peer, ours = sides.ask({"target": target, "module": "whole"})
    both_agree(peer, ours)


@pytest.mark.parametrize("header", ["1.1", "0.8"])
def test_probe_ends_before_prometheus_hangs_up_as_the_peers_does(sides, header):
    peer, ours = sides.ask(
        {"target": "10.9.1.2", "module": "patient"},
        {"X-Prometheus-Scrape-Timeout-Seconds": header},
    )
    both_agree(peer, ours)
    allowed = float(header) - 0.5
    assert ours.samples["probe_timeout_seconds"] == pytest.approx(allowed)
    for answer in (peer, ours):
        assert allowed <= answer.samples["probe_duration_seconds"] < allowed + 0.2


@pytest.mark.parametrize(
    ("parameters", "header"),
    [
        ({"target": "10.9.0.7", "module": "none"}, ""),
        ({"module": "icmp"}, ""),
        ({"target": "", "module": "icmp"}, ""),
        ({"module": "none"}, "abc"),
    ],
)
def test_wrong_request_is_refused_in_the_peers_words(sides, parameters, header):
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": header} if header else {}
    peer, ours = sides.ask(parameters, headers)
    assert peer.status == 400
    assert (ours.status, ours.content_type, ours.body) == (
        peer.status,
        peer.content_type,
        peer.body,
    )


def test_header_that_is_no_number_is_an_error_of_the_same_kind(sides):
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": "abc"}
    peer, ours = sides.ask({"target": "10.9.0.7", "module": "icmp"}, headers)
    assert (peer.status, ours.status) == (500, 500)
    words = "Failed to parse timeout from Prometheus header: "
    assert peer.body.startswith(words)
    assert ours.body.startswith(words)


@pytest.mark.parametrize("debug", ["1", "yes", "True"])
def test_debug_that_is_not_true_is_no_debug(sides, debug):
    peer, ours = sides.ask({"target": "10.9.0.7", "module": "icmp", "debug": debug})
    both_agree(peer, ours)


@pytest.mark.parametrize("target", ["10.9.0.7", "10.9.2.1", "nosuch.example"])
def test_debug_has_the_peers_three_sections(sides, target):
    parameters = {"target": target, "module": "icmp", "debug": "true"}
    peer, ours = (debug_sections(answer) for answer in sides.ask(parameters))
    for log, _, _ in (peer, ours):
        lines = log.strip().splitlines()
        assert len(lines) >= 3
        assert all(line.startswith("ts=") and f"target={target}" in line for line in lines)
    metrics = [Answer(200, "", section) for section in (peer[1], ours[1])]
    both_agree(*metrics)
    theirs, mine = (yaml.safe_load(section) for section in (peer[2], ours[2]))
    assert mine["prober"] == theirs["prober"]
    assert mine["timeout"] == theirs["timeout"]
    assert mine["icmp"].items() >= theirs["icmp"].items()


def debug_sections(answer: Answer) -> tuple[str, str, str]:
    assert answer.status == 200
    assert answer.content_type.startswith("text/plain")
    log, rest = answer.body.split("Metrics that would have been returned:\n")
    metrics, module = rest.split("Module configuration:\n")
    assert log.startswith("Logs for the probe:\n")
    return log.removeprefix("Logs for the probe:\n"), metrics, module
