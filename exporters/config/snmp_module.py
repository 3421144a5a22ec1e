"""A module of ``snmp.yml``: what to ask a device for, how, and what the answers mean.

The keys, defaults and rules are snmp_exporter's, but for those that come after ``filters`` or tell
how to ask a device. ``exporters.config.by_name`` writes the same with names instead of OIDs, and
without its metrics.

Source: snmp_exporter's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Count,
    Duration,
    LabelName,
    ObjectIdentifier,
    Rate,
    SearchedRegex,
    Text,
)
from exporters.config.go_duration import format_duration
from exporters.config.module_labels import label_faults, row_faults
from exporters.config.rejection import Fault, Rejected
from exporters.config.snmp_metric import Metric
from exporters.config.snmp_relabel import Relabel
from exporters.config.snmp_rows import Constant, RowFilter

_CONFIG = ConfigDict(extra="forbid")
_MAX_REPETITIONS = 2**31 - 1  # RFC 3416 s3: max-bindings


def _repetitions(number: int) -> int:
    if number > _MAX_REPETITIONS:
        raise Rejected(f"must be at most {_MAX_REPETITIONS}, found {number}")
    return number


def _timeout(seconds: float) -> float:
    if seconds <= 0:
        raise Rejected(f"must be more than 0, found {format_duration(seconds)}")
    return seconds


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


def _lookup_cache(seconds: float | None) -> float | None:
    if seconds is not None and seconds < 0:
        raise Rejected(f"must not be less than 0, found {format_duration(seconds)}")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class WalkParameters:
    """How to ask a device, whatever for."""

    max_repetitions: Annotated[
        Count, Field(description="Rows asked for in one GETBULK."), AfterValidator(_repetitions)
    ] = 25
    retries: Annotated[Count, Field(description="Further attempts after the first.")] = 3
    timeout: Annotated[
        Duration, Field(description="Wait for each attempt."), AfterValidator(_timeout)
    ] = 5.0
    use_unconnected_udp_socket: Annotated[
        Boolean, Field(description="Take answers from other addresses than the one asked.")
    ] = False
    allow_nonincreasing_oids: Annotated[
        Boolean, Field(description="Go on when a device does not sort its OIDs.")
    ] = False
    lookup_cache: Annotated[
        Duration | None,
        Field(description="Remember the columns that only lookups read; 0s for not at all."),
        AfterValidator(_lookup_cache),
    ] = None
    concurrency: Annotated[
        Count,
        Field(description="Requests that walks of it may have under way to a device; 0: any."),
    ] = 0
    packets_per_second: Annotated[
        Rate, Field(description="Packets a second that walks of it send to a device; 0: any.")
    ] = 0.0

    def written(self) -> dict[str, Any]:
        """The parameters as a file has them, to build another module with."""
        values = {item.name: getattr(self, item.name) for item in fields(WalkParameters)}
        values["timeout"] = format_duration(self.timeout)
        if self.lookup_cache is not None:
            values["lookup_cache"] = format_duration(self.lookup_cache)
        return values


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class DynamicFilter:
    """Rows to keep: those where the column *oid* has one of *values*."""

    oid: Annotated[ObjectIdentifier, Field(description="Column that decides.")]
    targets: Annotated[
        tuple[ObjectIdentifier, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Columns that are read only for the rows that are kept."),
    ] = ()
    values: Annotated[
        tuple[SearchedRegex, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="RE2 patterns; one that is found in the value keeps the row."),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Module(WalkParameters):
    """What to ask a device for, how, and what the answers mean."""

    walk: Annotated[
        tuple[ObjectIdentifier, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Subtrees to walk."),
    ] = ()
    get: Annotated[
        tuple[ObjectIdentifier, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Instances to get."),
    ] = ()
    metrics: Annotated[
        tuple[Metric, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="What the answers become."),
    ] = ()
    filters: Annotated[
        tuple[DynamicFilter, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Rows to keep."),
    ] = ()
    labels: Annotated[
        Mapping[LabelName, Text],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Labels that every sample has, and their values."),
    ] = field(default_factory=_empty_mapping, hash=False)
    relabel: Annotated[
        tuple[Relabel, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Rules that rewrite labels, in their order."),
    ] = ()
    where: Annotated[
        tuple[RowFilter, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Conditions on rows: what does not meet them is not served."),
    ] = ()
    constants: Annotated[
        tuple[Constant, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Samples with fixed values."),
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> Module:
        faults: list[Fault] = []
        if self.labels or self.relabel or self.constants:
            faults += label_faults(self.metrics, self.constants, self.labels, self.relabel)
        if self.where or self.constants:
            faults += row_faults(self.metrics, self.constants, self.where, self.walk)
        if faults:
            raise Rejected(faults)
        return self
