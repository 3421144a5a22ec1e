"""The syntax of a module by name: a module of ``generator.yml``, and what goes beyond it.

Ours are ``get``, and all that comes after ``filters``; ``first_of``, ``through`` and ``labelname``
of a lookup.

What the names mean is not known here, only that the rest is well-formed.

Source: the configuration of snmp_exporter's generator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    LabelName,
    MetricName,
    Name,
    Number,
    SearchedRegex,
    Text,
    is_metric_name,
    one_of,
)
from exporters.config.rejection import Fault, Rejected, describe, quote
from exporters.config.row_expression import RowExpression
from exporters.config.scalars import boolean_of, text_of
from exporters.config.snmp_metric import METRIC_TYPES, RegexExtract
from exporters.config.snmp_module import WalkParameters
from exporters.config.snmp_relabel import Relabel
from exporters.config.snmp_rows import RowCondition
from exporters.wire.ber import encode_oid

MIB_HINT = "@mib"
"""As a display hint: what the MIB says."""

OVERRIDE_TYPES = tuple(name for name in METRIC_TYPES if name not in ("Integer", "Integer32"))

Timeticks = Literal["hundredths", "seconds", "seconds_suffix"]
_TEXT_SCHEMA = {"type": "string"}
_CONFIG = ConfigDict(extra="forbid")
_INSTANCE = re.compile(r"\d+(\.\d+)*\Z")


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


def _instance(text: str) -> str:
    if not _INSTANCE.match(text):
        hint = "write the numbers of a row, as in 3 or 1.3"
        raise Rejected(f"{quote(text)} is no index", hint)
    return text


def is_oid(text: str) -> bool:
    """Tell whether *text* is meant as an OID, and not as a name."""
    return text.removeprefix(".")[:1].isdigit()


def _object_key(text: str) -> str:
    if is_oid(text):
        try:
            encode_oid(text)
        except ValueError as error:
            raise Rejected(str(error)) from error
    return text


def _filled_list(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise Rejected("is empty", "name at least one index")
    return names


def _one_or_several(value: object) -> object:
    if value is None:
        return ()
    return (value,) if isinstance(value, str | RowExpression) else value


def _true_or_names(value: object) -> tuple[str, ...] | bool:
    answer = boolean_of(value)
    if answer is not None:
        return answer
    names = [text_of(item) for item in value] if isinstance(value, list | tuple) else []
    if not names or None in names or "" in names:
        problem = f"expected true, false or a list of names, found {describe(value)}"
        raise Rejected(problem, "write it as [ifOperStatus, ifAdminStatus]")
    return tuple(name for name in names if name is not None)


def _true_or_prefix(value: object) -> str | bool:
    answer = boolean_of(value)
    if answer is not None:
        return answer
    text = text_of(value) or ""
    if not is_metric_name(f"{text}_info") or not text:
        problem = f"expected true, false or the beginning of a name, found {quote(value)}"
        raise Rejected(problem, "interface makes it interface_info")
    return text


Names = Annotated[tuple[Name, ...], NULL_IS_EMPTY_LIST]
"""Objects: ``ifDescr``, ``IF-MIB::ifDescr`` or ``1.3.6.1.2.1.2.2.1.2``."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NamedLookup:
    """A label for all metrics that have some indexes, taken from a column with these indexes."""

    source_indexes: Annotated[
        Names, AfterValidator(_filled_list), Field(description="Labels that name the row.")
    ]
    lookup: Annotated[Name | None, Field(description="Column whose value becomes a label.")] = None
    first_of: Annotated[
        Names,
        Field(description="Columns, or source indexes: the first one that has a text counts."),
    ] = ()
    through: Annotated[
        Names,
        Field(description="Columns on the way: the value of each names the row of the next one."),
    ] = ()
    labelname: Annotated[
        LabelName | None, Field(description="Label that is made (default: named like the column).")
    ] = None
    drop_source_indexes: Annotated[
        Boolean, Field(description="Drop the labels that name the row.")
    ] = False
    display_hint: Annotated[
        Text, Field(description="DISPLAY-HINT of an OctetString; @mib: that of the MIB.")
    ] = ""

    @model_validator(mode="after")
    def _check(self) -> NamedLookup:
        if self.lookup is None and not self.first_of:
            raise Rejected([Fault("is missing", "or write first_of", at=("lookup",))])
        if self.lookup is not None and self.first_of:
            hint = "name the column among first_of"
            raise Rejected([Fault("stands beside first_of", hint, at=("lookup",))])
        if self.first_of and self.labelname is None:
            hint = "first_of needs it, as in labelname: interface"
            raise Rejected([Fault("is missing", hint, at=("labelname",))])
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values may become the label, and source indexes among them."""
        return self.first_of if self.lookup is None else (self.lookup,)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Override:
    """What is otherwise than the MIB says, of the object that is the key."""

    ignore: Annotated[Boolean, Field(description="Make no metric of it.")] = False
    regex_extracts: Annotated[
        Mapping[Text, Annotated[tuple[RegexExtract, ...], NULL_IS_EMPTY_LIST]],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Numbers in a string: suffix of the metric name, then patterns."),
    ] = field(default_factory=_empty_mapping, hash=False)
    datetime_pattern: Annotated[Text, Field(description="strptime format of ParseDateAndTime.")] = (
        ""
    )
    offset: Annotated[Number, Field(description="Added to the value, after scale.")] = 0.0
    scale: Annotated[Number, Field(description="Multiplies the value; 0: leaves it.")] = 0.0
    type: Annotated[
        str | None,
        one_of(OVERRIDE_TYPES, "metric type"),
        Field(
            description="What the value is, as metric, index and lookup.",
            json_schema_extra={"enum": list(OVERRIDE_TYPES)},
        ),
    ] = None
    help: Annotated[Text, Field(description="HELP text.")] = ""
    name: Annotated[MetricName | None, Field(description="Name of the metric.")] = None
    display_hint: Annotated[
        Text, Field(description="DISPLAY-HINT of an OctetString; @mib: that of the MIB.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class StaticFilter:
    """Rows to read of some columns, by their indexes."""

    targets: Annotated[Names, Field(description="Columns of which only these rows are read.")]
    indices: Annotated[
        tuple[Annotated[Name, AfterValidator(_instance)], ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Indexes of the rows."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NamedDynamicFilter:
    """Rows to keep: those where the column *oid* has one of *values*."""

    oid: Annotated[Name, Field(description="Column that decides.")]
    targets: Annotated[
        Names, Field(description="Columns that are read only for the rows that are kept.")
    ] = ()
    values: Annotated[
        tuple[SearchedRegex, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="RE2 patterns; one that is found in the value keeps the row."),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NamedFilters:
    """Rows to read instead of whole columns."""

    static: Annotated[
        tuple[StaticFilter, ...], NULL_IS_EMPTY_LIST, Field(description="By their indexes.")
    ] = ()
    dynamic: Annotated[
        tuple[NamedDynamicFilter, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="By the value of a column."),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Rename:
    """Other names, by those that there would be."""

    metrics: Annotated[
        Mapping[MetricName, MetricName],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="New names of metrics."),
    ] = field(default_factory=_empty_mapping, hash=False)
    labels: Annotated[
        Mapping[LabelName, LabelName],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="New names of labels, of indexes, lookups and values."),
    ] = field(default_factory=_empty_mapping, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NamedConstant:
    """Samples with a fixed value: one, or one for each row of a table."""

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
        Name | None, Field(description="Table or column whose rows have it; none: one sample.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NamedModule(WalkParameters):
    """What to ask a device for, by name; MIB modules say what the answers mean."""

    include: Annotated[Names, Field(description="Modules that are a part of this one.")] = ()
    walk: Annotated[Names, Field(description="Tables, columns, scalars and whole subtrees.")] = ()
    get: Annotated[Names, Field(description="Single instances, and scalars.")] = ()
    lookups: Annotated[
        tuple[NamedLookup, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Labels taken from other columns, in their order."),
    ] = ()
    overrides: Annotated[
        Mapping[Annotated[Name, AfterValidator(_object_key)], Override],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="What is otherwise than the MIB says, by name of an object."),
    ] = field(default_factory=_empty_mapping, hash=False)
    filters: Annotated[NamedFilters, NULL_IS_EMPTY_MAPPING, Field(description="Rows to keep.")] = (
        NamedFilters()
    )
    where: Annotated[
        tuple[RowCondition, ...],
        BeforeValidator(_one_or_several),
        Field(description='Conditions on rows, as in ifOperStatus == up and ifAlias =~ "core.*".'),
        WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA}]}),
    ] = ()
    labels: Annotated[
        Mapping[LabelName, Text],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Labels that every sample has, and their values."),
    ] = field(default_factory=_empty_mapping, hash=False)
    rename: Annotated[
        Rename, NULL_IS_EMPTY_MAPPING, Field(description="New names of metrics and labels.")
    ] = Rename()
    relabel: Annotated[
        tuple[Relabel, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Rules that rewrite labels, in their order."),
    ] = ()
    constants: Annotated[
        tuple[NamedConstant, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Samples with fixed values."),
    ] = ()
    timeticks: Annotated[
        Timeticks | None,
        one_of(get_args(Timeticks), "unit"),
        Field(
            description="TimeTicks as they come, or in seconds; seconds_suffix: their names end in "
            "_seconds (default: hundredths).",
            json_schema_extra={"enum": list(get_args(Timeticks))},
        ),
    ] = None
    state_sets: Annotated[
        tuple[str, ...] | bool | None,
        PlainValidator(_true_or_names),
        Field(description="Enumerations to serve as EnumAsStateSet; true: all up to 20 names."),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "array", "items": _TEXT_SCHEMA}]}),
    ] = None
    info_labels: Annotated[
        str | bool | None,
        PlainValidator(_true_or_prefix),
        Field(description="Lookups' labels on one series a row, <prefix>_info; true: the table's."),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, _TEXT_SCHEMA]}),
    ] = None
