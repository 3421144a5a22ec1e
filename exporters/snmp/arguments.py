"""The SNMP exporter's flags, and the configuration that they lead to.

Flags that snmp_exporter has keep their names and defaults.
"""

from __future__ import annotations

import argparse
import ipaddress
import math
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
from exporters.snmp.loaded import Loaded
from exporters.sockets.pacing import Limits
from exporters.sockets.target_guard import Network

DEFAULT_CONFIG_FILE: Final = "snmp.yml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; it does not change while the exporter runs."""

    config_files: tuple[str, ...]
    devices_file: str
    expand_environment_variables: bool
    module_concurrency: int
    concurrency: int
    most_scrapes: int
    device_limits: Limits
    wrap_large_counters: bool
    silent_scrapes: int
    lookup_cache_seconds: float
    lookup_cache_bytes: int
    auto_refresh_seconds: float
    auto_excluded: tuple[str, ...]
    debug_packets: bool
    source: tuple[str, int] | None
    mib_directories: tuple[Path, ...]
    mib_cache_directory: Path | None
    timeout_offset_seconds: float
    longest_scrape_seconds: float
    allowed: tuple[Network, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the SNMP exporter."""
    group = parser.add_argument_group("SNMP")
    group.add_argument(
        "--devices.file",
        dest="devices_file",
        metavar="FILE",
        default="",
        help="inventory of devices, served at /sd for Prometheus to discover",
    )
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
        "--snmp.concurrency",
        dest="concurrency",
        metavar="N",
        type=flag_values.positive,
        default=4,
        help="packets that one request may have under way to its target (default: %(default)s)",
    )
    group.add_argument(
        "--snmp.device-concurrency",
        dest="device_concurrency",
        metavar="N",
        type=flag_values.count,
        default=0,
        help="requests that all scrapes together may have under way to one device, if devices.yml "
        "says nothing else; 0 for any number (default: %(default)s)",
    )
    group.add_argument(
        "--snmp.packets-per-second",
        dest="packets_per_second",
        metavar="N",
        type=_rate,
        default=0.0,
        help="packets that all scrapes together send to one device a second, if devices.yml says "
        "nothing else; 0 for any number (default: 0)",
    )
    group.add_argument(
        "--snmp.max-scrapes",
        dest="most_scrapes",
        metavar="N",
        type=flag_values.count,
        default=0,
        help="scrapes under way at a time, further ones wait for their turn (default: as many as "
        "two fifths of the files that the process may have open allow)",
    )
    group.add_argument(
        "--snmp.wrap-large-counters",
        dest="wrap_large_counters",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="wrap 64-bit counters at 2^53, so that rates of them stay exact (default: on)",
    )
    group.add_argument(
        "--snmp.silent-scrapes",
        dest="silent_scrapes",
        metavar="N",
        type=flag_values.count,
        default=3,
        help="after this many scrapes without any answer, ask a target one thing for a second "
        "before its next scrape; 0 for never (default: %(default)s)",
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
    group.add_argument(
        "--snmp.source-address",
        dest="source",
        metavar="ADDRESS",
        type=_source,
        default=None,
        help="local address, or address:port, to send from (default: the system's choice)",
    )
    group.add_argument(
        "--timeout-offset",
        dest="timeout_offset",
        metavar="SECONDS",
        type=flag_values.seconds,
        default=0.5,
        help="what a scrape leaves of Prometheus' scrape timeout (default: %(default)s)",
    )
    group.add_argument(
        "--scrape.longest",
        dest="longest_scrape",
        metavar="SECONDS",
        type=flag_values.seconds,
        default=120.0,
        help="deadline of a request that names no scrape timeout (default: %(default)s)",
    )
    group.add_argument(
        "--targets.allow",
        dest="allowed",
        metavar="CIDR",
        type=flag_values.network,
        action="append",
        default=[],
        help="network that targets may be in; repeatable (default: every host)",
    )
    add_mib_arguments(parser)


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Read the parsed flags."""
    return Settings(
        config_files=tuple(arguments.config_files),
        devices_file=arguments.devices_file,
        expand_environment_variables=arguments.expand_environment_variables,
        module_concurrency=arguments.module_concurrency,
        concurrency=arguments.concurrency,
        most_scrapes=arguments.most_scrapes
        or max(1, open_files.device_sockets() // arguments.module_concurrency),
        device_limits=Limits(arguments.device_concurrency, arguments.packets_per_second),
        wrap_large_counters=arguments.wrap_large_counters,
        silent_scrapes=arguments.silent_scrapes,
        lookup_cache_seconds=arguments.lookup_cache,
        lookup_cache_bytes=arguments.lookup_cache_megabytes << 20,
        auto_refresh_seconds=arguments.auto_refresh,
        auto_excluded=tuple(arguments.auto_excluded),
        debug_packets=arguments.debug_packets,
        source=arguments.source,
        mib_directories=tuple(arguments.mib_directories),
        mib_cache_directory=arguments.mib_cache_directory,
        timeout_offset_seconds=arguments.timeout_offset,
        longest_scrape_seconds=arguments.longest_scrape,
        allowed=tuple(arguments.allowed),
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
    inventory = load_inventory(Path(settings.devices_file)) if settings.devices_file else None
    for name in settings.auto_excluded:
        if name not in config.modules:
            problem = f"--snmp.auto-exclude: there is no module {name!r}"
            raise ConfigError([Problem(problem, suggest(name, [*config.modules], "there are"))])
    loaded = Loaded.compile(config, inventory, auto_excluded=settings.auto_excluded)
    if inventory is not None:
        _check_inventory(loaded, inventory, Path(settings.devices_file))
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


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not 0 <= rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of packets a second")
    return rate


def _source(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if text.startswith("[") and "]" in text:
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif not colon or text.count(":") > 1:
        host, port = text, ""
    try:
        ipaddress.ip_address(host)
        number = int(port or 0)
        if not 0 <= number <= 0xFFFF:
            raise ValueError(port)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a local address; expected 192.0.2.1 or 192.0.2.1:5000"
        ) from error
    return host, number
