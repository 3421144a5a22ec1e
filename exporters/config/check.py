"""Checking configuration files one by one, whatever they are (``netexporters check FILE...``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from exporters.config.by_name.model import NamedModule
from exporters.config.context import LoadContext
from exporters.config.devices import Inventory
from exporters.config.event_rules import EventRules
from exporters.config.icmp_config import IcmpConfig
from exporters.config.icmp_module import has_probers
from exporters.config.ping_exporter_config import PingExporterConfig
from exporters.config.rejection import describe, suggest
from exporters.config.smokeping_config import SmokepingConfig, looks_like_smokeping
from exporters.config.snmp_config import (
    OpenDictionary,
    SnmpFile,
    empty_dictionary,
    homes_of,
    resolve_modules,
)
from exporters.config.syslog_config import SyslogConfig
from exporters.config.trap_config import TrapConfig
from exporters.config.validation import validate
from exporters.config.web_config import WebConfig
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem

KINDS: Final[Mapping[str, type[Any]]] = {
    "snmp": SnmpFile,
    "icmp": IcmpConfig,
    "smokeping": SmokepingConfig,
    "ping_exporter": PingExporterConfig,
    "devices": Inventory,
    "web": WebConfig,
    "events": EventRules,
    "trap": TrapConfig,
    "syslog": SyslogConfig,
}
"""The kinds of files there are, and what each becomes."""


def check_file(
    path: Path,
    kind: str | None = None,
    *,
    environment: Mapping[str, str],
    expand_environment_variables: bool = False,
    open_dictionary: OpenDictionary = empty_dictionary,
    beside: Sequence[Path] = (),
) -> list[Problem]:
    """Give everything that is wrong in one file.

    Without *kind*, a key of ``KINDS``, the file's keys tell what it is. A file alone is
    checked: that no module is configured at all, for instance, is no problem of one of several.
    Modules may include those of the files *beside* it.
    """
    try:
        content = load_yaml(path)
        model = KINDS[kind or recognise(content, path)]
        context = LoadContext(environment, path.parent, expand_environment_variables)
        checked = validate(model, content, path=path, context=context)
        if isinstance(checked, SnmpFile):
            files = {path: checked}
            if any(
                isinstance(each, NamedModule) and each.include for each in checked.modules.values()
            ):
                files |= _snmp_files(beside, context)
            resolve_modules(homes_of(files), open_dictionary, of=path)
    except ConfigError as error:
        return list(error.problems)
    return []


def _snmp_files(paths: Iterable[Path], context: LoadContext) -> dict[Path, SnmpFile]:
    """Those files that have modules and load; what is wrong in others is told of them."""
    files: dict[Path, SnmpFile] = {}
    for path in paths:
        with suppress(ConfigError):
            content = load_yaml(path)
            if recognise(content, path) == "snmp":
                files[path] = validate(SnmpFile, content, path=path, context=context)
    return files


def recognise(content: Any, path: Path) -> str:
    """Give the kind whose top-level keys the values of a file have.

    Raises:
        ConfigError: None of them does, or several.
    """
    if not isinstance(content, dict):
        problem = f"expected a mapping, found {describe(content)}"
        raise ConfigError([Problem(problem, file=str(path), line=1)])
    known = {kind: [field.name for field in fields(model)] for kind, model in KINDS.items()}
    matching = {kind: len(content.keys() & set(keys)) for kind, keys in known.items()}
    best = max(matching.values())
    kinds = [kind for kind, count in matching.items() if count == best > 0]
    if len(kinds) > 1:
        kinds = [kind for kind in kinds if _could_be(kind, content)]
    if len(kinds) == 1:
        return kinds[0]
    all_keys = [key for keys in known.values() for key in keys]
    first = next(iter(content), "")
    hint = suggest(str(first), all_keys, "known top-level keys")
    raise ConfigError([Problem("it is not clear which kind of file this is", hint, str(path), 1)])


def _could_be(kind: str, content: Mapping[str, Any]) -> bool:
    """Tell kinds apart whose files may have nothing but the same key: ``modules``, ``targets``."""
    match kind:
        case "icmp":
            return has_probers(content)
        case "snmp":
            return not has_probers(content)
        case "smokeping":
            return looks_like_smokeping(content)
        case "ping_exporter":
            return not looks_like_smokeping(content)
        case "syslog":
            return False  # keys that it has in common with traps are checked alike
    return True
