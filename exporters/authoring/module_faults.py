"""What in a module can never have an effect, whichever way it is written.

Each check is a function of its own, and ``module_faults`` lists them. A fault is told at its place
in ``snmp.yml``: ``metrics[3].lookups[0]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from exporters.config.re2 import Regex
from exporters.config.rejection import Fault, quote
from exporters.config.snmp_metric import Metric, row_label_names
from exporters.config.snmp_module import Module
from exporters.smi.addresses import SUBTYPED_TYPES
from exporters.smi.subtrees import covering, outermost
from exporters.wire.ber import Oid, format_oid, parent_oid

_STRING_TYPES = frozenset(
    (
        "DisplayString", "InetAddress", "InetAddressIPv4", "InetAddressIPv6",
        "InetAddressMissingSize", "LldpPortId", "OctetString", "PhysAddress48",
    )
)  # fmt: skip
_ENUM_TYPES = frozenset(("Bits", "EnumAsInfo", "EnumAsStateSet"))


def module_faults(module: Module) -> Iterator[Fault]:
    """Give everything in *module* that can have no effect."""
    yield from _metrics_not_read(module)
    yield from _lookups_not_read(module)
    yield from _walked_for_nothing(module)
    yield from _options_without_effect(module)
    yield from _patterns_that_never_match(module)
    yield from _filters_without_effect(module)
    yield from _metrics_twice(module)
    yield from _columns_twice(module)


class _Read:
    """What a module reads."""

    def __init__(self, module: Module) -> None:
        self._roots = outermost(module.walk)
        self._parts = [*module.get, *module.walk]
        for item in module.filters:
            self._parts += item.targets

    def has(self, oid: Oid) -> bool:
        """Whether anything of a column or scalar is read."""
        if covering(self._roots, oid) is not None:
            return True
        return any(part.startswith(oid) for part in self._parts)


def _metrics_not_read(module: Module) -> Iterator[Fault]:
    read = _Read(module)
    for place, metric in enumerate(module.metrics):
        if not read.has(metric.oid):
            problem = f"nothing reads {metric.name}, {format_oid(metric.oid)}"
            yield Fault(problem, "add it below walk", at=("metrics", place))


def _lookups_not_read(module: Module) -> Iterator[Fault]:
    read = _Read(module)
    for place, metric in enumerate(module.metrics):
        for number, lookup in enumerate(metric.lookups):
            if lookup.oid and not read.has(lookup.oid):
                problem = f"nothing reads {lookup.labelname}, {format_oid(lookup.oid)}"
                hint = f"the label is always empty in {metric.name}: add its OID below walk"
                yield Fault(problem, hint, at=("metrics", place, "lookups", number))


def _walked_for_nothing(module: Module) -> Iterator[Fault]:
    lookups = [item for metric in module.metrics for item in metric.lookups]
    lookups += [item for constant in module.constants for item in constant.lookups]
    compared = [column for item in module.where for column in item.columns]
    read = [
        *((item.oid, item.type) for item in module.metrics),
        *((item.oid, item.type) for item in lookups if item.oid),
        *((item.oid, item.type) for item in compared),
        *((item.oid, "") for item in module.filters),
    ]
    needed = {oid for oid, _ in read}
    subtyped = any(kind in SUBTYPED_TYPES for _, kind in read)
    for key, oids in (("walk", module.walk), ("get", module.get)):
        for place, oid in enumerate(oids):
            if subtyped or any(part.startswith(oid) or oid.startswith(part) for part in needed):
                continue
            problem = f"no metric, lookup or filter needs {format_oid(oid)}"
            yield Fault(problem, "drop it, or add a metric", at=(key, place))


def _options_without_effect(module: Module) -> Iterator[Fault]:
    for place, metric in enumerate(module.metrics):
        for key, why in _idle_options(metric):
            problem = f"{key} has no effect on {metric.name}, {why}"
            yield Fault(problem, at=("metrics", place, key))


def _idle_options(metric: Metric) -> Iterator[tuple[str, str]]:
    kind = metric.type
    if metric.display_hint and kind != "OctetString":
        yield "display_hint", f"which is a {kind} and no OctetString"
    if metric.regex_extracts and kind not in _STRING_TYPES:
        yield "regex_extracts", f"which is a {kind} and no string"
    if metric.datetime_pattern and kind != "ParseDateAndTime":
        yield "datetime_pattern", f"which is a {kind} and no ParseDateAndTime"
    if kind in _ENUM_TYPES:
        for key in ("scale", "offset"):
            if getattr(metric, key):
                yield key, f"which is a {kind}"
        if not metric.enum_values:
            yield "type", f"whose numbers have no names: {kind} needs some"


def _patterns_that_never_match(module: Module) -> Iterator[Fault]:
    """Numbers with names come as digits; patterns for the names match none of them."""
    for place, metric in enumerate(module.metrics):
        if metric.type not in _STRING_TYPES or not metric.enum_values:
            continue
        for suffix, extracts in metric.regex_extracts.items():
            for number, extract in enumerate(extracts):
                if extract.regex is not None and not _matches_any(
                    extract.regex, metric.enum_values
                ):
                    yield _never_matches(
                        extract.regex,
                        metric.enum_values,
                        ("metrics", place, "regex_extracts", suffix, number),
                    )


def _matches_any(regex: Regex, numbers: Iterable[int]) -> bool:
    return any(regex.search(str(number)) for number in numbers)


def _never_matches(regex: Regex, names: Mapping[int, str], at: tuple[str | int, ...]) -> Fault:
    shown = ", ".join(f"{number} is {name}" for number, name in list(names.items())[:5])
    problem = f"{quote(regex.source)} matches no number that the value may be"
    return Fault(problem, f"values are compared as digits: {shown}", at)


def _filters_without_effect(module: Module) -> Iterator[Fault]:
    names = {metric.oid: metric.enum_values for metric in module.metrics if metric.enum_values}
    needed = {metric.oid for metric in module.metrics}
    for place, item in enumerate(module.filters):
        at = ("filters", place)
        for number, target in enumerate(item.targets):
            if not any(oid.startswith(target) or target.startswith(oid) for oid in needed):
                problem = f"no metric reads {format_oid(target)}, which this filter is for"
                yield Fault(problem, "drop it", at=(*at, "targets", number))
        if item.oid in names:
            for number, regex in enumerate(item.values):
                if not _matches_any(regex, names[item.oid]):
                    yield _never_matches(regex, names[item.oid], (*at, "values", number))


def _metrics_twice(module: Module) -> Iterator[Fault]:
    """Of two metrics with one name, the second is dropped for rows with the same labels."""
    seen: dict[tuple[str, frozenset[str]], Metric] = {}
    found: dict[tuple[Oid, Oid], list[tuple[int, str]]] = {}
    for place, metric in enumerate(module.metrics):
        for name in emitted_names(metric):
            first = seen.setdefault((name, labels_of(metric)), metric)
            if first is not metric:
                tables = parent_oid(first.oid), parent_oid(metric.oid)
                found.setdefault(tables, []).append((place, name))
    for (first_table, second_table), repeated in found.items():
        place, name = repeated[0]
        more = f" and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        problem = (
            f"{name}{more} below {format_oid(second_table)} have the names and labels of those "
            f"below {format_oid(first_table)}"
        )
        hint = "where a device has both, the former are dropped: override their names"
        yield Fault(problem, hint, at=("metrics", place))


def _columns_twice(module: Module) -> Iterator[Fault]:
    """One column under one name, with other labels the second time: each row is served twice."""
    seen: dict[tuple[Oid, str], Metric] = {}
    for place, metric in enumerate(module.metrics):
        for name in emitted_names(metric):
            first = seen.setdefault((metric.oid, name), metric)
            if first is not metric and labels_of(first) != labels_of(metric):
                problem = f"{name} is there twice, with the labels {_listed(first)} and "
                problem += _listed(metric)
                hint = "sums would count each row twice: drop one of them"
                yield Fault(problem, hint, at=("metrics", place))


def _listed(metric: Metric) -> str:
    return ", ".join(sorted(labels_of(metric)))


def emitted_names(metric: Metric) -> list[str]:
    """The names of the samples that a metric gives."""
    if metric.regex_extracts and metric.type in _STRING_TYPES:
        return [metric.name + suffix for suffix in metric.regex_extracts]
    return [f"{metric.name}_info"] if metric.type == "EnumAsInfo" else [metric.name]


def labels_of(metric: Metric) -> frozenset[str]:
    """The labels of a metric but for the one that holds its own value."""
    return frozenset(row_label_names(metric.indexes, metric.lookups))
