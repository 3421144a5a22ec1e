"""``snmp.yml``: the modules and credentials of the SNMP exporter, as snmp_exporter has them.

Its files load unchanged: every key, default and rule is the peer's; what we add is optional and
told in ``exporters.config.snmp_auth`` and ``exporters.config.snmp_metric``. So do the files of the
peer's generator, whose modules name objects and have no metrics (``exporters.config.by_name``).
Files may be several, and are merged: one may hold only credentials, another only modules. A name
given twice is an error.

Nothing here knows the network: what a module makes an exporter ask for is ``exporters.snmp``'s.

Source: snmp_exporter's configuration.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.by_name.including import Home, JoinedModule, join
from exporters.config.by_name.model import NamedModule
from exporters.config.config_files import matching_files, repeated_names
from exporters.config.context import LoadContext
from exporters.config.fields import EMPTY_MAPPING, FROZEN, NULL_IS_EMPTY_MAPPING, Integer, Name
from exporters.config.rejection import Fault, Rejected, quote
from exporters.config.shipped_modules import shipped_file
from exporters.config.snmp_auth import Auth
from exporters.config.snmp_metric import Index, Lookup, Metric, RegexExtract
from exporters.config.snmp_module import DynamicFilter, Module
from exporters.config.validation import locate, validate
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem

if TYPE_CHECKING:
    from exporters.smi.dictionary import Dictionary

__all__ = [
    "AUTO",
    "Auth",
    "DynamicFilter",
    "Index",
    "Lookup",
    "Metric",
    "Module",
    "RegexExtract",
    "SnmpConfig",
    "SnmpFile",
    "empty_dictionary",
    "homes_of",
    "load_snmp_config",
    "locate_origins",
    "resolve_modules",
]

OpenDictionary = Callable[[], "Dictionary"]


def empty_dictionary() -> Dictionary:
    """Give a dictionary that knows no name."""
    from exporters.smi.dictionary import Dictionary

    return Dictionary()


AUTO: Final = "auto"
"""In the place of a module's name: those of the loaded modules that the device answers."""

_CONFIG = ConfigDict(extra="forbid")


def _module_name(name: str) -> str:
    if name == AUTO:
        hint = "it stands for all modules that a device answers: name this one otherwise"
        raise Rejected(f"{quote(AUTO)} cannot be the name of a module", hint)
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


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


def _syntax(module: object) -> str:
    """Tell in which of the two syntaxes a module is: that of ``snmp.yml`` has metrics."""
    has_metrics = "metrics" in module if isinstance(module, dict) else isinstance(module, Module)
    return "[Module]" if has_metrics else "[NamedModule]"


AnyModule = Annotated[
    Annotated[Module, Tag("[Module]")] | Annotated[NamedModule, Tag("[NamedModule]")],
    Discriminator(_syntax),
]


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class SnmpFile:
    """One file: snmp.yml, or generator.yml, or some of both."""

    auths: Annotated[
        Mapping[Name, Auth],
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Credentials by name."),
    ] = field(default_factory=_empty_mapping, hash=False)
    modules: Annotated[
        Mapping[Annotated[Name, AfterValidator(_module_name)], AnyModule],
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


@dataclasses.dataclass(frozen=True, slots=True)
class SnmpConfig:
    """All files together, with every name resolved."""

    auths: Mapping[str, Auth]
    modules: Mapping[str, Module]
    version: int = 0


def load_snmp_config(
    patterns: Iterable[str | Path],
    *,
    environment: Mapping[str, str],
    expand_environment_variables: bool = False,
    open_dictionary: OpenDictionary = empty_dictionary,
    need_auths: bool = True,
    need_modules: bool = True,
) -> SnmpConfig:
    """Give the merged configuration of all files that *patterns* match.

    A pattern (``exporters.config.go_glob``) that matches nothing is logged; a name that does not
    exist is an error. With *expand_environment_variables*, ``$NAME`` without braces counts in user
    names and passwords (``--config.expand-environment-variables``). The dictionary is opened if a
    module is written by name. Without *need_modules*, modules are left out.

    Raises:
        ConfigError: Something is wrong in the files, or they hold no auth although *need_auths*, or
            no module although *need_modules*.
    """
    paths, problems = matching_files(patterns)
    shared: dict[Any, Any] = {}
    loaded: dict[Path, SnmpFile] = {}
    for path in paths:
        context = LoadContext(environment, path.parent, expand_environment_variables, shared)
        try:
            loaded[path] = validate(SnmpFile, load_yaml(path), path=path, context=context)
        except ConfigError as error:
            problems += error.problems
    problems += repeated_names("auths", "auth", {path: file.auths for path, file in loaded.items()})
    problems += repeated_names(
        "modules", "module", {path: file.modules for path, file in loaded.items()}
    )
    modules: dict[str, Module] = {}
    if need_modules:
        try:
            modules = resolve_modules(homes_of(loaded), open_dictionary, shared)
        except ConfigError as error:
            problems += error.problems
    if not problems:
        problems += _missing_parts(loaded, need_auths=need_auths, need_modules=need_modules)
    if problems:
        raise ConfigError(problems)
    return SnmpConfig(
        auths=MappingProxyType(
            {name: auth for file in loaded.values() for name, auth in file.auths.items()}
        ),
        modules=MappingProxyType(modules),
        version=max((file.version for file in loaded.values()), default=0),
    )


def homes_of(files: Mapping[Path, SnmpFile]) -> dict[str, Home]:
    """Give the modules of files, each with its file."""
    return {
        name: Home(module, path)
        for path, file in files.items()
        for name, module in file.modules.items()
    }


def resolve_modules(
    homes: Mapping[str, Home],
    open_dictionary: OpenDictionary,
    shared: dict[Any, Any] | None = None,
    *,
    of: Path | None = None,
) -> dict[str, Module]:
    """Give all modules, or those of one file, with those that are written by name resolved.

    Raises:
        ConfigError: A module names what the dictionary does not have, or includes what is not
            there; has every problem.
    """
    # Here and not above: a configuration without names does without the dictionary's code.
    from exporters.config.by_name.resolving import resolve

    context = LoadContext(shared={} if shared is None else shared)
    opened = cache(open_dictionary)
    modules: dict[str, Module] = {}
    problems: dict[Problem, None] = {}
    for name, home in homes.items():
        if of is not None and home.path != of:
            continue
        if isinstance(home.module, Module):
            modules[name] = home.module
            continue
        try:
            joined = join(name, homes)
        except Rejected as error:
            problems |= dict.fromkeys(locate(error.faults, home.path, ("modules", name)))
            continue
        try:
            modules[name] = resolve(joined, opened(), context).module
        except Rejected as error:
            problems |= dict.fromkeys(locate_origins(error.faults, name, joined, homes))
    if problems:
        raise ConfigError(list(problems))
    return modules


def locate_origins(
    faults: Iterable[Fault], name: str, joined: JoinedModule, homes: Mapping[str, Home]
) -> list[Problem]:
    """Find the lines of faults of the module *name*, which may be in modules that it includes."""
    by_path: dict[Path, list[Fault]] = {}
    for fault in faults:
        origin, at = joined.origin(fault.at)
        written_in = origin or name
        placed = dataclasses.replace(fault, at=("modules", written_in, *at))
        by_path.setdefault(homes[written_in].path, []).append(placed)
    return [problem for path, found in by_path.items() for problem in locate(found, path)]


def _missing_parts(
    loaded: Mapping[Path, SnmpFile], *, need_auths: bool, need_modules: bool
) -> Iterator[Problem]:
    files = ", ".join(str(path) for path in loaded)
    if need_auths and not any(config.auths for config in loaded.values()):
        hint = "add auths, as in auths: {public_v2: {version: 2, community: public}}"
        yield Problem("no auth is configured", hint, files)
    if need_modules and not any(config.modules for config in loaded.values()):
        shipped = shipped_file("if_mib")
        hint = "add modules, or a file that has some" + (f", such as {shipped}" if shipped else "")
        yield Problem("no module is configured", hint, files)
