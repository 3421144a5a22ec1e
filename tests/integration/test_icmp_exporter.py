"""The ICMP exporter as a process: ``/probe`` towards a pretend network, reload, and sockets denied.

What a probe says is compared with blackbox_exporter in tests/external; here is what that cannot
tell.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from .exporter import Answer, Exporter, listening_port, start_exporter
from .inside import inside
from .namespaces import EchoNetwork, Namespace, echo_network, needs_root, network_namespace
from .processes import NETEXPORTERS, Programs, run, until

pytestmark = [needs_root, pytest.mark.peer("ip", "iproute2")]

CONFIG = """
modules:
  icmp: {prober: icmp, timeout: 1s}
  web: {prober: http, http: {basic_auth: {username: scott, password: tiger}}}
"""
DEVICES = """
devices:
  - {name: sw-1, addresses: [10.9.0.1, 10.9.0.2], snmp_target: "10.9.0.9:1161", modules: [if_mib]}
"""
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
NOBODY += ["--inh-caps=-all", "--no-new-privs"]


@dataclass(frozen=True)
class Place:
    """An exporter in a namespace with a pretend network."""

    namespace: Namespace
    network: EchoNetwork
    exporter: Exporter
    config: Path

    def probe(self, target: str, **given: str) -> Answer:
        with inside(self.namespace):
            return self.exporter.probe(target, **given)

    def request(self, path: str, method: str = "GET") -> Answer:
        with inside(self.namespace):
            return self.exporter.request(path, method=method)


@pytest.fixture(scope="module")
def place(module_programs: Programs) -> Iterator[Place]:
    config = module_programs.folder / "icmp.yml"
    config.write_text(CONFIG)
    devices = module_programs.folder / "devices.yml"
    devices.write_text(DEVICES)
    with network_namespace() as namespace, echo_network(namespace) as network:
        namespace.allow_ping_sockets(allowed=True)
        with inside(namespace):
            exporter = start_exporter(
                module_programs,
                f"--config.file={config}",
                f"--devices.file={devices}",
                "--targets.allow=10.9.0.0/16",
                "--targets.allow=fd09::/64",
                "--probe.concurrency=50",
                name="icmp",
            )
        yield Place(namespace, network, exporter, config)
        exporter.program.end()


@pytest.mark.parametrize(("host", "lost"), [("10.9.1.1", 5), ("fd09::1:1", 2)])
def test_several_pings_tell_loss_and_times(place, host, lost):
    delay = {"delay_seconds": 0.05}
    place.network.change({host: {"lose_every": lost, "answers": delay}})
    found = place.probe(host, count="10", interval="20ms").exposition
    assert found.value("probe_success") == 1
    assert found.value("probe_icmp_requests") == 10
    assert found.value("probe_icmp_replies") == 10 - 10 // lost
    assert found.value("probe_icmp_loss_ratio") == pytest.approx(1 / lost)
    least = found.value("probe_icmp_rtt_min_seconds")
    mean = found.value("probe_icmp_rtt_avg_seconds")
    most = found.value("probe_icmp_rtt_max_seconds")
    assert 0.05 <= least <= mean <= most < 0.15
    assert 0 <= found.value("probe_icmp_rtt_stddev_seconds") <= most - least
    assert place.network.counts()[host]["requests"] == 10


def test_probes_side_by_side_get_their_own_replies(place):
    """More of them than may be under way at once, on one socket."""
    hosts = {f"10.9.2.{number}": number * 0.004 for number in range(1, 101)}
    place.network.change(
        {host: {"answers": {"delay_seconds": delay}} for host, delay in hosts.items()}
    )
    rtts: dict[str, float] = {}

    def probe(host: str) -> None:
        found = place.probe(host).exposition
        rtts[host] = found.value("probe_icmp_duration_seconds", phase="rtt")

    threads = [threading.Thread(target=probe, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rtts.keys() == hosts.keys()
    for host, delay in hosts.items():
        assert delay <= rtts[host] < delay + 0.1, host


def test_crowd_of_silent_targets_is_answered_before_prometheus_hangs_up(place):
    """Three times as many as may be under way: who gets no room fails, in time."""
    place.network.change({f"10.9.3.{number}": {"lose_every": 1} for number in range(1, 151)})
    answers: list[Answer] = []

    def probe(host: str) -> None:
        with inside(place.namespace):
            answers.append(place.exporter.probe(host, timeout=1.5))

    threads = [
        threading.Thread(target=probe, args=(f"10.9.3.{number}",)) for number in range(1, 151)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 150
    assert all(answer.exposition.value("probe_success") == 0 for answer in answers)
    assert max(answer.seconds for answer in answers) < 1.5


def test_target_outside_of_the_list_is_forbidden_and_counted(place):
    answer = place.probe("127.0.0.1")
    assert (answer.status, answer.text) == (
        403,
        "target 127.0.0.1 is outside of --targets.allow\n",
    )
    found = place.request("/metrics").exposition
    assert found.value("icmp_targets_refused_total") == 1


def test_module_of_another_prober_is_named_in_the_log_and_refused(place):
    assert 'modules="web (http)"' in place.exporter.program.errors
    answer = place.probe("10.9.0.7", module="web")
    assert answer.status == 400
    assert answer.text.startswith('Unknown prober "http"')


def test_options_of_other_probers_are_shown_nowhere(place):
    text = place.request("/config").text
    assert yaml.safe_load(text)["modules"]["web"] == {"prober": "http"}
    assert "tiger" not in text
    assert "tiger" not in place.exporter.program.errors


def test_devices_are_targets_for_prometheus(place):
    (group,) = json.loads(place.request("/sd").text)
    assert group == {
        "targets": ["10.9.0.1"],
        "labels": {
            "instance": "10.9.0.1",
            "device": "sw-1",
            "__metrics_path__": "/probe",
            "__param_target": "10.9.0.1",
        },
    }


def test_page_offers_a_probe(place):
    text = place.request("/").text
    assert 'action="probe"' in text
    assert 'name="target"' in text


def test_reload_changes_modules_and_a_wrong_file_changes_nothing(place):
    place.config.write_text("modules: {quick: {prober: icmp, timeout: 100ms}}")
    assert place.request("/-/reload", method="POST").status == 200
    place.network.change({"10.9.4.1": {"lose_every": 1}})
    assert place.probe("10.9.4.1", module="quick").seconds < 0.5
    assert place.probe("10.9.4.1", module="icmp").status == 400
    place.config.write_text("modules: {quick: {prober: icmp, timout: 5s}}")
    refused = place.request("/-/reload", method="POST")
    assert refused.status == 500
    assert 'timout: unknown key; did you mean "timeout"?' in refused.text
    assert place.probe("10.9.4.1", module="quick").status == 200
    place.config.write_text(CONFIG)
    assert place.request("/-/reload", method="POST").status == 200


@pytest.mark.parametrize(
    "query",
    [
        "target=%00&module=icmp",
        "target=" + "a" * 8000,
        "target=%ff%fe",
        "target=10.9.0.7%0d%0aX:y",
        "target=%F0%9F%92%A9.example",
        "target=fd09::1%25none0",
        "target=[10.9.0.7]",
        "target=10.9.0.7:80",
        "target=xn--a",
        "target=" + ".".join("a" * 63 for _ in range(5)),
    ],
)
def test_text_that_is_no_host_is_a_probe_that_fails(place, query):
    answer = place.request(f"/probe?{query}")
    assert answer.status == 200, answer.text
    assert answer.exposition.value("probe_success") == 0


def test_nothing_is_written_to_the_log_for_a_probe(place):
    before = len(place.exporter.program.errors)
    for host in ("10.9.0.7", "10.9.4.1", "nosuch.invalid"):
        place.probe(host)
    assert place.exporter.program.errors[before:] == ""


def test_sockets_of_probes_are_few_however_many_there_were(place):
    with inside(place.namespace):
        for number in range(30):
            place.exporter.probe(f"10.9.5.{number}")
    until(lambda: len(place.exporter.sockets()) < 12, "connections are closed")


def test_who_may_have_no_socket_is_told_what_helps(programs, tmp_path):
    with network_namespace() as namespace:
        namespace.allow_ping_sockets(allowed=False)
        program = programs.start(
            *namespace.command(*NOBODY, NETEXPORTERS, "icmp", "--web.listen-address=127.0.0.1:0"),
            cwd=Path("/"),
        )
        assert program.wait() == 1
        assert "sysctl -w net.ipv4.ping_group_range" in program.errors
        assert "AmbientCapabilities=CAP_NET_RAW" in program.errors
        assert "Traceback" not in program.errors


def test_nobody_may_probe_where_the_system_lets_everybody_ping(programs):
    with network_namespace() as namespace, echo_network(namespace):
        namespace.allow_ping_sockets(allowed=True)
        program = programs.start(
            *namespace.command(*NOBODY, NETEXPORTERS, "icmp", "--web.listen-address=127.0.0.1:0"),
            cwd=Path("/"),
        )
        with inside(namespace):
            exporter = Exporter(program, listening_port(program))
            for host in ("10.9.0.7", "fd09::7"):
                assert exporter.probe(host).exposition.value("probe_success") == 1
            assert exporter.telemetry().value("icmp_probes_total", result="success") == 2
        assert "mode=datagram" in program.errors
        program.end()


CONTINUOUS = """
groups:
  fast: {hosts: [10.9.6.1, 10.9.6.2], interval: 50ms, timeout: 300ms}
  slow: {hosts: ["fd09::6:1"], interval: 100ms, dscp: [0, ef]}
"""


@dataclass(frozen=True)
class Continuous(Place):
    """An exporter that pings all the time."""

    def value(self, name: str, host: str, **labels: str) -> float:
        device = {"10.9.6.1": "sw-6"}.get(host, host)
        group = labels.pop("group", "fast")
        found = self.request("/metrics").exposition
        return found.value(name, device=device, group=group, host=host, ip=host, **labels)

    def reload(self, text: str) -> None:
        self.config.write_text(text)
        answer = self.request("/-/reload", method="POST")
        assert answer.status == 200, answer.text


@pytest.fixture
def continuous(programs: Programs) -> Iterator[Continuous]:
    config = programs.folder / "icmp.yml"
    config.write_text(CONTINUOUS)
    devices = programs.folder / "devices.yml"
    devices.write_text("devices: [{name: sw-6, addresses: [10.9.6.1]}]")
    with network_namespace() as namespace, echo_network(namespace) as network:
        namespace.allow_ping_sockets(allowed=True)
        network.change({"10.9.6.2": {"lose_every": 1}})
        with inside(namespace):
            exporter = start_exporter(
                programs, f"--config.file={config}", f"--devices.file={devices}", name="icmp"
            )
        yield Continuous(namespace, network, exporter, config)
        exporter.program.end()


def test_hosts_are_pinged_all_the_time_and_every_account_closes(continuous):
    until(lambda: continuous.value("icmp_replies_total", "10.9.6.1") >= 20, "twenty replies")
    assert continuous.value("icmp_lost_total", "10.9.6.2", reason="timeout") >= 5
    assert continuous.value("icmp_replies_total", "10.9.6.2") == 0
    for dscp in ("0", "46"):
        value = continuous.value("icmp_replies_total", "fd09::6:1", group="slow", dscp=dscp)
        assert value >= 5
    assert continuous.network.counts()["fd09::6:1"]["traffic_classes"] == [0, 184]
    found = continuous.request("/metrics").exposition
    for labels, sent in found.named("icmp_sent_total").items():
        lost = sum(value for own, value in found.named("icmp_lost_total").items() if own > labels)
        replies = found.named("icmp_replies_total")[labels]
        assert sent == replies + lost + found.named("icmp_in_flight")[labels]


def test_reload_leaves_alone_what_has_not_changed(continuous):
    until(lambda: continuous.value("icmp_replies_total", "10.9.6.1") >= 10, "ten replies")
    continuous.reload(CONTINUOUS.replace("10.9.6.2", "10.9.6.3"))
    assert continuous.value("icmp_replies_total", "10.9.6.1") >= 10
    until(lambda: continuous.value("icmp_replies_total", "10.9.6.3") >= 3, "the new host answers")
    assert "10.9.6.2" not in continuous.request("/metrics").text
    refused = CONTINUOUS.replace("50ms", "5ms")
    continuous.config.write_text(refused)
    assert continuous.request("/-/reload", method="POST").status == 500
    before = continuous.value("icmp_replies_total", "10.9.6.1")
    until(lambda: continuous.value("icmp_replies_total", "10.9.6.1") > before, "pings go on")


def test_names_of_peers_come_and_go_with_a_reload(continuous):
    assert "smokeping_" not in continuous.request("/metrics").text
    continuous.reload(CONTINUOUS + "legacy_names: [smokeping, ping_exporter]\n")
    until(lambda: continuous.value("icmp_replies_total", "10.9.6.1") >= 5, "five replies")
    found = continuous.request("/metrics").exposition
    labels = {"host": "10.9.6.1", "ip": "10.9.6.1", "source": "", "tos": "0"}
    assert found.value("smokeping_requests_total", **labels) >= 5
    assert found.value("ping_loss_ratio", target="10.9.6.1", ip="10.9.6.1", ip_version="4") == 0
    continuous.reload(CONTINUOUS)
    assert "smokeping_" not in continuous.request("/metrics").text


@pytest.mark.peer("promtool", "prometheus")
def test_metrics_are_what_prometheus_wants(continuous):
    continuous.reload(CONTINUOUS + "legacy_names: [smokeping, ping_exporter]\n")
    until(lambda: continuous.value("icmp_replies_total", "10.9.6.1") >= 5, "five replies")
    text = continuous.request("/metrics").text
    checked = run("promtool", "check", "metrics", text_in=text)
    # What it has to say of metrics that all our exporters or the peers have is no news.
    lines = (checked.stdout + checked.stderr).splitlines()
    assert [line for line in lines if line.startswith("icmp_")] == []
    assert checked.returncode in (0, 3), lines
