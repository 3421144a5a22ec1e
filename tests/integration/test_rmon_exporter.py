"""The RMON exporter as its users have it: a process, HTTP, and agents that answer or do not."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
import yaml

from .agents import (
    SYSTEM_ROWS,
    address_of,
    interface_rows,
    silent_udp,
    start_simulation,
    write_recording,
)
from .exporter import Answer, Exporter, start_exporter
from .processes import NETEXPORTERS, Programs, run


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(3))
    return start_simulation(module_programs, "--moving", "--rmon=1,2", recording)[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs) -> Exporter:
    folder = module_programs.folder
    devices = [{"name": "core", "addresses": ["127.0.0.1"], "auth": "public_v2"}]
    (folder / "devices.yml").write_text(yaml.safe_dump({"devices": devices}))
    flags = (f"--devices.file={folder}/devices.yml", "--targets.allow=127.0.0.1")
    return start_exporter(module_programs, *flags, name="rmon")


def rmon(exporter: Exporter, target: str, **parameters: str) -> Answer:
    return exporter.request(f"/rmon?{urlencode({'target': target, **parameters})}")


def test_target_is_read(exporter: Exporter, agent: str) -> None:
    found = rmon(exporter, agent).exposition
    assert found.value("rmon_up") == found.value("rmon_scrape_success") == 1
    labels = {"rmon_index": "1", "if_index": "1", "if_name": "port1"}
    assert found.value("rmon_ether_packets_total", **labels) > 0
    assert found.types["rmon_history_packets_total"] == "counter"
    assert not found.named("rmon_host_bytes_total")


def test_large_groups_are_read_when_they_are_named(exporter: Exporter, agent: str) -> None:
    found = rmon(exporter, agent, groups="hosts,nl_matrix").exposition
    assert found.named("rmon_host_bytes_total")
    assert found.named("rmon2_conversation_bytes_total")
    assert not found.named("rmon_ether_packets_total")


def test_equal_and_other_scrapes_at_the_same_time_all_succeed(
    exporter: Exporter, agent: str
) -> None:
    groups = ("default", "all", "history", "default", "statistics,event", "all")
    with ThreadPoolExecutor(len(groups)) as pool:
        answers = list(pool.map(lambda name: rmon(exporter, agent, groups=name), groups))
    assert [answer.status for answer in answers] == [200] * len(groups)


@pytest.mark.parametrize(
    ("parameters", "status", "words"),
    [
        ({"target": ""}, 400, "'target' parameter must be specified once"),
        ({"groups": "histroy"}, 400, "Unknown group 'histroy'; there are default, all, stat"),
        ({"auth": "none"}, 400, "Unknown auth 'none'"),
        ({"failure": "never"}, 400, "'failure' parameter must be"),
        ({"target": "192.0.2.1"}, 403, "outside of --targets.allow"),
    ],
)
def test_wrong_request_is_told_so(
    exporter: Exporter, agent: str, parameters: dict[str, str], status: int, words: str
) -> None:
    answer = rmon(exporter, **{"target": agent, **parameters})
    assert (answer.status, words in answer.text) == (status, True), answer.text


def test_silent_target_fails_within_the_time_and_says_why(exporter: Exporter) -> None:
    with silent_udp() as socket:
        target = urlencode({"target": address_of(socket)})
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "1.5"}
        answer = exporter.request(f"/rmon?{target}", headers=headers)
        assert answer.status == 500
        assert "timeout" in answer.text
        answer = exporter.request(f"/rmon?{target}&failure=metrics", headers=headers)
    assert answer.exposition.value("rmon_up") == 0
    assert answer.exposition.value("rmon_scrape_failure", reason="timeout") == 1
    assert answer.seconds < 3


def test_debug_shows_the_packets_and_no_secret(exporter: Exporter, agent: str) -> None:
    text = rmon(exporter, agent, debug="1").text
    assert "send getbulk" in text
    assert "rmon_ether_packets_total" in text
    assert "a secret" not in text


def test_devices_are_discovered_and_the_page_has_a_form(exporter: Exporter) -> None:
    (group,) = json.loads(exporter.request("/sd").text)
    assert group["labels"]["__metrics_path__"] == "/rmon"
    assert group["labels"]["__param_auth"] == "public_v2"
    assert 'name="groups"' in exporter.request("/").text


def test_several_workers_are_refused() -> None:
    result = run(NETEXPORTERS, "rmon", "--workers=2", "--web.listen-address=127.0.0.1:0")
    assert result.returncode == 1
    assert "--workers" in result.stderr
