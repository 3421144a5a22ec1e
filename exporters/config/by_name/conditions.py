"""The conditions on rows of a module by name: which columns they mean, and of which rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporters.config.by_name.asking import Asking
from exporters.config.by_name.places import Places
from exporters.config.rejection import Fault, KeyPath, Rejected
from exporters.config.row_expression import ColumnKind, Comparison, RowExpression, resolve
from exporters.config.row_expression import ExpressionError as WrongExpression
from exporters.config.snmp_rows import COMPARED_TYPES, ComparedColumn, RowFilter
from exporters.smi.generator_rules import MetricRules, MetricShape, NoMetricError
from exporters.smi.mib_objects import Kind, MibObject

_STATES = frozenset(("EnumAsInfo", "EnumAsStateSet"))


class Conditions:
    """Makes row filters of conditions, and asks for their columns."""

    def __init__(self, places: Places, rules: MetricRules, asking: Asking) -> None:
        self._places = places
        self._rules = rules
        self._asking = asking
        self.faults: list[Fault] = []

    def row_filters(self, conditions: Sequence[RowExpression]) -> Iterator[RowFilter]:
        """Give the row filters of *conditions*; what is wrong is in ``faults``."""
        for number, condition in enumerate(conditions):
            at: KeyPath = ("where", number)
            try:
                yield self._row_filter(condition)
            except WrongExpression as error:
                self.faults.append(Fault(str(error), error.hint, at))

    def _row_filter(self, condition: RowExpression) -> RowFilter:
        columns: dict[str, ComparedColumn] = {}
        labels: tuple[str, ...] = ()
        first = ""
        for comparison in condition.comparisons():
            name = comparison.column
            if name in columns:
                continue
            item, shape = self._column(comparison)
            indexes = tuple(index.labelname for index in shape.indexes)
            if first and indexes != labels:
                problem = (
                    f"rows of {name} have the index {', '.join(indexes)}, "
                    f"those of {first} {', '.join(labels)}"
                )
                hint = "a condition is on rows of one kind: write another one"
                raise WrongExpression(problem, comparison.at[0], hint)
            first, labels = first or name, indexes
            columns[name] = ComparedColumn(
                name=name,
                oid=item.oid,
                type="gauge" if shape.type in _STATES else shape.type,  # type: ignore[arg-type]
                enum_values=dict(shape.enum_values),
            )
            self._ask_for(item)
        kinds = {name: ColumnKind(item.is_text, item.enum_values) for name, item in columns.items()}
        resolve(condition, kinds.__getitem__)
        return RowFilter(condition=condition, labels=labels, columns=tuple(columns.values()))

    def _column(self, comparison: Comparison) -> tuple[MibObject, MetricShape]:
        name, at = comparison.column, comparison.at[0]
        try:
            item = self._places.column(name)
            shape = self._rules.metric_of(item)
        except Rejected as error:
            fault = error.faults[0]
            raise WrongExpression(fault.problem, at, fault.hint) from error
        except NoMetricError as error:
            raise WrongExpression(f"{name} cannot be compared: {error}", at) from error
        if item.kind is not Kind.COLUMN:
            problem = f"{name} is a scalar, which belongs to no row"
            raise WrongExpression(problem, at, "name a column")
        if item.access == "not-accessible":
            problem = f"{name} is not accessible: no agent shows it"
            raise WrongExpression(problem, at, "name another column of the row")
        if shape.type not in (*COMPARED_TYPES, *_STATES):
            problem = f"{name} is of type {shape.type}, which has neither a number nor a text"
            raise WrongExpression(problem, at)
        return item, shape

    def _ask_for(self, item: MibObject) -> None:
        subtype = self._rules.subtype_of(item)
        if subtype is not None:
            self._asking.need(subtype.oid, ())
        self._asking.need(item.oid, ())
