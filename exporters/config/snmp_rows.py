"""What ``snmp.yml`` of ours says of rows, and the peer's does not: which are served, and constants.

Both name a row as lookups do, by labels whose parts of the instance OID it is found by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    EnumValues,
    LabelName,
    MetricName,
    Name,
    Number,
    ObjectIdentifier,
    Text,
    one_of,
)
from exporters.config.rejection import Fault, Rejected, describe, suggest
from exporters.config.row_expression import (
    ColumnKind,
    ExpressionError,
    Node,
    RowExpression,
    parse_row_expression,
    resolve,
)
from exporters.config.scalars import text_of
from exporters.config.snmp_metric import Index, Lookup, index_faults, lookup_faults

ComparedType = Literal[
    "gauge",
    "counter",
    "Integer",
    "Integer32",
    "Float",
    "Double",
    "EnumAsInfo",
    "OctetString",
    "DisplayString",
    "PhysAddress48",
    "InetAddressIPv4",
    "InetAddressIPv6",
    "InetAddress",
    "InetAddressMissingSize",
    "LldpPortId",
]
COMPARED_TYPES: tuple[str, ...] = get_args(ComparedType)
_NUMBERS = frozenset(COMPARED_TYPES[: COMPARED_TYPES.index("OctetString")])

_CONFIG = ConfigDict(extra="forbid")


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


def _row_expression(value: object) -> RowExpression:
    if isinstance(value, RowExpression):
        return value
    text = text_of(value)
    if not text:
        problem = f"expected a condition, found {describe(value) if value != '' else 'no text'}"
        raise Rejected(problem, "write it as ifOperStatus == up")
    try:
        return parse_row_expression(text)
    except ExpressionError as error:
        raise Rejected(str(error), error.hint) from error


RowCondition = Annotated[
    RowExpression, PlainValidator(_row_expression), WithJsonSchema({"type": "string"})
]
"""A condition on rows (``exporters.config.row_expression``), parsed."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ComparedColumn:
    """A column that a condition names."""

    name: Annotated[Name, Field(description="As the condition names it.")]
    oid: Annotated[ObjectIdentifier, Field(description="OID of the column.")]
    type: Annotated[
        ComparedType,
        one_of(COMPARED_TYPES, "column type", empty="OctetString"),
        Field(description="Whether it has numbers or text, and how that is shown."),
    ] = "OctetString"
    display_hint: Annotated[Text, Field(description="DISPLAY-HINT of an OctetString.")] = ""
    enum_values: Annotated[EnumValues, Field(description="Names of its numbers.")] = field(
        default_factory=_empty_mapping, hash=False
    )

    @property
    def is_text(self) -> bool:
        """Whether its values are compared as text."""
        return self.type not in _NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class RowFilter:
    """Which rows are served, of all metrics that have some labels."""

    condition: Annotated[
        RowCondition, Field(description='As in ifOperStatus == up and ifAlias =~ "core.*".')
    ]
    labels: Annotated[
        tuple[LabelName, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Labels whose index values name the row of the columns."),
    ]
    columns: Annotated[
        tuple[ComparedColumn, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="The columns that the condition names."),
    ]

    @model_validator(mode="after")
    def _check(self) -> RowFilter:
        if not self.labels:
            raise Rejected([Fault("is empty", "name the indexes of the rows", at=("labels",))])
        try:
            self.resolved()
        except ExpressionError as error:
            raise Rejected([Fault(str(error), error.hint, at=("condition",))]) from error
        return self

    def resolved(self) -> Node:
        """Give the condition with the meaning of every comparison.

        Raises:
            ExpressionError: A column is not known, or has no such values.
        """
        kinds = {item.name: ColumnKind(item.is_text, item.enum_values) for item in self.columns}
        for comparison in self.condition.comparisons():
            if comparison.column not in kinds:
                hint = suggest(comparison.column, list(kinds), "known columns")
                problem = f"{comparison.column} is not among the columns"
                raise ExpressionError(problem, comparison.at[0], hint)
        return resolve(self.condition, kinds.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Constant:
    """Samples with a fixed value: one, or one for each row of some columns."""

    name: Annotated[MetricName, Field(description="Name of the metric.")]
    help: Annotated[Text, Field(description="HELP text.")] = ""
    value: Annotated[Number, Field(description="Value of every sample.")] = 1.0
    labels: Annotated[
        Mapping[LabelName, Text],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Labels beside those of the row."),
    ] = field(default_factory=_empty_mapping, hash=False)
    rows_of: Annotated[
        tuple[ObjectIdentifier, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Columns, any of which has the row; none: one sample."),
    ] = ()
    indexes: Annotated[
        tuple[Index, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Parts of the instance OID, as of a metric."),
    ] = ()
    lookups: Annotated[
        tuple[Lookup, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Labels taken from other columns, as of a metric."),
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> Constant:
        faults = [*index_faults(self.indexes), *lookup_faults(self.indexes, self.lookups)]
        if self.indexes and not self.rows_of:
            faults.append(Fault("is missing", "constants with indexes need it", at=("rows_of",)))
        if faults:
            raise Rejected(faults)
        return self
