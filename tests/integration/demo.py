"""A demo that runs, for tests of what is made of its metrics."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from typing import Any

from .processes import NETEXPORTERS, Programs

DEVICE = "access-sw-02"
"""It answers most pings, and logs and sends traps of a link that goes down and comes up."""
LINK = "Uplink1"


class DemoPrometheus:
    """The Prometheus of a demo."""

    def __init__(self, programs: Programs) -> None:
        demo = programs.start(NETEXPORTERS, "demo", environment={"TMPDIR": str(programs.folder)})
        demo.until(lambda: "Ctrl-C ends the demo." in demo.output, "the demo runs")
        match = re.search(r"Prometheus +(http://[0-9.:]+)/", demo.output)
        assert match, demo.output
        self.url = match[1]

    def fetch(self, path: str, **parameters: str) -> str:
        """Give the text of a page."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=30) as response:
            text: str = response.read().decode()
        return text

    def query(self, expression: str) -> list[Any]:
        """Give what an expression comes to now."""
        answer = self.fetch("/api/v1/query", query=expression)
        result: list[Any] = json.loads(answer)["data"]["result"]
        return result
