"""What stands on the page ``/oid`` below its search form: results, an object, a part of the tree.

A page without JavaScript is a page: every object is a link, results are a list, long lists of
children go on at another address. ``static/oid.js`` fills the same list of results while one types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import yaml

from exporters.smi.dictionary import Child, Dictionary, UnknownNameError
from exporters.smi.mib_description import describe
from exporters.smi.mib_objects import MibObject
from exporters.web.markup import Html, element, join
from exporters.web.oid_answers import (
    MOST_CHILDREN,
    Place,
    find_place,
    find_results,
    path_to,
)
from exporters.wire.ber import Oid, format_oid
from exporters.wording import counted


@dataclass(frozen=True, slots=True)
class Content:
    """A page without its frame."""

    title: str
    parts: Sequence[Html]
    status: int = 200


def build_content(dictionary: Dictionary, text: str, name: str, start: int) -> Content:
    """Build the page that the arguments, which are those of ``answer``, ask for."""
    if text:
        found = find_results(dictionary, text)
        return Content(text, [_results(found["results"], _count(found))])
    nothing_searched = _results([], "")
    if not name:
        children = _children("The root", dictionary.children(), "", start)
        return Content("", [nothing_searched, *children])
    try:
        place = find_place(dictionary, name)
    except UnknownNameError as error:
        problem = element("p", str(error), class_="bad", role="alert")
        return Content(name, [nothing_searched, problem], 404)
    title = format_oid(place.oid) if place.item is None else place.item.qualified_name
    return Content(title, [nothing_searched, *_place(dictionary, place, title, start)])


# Results


def _results(results: Sequence[Mapping[str, Any]], count: str) -> Html:
    """The list of results, which a script fills too, and the line that tells how many they are."""
    entries = (
        element("li", _link(item["name"]), element("span", _short(item), class_="hint"))
        for item in results
    )
    return join(
        element("p", count, id="oid-status", role="status"),
        element("ol", *entries, id="oid-results", class_="results", aria_label="Results"),
    )


def _count(answer: Mapping[str, Any]) -> str:
    count = len(answer["results"])
    if not count:
        return "Nothing has that in its name."
    if answer["more"]:
        return f"The first {counted(count, 'object')}."
    return f"{counted(count, 'object')}."


def _short(item: Mapping[str, Any]) -> str:
    words = (item["oid"], item["kind"], item["type"], item["access"])
    return " · ".join(filter(None, words))


def _link(name: str, text: str = "", **parameters: str) -> Html:
    return element("a", text or name, href=f"oid?{urlencode({'name': name, **parameters})}")


# A place in the tree


def _place(dictionary: Dictionary, place: Place, title: str, start: int) -> Iterator[Html]:
    yield _breadcrumbs(list(path_to(dictionary, place.node)))
    yield element("h2", title)
    if place.item is None:
        yield element("p", "This number has no name of its own; it leads to what lies below.")
    else:
        details = describe(dictionary, place.item)
        if place.instance:
            yield element("p", "The instance asked for is ", element("code", place.instance), ".")
        yield _facts(details)
        yield from _metric(details)
    children = dictionary.children(place.node)
    if children:
        yield from _children("Below it", children, format_oid(place.node), start)


def _breadcrumbs(path: Sequence[tuple[Oid, MibObject | None]]) -> Html:
    steps = [element("li", element("a", "iso", href="oid"))]
    for oid, item in path:
        number = format_oid(oid).rpartition(".")[2]
        text = number if item is None else f"{item.name} ({number})"
        if oid == path[-1][0]:
            steps.append(element("li", text, aria_current="page"))
        else:
            steps.append(element("li", _link(format_oid(oid), text)))
    return element("nav", element("ol", *steps), class_="path", aria_label="Way from the root")


def _facts(details: Mapping[str, Any]) -> Html:
    rows = (
        element("tr", element("th", heading, scope="row"), element("td", value))
        for heading, value in _fact_rows(details)
    )
    return element("div", element("table", element("tbody", *rows)), class_="table facts")


def _fact_rows(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "OID", element("code", details["oid"])
    for key in ("kind", "access", "status", "units", "help"):
        if details.get(key):
            yield key.capitalize(), details[key]
    if "syntax" in details:
        yield from _syntax_rows(details["syntax"])
    for key in ("row", "augments"):
        if key in details:
            yield key.capitalize(), _link(details[key])
    for key, heading in _LISTS:
        if key in details:
            yield heading, _list([_reference(item) for item in details[key]])


_LISTS = (
    ("indexes", "Indexes"),
    ("columns", "Columns"),
    ("objects", "Carries"),
    ("also", "Also in"),
)


def _syntax_rows(syntax: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Syntax", _syntax(syntax)
    if "display_hint" in syntax:
        yield "Display hint", element("code", syntax["display_hint"])
    if "values" in syntax:
        values = [join(f"{number} {label}") for number, label in syntax["values"].items()]
        yield "Values", _list(values, class_="plain values")


def _syntax(syntax: Mapping[str, Any]) -> str:
    """``SNMPv2-TC::DisplayString, which is OCTET STRING (0..255)``."""
    base = syntax["base"] or "a type that is not known"
    ranges = " | ".join(
        str(low) if low == high else f"{low}..{high}" for low, high in syntax.get("ranges", ())
    )
    whole = f"{base} ({ranges})" if ranges else base
    return ", which is ".join([*syntax.get("conventions", ()), whole])


def _reference(item: str | Mapping[str, Any]) -> Html:
    """A link to an object; where no module has it, its name. Of an index also its syntax."""
    if isinstance(item, str):
        return _link(item) if "::" in item else join(item)
    words = [_reference(item["name"]), ", implied" if item.get("implied") else ""]
    if "syntax" in item:
        words.append(element("span", _syntax(item["syntax"]), class_="hint"))
    return join(*words)


def _list(items: Sequence[Html], class_: str = "plain") -> Html:
    return element("ul", *(element("li", item) for item in items), class_=class_)


def _metric(details: Mapping[str, Any]) -> Iterator[Html]:
    if "metric" in details:
        text = yaml.safe_dump([details["metric"]], sort_keys=False, allow_unicode=True, width=1000)
        yield element("h2", "As a metric in snmp.yml")
        # What scrolls must be reachable by keyboard.
        yield element("pre", element("code", text), tabindex="0", aria_label="Metric")
    elif "no_metric" in details:
        yield element("p", f"It becomes no metric: {details['no_metric']}.")


# Children


_CHILD_COLUMNS = ("OID", "Name", "Kind", "Type", "Access")


def _children(title: str, children: Sequence[Child], above: str, start: int) -> Iterator[Html]:
    shown = children[start : start + MOST_CHILDREN]
    heading = element("tr", *(element("th", word, scope="col") for word in _CHILD_COLUMNS))
    table = element("table", element("thead", heading), element("tbody", *map(_child_row, shown)))
    yield element("h2", title)
    yield element("div", table, class_="table")
    following = start + len(shown)
    if following < len(children):
        rest = f"{len(children) - following} more"
        yield element("p", _link(above, rest, start=str(following)))


def _child_row(child: Child) -> Html:
    oid = format_oid(child.oid)
    best = child.objects[0] if child.objects else None
    if best is None:
        return element("tr", element("td", _link(oid)), element("td", "no name", colspan="4"))
    return element(
        "tr",
        element("td", element("code", oid)),
        element("td", _link(best.qualified_name)),
        element("td", best.kind.value),
        element("td", "" if best.syntax is None else best.syntax.type_name),
        element("td", best.access),
    )
