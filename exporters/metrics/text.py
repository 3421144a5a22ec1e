"""The text Prometheus reads, in small parts: escapes, numbers, label sets and family headers.

Samples of devices are written with these by hand, because a scrape has thousands of them and an
object for each costs more than all the rest; the exporters' own telemetry goes through
prometheus_client. Metrics have the same names in both formats. That is why a counter without
``_total`` is no counter in OpenMetrics, which would demand the suffix, but ``unknown``.

Not here: which samples there are, and whether two of them are the same.

Sources: Prometheus text format 0.0.4 and its data model (names), OpenMetrics 1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from math import isfinite

from exporters.metrics.negotiation import TextFormat

OPENMETRICS_END = "# EOF\n"
"""What an exposition in OpenMetrics must end with."""


class FamilyType(StrEnum):
    """A type of metric that both formats know; its value is Prometheus' word."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNTYPED = "untyped"


_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


def is_metric_name(name: str) -> bool:
    """Whether every version of Prometheus takes *name* as the name of a metric."""
    return _METRIC_NAME.fullmatch(name) is not None


def is_label_name(name: str) -> bool:
    """Whether *name* may be a label; names that begin with two underscores are Prometheus' own."""
    return _LABEL_NAME.fullmatch(name) is not None


def escape_label_value(value: str) -> str:
    r"""Escape backslash, quote and line feed: ``\\``, ``\"``, ``\n``."""
    if "\\" in value:  # Before the others, which put backslashes in
        value = value.replace("\\", r"\\")
    if '"' in value:
        value = value.replace('"', r"\"")
    if "\n" in value:
        value = value.replace("\n", r"\n")
    return value


def escape_help(help_text: str, text_format: TextFormat) -> str:
    r"""Escape backslash and line feed, and in OpenMetrics the quote too."""
    if text_format is TextFormat.OPENMETRICS:
        return escape_label_value(help_text)
    return help_text.replace("\\", r"\\").replace("\n", r"\n")


def label_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Write a label set; nothing for no labels.

    Names are not checked and the order is kept. Write the text once per row, not once per sample.

    Example: ``label_text([("ifIndex", "1"), ("ifDescr", "lo")])`` gives
    ``{ifIndex="1",ifDescr="lo"}``.
    """
    labels = [
        f'{name}="{escape_label_value(value)}"'
        if "\\" in value or '"' in value or "\n" in value
        else f'{name}="{value}"'
        for name, value in pairs
    ]
    return "{" + ",".join(labels) + "}" if labels else ""


def format_value(value: int | float) -> str:
    """Write a number so that it reads back as the same float64.

    Integers in full, floats with as few digits as they need, ``+Inf``, ``-Inf``, ``NaN``.
    """
    if type(value) is int:
        return str(value)
    number = float(value)
    if isfinite(number):
        return repr(number).removesuffix(".0")
    if number > 0:
        return "+Inf"
    return "-Inf" if number < 0 else "NaN"


def family_header(
    name: str, family_type: FamilyType, help_text: str, text_format: TextFormat
) -> str:
    """Write the HELP and TYPE lines that stand before the samples of a family.

    Args:
        name: The name of the samples, with ``_total`` where a counter has it.
        family_type: The type; see above for counters without ``_total`` in OpenMetrics.
        help_text: What the metric is; no HELP line where it is empty.
        text_format: The format to write.
    """
    type_word = family_type.value
    if text_format is TextFormat.OPENMETRICS:
        if family_type is FamilyType.UNTYPED:
            type_word = "unknown"
        elif family_type is FamilyType.COUNTER:
            if not name.endswith("_total"):
                type_word = "unknown"
            name = name.removesuffix("_total")  # The family has no suffix, its samples have it
    help_line = f"# HELP {name} {escape_help(help_text, text_format)}\n" if help_text else ""
    return f"{help_line}# TYPE {name} {type_word}\n"
