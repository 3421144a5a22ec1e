"""Make Grafana's JSON of the dashboards that are described in ``dashboards/source``.

    python tools/build_dashboards.py          write dashboards/grafana/*.json
    python tools/build_dashboards.py --check  only tell which of them are out of date

A dashboard is a YAML file: rows of panels, each with its queries. Panels stand from left to right
as written, and begin a new line where 24 columns are full. ``common.yml`` has the words, variables,
mappings and thresholds that dashboards name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

DASHBOARDS = Path(__file__).resolve().parents[1] / "dashboards"
SCHEMA_VERSION = 39
"""Of Grafana 10.4 and 11; later ones migrate it when they load it."""
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
KINDS = {
    "stat": ("stat", 4),
    "graph": ("timeseries", 8),
    "table": ("table", 8),
    "bars": ("bargauge", 8),
    "heatmap": ("heatmap", 9),
    "timeline": ("state-timeline", 8),
}
"""What a panel is called here, Grafana's name for it, and how high it is by default."""
LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
OPTIONS: Mapping[str, dict[str, Any]] = {
    "stat": {
        "reduceOptions": LAST,
        "graphMode": "area",
        "textMode": "value",
        "orientation": "auto",
        "justifyMode": "auto",
    },
    "graph": {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
    "bars": {
        "reduceOptions": LAST,
        "orientation": "horizontal",
        "displayMode": "gradient",
        "valueMode": "color",
        "showUnfilled": True,
    },
    "heatmap": {
        "calculate": False,
        "cellGap": 0,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": True},
    },
    "timeline": {
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    },
}
"""What is the same of all panels of a kind."""
WORDS = {
    *("width", "height", "query", "queries", "columns", "by", "sort", "links"),
    *("unit", "decimals", "min", "max", "stack", "mapping", "thresholds", "help"),
}

Document = dict[str, Any]


class Builder:
    """Makes dashboards with what they share."""

    def __init__(self, common: Document) -> None:
        self._common = common

    def dashboard(self, name: str, source: Document) -> Document:
        """Give Grafana's form of one dashboard."""
        return {
            "uid": f"netexporters-{name}",
            "title": source["title"],
            "description": source["description"],
            "tags": ["netexporters"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "",
            "annotations": {"list": []},
            "links": [_dashboard_list()],
            "templating": {"list": list(self._variables(source["variables"]))},
            "panels": list(self._panels(source)),
        }

    def _variables(self, names: list[str]) -> Iterator[Document]:
        for name in ("datasource", *names):
            variable = self._common["variables"][name]
            shown = {"name": variable.get("name", name), "label": variable["label"], "hide": 0}
            if variable.get("type") == "datasource":
                yield {**shown, "type": "datasource", "query": "prometheus", "refresh": 1}
                continue
            many = variable.get("many", False)
            query = {"qryType": 1, "query": variable["query"], "refId": "variable"}
            yield {
                **shown,
                "type": "query",
                "datasource": DATASOURCE,
                "definition": variable["query"],
                "query": query,
                "refresh": 2,
                "sort": 5,
                "multi": many,
                "includeAll": many,
                **(
                    {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
                    if many
                    else {}
                ),
            }

    def _panels(self, source: Document) -> Iterator[Document]:
        number = top = 0
        for title, panels in source["rows"].items():
            number += 1
            place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
            row = {"type": "row", "title": title, "collapsed": False, "panels": []}
            yield {"id": number, "gridPos": place, **row}
            top += 1
            left = line_height = 0
            for panel in panels:
                number += 1
                word = next(word for word in panel if word in KINDS)
                if unknown := panel.keys() - WORDS - {word}:
                    raise ValueError(f"{panel[word]}: a panel has no {min(unknown)!r}")
                width, height = panel["width"], panel.get("height", KINDS[word][1])
                if left + width > COLUMNS:
                    top, left, line_height = top + line_height, 0, 0
                place = {"x": left, "y": top, "w": width, "h": height}
                yield {"id": number, "gridPos": place, **self._panel(word, panel, source)}
                left, line_height = left + width, max(line_height, height)
            top += line_height

    def _panel(self, word: str, panel: Document, source: Document) -> Document:
        queries = panel.get("queries") or {"": panel["query"]} if "columns" not in panel else {
            name: column["query"] for name, column in panel["columns"].items()
        }  # fmt: skip
        instant = word in ("bars", "table")
        return {
            "type": KINDS[word][0],
            "title": panel[word],
            **({"description": panel["help"]} if "help" in panel else {}),
            "datasource": DATASOURCE,
            "interval": source["interval"],
            "targets": [
                {
                    **_target(number, legend, self.text(query), word, instant=instant),
                    # That of the panel does not reach $__rate_interval.
                    "interval": source["interval"],
                }
                for number, (legend, query) in enumerate(queries.items())
            ],
            "fieldConfig": {
                "defaults": {**self._field(panel), "custom": _custom(word, panel)},
                "overrides": list(self._overrides(panel)),
            },
            "options": _options(word, panel),
            **({"transformations": _transformations(panel)} if word == "table" else {}),
        }

    def text(self, query: str) -> str:
        """Give a query with its words replaced."""
        for word, text in self._common["words"].items():
            query = query.replace(f"<{word}>", text)
        return query

    def _field(self, described: Document) -> Document:
        """Say how a value is shown: of a panel, or of a column of a table."""
        field: Document = {
            key: described[key] for key in ("unit", "decimals", "min", "max") if key in described
        }
        if "thresholds" in described or "mapping" in described:
            # What a mapping says of a value's colour goes before these.
            first, *rest = self._common["thresholds"].get(described.get("thresholds"), ["text"])
            steps = [(None, first), *zip(rest[::2], rest[1::2], strict=True)]
            colours = [{"value": bound, "color": colour} for bound, colour in steps]
            field["color"] = {"mode": "thresholds"}
            field["thresholds"] = {"mode": "absolute", "steps": colours}
        else:
            field["color"] = {"mode": "palette-classic"}
        if "mapping" in described:
            meanings = self._common["mappings"][described["mapping"]]
            field["mappings"] = [
                {
                    "type": "value",
                    "options": {
                        str(value): {"text": text, "color": colour, "index": index}
                        for index, (value, (text, colour)) in enumerate(meanings.items())
                    },
                }
            ]
        return field

    def _overrides(self, panel: Document) -> Iterator[Document]:
        for name, column in panel.get("columns", {}).items():
            field = self._field(column)
            coloured = {"thresholds", "mapping"} & column.keys()
            if not coloured:
                del field["color"]
            properties = [{"id": key, "value": value} for key, value in field.items()]
            if coloured:
                cell = {"type": "color-text"}
                properties.append({"id": "custom.cellOptions", "value": cell})
            yield {"matcher": {"id": "byName", "options": name}, "properties": properties}
        for label, dashboard in panel.get("links", {}).items():
            own = f"var-{'interface' if label == 'ifName' else label}=${{__value.text}}"
            kept = "" if label == "device" else "&var-device=${device}"
            link = {
                "title": f"Show the {dashboard}",
                "url": f"/d/netexporters-{dashboard}?${{__url_time_range}}"
                f"&var-datasource=${{datasource}}&{own}{kept}",
            }
            properties = [{"id": "links", "value": [link]}]
            yield {"matcher": {"id": "byName", "options": label}, "properties": properties}


def _dashboard_list() -> Document:
    """Links to the other dashboards, with the same time and devices."""
    return {
        "type": "dashboards",
        "title": "netexporters",
        "tags": ["netexporters"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _target(number: int, legend: str, query: str, word: str, *, instant: bool) -> Document:
    shape = {"table": "table", "heatmap": "heatmap"}.get(word, "time_series")
    return {
        "refId": chr(ord("A") + number),
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query,
        "format": shape,
        "instant": instant,
        "range": not instant,
        "legendFormat": legend if word != "table" else "",
    }


def _custom(word: str, panel: Document) -> Document:
    if word == "graph":
        stacking = {"mode": "normal" if panel.get("stack") else "none", "group": "A"}
        fill = 40 if panel.get("stack") else 10
        return {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": fill,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": stacking,
        }
    if word == "timeline":
        return {"lineWidth": 0, "fillOpacity": 80}
    return {"align": "auto"} if word == "table" else {}


def _options(word: str, panel: Document) -> Document:
    options = dict(OPTIONS[word])
    if word == "stat":
        coloured = {"thresholds", "mapping"} & panel.keys()
        options["colorMode"] = "value" if coloured else "none"
    if word == "heatmap":
        options["yAxis"] = {"unit": panel["unit"], "axisPlacement": "left", "reverse": False}
    if word == "table":
        options["sortBy"] = [{"displayName": panel["sort"], "desc": True}]
    return options


def _transformations(panel: Document) -> list[Document]:
    """Join the queries of a table by the labels that they all have; name and order the columns."""
    names = list(panel["columns"])
    # Grafana calls a value by its query, but "Value" where there is one query alone.
    values = ["Value"] if len(names) == 1 else [f"Value #{chr(65 + n)}" for n in range(len(names))]
    order = [*panel["by"], *values]
    return [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": {name: index for index, name in enumerate(order)},
                "renameByName": dict(zip(values, names, strict=True)),
            },
        },
    ]


def build(directory: Path = DASHBOARDS) -> Mapping[Path, str]:
    """Give the text of each file of ``grafana/``."""
    source = directory / "source"
    builder = Builder(yaml.safe_load((source / "common.yml").read_text()))
    texts = {}
    for path in sorted(source.glob("*.yml")):
        if path.stem != "common":
            made = builder.dashboard(path.stem, yaml.safe_load(path.read_text()))
            texts[directory / "grafana" / f"{path.stem}.json"] = json.dumps(made, indent=1) + "\n"
    return texts


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(prog="build_dashboards", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    texts = build()
    changed = [
        path for path, text in texts.items() if not path.is_file() or path.read_text() != text
    ]
    stale = [path for path in (DASHBOARDS / "grafana").glob("*.json") if path not in texts]
    if check:
        sys.stderr.writelines(f"{path.name} is out of date\n" for path in changed + stale)
        return 1 if changed or stale else 0
    for path in changed:
        path.parent.mkdir(exist_ok=True)
        path.write_text(texts[path])
    for path in stale:
        path.unlink()
    sys.stdout.write(f"{len(texts)} dashboards, {len(changed)} changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
