"""What in files of modules can never have an effect (``netexporters snmp module lint``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from exporters.authoring.module_faults import module_faults
from exporters.authoring.named_faults import named_faults
from exporters.authoring.overlaps import overlaps
from exporters.config.by_name.including import Home, JoinedModule, join
from exporters.config.by_name.resolving import resolve
from exporters.config.context import LoadContext
from exporters.config.devices import Inventory
from exporters.config.rejection import Fault, Rejected
from exporters.config.snmp_config import OpenDictionary, SnmpFile, homes_of, locate_origins
from exporters.config.snmp_module import Module
from exporters.config.validation import locate, validate
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem


def lint_files(
    paths: Sequence[Path],
    open_dictionary: OpenDictionary,
    *,
    environment: Mapping[str, str],
    inventory: Inventory | None = None,
) -> list[Problem]:
    """Give everything in the modules of some files that can never have an effect.

    With an *inventory*, modules are compared that a device has together, else any two that have no
    included module in common: of these, a scrape has one.

    Raises:
        ConfigError: A file does not load.
    """
    faults: dict[Path, list[Fault]] = {path: [] for path in paths}
    modules: dict[str, Module] = {}
    files: dict[Path, SnmpFile] = {}
    for path in paths:
        context = LoadContext(environment, path.parent)
        files[path] = validate(SnmpFile, load_yaml(path), path=path, context=context)
    homes = homes_of(files)
    for name, home in homes.items():
        module = home.module
        if isinstance(module, Module):
            modules[name] = module
            faults[home.path] += _below(name, module_faults(module))
            continue
        try:
            joined = join(name, homes)
        except Rejected as error:
            raise ConfigError(locate(_below(name, error.faults), home.path)) from error
        try:
            resolution = resolve(joined, open_dictionary(), LoadContext())
        except Rejected as error:
            raise ConfigError(locate_origins(error.faults, name, joined, homes)) from error
        modules[name] = resolution.module
        found = named_faults(joined, resolution, open_dictionary())
        faults[home.path] += _below(name, _its_own(found, name, joined))
        # Places in the metrics are none in the file: the name of the metric must do.
        whole = (replace(fault, at=()) for fault in module_faults(resolution.module))
        faults[home.path] += _below(name, whole)
    together = _unrelated(homes) if inventory is None else _together(inventory, modules)
    for name, problem in overlaps(modules, together):
        fault = Fault(problem, "in one scrape, the first module gives them")
        faults[homes[name].path] += _below(name, [fault])
    return [problem for path in paths for problem in locate(faults[path], path)]


def _its_own(faults: Iterable[Fault], name: str, joined: JoinedModule) -> Iterator[Fault]:
    """Faults of what the module *name* says itself; modules that it includes tell theirs."""
    for fault in faults:
        written_in, at = joined.origin(fault.at)
        if written_in in (None, name):
            yield replace(fault, at=at)


def _below(module: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of a module as faults of its file."""
    return (replace(fault, at=("modules", module, *fault.at)) for fault in faults)


def _unrelated(homes: Mapping[str, Home]) -> list[tuple[str, str]]:
    """The pairs of modules that neither include one another nor the same one."""
    parts = {name: _parts(name, homes) for name in homes}
    return [(a, b) for a, b in combinations(homes, 2) if parts[a].isdisjoint(parts[b])]


def _parts(name: str, homes: Mapping[str, Home]) -> set[str]:
    """A module, and all that it includes."""
    parts = {name}
    left = [name]
    while left:
        included = set(getattr(homes[left.pop()].module, "include", ())) - parts
        parts |= included
        left += included
    return parts


def _together(inventory: Inventory, known: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of known modules that some device has."""
    names = set(known)
    pairs: dict[tuple[str, str], None] = {}
    for device in inventory.devices:
        here = [name for name in device.modules if name in names]
        pairs.update({(a, b): None for place, a in enumerate(here) for b in here[place + 1 :]})
    return list(pairs)
