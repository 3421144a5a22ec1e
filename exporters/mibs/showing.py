"""Objects of the dictionary as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_description import describe
from exporters.smi.mib_objects import Kind, LinkedModule, MibObject
from exporters.wire.ber import decode_subids, format_oid

_INDENT = "  "


def result_lines(found: Sequence[MibObject]) -> list[str]:
    """A line an object: name, OID, kind, type and access, in columns."""
    rows = [
        (
            item.qualified_name,
            item.dotted_oid,
            item.kind.value,
            "" if item.syntax is None else item.syntax.type_name,
            item.access if item.status == "current" else f"{item.access} ({item.status})".strip(),
        )
        for item in found
    ]
    return _columns(rows)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def object_lines(dictionary: Dictionary, item: MibObject, instance: bytes) -> list[str]:
    """Everything known of an object; with *instance*, what of an OID the object is."""
    details = describe(dictionary, item)
    metric = details.pop("metric", None)
    why_no_metric = details.pop("no_metric", None)
    lines = [item.qualified_name]
    if instance:
        numbers = ".".join(map(str, decode_subids(instance)))
        lines[0] += f", instance {numbers}"
    lines.extend(_INDENT + line for line in _columns(list(_facts(details))))
    if metric is not None:
        lines += ["", "As a metric in snmp.yml:"]
        text = yaml.safe_dump([metric], sort_keys=False, allow_unicode=True, width=1000)
        lines.extend(_INDENT + line for line in text.splitlines())
    elif why_no_metric is not None:
        lines += ["", f"It becomes no metric: {why_no_metric}."]
    return lines


def _facts(details: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("oid", "kind", "row", "access", "status", "units", "augments", "help"):
        if details.get(key):
            yield key, str(details[key])
    if "syntax" in details:
        yield from _syntax_facts("syntax", details["syntax"])
    for index in details.get("indexes", ()):
        name = f"{index['name']}{', implied' if index.get('implied') else ''}"
        yield "index", f"{name}: {_short_syntax(index['syntax'])}" if "syntax" in index else name
    for key, label in (("columns", "column"), ("objects", "object"), ("also", "also")):
        for name in details.get(key, ()):
            yield label, name


def _syntax_facts(label: str, syntax: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield label, _short_syntax(syntax)
    if "display_hint" in syntax:
        yield "hint", syntax["display_hint"]
    if "values" in syntax:
        yield "values", ", ".join(f"{number} {name}" for number, name in syntax["values"].items())


def _short_syntax(syntax: dict[str, Any]) -> str:
    """``MIB::Convention, which is BASE (ranges)``."""
    base = syntax["base"] or "a type that is not known"
    ranges = " | ".join(
        str(low) if low == high else f"{low}..{high}" for low, high in syntax.get("ranges", ())
    )
    whole = f"{base} ({ranges})" if ranges else base
    names = syntax.get("conventions", ())
    return f"{', '.join(names)}, which is {whole}" if names else whole


def module_lines(module: LinkedModule) -> list[str]:
    """What a module is, and how many objects of each kind it has."""
    counts = dict.fromkeys(Kind, 0)
    for item in module.objects:
        counts[item.kind] += 1
    kinds = ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
    rows = [
        ("SMI", f"version {module.smi_version}"),
        ("revision", module.revision or "not told"),
        ("objects", kinds or "none"),
    ]
    own_types = [item.name for item in module.conventions if item.module == module.name]
    if own_types:
        rows.append(("types", ", ".join(own_types)))
    return [module.name, *(_INDENT + line for line in _columns(rows))]


def tree_lines(dictionary: Dictionary, item: MibObject, depth: int | None, limit: int) -> list[str]:
    """What lies at and below *item*, indented, at most *limit* lines."""
    lines: list[str] = []
    for level, line in _tree(dictionary, item.oid, (item,), item.dotted_oid, depth):
        if len(lines) == limit:
            lines.append(f"... more than {limit} lines; --limit or --depth say how many")
            break
        lines.append(_INDENT * level + line)
    return lines


def _tree(
    dictionary: Dictionary,
    oid: bytes,
    objects: Iterable[MibObject],
    place: str,
    depth: int | None,
    level: int = 0,
) -> Iterator[tuple[int, str]]:
    best = next(iter(objects), None)
    yield level, f"{place} {_tree_words(best)}".rstrip()
    if depth is not None and level >= depth:
        return
    for child in dictionary.children(oid):
        last = format_oid(child.oid).rpartition(".")[2]
        yield from _tree(dictionary, child.oid, child.objects, f".{last}", depth, level + 1)


def _tree_words(item: MibObject | None) -> str:
    if item is None:
        return ""
    words = [item.qualified_name, item.kind.value]
    if item.syntax is not None:
        words.append(item.syntax.type_name)
    if item.access:
        words.append(item.access)
    if item.status != "current":
        words.append(item.status)
    return " ".join(words)
