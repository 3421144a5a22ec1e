"""A real Prometheus scrapes our exporter, and promtool reads what it serves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .agents import SYSTEM_ROWS, interface_rows, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import Programs, run
from .prometheus import Prometheus
from .snmp_exporter import start_snmp_exporter

INTERFACES = 3
LINE = re.compile(r"(\S+) (.*)")


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(INTERFACES))
    return start_simulation(module_programs, recording, "--tcp")[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs, agent: str) -> Exporter:
    known = {"auth": "public_v2", "modules": ["if_mib", "system"]}
    devices = [
        {"name": "reached", "addresses": ["192.0.2.1"], "snmp_target": agent,
         "labels": {"site": "seoul"}, **known},
        {"name": "by TCP", "addresses": ["192.0.2.3"], "snmp_target": f"tcp://{agent}", **known},
        {"name": "dead", "addresses": ["192.0.2.2"], "snmp_target": "127.0.0.1:1", **known},
    ]  # fmt: skip
    file = module_programs.folder / "devices.yml"
    file.write_text(yaml.safe_dump({"devices": devices}))
    return start_exporter(module_programs, f"--devices.file={file}")


# --- Prometheus -----------------------------------------------------------------------------


def jobs(exporter: Exporter, agent: str) -> list[Mapping[str, Any]]:
    address = f"127.0.0.1:{exporter.port}"
    peers_relabelling = [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": address},
    ]
    return [
        {"job_name": "itself", "static_configs": [{"targets": [address]}]},
        # What is written for snmp_exporter, as it is.
        {
            "job_name": "static",
            "metrics_path": "/snmp",
            "params": {"module": ["if_mib"], "auth": ["public_v2"]},
            "static_configs": [{"targets": [agent]}],
            "relabel_configs": peers_relabelling,
        },
        {
            "job_name": "discovered",
            "metrics_path": "/snmp",
            "http_sd_configs": [{"url": f"{exporter.url}/sd", "refresh_interval": "1s"}],
            "relabel_configs": [{"target_label": "__address__", "replacement": address}],
        },
    ]


@pytest.mark.peer("prometheus", "prometheus")
def test_prometheus_scrapes_static_and_discovered_targets(
    exporter: Exporter, agent: str, programs: Programs
) -> None:
    prometheus = Prometheus(
        programs,
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": jobs(exporter, agent),
        },
    )
    expected = {
        'job="itself"': {"instance": f"127.0.0.1:{exporter.port}"},
        'job="static"': {"instance": agent},
        'device="reached"': {"instance": "192.0.2.1", "site": "seoul", "job": "discovered"},
        'device="by TCP"': {"instance": "192.0.2.3", "job": "discovered"},
    }
    for series, labels in expected.items():
        (up,) = prometheus.wait_for(f"up{{{series}}} == 1")
        assert labels.items() <= up["metric"].items()
    for series in list(expected)[1:]:
        (sample,) = prometheus.wait_for(f'ifHCInOctets{{{series},ifName="port2"}}')
        assert float(sample["value"][1]) == (6 << 40) + 2
        wanted = {"ifIndex": "2", "ifDescr": "port2", "ifAlias": "uplink 2", "ifName": "port2"}
        assert wanted.items() <= sample["metric"].items()
    assert prometheus.wait_for('sysName{device="reached",sysName="switch-1"}')
    assert prometheus.wait_for('up{device="dead"} == 0')
    assert prometheus.wait_for('snmp_request_failures_total{job="itself",reason="refused"} > 0')
    # Types come along, so that rate() of a gauge is told, and nothing of ours is malformed.
    assert not prometheus.query('scrape_samples_scraped{device="reached"} < 100')
    assert "Error on ingesting" not in prometheus.program.errors


@pytest.mark.peer("promtool", "prometheus")
def test_shipped_prometheus_configuration_is_right(repository: Path) -> None:
    result = run("promtool", "check", "config", repository / "alert_rules/prometheus.yml")
    assert result.returncode == 0, result.stdout + result.stderr


# --- promtool -------------------------------------------------------------------------------


def complaints(text: str) -> dict[str, set[str]]:
    """What promtool finds to lint, by the sentence: the metrics that it says it of."""
    result = run("promtool", "check", "metrics", text_in=text)
    assert result.returncode in (0, 3), result.stderr  # 1: it does not parse
    assert result.stdout == ""
    found: dict[str, set[str]] = {}
    for line in result.stderr.splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        found.setdefault(match[2], set()).add(match[1])
    assert (result.returncode == 3) == bool(found)
    return found


@pytest.mark.peer("promtool", "prometheus")
def test_promtool_finds_nothing_in_the_telemetry(exporter: Exporter, agent: str) -> None:
    exporter.scrape(agent, "if_mib", "system")
    found = complaints(exporter.request("/metrics").text)
    # The names of Prometheus' client for Go, and of snmp_exporter; kept on purpose.
    assert found == {}


@pytest.mark.peer("promtool", "prometheus")
@pytest.mark.peer("prometheus-snmp-exporter", "prometheus-snmp-exporter")
@pytest.mark.parametrize("module", ["if_mib", "system"])
def test_promtool_finds_no_more_in_samples_than_in_those_of_snmp_exporter(
    exporter: Exporter, agent: str, programs: Programs, repository: Path, module: str
) -> None:
    ours = complaints(exporter.scrape(agent, module).text)
    peer = start_snmp_exporter(programs, repository, module)
    peers = complaints(peer.scrape(agent, module).text)
    more = {sentence: names - peers.get(sentence, set()) for sentence, names in ours.items()}
    assert {sentence: names for sentence, names in more.items() if names} == {}
    assert ours
