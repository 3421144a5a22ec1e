"""Dashboards ask for nothing that no golden scrape has and no rule records."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grafana import FILES, load, queries, variables

from .metric_names import faults_of

CHOSEN = {"device": ".+", "interface": "lo0"}

PANELS = [
    pytest.param(query.text, id=f"{file.stem}-{query.panel}")
    for file in FILES
    for query in queries(load(file), CHOSEN)
]


@pytest.mark.parametrize("query", PANELS)
def test_series_and_labels_of_a_panel_are_in_a_golden_scrape(query: str) -> None:
    assert faults_of(query) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_series_and_labels_of_variables_are_in_a_golden_scrape(file: Path) -> None:
    for variable in variables(load(file)).values():
        text = str(variable.get("query", ""))
        if text.startswith("label_values("):
            series, _, label = text.removeprefix("label_values(").rpartition(")")[0].rpartition(",")
            assert faults_of(f"group by ({label.strip()}) ({series or 'up'})") == []
