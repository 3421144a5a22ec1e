"""``snmp.yml``: the modules and credentials of the SNMP exporter, as snmp_exporter has them.

Its files load unchanged: every key, default and rule is the peer's; what we add is optional and
told in ``exporters.config.snmp_auth`` and ``exporters.config.snmp_metric``. Files may be several,
and are merged: one may hold only credentials, another only modules. A name given twice is an
error.

Nothing here knows the network: what a module makes an exporter ask for is ``exporters.snmp``'s.

Source: snmp_exporter's configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.context import LoadContext
from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Count,
    Duration,
    Integer,
    Name,
    ObjectIdentifier,
    Rate,
    SearchedRegex,
)
from exporters.config.go_duration import format_duration
from exporters.config.go_glob import glob, is_pattern
from exporters.config.rejection import Fault, Rejected, quote
from exporters.config.snmp_auth import Auth
from exporters.config.snmp_metric import Index, Lookup, Metric, RegexExtract
from exporters.config.source_lines import line_of
from exporters.config.validation import validate
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem
from exporters.logs import fields

__all__ = [
    "Auth",
    "DynamicFilter",
    "Index",
    "Lookup",
    "Metric",
    "Module",
    "RegexExtract",
    "SnmpConfig",
    "load_snmp_config",
]

logger = logging.getLogger(__name__)

_CONFIG = ConfigDict(extra="forbid")
_MAX_REPETITIONS = 2**31 - 1  # RFC 3416 s3: max-bindings


def _module_name(name: str) -> str:
    if "," in name:
        raise Rejected(
            f"the module name {quote(name)} has a comma", "in a URL, commas separate modules"
        )
    return name


def _modules_at_top(raw: Mapping[Any, Any]) -> list[str]:
    return [
        str(name)
        for name, value in raw.items()
        if name not in ("auths", "modules")
        and isinstance(value, dict)
        and not value.keys().isdisjoint(("walk", "get", "metrics"))
    ]


def _repetitions(number: int) -> int:
    if number > _MAX_REPETITIONS:
        raise Rejected(f"must be at most {_MAX_REPETITIONS}, found {number}")
    return number


def _timeout(seconds: float) -> float:
    if seconds <= 0:
        raise Rejected(f"must be more than 0, found {format_duration(seconds)}")
    return seconds


def _lookup_cache(seconds: float | None) -> float | None:
    if seconds is not None and seconds < 0:
        raise Rejected(f"must not be less than 0, found {format_duration(seconds)}")
    return seconds


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


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
class Module:
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
    filters: Annotated[
        tuple[DynamicFilter, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Rows to keep."),
    ] = ()
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


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class SnmpConfig:
    """The whole of one or several snmp.yml files."""

    auths: Annotated[
        Mapping[Name, Auth],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Credentials by name."),
    ] = field(default_factory=_empty_mapping, hash=False)
    modules: Annotated[
        Mapping[Annotated[Name, AfterValidator(_module_name)], Module],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Modules by name."),
    ] = field(default_factory=_empty_mapping, hash=False)
    version: Annotated[Integer, Field(description="Accepted, and without effect.")] = 0

    @model_validator(mode="before")
    @classmethod
    def _refuse_old_layout(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and (names := _modules_at_top(raw)):
            problem = "a module at the top level, as snmp_exporter had them before 0.23"
            hint = "move modules below modules:, and their version and auth below auths:"
            raise Rejected([Fault(problem, hint, at=(name,)) for name in names])
        return raw


def load_snmp_config(
    patterns: Iterable[str | Path],
    *,
    environment: Mapping[str, str],
    expand_environment_variables: bool = False,
    need_modules: bool = True,
) -> SnmpConfig:
    """Give the merged configuration of all files that *patterns* match.

    A pattern (``exporters.config.go_glob``) that matches nothing is logged; a name that does not
    exist is an error. With *expand_environment_variables*, ``$NAME`` without braces counts in user
    names and passwords (``--config.expand-environment-variables``).

    Raises:
        ConfigError: Something is wrong in the files, or they hold no auth, or no module although
            *need_modules*.
    """
    paths, problems = _files(patterns)
    shared: dict[Any, Any] = {}
    loaded: dict[Path, SnmpConfig] = {}
    for path in paths:
        context = LoadContext(environment, path.parent, expand_environment_variables, shared)
        try:
            loaded[path] = validate(SnmpConfig, load_yaml(path), path=path, context=context)
        except ConfigError as error:
            problems += error.problems
    problems += _repeated_names(loaded)
    if not problems:
        problems += _missing_parts(loaded, need_modules=need_modules)
    if problems:
        raise ConfigError(problems)
    return SnmpConfig(
        auths={name: auth for config in loaded.values() for name, auth in config.auths.items()},
        modules={name: mod for config in loaded.values() for name, mod in config.modules.items()},
        version=max(config.version for config in loaded.values()),
    )


def _files(patterns: Iterable[str | Path]) -> tuple[list[Path], list[Problem]]:
    """Give each file once, in the order of the patterns."""
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    for pattern in map(str, patterns):
        if not is_pattern(pattern):
            found[Path(pattern)] = None  # reading it will say if it is not there
            continue
        try:
            matches = glob(pattern)
        except ValueError as error:
            problems.append(Problem(f"is not a file pattern: {error}", file=pattern))
            continue
        if not matches:
            logger.warning("no configuration file matches", extra=fields(pattern=pattern))
        found.update(dict.fromkeys(matches))
    return list(found), problems


def _repeated_names(loaded: Mapping[Path, SnmpConfig]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Path] = {}
    for path, config in loaded.items():
        for part, names in (("auths", config.auths), ("modules", config.modules)):
            for name in names:
                first = seen.setdefault((part, name), path)
                if first is not path:
                    yield _repeated_name(part, name, first, path)


def _repeated_name(part: str, name: str, first: Path, second: Path) -> Problem:
    hint = f"it is in {first}:{line_of(first, (part, name))} already; keep one of them"
    problem = f"the {part.removesuffix('s')} {quote(name)} is given twice"
    return Problem(problem, hint, str(second), line_of(second, (part, name)), f"{part}.{name}")


def _missing_parts(loaded: Mapping[Path, SnmpConfig], *, need_modules: bool) -> Iterator[Problem]:
    files = ", ".join(str(path) for path in loaded)
    if not any(config.auths for config in loaded.values()):
        hint = "add auths, as in auths: {public_v2: {version: 2, community: public}}"
        yield Problem("no auth is configured", hint, files)
    if need_modules and not any(config.modules for config in loaded.values()):
        yield Problem("no module is configured", "add modules, or a file that has some", files)
