"""Grafana's dashboards as tests read them: their panels, and their queries with values put in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

DASHBOARDS = Path(__file__).resolve().parents[1] / "dashboards" / "grafana"
FILES = sorted(DASHBOARDS.glob("*.json"))
BUILT_IN = {"__rate_interval": "1m", "__range": "10m"}
VARIABLE = re.compile(r"\$\{?([a-z_]+)\}?")


LABEL = re.compile(r"\{\{([a-zA-Z_]+)\}\}")


class Query(NamedTuple):
    panel: str
    number: str
    text: str
    labels: set[str]
    """Those that the legend names."""


def load(file: Path) -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(file.read_text())
    return dashboard


def variables(dashboard: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def queries(dashboard: Mapping[str, Any], chosen: Mapping[str, str]) -> Iterator[Query]:
    """Every query of a dashboard, with "All" of what can be, and *chosen* of the rest."""
    values = dict(BUILT_IN)
    for name, variable in variables(dashboard).items():
        values[name] = variable["allValue"] if variable.get("includeAll") else chosen.get(name, "")
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            text = VARIABLE.sub(lambda match: values[match[1]], target["expr"])
            labels = set(LABEL.findall(target["legendFormat"]))
            yield Query(panel["title"], target["refId"], text, labels)
