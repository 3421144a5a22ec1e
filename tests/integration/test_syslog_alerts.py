"""A real Prometheus and a real Alertmanager: what is told of a link that a device logs."""

from __future__ import annotations

import socket

import pytest
import yaml

from .alertmanager import Alerts, start_alertmanager, told
from .processes import Programs, until
from .syslog_exporter import SyslogExporter
from .test_prometheus import Prometheus

pytestmark = [
    pytest.mark.peer("prometheus", "prometheus"),
    pytest.mark.peer("prometheus-alertmanager", "prometheus-alertmanager"),
]

MESSAGE = (
    "<187>{number}: Mar 14 09:26:53: %LINK-3-UPDOWN: Interface Gi0/7, changed state to {state}"
)
RULES = {
    "groups": [
        {
            "name": "syslog",
            "interval": "1s",
            "rules": [
                {
                    "alert": "LinkDown",
                    # While the exporter restarts there are no samples: the last one holds.
                    "expr": 'last_over_time(network_event_active{event="link"}[5m]) == 1',
                },
                {
                    "alert": "FirstMessage",
                    "expr": 'increase(syslog_vendor_events_total{event="LINK-3-UPDOWN"}[1m]) > 0',
                },
                {
                    "alert": "FirstEvent",
                    "expr": 'increase(network_events_total{event="link"}[1m]) > 0',
                },
            ],
        }
    ]
}


def send(exporter: SyslogExporter, state: str, number: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        message = MESSAGE.format(state=state, number=number)
        sender.sendto(message.encode(), ("127.0.0.1", exporter.ports["udp"]))


def test_first_link_down_fires_once_and_resolves_whatever_happens_to_the_exporter(
    programs: Programs, inbox: tuple[int, Alerts]
) -> None:
    inbox_port, alerts = inbox
    exporter = SyslogExporter(programs, config="events: {scrape_interval: 1s}\n")
    (programs.folder / "syslog.rules.yml").write_text(yaml.safe_dump(RULES))
    alertmanager = start_alertmanager(programs, inbox_port)
    prometheus = Prometheus(
        programs,
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": [str(programs.folder / "syslog.rules.yml")],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
            },
            "scrape_configs": [
                {
                    "job_name": "syslog",
                    "honor_labels": True,
                    "static_configs": [{"targets": [f"127.0.0.1:{exporter.http.port}"]}],
                }
            ],
        },
    )

    prometheus.wait_for('up{job="syslog"} == 1')
    send(exporter, "down", 1)
    (alert,) = until(lambda: told(alerts, "LinkDown", "firing"), "the alert fires")
    assert (alert["labels"]["device"], alert["labels"]["instance"]) == ("switch-1", "Gi0/7")
    assert until(lambda: told(alerts, "FirstMessage", "firing"), "the first message is an increase")
    assert until(lambda: told(alerts, "FirstEvent", "firing"), "the first event is an increase")

    web_port = exporter.http.port
    exporter.http.program.kill()
    prometheus.wait_for('up{job="syslog"} == 0')
    exporter.start(web_port)
    prometheus.wait_for('up{job="syslog"} == 1')
    prometheus.wait_for('network_event_active{device="switch-1",instance="Gi0/7"} == 1')
    assert len(told(alerts, "LinkDown", "firing")) == 1
    assert told(alerts, "LinkDown", "resolved") == []

    send(exporter, "up", 2)
    assert len(until(lambda: told(alerts, "LinkDown", "resolved"), "the alert resolves")) == 1
    assert len(told(alerts, "LinkDown", "firing")) == 1
