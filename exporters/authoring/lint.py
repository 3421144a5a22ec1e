"""What in files of modules can never have an effect (``netexporters snmp module lint``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from exporters.authoring.module_faults import module_faults
from exporters.authoring.named_faults import named_faults
from exporters.authoring.overlaps import overlaps
from exporters.config.by_name.resolving import resolve
from exporters.config.context import LoadContext
from exporters.config.devices import Inventory
from exporters.config.rejection import Fault, Rejected
from exporters.config.snmp_config import OpenDictionary, SnmpFile
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

    With an *inventory*, modules are compared that a device has together, else any two.

    Raises:
        ConfigError: A file does not load.
    """
    faults: dict[Path, list[Fault]] = {path: [] for path in paths}
    modules: dict[str, Module] = {}
    homes: dict[str, Path] = {}
    for path in paths:
        context = LoadContext(environment, path.parent)
        file = validate(SnmpFile, load_yaml(path), path=path, context=context)
        for name, module in file.modules.items():
            homes[name] = path
            if isinstance(module, Module):
                modules[name] = module
                faults[path] += _below(name, module_faults(module))
                continue
            try:
                resolution = resolve(module, open_dictionary(), context)
            except Rejected as error:
                raise ConfigError(locate(_below(name, error.faults), path)) from error
            modules[name] = resolution.module
            faults[path] += _below(name, named_faults(module, resolution, open_dictionary()))
            # Places in the metrics are none in the file: the name of the metric must do.
            whole = (replace(fault, at=()) for fault in module_faults(resolution.module))
            faults[path] += _below(name, whole)
    together = None if inventory is None else _together(inventory, modules)
    for name, problem in overlaps(modules, together):
        fault = Fault(problem, "in one scrape, the first module gives them")
        faults[homes[name]] += _below(name, [fault])
    return [problem for path in paths for problem in locate(faults[path], path)]


def _below(module: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of a module as faults of its file."""
    return (replace(fault, at=("modules", module, *fault.at)) for fault in faults)


def _together(inventory: Inventory, known: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of known modules that some device has."""
    names = set(known)
    pairs: dict[tuple[str, str], None] = {}
    for device in inventory.devices:
        here = [name for name in device.modules if name in names]
        pairs.update({(a, b): None for place, a in enumerate(here) for b in here[place + 1 :]})
    return list(pairs)
