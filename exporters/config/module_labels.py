"""What is wrong with the labels of a whole module: those that clash, rules that are for nothing.

Labels come about in this order: indexes, lookups, static labels, rewriting rules; the label that
holds a value stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from exporters.config.rejection import Fault, quote, suggest
from exporters.config.snmp_metric import Metric, row_label_names, value_label_of
from exporters.config.snmp_relabel import Relabel
from exporters.config.snmp_rows import Constant, RowFilter
from exporters.smi.subtrees import covering, outermost
from exporters.wire.ber import Oid, format_oid


def label_faults(
    metrics: Sequence[Metric],
    constants: Sequence[Constant],
    labels: Mapping[str, str],
    relabel: Sequence[Relabel],
) -> Iterator[Fault]:
    """Give what is wrong with static labels, and with rules that rewrite labels."""
    yield from _static_clashes(metrics, constants, labels)
    if relabel:
        yield from _rules_for_nothing(metrics, constants, labels, relabel)


def row_faults(
    metrics: Sequence[Metric],
    constants: Sequence[Constant],
    where: Sequence[RowFilter],
    walk: Iterable[Oid],
) -> Iterator[Fault]:
    """Give what is wrong with conditions on rows, and with constants."""
    indexes = {tuple(index.labelname for index in metric.indexes) for metric in metrics}
    roots = outermost(walk)
    for place, item in enumerate(where):
        if not any(set(item.labels) <= set(names) for names in indexes):
            problem = f"no metric has the index {' and '.join(item.labels)}"
            known = sorted({name for names in indexes for name in names})
            hint = suggest(item.labels[0], known, "indexes of this module")
            yield Fault(problem, hint, at=("where", place, "labels"))
        for number, column in enumerate(item.columns):
            if covering(roots, column.oid) is None:
                problem = f"nothing walks {column.name}, {format_oid(column.oid)}"
                at = ("where", place, "columns", number, "oid")
                yield Fault(problem, "add it below walk", at=at)
    yield from _constant_clashes(metrics, constants)


def _constant_clashes(metrics: Sequence[Metric], constants: Sequence[Constant]) -> Iterator[Fault]:
    names = {metric.name for metric in metrics}
    oids = [metric.oid for metric in metrics]
    for place, item in enumerate(constants):
        if any(item == before for before in constants[:place]):
            problem = f"the constant {item.name} is there already"
            yield Fault(problem, "drop one of them", at=("constants", place))
        if item.name in names:
            problem = f"the module has a metric {item.name} already"
            yield Fault(problem, "name the constant otherwise", at=("constants", place, "name"))
        for number, oid in enumerate(item.rows_of):
            if oid not in oids:
                problem = f"{format_oid(oid)} is no metric of this module"
                yield Fault(problem, at=("constants", place, "rows_of", number))


def _static_clashes(
    metrics: Sequence[Metric], constants: Sequence[Constant], labels: Mapping[str, str]
) -> Iterator[Fault]:
    for label in labels:
        for metric in metrics:
            if label in row_label_names(metric.indexes, metric.lookups):
                problem = f"{metric.name} has a label {label} of its own"
                hint = "rename one of them"
                yield Fault(problem, hint, at=("labels", label))
                break
            if label == value_label_of(metric):
                problem = f"the label {label} holds the value of {metric.name}"
                yield Fault(problem, "rename one of them", at=("labels", label))
                break
    for place, item in enumerate(constants):
        taken = {*labels, *row_label_names(item.indexes, item.lookups)}
        for label in item.labels:
            if label in taken:
                problem = f"the samples of {item.name} have a label {label} already"
                at = ("constants", place, "labels", label)
                yield Fault(problem, "name it otherwise", at=at)


def _rules_for_nothing(
    metrics: Sequence[Metric],
    constants: Sequence[Constant],
    labels: Mapping[str, str],
    relabel: Sequence[Relabel],
) -> Iterator[Fault]:
    rows = {frozenset(row_label_names(item.indexes, item.lookups)) for item in metrics}
    sets = {frozenset(names | labels.keys()) for names in rows}
    sets |= {
        frozenset(row_label_names(item.indexes, item.lookups) | labels.keys() | item.labels.keys())
        for item in constants
    }
    values = {label for metric in metrics if (label := value_label_of(metric)) is not None}
    for place, rule in enumerate(relabel):
        if not any(rule.applies_to(names) for names in sets) and not (
            rewrites_alone(rule) and rule.target_label in values
        ):
            yield _rule_for_nothing(place, rule, sets | {frozenset(values)})
        sets = {frozenset(rule.names_after(names)) for names in sets}


def _rule_for_nothing(place: int, rule: Relabel, sets: Iterable[frozenset[str]]) -> Fault:
    known = sorted({name for names in sets for name in names})
    if rule.action == "labeldrop":
        problem = f"no label matches {quote(rule.regex.source)}"
        return Fault(problem, f"labels: {', '.join(known)}", at=("relabel", place, "regex"))
    at = ("relabel", place, "source_labels")
    missing = [label for label in rule.source_labels if label not in known]
    if missing:
        problem = f"no metric has the label {missing[0]}"
        return Fault(problem, suggest(missing[0], known, "labels"), at=at)
    return Fault(f"no metric has all of {', '.join(rule.source_labels)}", at=at)


def rewrites_alone(rule: Relabel) -> bool:
    """Tell whether a rule looks at one label only, and sets that: a value's label has no others."""
    return rule.source_labels == (rule.target_label,)
