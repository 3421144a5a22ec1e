"""The syntax of a module by name: a module of ``generator.yml``, and ``get`` beside ``walk``.

What the names mean is not known here, only that the rest is well-formed.

Source: the configuration of snmp_exporter's generator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    MetricName,
    Name,
    Number,
    SearchedRegex,
    Text,
    one_of,
)
from exporters.config.rejection import Rejected, quote
from exporters.config.snmp_metric import METRIC_TYPES, RegexExtract
from exporters.config.snmp_module import WalkParameters
from exporters.wire.ber import encode_oid

MIB_HINT = "@mib"
"""As a display hint: what the MIB says."""

OVERRIDE_TYPES = tuple(name for name in METRIC_TYPES if name not in ("Integer", "Integer32"))

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


Names = Annotated[tuple[Name, ...], NULL_IS_EMPTY_LIST]
"""Objects: ``ifDescr``, ``IF-MIB::ifDescr`` or ``1.3.6.1.2.1.2.2.1.2``."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class NamedLookup:
    """A label for all metrics that have some indexes, taken from a column with these indexes."""

    source_indexes: Annotated[
        Names, AfterValidator(_filled_list), Field(description="Labels that name the row.")
    ]
    lookup: Annotated[Name, Field(description="Column whose value becomes a label.")]
    drop_source_indexes: Annotated[
        Boolean, Field(description="Drop the labels that name the row.")
    ] = False
    display_hint: Annotated[
        Text, Field(description="DISPLAY-HINT of an OctetString; @mib: that of the MIB.")
    ] = ""


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
class NamedModule(WalkParameters):
    """What to ask a device for, by name; MIB modules say what the answers mean."""

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
