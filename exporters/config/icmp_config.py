"""``icmp.yml``: what the ICMP exporter pings all the time, and the modules of ``/probe``.

    groups:                                  pinged all the time
      core: {hosts: [192.0.2.1], interval: 1s}
    modules:                                 asked for: blackbox_exporter's
      icmp: {prober: icmp}
    legacy_names: [smokeping]                metric names of peers besides our own

A ``blackbox.yml`` is such a file, with nothing but modules. Files may be several, and are merged;
among them may be the peers' own (``exporters.config.smokeping_config`` and
``exporters.config.ping_exporter_config``), which are told by their shape. A name given twice is an
error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from exporters.config.config_files import matching_files, repeated_names
from exporters.config.context import LoadContext
from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Name,
    one_of,
)
from exporters.config.icmp_group import Group
from exporters.config.icmp_module import PROBER, ProbeModule
from exporters.config.ping_exporter_config import PingExporterConfig
from exporters.config.rejection import Fault, Rejected
from exporters.config.smokeping_config import SmokepingConfig, looks_like_smokeping
from exporters.config.validation import validate
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem

DEFAULT_MODULE: Final = "icmp"
COMMAND_LINE: Final = "command line"
"""The group of the hosts that the command line names."""
LEGACY_NAMES: Final = ("smokeping", "ping_exporter")

_CONFIG = ConfigDict(extra="forbid")


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    faults = [
        Fault(f"{name} is in the list already", "write it once", at=(place,))
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    if faults:
        raise Rejected(faults)
    return names


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class IcmpConfig:
    """The whole of one or several files."""

    groups: Annotated[
        Mapping[Name, Group],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="What is pinged all the time, by the name of the group."),
    ] = field(default_factory=_empty_mapping, hash=False)
    modules: Annotated[
        Mapping[Name, ProbeModule],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Modules of /probe by name, as blackbox_exporter has them."),
    ] = field(default_factory=_empty_mapping, hash=False)
    legacy_names: Annotated[
        tuple[Annotated[str, one_of(LEGACY_NAMES, "peer")], ...],
        AfterValidator(_once),
        NULL_IS_EMPTY_LIST,
        Field(description="Peers whose metric names are served too: smokeping, ping_exporter."),
    ] = ()


def load_icmp_config(
    patterns: Iterable[str | Path],
    *,
    environment: Mapping[str, str],
    buckets: Sequence[float] = (),
) -> IcmpConfig:
    """Give the merged configuration of all files that *patterns* match.

    Without any module there is one, ``icmp``, with all defaults. *buckets* are for the groups of a
    file of smokeping_prober, which has them on the command line.

    Raises:
        ConfigError: Something is wrong in the files.
    """
    paths, problems = matching_files(patterns)
    loaded: dict[Path, IcmpConfig] = {}
    for path in paths:
        try:
            loaded[path] = _load_file(path, environment, buckets)
        except ConfigError as error:
            problems += error.problems
    problems += _repeated(loaded)
    if problems:
        raise ConfigError(problems)
    return merge(loaded.values())


def merge(configs: Iterable[IcmpConfig]) -> IcmpConfig:
    """Give all of them in one; of names that are the same, the last."""
    groups: dict[str, Group] = {}
    modules: dict[str, ProbeModule] = {}
    legacy_names: dict[str, None] = {}
    for config in configs:
        groups.update(config.groups)
        modules.update(config.modules)
        legacy_names.update(dict.fromkeys(config.legacy_names))
    return IcmpConfig(
        groups=groups,
        modules=modules or {DEFAULT_MODULE: ProbeModule(prober=PROBER)},
        legacy_names=tuple(legacy_names),
    )


def command_line_group(settings: Mapping[str, Any]) -> IcmpConfig:
    """Give a configuration with one group, of what flags say.

    Raises:
        ConfigError: Something in it is wrong.
    """
    try:
        return validate(
            IcmpConfig,
            {"groups": {COMMAND_LINE: dict(settings)}},
            path=Path(),
            context=LoadContext(),
        )
    except ConfigError as error:
        problems = [replace(problem, file="", line=None) for problem in error.problems]
        raise ConfigError(problems) from error


def _load_file(path: Path, environment: Mapping[str, str], buckets: Sequence[float]) -> IcmpConfig:
    content = load_yaml(path)
    context = LoadContext(environment, path.parent)
    if isinstance(content, dict) and "targets" in content:
        content = _of_peer(content, path, context, buckets)
    return validate(IcmpConfig, content, path=path, context=context)


def _of_peer(
    content: Mapping[str, Any], path: Path, context: LoadContext, buckets: Sequence[float]
) -> dict[str, Any]:
    """Turn a peer's file into what icmp.yml would hold; whoever has it wants the peer's names."""
    if looks_like_smokeping(content):
        smokeping = validate(SmokepingConfig, content, path=path, context=context)
        return {"groups": smokeping.groups(path.stem, buckets), "legacy_names": ["smokeping"]}
    ping = validate(PingExporterConfig, content, path=path, context=context)
    return {"groups": ping.groups(path.stem), "legacy_names": ["ping_exporter"]}


def _repeated(loaded: Mapping[Path, IcmpConfig]) -> Iterator[Problem]:
    yield from repeated_names(
        "groups", "group", {path: config.groups for path, config in loaded.items()}
    )
    yield from repeated_names(
        "modules", "module", {path: config.modules for path, config in loaded.items()}
    )
