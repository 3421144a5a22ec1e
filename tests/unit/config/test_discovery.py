from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from exporters.config.devices import load_inventory
from exporters.config.discovery import discovery_groups


@pytest.fixture
def inventory(cases):
    return load_inventory(cases / "devices" / "full.good.yml")


def test_each_device_is_a_group(inventory):
    core, numbered, edge = discovery_groups(inventory)
    assert core == {
        "targets": ["192.0.2.1"],
        "labels": {
            "instance": "192.0.2.1",
            "device": "core-sw-01",
            "site": "seoul",
            "role": "core",
            "__param_target": "192.0.2.1",
            "__param_auth": "prod_v3",
            "__param_module": "if_mib,cisco_device",
        },
    }
    assert numbered["labels"] == {
        "instance": "switch.example",
        "device": "42",
        "__param_target": "switch.example",
    }
    assert edge["labels"]["instance"] == "edge.example"


def test_exporter_may_be_the_target_itself(inventory):
    core, *_ = discovery_groups(
        inventory, exporter_address="exporter:9116", metrics_path="/snmp", module_label=""
    )
    assert core["targets"] == ["exporter:9116"]
    assert core["labels"]["__metrics_path__"] == "/snmp"
    assert core["labels"]["__param_target"] == "192.0.2.1"
    assert "__param_module" not in core["labels"]
    assert "" not in core["labels"]


def test_snmp_may_answer_elsewhere(write):
    text = "devices: [{name: a, addresses: [192.0.2.1], snmp_target: 'tcp://192.0.2.9:1161'}]"
    (group,) = discovery_groups(load_inventory(write("devices.yml", text)))
    assert group["targets"] == ["tcp://192.0.2.9:1161"]
    assert group["labels"]["__param_target"] == "tcp://192.0.2.9:1161"
    assert group["labels"]["instance"] == "192.0.2.1"


@pytest.mark.peer("promtool", "prometheus")
@pytest.mark.parametrize("relabelled", [True, False], ids=["one rule", "no rule"])
def test_prometheus_asks_the_exporter_for_each_device(relabelled, inventory, write):
    """What the docstring promises, told by Prometheus itself (file_sd has http_sd's format)."""
    exporter = {} if relabelled else {"exporter_address": "exporter:9116"}
    groups = discovery_groups(inventory, metrics_path="/snmp", **exporter)
    rule = {"target_label": "__address__", "replacement": "exporter:9116"}
    job = {
        "job_name": "snmp",
        "file_sd_configs": [{"files": [str(write("sd.json", json.dumps(groups)))]}],
        "relabel_configs": [rule] if relabelled else [],
    }
    config = write("prometheus.yml", yaml.safe_dump({"scrape_configs": [job]}))
    found = subprocess.run(
        ["promtool", "check", "service-discovery", "--timeout=1s", str(config), "snmp"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    scraped = [target["labels"] for target in json.loads(found.stdout)]
    assert sorted((labels["device"], labels["instance"]) for labels in scraped) == [
        ("42", "switch.example"),
        ("core-sw-01", "192.0.2.1"),
        ("edge", "edge.example"),
    ]
    assert {labels["__address__"] for labels in scraped} == {"exporter:9116"}
    assert {labels["__metrics_path__"] for labels in scraped} == {"/snmp"}
    assert {labels["__param_target"] for labels in scraped} == {
        "192.0.2.1",
        "203.0.113.5",
        "switch.example",
    }
