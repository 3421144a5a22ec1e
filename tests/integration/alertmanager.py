"""A real Alertmanager, and an inbox for what it tells."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import yaml

from .processes import Programs, free_port

Alerts = list[dict[str, Any]]


class Inbox(BaseHTTPRequestHandler):
    """Where Alertmanager sends its notifications."""

    notifications: Alerts

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.notifications.extend(json.loads(body)["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_inbox() -> Iterator[tuple[int, Alerts]]:
    """Give the port of an inbox, and what has come."""
    alerts: Alerts = []
    handler = type("OwnInbox", (Inbox,), {"notifications": alerts})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, alerts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def start_alertmanager(programs: Programs, inbox_port: int) -> int:
    """Start one that tells at once, and give its port."""
    folder = programs.folder / "alertmanager"
    folder.mkdir()
    configuration = {
        "route": {
            "receiver": "inbox",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [
            {
                "name": "inbox",
                "webhook_configs": [{"url": f"http://127.0.0.1:{inbox_port}/"}],
            }
        ],
    }
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    programs.start(
        "prometheus-alertmanager",
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    return port


def told(alerts: Alerts, name: str, status: str) -> Alerts:
    """Give what was told of an alert, firing or resolved."""
    return [
        alert
        for alert in alerts
        if alert["labels"]["alertname"] == name and alert["status"] == status
    ]
