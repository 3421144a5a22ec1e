"""The trap exporter's flags, and the configuration that they lead to."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exporters.config import flag_values
from exporters.config.devices import Inventory, load_inventory
from exporters.config.event_rules import EventRule
from exporters.config.trap_config import TrapConfig, load_trap_config
from exporters.events.flags import add_event_arguments
from exporters.events.rule_files import load_rules
from exporters.events.rules import RuleSet
from exporters.logs import fields
from exporters.mibs.flags import add_mib_arguments
from exporters.mibs.on_demand import DictionaryOnDemand
from exporters.smi.dictionary import Dictionary
from exporters.sockets.listen_address import ListenAddress, parse_listen_address
from exporters.trap.catalogue import Catalogue
from exporters.trap.objects import INDEX_SUFFIX, Objects

NAME: Final = "trap"
LISTEN_FLAG: Final = "--trap.listen-address"
DEFAULT_CONFIG_FILE: Final = "trap.yml"

logger = logging.getLogger(__name__)

_DEFAULT_ADDRESS: Final = ListenAddress("", 162)
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; it does not change while the exporter runs."""

    config_files: tuple[str, ...]
    devices_file: str
    addresses: tuple[ListenAddress, ...]
    receive_buffer_bytes: int
    state_file: str
    events_log: str
    mib_directories: tuple[Path, ...]
    mib_cache_directory: Path | None
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """One configuration."""

    config: TrapConfig
    inventory: Inventory | None
    rules: RuleSet
    dictionary: Dictionary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the trap exporter."""
    group = parser.add_argument_group("traps")
    group.add_argument(
        LISTEN_FLAG,
        dest="trap_addresses",
        metavar="ADDRESS",
        type=_address,
        action="append",
        default=[],
        help="UDP address to listen on, as host:port or udp://host:port; repeatable "
        f"(default: {_DEFAULT_ADDRESS})",
    )
    group.add_argument(
        "--trap.receive-buffer",
        dest="receive_buffer_bytes",
        metavar="BYTES",
        type=flag_values.size_bytes,
        default=32 * _MEBIBYTE,
        help="how much may wait in a socket; the system may grant less (default: %(default)s)",
    )
    group.add_argument(
        "--devices.file",
        dest="devices_file",
        metavar="FILE",
        default="",
        help="inventory of devices, which traps are counted under",
    )
    add_event_arguments(group, NAME)
    add_mib_arguments(parser)


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Read the parsed flags."""
    return Settings(
        config_files=tuple(arguments.config_files),
        devices_file=arguments.devices_file,
        addresses=tuple(arguments.trap_addresses) or (_DEFAULT_ADDRESS,),
        receive_buffer_bytes=arguments.receive_buffer_bytes,
        state_file=arguments.state_file,
        events_log=arguments.events_log,
        mib_directories=tuple(arguments.mib_directories),
        mib_cache_directory=arguments.mib_cache_directory,
        workers=arguments.workers,
    )


def load(settings: Settings) -> Loaded:
    """Load the configuration files, the rules, the inventory and the dictionary.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    config = load_trap_config(settings.config_files or _default_files(), environment=os.environ)
    inventory = load_inventory(Path(settings.devices_file)) if settings.devices_file else None
    rules = load_rules(NAME, config.rule_files, shipped=config.shipped_rules)
    dictionary = DictionaryOnDemand(settings.mib_directories, settings.mib_cache_directory).get()
    loaded = Loaded(config, inventory, RuleSet(rules, NAME), dictionary)
    _tell_of_unknown_names(loaded, _groups(rules))
    return loaded


def _groups(rules: Sequence[EventRule]) -> set[str]:
    """Give the names of groups of patterns, which labels may name as they do varbinds."""
    conditions = [condition for rule in rules for condition in rule.match.fields.values()]
    patterns = [condition.matches for condition in conditions if condition.matches is not None]
    return {name for pattern in patterns for name in pattern.pattern.groupindex}


def _tell_of_unknown_names(loaded: Loaded, groups: set[str]) -> None:
    """Rules may name what only the MIB of a user has: such a rule waits in vain, and is told of."""
    catalogue, objects = Catalogue(loaded.dictionary), Objects(loaded.dictionary)
    traps = [name for name in loaded.rules.trap_names if not catalogue.has_name(name)]
    names = {name.removesuffix(INDEX_SUFFIX) for name in loaded.rules.field_names - groups}
    varbinds = [name for name in names if not objects.oids_of(name)]
    for what, unknown in (("traps", traps), ("varbinds", varbinds)):
        if unknown:
            logger.warning(
                "rules have names that no MIB has; --mib.dir takes more MIB files",
                extra=fields(what=what, names=", ".join(sorted(unknown))),
            )


def _default_files() -> Sequence[Path]:
    here = Path(DEFAULT_CONFIG_FILE)
    return [here] if here.exists() else []


def _address(text: str) -> ListenAddress:
    try:
        return parse_listen_address(text.removeprefix("udp://"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
