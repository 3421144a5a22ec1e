"""Prometheus itself, as the tests run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import yaml

from .exporter import Exporter
from .processes import Programs, free_port


class Prometheus:
    """Prometheus with a configuration and a database of its own; *name* tells several apart."""

    def __init__(
        self, programs: Programs, configuration: Mapping[str, Any], *, name: str = "prometheus"
    ) -> None:
        folder = programs.folder / name
        folder.mkdir()
        (folder / "prometheus.yml").write_text(yaml.safe_dump(dict(configuration)))
        self.port = free_port()
        self.program = programs.start(
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        )
        # The helper for our exporter speaks plain HTTP to a local port, which is all we need.
        self._http = Exporter(self.program, self.port)
        self.program.until(self._ready, "Prometheus is ready")

    def _ready(self) -> bool:
        try:
            return self._http.request("/-/ready").status == 200
        except ConnectionError:
            return False

    def query(self, expression: str) -> list[Mapping[str, Any]]:
        answer = self._http.request(f"/api/v1/query?query={quote(expression)}")
        result: list[Mapping[str, Any]] = json.loads(answer.text)["data"]["result"]
        return result

    def samples(self, series: str, seconds: int = 300) -> list[tuple[float, float]]:
        """Give time and value of every sample of one series, of the last *seconds*."""
        (found,) = self.query(f"{series}[{seconds}s]") or [{"values": []}]
        return [(float(at), float(value)) for at, value in found["values"]]

    def wait_for(self, expression: str) -> list[Mapping[str, Any]]:
        """Wait until an expression has a result, and give it."""
        return self.program.until(lambda: self.query(expression), expression)
