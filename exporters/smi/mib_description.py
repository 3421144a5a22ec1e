"""Everything known of an object of a MIB, as plain values: for JSON, for a page, for a terminal.

Sources: none; the words are those of RFC 2578 and of snmp_exporter's configuration.
"""

from __future__ import annotations

from typing import Any

from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import IndexShape, MetricShape, NoMetricError, metric_of
from exporters.smi.mib_objects import IndexPart, Kind, MibObject, Syntax

_VALUE_KINDS = frozenset((Kind.COLUMN, Kind.SCALAR))


def summarize(item: MibObject) -> dict[str, Any]:
    """Describe an object in short: what a list of results shows of it."""
    return {
        "name": item.qualified_name,
        "oid": item.dotted_oid,
        "kind": item.kind.value,
        "type": "" if item.syntax is None else item.syntax.type_name,
        "access": item.access,
        "status": item.status,
        "help": item.help,
    }


def describe(dictionary: Dictionary, item: MibObject) -> dict[str, Any]:
    """Describe an object in full: what its module says, its relations, and its metric.

    Parts that the object does not have are left out.
    """
    row = dictionary.row_of(item)
    others = [other for other in dictionary.at(item.oid) if other != item]
    details = {
        **summarize(item),
        "units": item.units,
        "syntax": None if item.syntax is None else describe_syntax(item.syntax),
        "row": row.qualified_name if row is not None and row != item else "",
        "augments": item.augments,
        "indexes": [_index(part, found) for part, found in dictionary.indexes_of(item)],
        "columns": [column.qualified_name for column in dictionary.columns_of(item)],
        "objects": list(item.objects),
        "also": [other.qualified_name for other in others],
    }
    details = {key: value for key, value in details.items() if value not in ("", None, [])}
    if item.kind in _VALUE_KINDS:
        try:
            details["metric"] = describe_metric(metric_of(dictionary, item))
        except NoMetricError as error:
            details["no_metric"] = str(error)
    return details


def describe_syntax(syntax: Syntax) -> dict[str, Any]:
    """Describe a syntax: its type, what that is built on, and what it allows."""
    details: dict[str, Any] = {"type": syntax.type_name, "base": syntax.base}
    details["conventions"] = [item.qualified_name for item in syntax.conventions()]
    details["display_hint"] = syntax.display_hint
    details["ranges"] = [list(bounds) for bounds in syntax.effective_ranges]
    details["values"] = {str(number): label for number, label in syntax.enumeration}
    return {key: value for key, value in details.items() if value or key == "base"}


def describe_metric(metric: MetricShape) -> dict[str, Any]:
    """Describe a metric with the keys that it has in ``snmp.yml``."""
    details: dict[str, Any] = {
        "name": metric.name,
        "oid": metric.oid,
        "type": metric.type,
        "help": metric.help,
    }
    if metric.indexes:
        details["indexes"] = [_index_shape(index) for index in metric.indexes]
    if metric.enum_values:
        details["enum_values"] = dict(metric.enum_values)
    return details


def _index_shape(index: IndexShape) -> dict[str, Any]:
    details: dict[str, Any] = {"labelname": index.labelname, "type": index.type}
    if index.fixed_size:
        details["fixed_size"] = index.fixed_size
    if index.implied:
        details["implied"] = True
    if index.enum_values:
        details["enum_values"] = dict(index.enum_values)
    return details


def _index(part: IndexPart, found: MibObject | None) -> dict[str, Any]:
    details: dict[str, Any] = {"name": part.qualified_name}
    if found is not None and found.syntax is not None:
        details["syntax"] = describe_syntax(found.syntax)
    if part.implied:
        details["implied"] = True
    return details
