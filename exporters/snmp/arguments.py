"""The SNMP exporter's flags, and the configuration that they lead to.

Flags that snmp_exporter has keep their names and defaults.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exporters import open_files
from exporters.bundled import modules_directory
from exporters.config import flag_values
from exporters.config.devices import Inventory, load_inventory
from exporters.config.rejection import format_key_path, suggest
from exporters.config.snmp_config import (
    AUTO,
    OpenDictionary,
    SnmpConfig,
    empty_dictionary,
    load_snmp_config,
)
from exporters.config.source_lines import SourceLines
from exporters.errors import ConfigError, Problem
from exporters.mibs.flags import add_mib_arguments
from exporters.mibs.on_demand import DictionaryOnDemand
from exporters.polling.arguments import (
    PollingSettings,
    add_polling_arguments,
    read_polling_settings,
)
from exporters.snmp.loaded import Loaded

DEFAULT_CONFIG_FILE: Final = "snmp.yml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; it does not change while the exporter runs."""

    polling: PollingSettings
    config_files: tuple[str, ...]
    expand_environment_variables: bool
    module_concurrency: int
    wrap_large_counters: bool
    lookup_cache_seconds: float
    lookup_cache_bytes: int
    auto_refresh_seconds: float
    auto_excluded: tuple[str, ...]
    debug_packets: bool
    mib_directories: tuple[Path, ...]
    mib_cache_directory: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the SNMP exporter."""
    add_polling_arguments(parser)
    group = parser.add_argument_group("SNMP")
    group.add_argument(
        "--config.expand-environment-variables",
        dest="expand_environment_variables",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="expand $NAME too, not only ${NAME}, in username, password and priv_password",
    )
    group.add_argument(
        "--snmp.module-concurrency",
        dest="module_concurrency",
        metavar="N",
        type=flag_values.positive,
        default=1,
        help="modules of one request that are read side by side (default: %(default)s)",
    )
    group.add_argument(
        "--snmp.wrap-large-counters",
        dest="wrap_large_counters",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="wrap 64-bit counters at 2^53, so that rates of them stay exact (default: on)",
    )
    group.add_argument(
        "--snmp.lookup-cache",
        dest="lookup_cache",
        metavar="DURATION",
        type=flag_values.seconds,
        default=0.0,
        help="remember for so long, such as 10m, the columns that only lookups read, in modules "
        "that do not say lookup_cache themselves; 0 for not at all (default: %(default)g)",
    )
    group.add_argument(
        "--snmp.lookup-cache-megabytes",
        dest="lookup_cache_megabytes",
        metavar="N",
        type=flag_values.count,
        default=64,
        help="memory for what is remembered of lookups, all targets together "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--snmp.auto-refresh",
        dest="auto_refresh",
        metavar="DURATION",
        type=flag_values.seconds,
        default=3600.0,
        help=f"remember for so long, such as 1h, which modules the module {AUTO} stands for in a "
        "device; 0 asks in each scrape (default: %(default)g)",
    )
    group.add_argument(
        "--snmp.auto-exclude",
        dest="auto_excluded",
        metavar="MODULE",
        action="append",
        default=[],
        help=f"a module that {AUTO} never stands for; repeatable (default: none)",
    )
    group.add_argument(
        "--snmp.debug-packets",
        dest="debug_packets",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="log every packet at level debug (default: off)",
    )
    add_mib_arguments(parser)


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Read the parsed flags."""
    sockets = max(1, open_files.device_sockets() // arguments.module_concurrency)
    return Settings(
        polling=read_polling_settings(arguments, sockets),
        config_files=tuple(arguments.config_files),
        expand_environment_variables=arguments.expand_environment_variables,
        module_concurrency=arguments.module_concurrency,
        wrap_large_counters=arguments.wrap_large_counters,
        lookup_cache_seconds=arguments.lookup_cache,
        lookup_cache_bytes=arguments.lookup_cache_megabytes << 20,
        auto_refresh_seconds=arguments.auto_refresh,
        auto_excluded=tuple(arguments.auto_excluded),
        debug_packets=arguments.debug_packets,
        mib_directories=tuple(arguments.mib_directories),
        mib_cache_directory=arguments.mib_cache_directory,
    )


def configuration_files(files: Sequence[str]) -> Sequence[str]:
    """Give the files that are named, or those that count where none is.

    These are ``snmp.yml`` where there is one in the working directory, as snmp_exporter has it,
    else the modules that ship with this package.
    """
    if files:
        return files
    here = Path(DEFAULT_CONFIG_FILE)
    return [str(here if here.exists() else modules_directory("snmp") / "*.yml")]


def load_files(
    files: Sequence[str],
    *,
    expand_environment_variables: bool = False,
    open_dictionary: OpenDictionary = empty_dictionary,
    need_auths: bool = True,
    need_modules: bool = True,
) -> SnmpConfig:
    """Load configuration files; the dictionary is opened if a module is written by name.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    return load_snmp_config(
        configuration_files(files),
        environment=os.environ,
        expand_environment_variables=expand_environment_variables,
        open_dictionary=open_dictionary,
        need_auths=need_auths,
        need_modules=need_modules,
    )


def load(settings: Settings, open_dictionary: OpenDictionary) -> Loaded:
    """Load and compile the configuration files.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    config = load_files(
        settings.config_files,
        expand_environment_variables=settings.expand_environment_variables,
        open_dictionary=open_dictionary,
    )
    devices_file = settings.polling.devices_file
    inventory = load_inventory(Path(devices_file)) if devices_file else None
    for name in settings.auto_excluded:
        if name not in config.modules:
            problem = f"--snmp.auto-exclude: there is no module {name!r}"
            raise ConfigError([Problem(problem, suggest(name, [*config.modules], "there are"))])
    loaded = Loaded.compile(config, inventory, auto_excluded=settings.auto_excluded)
    if inventory is not None:
        _check_inventory(loaded, inventory, Path(devices_file))
    return loaded


def prepare_dictionary(settings: Settings) -> DictionaryOnDemand:
    """Make the OID dictionary ready.

    What ships is opened when it is asked for. A user's files are compiled now, because that may
    take long, and what is wrong in them is to be known.

    Raises:
        ConfigError: A directory of MIB files is not there.
    """
    dictionary = DictionaryOnDemand(settings.mib_directories, settings.mib_cache_directory)
    if settings.mib_directories:
        dictionary.get()
    return dictionary


def _check_inventory(loaded: Loaded, inventory: Inventory, path: Path) -> None:
    """Refuse a device whose auth or modules are not in the SNMP configuration."""
    lines = SourceLines(path)
    problems: list[Problem] = []

    def refuse(problem: str, hint: str, *where: str | int) -> None:
        key_path = ("devices", *where)
        problems.append(
            Problem(problem, hint, str(path), lines.line(key_path), format_key_path(key_path))
        )

    known = f"the SNMP configuration has {', '.join(sorted(loaded.config.auths))}"
    for place, device in enumerate(inventory.devices):
        if device.auth and device.auth not in loaded.config.auths:
            refuse(f"unknown auth {device.auth!r}", known, place, "auth")
        for number, module in enumerate(device.modules):
            if module not in loaded.config.modules and module != AUTO:
                hint = f"name a module of the SNMP configuration, or write {AUTO}"
                refuse(f"unknown module {module!r}", hint, place, "modules", number)
    if problems:
        raise ConfigError(problems)
