"""One entry of ``metrics`` in a module of ``snmp.yml``: an OID and what becomes of it.

The keys, defaults and rules are snmp_exporter's, with one index type more, ``ObjectIdentifier``.
Everything that could only go wrong while scraping goes wrong here: patterns are compiled, OIDs
encoded, types known, labels resolvable. Equal indexes, lookups and enumerations are one object.

How the types are shown is told in ``exporters.smi``; this module only knows their names.

Source: snmp_exporter's configuration and collector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.context import share
from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Count,
    EnumValues,
    LabelName,
    MetricName,
    Number,
    ObjectIdentifier,
    ReplacementText,
    Text,
    WholeRegex,
    is_metric_name,
    one_of,
)
from exporters.config.go_template import parse_template
from exporters.config.rejection import Fault, Rejected, quote
from exporters.smi.strptime import compile_pattern

MetricType = Literal[
    "gauge",
    "counter",
    "OctetString",
    "DisplayString",
    "PhysAddress48",
    "InetAddressIPv4",
    "InetAddressIPv6",
    "InetAddress",
    "InetAddressMissingSize",
    "LldpPortId",
    "Float",
    "Double",
    "DateAndTime",
    "ParseDateAndTime",
    "NTPTimeStamp",
    "EnumAsInfo",
    "EnumAsStateSet",
    "Bits",
    "Integer",
    "Integer32",
]
METRIC_TYPES: tuple[str, ...] = get_args(MetricType)
IndexType = Literal[
    "gauge",
    "counter",
    "Integer",
    "Integer32",
    "OctetString",
    "DisplayString",
    "PhysAddress48",
    "InetAddressIPv4",
    "InetAddressIPv6",
    "InetAddress",
    "InetAddressMissingSize",
    "LldpPortId",
    "EnumAsInfo",
    "ObjectIdentifier",
]
LookupType = Literal[
    "gauge",
    "counter",
    "Integer",
    "Integer32",
    "OctetString",
    "DisplayString",
    "PhysAddress48",
    "InetAddressIPv4",
    "InetAddressIPv6",
    "InetAddress",
    "InetAddressMissingSize",
    "LldpPortId",
    "EnumAsInfo",
    "Bits",
]
"""What has a text: snmp_exporter takes any type here, and crashes on dates and floats."""

_NUMBER_TYPES = frozenset(
    ("gauge", "counter", "Float", "Double", "DateAndTime", "ParseDateAndTime", "NTPTimeStamp")
)
_STATES = frozenset(("Bits", "EnumAsInfo", "EnumAsStateSet"))
_CONFIG = ConfigDict(extra="forbid")
_SHARED = AfterValidator(share)


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Index:
    """A part of the instance OID, and the label it becomes."""

    labelname: Annotated[LabelName, Field(description="Label that holds this index.")]
    type: Annotated[
        IndexType,
        one_of(get_args(IndexType), "index type"),
        Field(description="How sub-identifiers are read and shown."),
    ]
    fixed_size: Annotated[
        Count, Field(description="Sub-identifiers of a string; 0: its length comes first.")
    ] = 0
    implied: Annotated[
        Boolean, Field(description="Takes all that is left of the OID; only the last index can.")
    ] = False
    enum_values: Annotated[
        EnumValues, Field(description="Names of the numbers of an EnumAsInfo index.")
    ] = field(default_factory=_empty_mapping, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Lookup:
    """A label taken from another column of the same row; without *labels*, a label to drop."""

    labels: Annotated[
        tuple[LabelName, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Labels whose index values name the row; none: drop labelname."),
    ] = ()
    labelname: Annotated[LabelName, Field(description="Label to set, or to drop.")]
    oid: Annotated[ObjectIdentifier, Field(description="Column whose value the label takes.")] = b""
    type: Annotated[
        LookupType,
        one_of(get_args(LookupType), "lookup type", empty="OctetString"),
        Field(description="How the value is shown."),
    ] = "OctetString"
    display_hint: Annotated[Text, Field(description="DISPLAY-HINT of an OctetString.")] = ""
    enum_values: Annotated[
        EnumValues, Field(description="Names of the numbers of an EnumAsInfo lookup.")
    ] = field(default_factory=_empty_mapping, hash=False)
    if_empty: Annotated[
        Boolean,
        Field(
            description="Set the label only where it has no text yet; without oid: to the text "
            "of the one label in labels."
        ),
    ] = False

    @model_validator(mode="after")
    def _check_oid(self) -> Lookup:
        if self.labels and not self.oid and not (self.if_empty and len(self.labels) == 1):
            raise Rejected([Fault("is missing", "a lookup with labels needs it", at=("oid",))])
        if self.if_empty and not self.labels:
            raise Rejected([Fault("has no effect without labels", at=("if_empty",))])
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class RegexExtract:
    """A number found in a string value."""

    value: Annotated[
        ReplacementText, Field(description="The number: $1, ${1}, $name, or a literal.")
    ] = parse_template("$1")
    regex: Annotated[
        WholeRegex | None,
        Field(description="RE2 pattern that the whole string must match; null: never."),
    ] = None

    def extract(self, text: str) -> str | None:
        """Give what *text* is turned into; ``None`` when the pattern does not match it."""
        match = None if self.regex is None else self.regex.search(text)
        return None if match is None else self.value.expand(match)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Metric:
    """A scalar or column, and the samples it becomes."""

    name: Annotated[MetricName, Field(description="Name of the metric.")]
    oid: Annotated[
        ObjectIdentifier, Field(description="OID of the column or scalar, without the instance.")
    ]
    type: Annotated[
        MetricType,
        one_of(METRIC_TYPES, "metric type", empty="OctetString"),
        Field(description="What the value is, and how it is shown."),
    ] = "OctetString"
    help: Annotated[Text, Field(description="HELP text.")] = ""
    indexes: Annotated[
        tuple[Index, ...],
        _SHARED,
        NULL_IS_EMPTY_LIST,
        Field(description="Parts of the instance OID, in their order."),
    ] = ()
    lookups: Annotated[
        tuple[Lookup, ...],
        _SHARED,
        NULL_IS_EMPTY_LIST,
        Field(description="Labels taken from other columns, in their order."),
    ] = ()
    regex_extracts: Annotated[
        Mapping[Text, Annotated[tuple[RegexExtract, ...], NULL_IS_EMPTY_LIST]],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Numbers in a string: suffix of the metric name, then patterns."),
    ] = field(default_factory=_empty_mapping, hash=False)
    datetime_pattern: Annotated[Text, Field(description="strptime format of ParseDateAndTime.")] = (
        ""
    )
    enum_values: Annotated[
        EnumValues, Field(description="Names of numbers, or of bits for Bits.")
    ] = field(default_factory=_empty_mapping, hash=False)
    offset: Annotated[Number, Field(description="Added to the value, after scale.")] = 0.0
    scale: Annotated[Number, Field(description="Multiplies the value; 0: leaves it.")] = 0.0
    display_hint: Annotated[Text, Field(description="DISPLAY-HINT of an OctetString.")] = ""
    value_label: Annotated[
        LabelName | None,
        Field(description="Label that holds text, state or bit (default: named like the metric)."),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> Metric:
        if faults := [
            *index_faults(self.indexes),
            *lookup_faults(self.indexes, self.lookups),
            *_suffix_faults(self.name, self.regex_extracts),
        ]:
            raise Rejected(faults)
        if self.type == "ParseDateAndTime" and (fault := _pattern_fault(self.datetime_pattern)):
            raise Rejected([fault])
        if self.type == "Bits" and min(self.enum_values, default=0) < 0:
            raise Rejected([Fault("a bit has a negative number", at=("enum_values",))])
        return self


def row_label_names(indexes: Iterable[Index], lookups: Iterable[Lookup]) -> set[str]:
    """Give the labels that indexes and lookups make, without those that are dropped."""
    names = {index.labelname for index in indexes}
    for lookup in lookups:
        if lookup.labels:
            names.add(lookup.labelname)
        else:
            names.discard(lookup.labelname)
    return names


def value_label_of(metric: Metric) -> str | None:
    """Give the label that holds what the value of *metric* says; None for numbers and dates."""
    if metric.type in _NUMBER_TYPES or (metric.regex_extracts and metric.type not in _STATES):
        return None
    # A metric's name may have a colon, a label's not.
    return metric.value_label or metric.name.replace(":", "_")


def _pattern_fault(pattern: str) -> Fault | None:
    at = ("datetime_pattern",)
    if not pattern:
        return Fault("is missing", "ParseDateAndTime needs it", at=at)
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return Fault(str(error), at=at)
    return None


def index_faults(indexes: tuple[Index, ...]) -> Iterator[Fault]:
    """Find what is wrong with the indexes of a metric together."""
    seen: set[str] = set()
    for place, index in enumerate(indexes):
        if index.labelname in seen:
            problem = f"two indexes have the label {quote(index.labelname)}"
            yield Fault(problem, at=("indexes", place, "labelname"))
        seen.add(index.labelname)
        if index.implied and place < len(indexes) - 1:
            hint = "it takes the rest of the OID, so only the last index can be"
            yield Fault("an index before others is implied", hint, at=("indexes", place, "implied"))


def lookup_faults(indexes: tuple[Index, ...], lookups: tuple[Lookup, ...]) -> Iterator[Fault]:
    """Find lookups from labels that there are none of.

    A lookup's source is an index or an earlier lookup; one that was dropped still is.
    """
    known = [index.labelname for index in indexes]
    for place, lookup in enumerate(lookups):
        for source, label in enumerate(lookup.labels):
            if label not in known:
                problem = f"{quote(label)} is no index and no earlier lookup of this metric"
                hint = f"known labels: {', '.join(known)}" if known else "the metric has no index"
                yield Fault(problem, hint, at=("lookups", place, "labels", source))
        if lookup.labelname not in known:
            known.append(lookup.labelname)


def _suffix_faults(
    name: str, regex_extracts: Mapping[str, tuple[RegexExtract, ...]]
) -> Iterator[Fault]:
    for suffix in regex_extracts:
        if not is_metric_name(name + suffix):
            problem = f"{quote(name + suffix)} is not a metric name"
            yield Fault(problem, "use letters, digits, _ and :", at=("regex_extracts", suffix))
