"""The RMON exporter's flags, and the credentials and devices that they lead to."""

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
from exporters.config.rejection import format_key_path
from exporters.config.snmp_config import SnmpConfig, load_snmp_config
from exporters.config.source_lines import SourceLines
from exporters.errors import ConfigError, Problem
from exporters.polling.arguments import (
    PollingSettings,
    add_polling_arguments,
    read_polling_settings,
)
from exporters.polling.credentials import Credentials
from exporters.rmon.scrape import Bounds

DEFAULT_CONFIG_FILE: Final = "snmp.yml"
_LARGEST_TOP: Final = 50


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; it does not change while the exporter runs."""

    polling: PollingSettings
    config_files: tuple[str, ...]
    bounds: Bounds
    timeout_seconds: float
    retries: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration that holds at a time."""

    config: SnmpConfig
    credentials: Credentials
    inventory: Inventory | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the RMON exporter."""
    add_polling_arguments(parser)
    group = parser.add_argument_group("RMON")
    group.add_argument(
        "--rmon.top",
        dest="top",
        metavar="N",
        type=_top,
        default=10,
        help=f"rows of a large table (hosts, matrix, nl_*, al_*) that get series, up to "
        f"{_LARGEST_TOP} (default: %(default)s)",
    )
    group.add_argument(
        "--rmon.max-rows",
        dest="max_rows",
        metavar="N",
        type=flag_values.positive,
        default=5000,
        help="a table that has more rows is given up (default: %(default)s)",
    )
    group.add_argument(
        "--rmon.peak-window",
        dest="peak_window",
        metavar="DURATION",
        type=flag_values.seconds,
        default=300.0,
        help="how far back the peak of utilization looks, such as 5m: at least the longest scrape "
        "interval (default: %(default)g)",
    )
    group.add_argument(
        "--rmon.timeout",
        dest="timeout",
        metavar="DURATION",
        type=flag_values.seconds,
        default=5.0,
        help="wait for each answer (default: %(default)g)",
    )
    group.add_argument(
        "--rmon.retries",
        dest="retries",
        metavar="N",
        type=flag_values.count,
        default=3,
        help="further tries of a request (default: %(default)s)",
    )


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Read the parsed flags."""
    return Settings(
        polling=read_polling_settings(arguments, max(1, open_files.device_sockets())),
        config_files=tuple(arguments.config_files),
        bounds=Bounds(arguments.top, arguments.max_rows, arguments.peak_window),
        timeout_seconds=arguments.timeout,
        retries=arguments.retries,
    )


def load(settings: Settings) -> Loaded:
    """Load the credentials and the inventory.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    config = load_snmp_config(
        _configuration_files(settings.config_files),
        environment=os.environ,
        need_modules=False,
    )
    file = settings.polling.devices_file
    inventory = load_inventory(Path(file)) if file else None
    if inventory is not None:
        _check_auths(config, inventory, Path(file))
    return Loaded(config, Credentials.compile(config.auths), inventory)


def _configuration_files(files: Sequence[str]) -> Sequence[str]:
    """Give the files with credentials that are named, or the SNMP exporter's own defaults."""
    if files:
        return files
    here = Path(DEFAULT_CONFIG_FILE)
    return [str(here if here.exists() else modules_directory("snmp") / "auths.yml")]


def _check_auths(config: SnmpConfig, inventory: Inventory, path: Path) -> None:
    """Refuse a device whose auth is not there."""
    lines = SourceLines(path)
    known = f"the configuration has {', '.join(sorted(config.auths))}"
    problems = []
    for place, device in enumerate(inventory.devices):
        if device.auth and device.auth not in config.auths:
            where = ("devices", place, "auth")
            problems.append(
                Problem(
                    f"unknown auth {device.auth!r}",
                    known,
                    str(path),
                    lines.line(where),
                    format_key_path(where),
                )
            )
    if problems:
        raise ConfigError(problems)


def _top(text: str) -> int:
    number = flag_values.count(text)
    if number > _LARGEST_TOP:
        raise argparse.ArgumentTypeError(f"{number} is more than {_LARGEST_TOP}")
    return number
