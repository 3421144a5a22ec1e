"""A real Prometheus and a real Alertmanager: what is told of a link that goes down and comes up."""

from __future__ import annotations

import socket

import pytest
import yaml

from .alertmanager import Alerts, start_alertmanager, told
from .processes import Programs, until
from .test_prometheus import Prometheus
from .trap_exporter import LINK_DOWN, LINK_UP, TrapExporter, link_trap, snmptrap

pytestmark = [
    pytest.mark.peer("prometheus", "prometheus"),
    pytest.mark.peer("prometheus-alertmanager", "prometheus-alertmanager"),
    pytest.mark.peer("snmptrap", "snmp"),
]

CONFIG = """
events: {scrape_interval: 1s}
users:
  - {username: nms, password: authentic1, priv_password: private123}
"""
AUTH_PRIV = ("-l", "authPriv", "-a", "SHA", "-A", "authentic1", "-x", "AES", "-X", "private123")

RULE = {
    "groups": [
        {
            "name": "traps",
            "interval": "1s",
            "rules": [
                {
                    "alert": "LinkDown",
                    # While the exporter restarts there are no samples: the last one holds.
                    "expr": 'last_over_time(network_event_active{event="link"}[5m]) == 1',
                },
                {
                    "alert": "FirstTrap",
                    "expr": 'increase(snmp_trap_received_total{trap="linkDown"}[1m]) > 0',
                },
            ],
        }
    ]
}


def link_trap_v3(*security: str) -> bytes:
    """The linkDown of another interface, as snmptrap sends it."""
    row = "1.3.6.1.2.1.2.2.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as recorder:
        recorder.bind(("127.0.0.1", 0))
        recorder.settimeout(10)
        target = f"127.0.0.1:{recorder.getsockname()[1]}"
        words = ("-v", "3", "-e", "0x80001f8804746573", "-Z", "3,600", "-u", "nms", *security)
        values = (f"{row}.1.8", "i", "8", f"{row}.2.8", "s", "Gi0/8")
        result = snmptrap(*words, target, "4000", LINK_DOWN, *values)
        assert result.returncode == 0, result.stderr
        return recorder.recv(65535)


def send(target: str, content: bytes) -> None:
    host, _, port = target.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(content, (host, int(port)))


def test_first_link_down_fires_once_and_resolves_whatever_happens_to_the_exporter(
    programs: Programs, inbox: tuple[int, Alerts]
) -> None:
    inbox_port, alerts = inbox
    exporter = TrapExporter(programs, CONFIG)
    (programs.folder / "traps.rules.yml").write_text(yaml.safe_dump(RULE))
    alertmanager = start_alertmanager(programs, inbox_port)
    prometheus = Prometheus(
        programs,
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": [str(programs.folder / "traps.rules.yml")],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
            },
            "scrape_configs": [
                {
                    "job_name": "traps",
                    "honor_labels": True,
                    "static_configs": [{"targets": [f"127.0.0.1:{exporter.http.port}"]}],
                }
            ],
        },
    )

    prometheus.wait_for('up{job="traps"} == 1')
    link_trap(exporter.target)
    (alert,) = until(lambda: told(alerts, "LinkDown", "firing"), "the alert fires")
    assert (alert["labels"]["device"], alert["labels"]["instance"]) == ("switch-1", "Gi0/7")
    assert until(lambda: told(alerts, "FirstTrap", "firing"), "the first trap ever is an increase")

    web_port = exporter.http.port
    exporter.program.kill()
    prometheus.wait_for('up{job="traps"} == 0')
    exporter.start(web_port)
    prometheus.wait_for('up{job="traps"} == 1')
    prometheus.wait_for('network_event_active{device="switch-1",instance="Gi0/7"} == 1')
    assert len(told(alerts, "LinkDown", "firing")) == 1
    assert told(alerts, "LinkDown", "resolved") == []

    link_trap(exporter.target, LINK_UP, uptime=2000)
    assert len(until(lambda: told(alerts, "LinkDown", "resolved"), "the alert resolves")) == 1
    assert len(told(alerts, "LinkDown", "firing")) == 1

    # Version 3: the trap of a link, recorded by somebody, who plays it back when the link is up.
    recorded = link_trap_v3(*AUTH_PRIV)
    send(exporter.target, recorded)
    until(lambda: len(told(alerts, "LinkDown", "firing")) == 2, "a trap of version 3 fires")
    link_trap(exporter.target, LINK_UP, index=8, uptime=5000)
    until(lambda: len(told(alerts, "LinkDown", "resolved")) == 2, "it resolves")
    send(exporter.target, recorded)
    exporter.program.kill()
    exporter.start(web_port)
    send(exporter.target, recorded)
    send(exporter.target, link_trap_v3("-l", "noAuthNoPriv"))
    exporter.wait_for_outcome("time_window", 1)
    exporter.wait_for_outcome("level_too_low", 1)
    assert exporter.outcome("accepted") == 0
    prometheus.wait_for('snmp_trap_outcomes_total{outcome="level_too_low"} offset 3s == 1')
    assert len(told(alerts, "LinkDown", "firing")) == 2
