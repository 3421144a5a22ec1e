"""Grafana's dashboards: they are those of their source, and what Grafana takes."""

from __future__ import annotations

import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.grafana import BUILT_IN, FILES, VARIABLE, load, queries, variables
from tools.build_dashboards import build

UNITS = {
    *("s", "dtdurations", "dateTimeFromNow"),
    *("bps", "Bps", "bytes", "decbytes", "pps", "cps", "eps"),
    "percentunit",
}
"""Ids of Grafana's value formats, of those that are in use here."""
PANELS = {"row", "stat", "timeseries", "table", "bargauge", "heatmap", "state-timeline"}
CHOSEN = {"device": "d", "interface": "i"}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_there_is_a_dashboard_for_each_view() -> None:
    assert {file.stem for file in FILES} == {
        *("fleet", "device", "interface", "latency", "events", "rmon", "exporters")
    }


def test_dashboards_are_those_of_their_source() -> None:
    texts = build()
    assert {path: path.read_text() for path in FILES} == texts


def test_words_that_a_panel_does_not_have_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    panel = {"stat": "Up", "width": 4, "query": "up", "colour": "red"}
    description = {"title": "A", "description": "B", "interval": "1m", "variables": []}
    (source / "a.yml").write_text(yaml.safe_dump({**description, "rows": {"Now": [panel]}}))
    common = {"words": {}, "variables": {"datasource": {"type": "datasource", "label": "D"}}}
    (source / "common.yml").write_text(yaml.safe_dump({**common, "mappings": {}, "thresholds": {}}))
    with pytest.raises(ValueError, match="Up: a panel has no 'colour'"):
        build(tmp_path)


def test_ids_are_unique(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        letters = [target["refId"] for target in panel.get("targets", ())]
        assert len(letters) == len(set(letters)), panel["title"]


def test_dashboard_is_one_that_grafana_takes(dashboard: dict[str, Any]) -> None:
    assert dashboard["schemaVersion"] == 39
    assert re.fullmatch(r"[a-z-]{1,40}", dashboard["uid"])
    assert "id" not in dashboard, "it is the database's"
    assert {panel["type"] for panel in dashboard["panels"]} <= PANELS


def test_data_come_from_the_source_that_is_chosen(dashboard: dict[str, Any]) -> None:
    assert variables(dashboard)["datasource"]["type"] == "datasource"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [variable for variable in variables(dashboard).values() if variable["type"] == "query"]
    asking += [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    asking += [target for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert [item for item in asking if item["datasource"] != chosen] == []


def test_panels_lie_side_by_side(dashboard: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)

    def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
        return all(
            one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
            for at, size in (("x", "w"), ("y", "h"))
        )

    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


def test_every_variable_is_defined_and_used(dashboard: dict[str, Any]) -> None:
    known = variables(dashboard)
    asked = [query["definition"] for query in known.values() if query["type"] == "query"]
    asked += [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    used = {name for text in asked for name in VARIABLE.findall(text)}
    assert used - set(BUILT_IN) - set(known) == set()
    assert set(known) - used == {"datasource"}


def test_rates_have_samples_whatever_the_data_source_says_of_scraping(
    dashboard: dict[str, Any],
) -> None:
    """``$__rate_interval`` is four minimum steps of the query, or of the source; of no panel."""
    asking = [target for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert [t["expr"] for t in asking if t.get("interval") not in ("15s", "30s", "1m")] == []


def test_every_unit_is_one_of_grafana(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        field = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        units = [field["defaults"].get("unit", "s")]
        units += [
            item["value"]
            for override in field["overrides"]
            for item in override["properties"]
            if item["id"] == "unit"
        ]
        assert set(units) <= UNITS, panel["title"]


def test_every_link_leads_to_a_dashboard_and_its_variables(dashboard: dict[str, Any]) -> None:
    known = {load(file)["uid"]: set(variables(load(file))) for file in FILES}
    links = [
        link["url"]
        for panel in dashboard["panels"]
        for override in panel.get("fieldConfig", {}).get("overrides", ())
        for item in override["properties"]
        if item["id"] == "links"
        for link in item["value"]
    ]
    for link in links:
        uid, _, rest = link.removeprefix("/d/").partition("?")
        assert set(re.findall(r"var-([a-z]+)=", rest)) <= known[uid]
        assert "${__url_time_range}" in rest
    (others,) = dashboard["links"]
    assert others["tags"] == dashboard["tags"]


def test_every_dashboard_is_linked_to_by_its_tag() -> None:
    assert {tuple(load(file)["tags"]) for file in FILES} == {("netexporters",)}


@pytest.mark.peer("promtool", "prometheus")
def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": "a", "expr": query.text, "labels": {"n": f"{file.stem} {query.panel}"}}
        for file in FILES
        for query in queries(load(file), CHOSEN)
    ]
    assert len(rules) > 100
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    command = ["promtool", "check", "rules", "--lint=none", str(path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
