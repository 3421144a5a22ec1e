"""Every panel of every dashboard shows something on the demo, by a real Prometheus."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.grafana import FILES, load, queries

from .namespaces import needs_root
from .processes import NETEXPORTERS, Programs, until

pytestmark = [
    needs_root,
    pytest.mark.peer("prometheus", "prometheus"),
    pytest.mark.peer("unshare", "util-linux"),
]
CHOSEN = {"device": "access-sw-02", "interface": "Uplink1"}
"""The device whose link goes down and comes up, and that answers most pings."""
PATIENCE_SECONDS = 120.0
"""Rules build on rules, and rates need two scrapes."""


@pytest.fixture(scope="module")
def prometheus(module_programs: Programs) -> Iterator[str]:
    """The address of a Prometheus that scrapes the demo."""
    folder = {"TMPDIR": str(module_programs.folder)}
    demo = module_programs.start(NETEXPORTERS, "demo", environment=folder)
    demo.until(lambda: "Ctrl-C ends the demo." in demo.output, "the demo runs")
    match = re.search(r"Prometheus +(http://[0-9.:]+)/", demo.output)
    assert match, demo.output
    yield match[1]


def ask(prometheus: str, query: str) -> list[Any]:
    url = f"{prometheus}/api/v1/query?query={urllib.parse.quote(query)}"
    with urllib.request.urlopen(url, timeout=30) as response:
        result: list[Any] = json.load(response)["data"]["result"]
    return result


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_has_data(prometheus: str, file: Path) -> None:
    for query in queries(load(file), CHOSEN):
        what = f"{query.panel} shows something: {query.text}"
        until(lambda text=query.text: ask(prometheus, text), what, PATIENCE_SECONDS)
