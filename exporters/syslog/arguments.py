"""The syslog exporter's flags, and the configuration that they lead to."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final

from exporters.config import flag_values
from exporters.config.devices import Inventory, load_inventory
from exporters.config.syslog_config import SyslogConfig, load_syslog_config
from exporters.errors import ConfigError, Problem
from exporters.events.flags import add_event_arguments
from exporters.events.rule_files import load_rules
from exporters.events.rules import RuleSet
from exporters.events.shares import WHOLE, Share
from exporters.events.sources import SourceLimiter, Sources
from exporters.sockets.listen_address import ListenAddress, parse_listen_address
from exporters.syslog.receiver import Policy
from exporters.syslog.tls import ServerTls, build_server_tls
from exporters.syslog.transports import TRANSPORTS

NAME: Final = "syslog"
LISTEN_FLAG: Final = "--syslog.listen-address"
DEFAULT_CONFIG_FILE: Final = "syslog.yml"

DEFAULT_UNIX_MODE: Final = 0o666
"""As of /dev/log."""

_MODE: Final = re.compile(r"0?[0-7]{3}\Z")
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen: ``udp://:514``, ``unix-dgram:///run/netexporters/log``."""

    transport: str
    address: ListenAddress | Path

    def __str__(self) -> str:
        return f"{self.transport}://{self.address}"


_DEFAULT_ENDPOINTS: Final = tuple(
    Endpoint(transport, ListenAddress("", 514)) for transport in ("udp", "tcp")
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; it does not change while the exporter runs."""

    config_files: tuple[str, ...]
    devices_file: str
    endpoints: tuple[Endpoint, ...] = ()
    receive_buffer_bytes: int = 0
    unix_mode: int = DEFAULT_UNIX_MODE
    state_file: str = ""
    events_log: str = ""
    workers: int = 1

    def addresses(self, transport: str) -> list[ListenAddress]:
        """Give the addresses of IP to listen on with one transport."""
        return [
            end.address
            for end in self.endpoints
            if end.transport == transport and isinstance(end.address, ListenAddress)
        ]

    def paths(self, transport: str) -> list[Path]:
        """Give the paths to listen on with one transport."""
        return [
            end.address
            for end in self.endpoints
            if end.transport == transport and isinstance(end.address, Path)
        ]


@dataclass(frozen=True, slots=True)
class Loaded:
    """One configuration."""

    config: SyslogConfig
    inventory: Inventory | None
    rules: RuleSet
    tls: ServerTls | None = None

    @property
    def device_names(self) -> list[str]:
        """The names of the inventory's devices."""
        return [] if self.inventory is None else [device.name for device in self.inventory.devices]

    @property
    def zones(self) -> Mapping[str, tzinfo]:
        """The time zones of its devices, by their names."""
        return {} if self.inventory is None else self.inventory.zones

    def own_names(self, share: Share) -> list[str]:
        """Give the names of those devices that belong to a process."""
        return [] if self.inventory is None else share.own_names(self.inventory.devices)

    def policy(self, share: Share = WHOLE) -> Policy:
        """Make of it what a receiver goes by in a process that has its share of the devices."""
        config = self.config
        return Policy(
            sources=Sources(self.inventory, config.access, share),
            limiter=SourceLimiter(share.of_rate_limit(config.access.rate_limit)),
            max_message_bytes=config.max_message_bytes,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the syslog exporter."""
    group = parser.add_argument_group("syslog")
    defaults = " and ".join(map(str, _DEFAULT_ENDPOINTS))
    group.add_argument(
        LISTEN_FLAG,
        dest="syslog_endpoints",
        metavar="ADDRESS",
        type=_endpoint,
        action="append",
        default=[],
        help="where to listen, as udp://host:port, tcp://host:port, tls://host:port, "
        f"unix-dgram:///path or unix-stream:///path; repeatable (default: {defaults})",
    )
    group.add_argument(
        "--syslog.unix-mode",
        dest="unix_mode",
        metavar="MODE",
        type=_mode,
        default=DEFAULT_UNIX_MODE,
        help="permissions of Unix sockets: who may write to one may send (default: "
        f"{DEFAULT_UNIX_MODE:04o})",
    )
    group.add_argument(
        "--syslog.receive-buffer",
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
        help="inventory of devices, which messages are counted under",
    )
    add_event_arguments(group, NAME)


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Read the parsed flags."""
    return Settings(
        config_files=tuple(arguments.config_files),
        devices_file=arguments.devices_file,
        endpoints=tuple(arguments.syslog_endpoints) or _DEFAULT_ENDPOINTS,
        receive_buffer_bytes=arguments.receive_buffer_bytes,
        unix_mode=arguments.unix_mode,
        state_file=arguments.state_file,
        events_log=arguments.events_log,
        workers=arguments.workers,
    )


def load(settings: Settings) -> Loaded:
    """Load the configuration files, the rules and the inventory.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    config = load_syslog_config(settings.config_files or _default_files(), environment=os.environ)
    inventory = load_inventory(Path(settings.devices_file)) if settings.devices_file else None
    tls = build_server_tls(config.tls)
    if tls is None and settings.addresses("tls"):
        hint = "give cert_file and key_file under tls in the configuration"
        raise ConfigError([Problem(f"{LISTEN_FLAG}=tls://... has no certificate", hint)])
    rules = load_rules(NAME, config.rule_files, shipped=config.shipped_rules)
    return Loaded(config, inventory, RuleSet(rules, NAME), tls)


def _default_files() -> Sequence[Path]:
    here = Path(DEFAULT_CONFIG_FILE)
    return [here] if here.exists() else []


def _endpoint(text: str) -> Endpoint:
    transport, separator, address = text.partition("://")
    if not separator or transport not in TRANSPORTS:
        known = " or ".join(f"{name}://" for name in TRANSPORTS)
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with {known}")
    if transport.startswith("unix-"):
        if not address.startswith("/") or address.endswith("/"):
            example = f"{transport}:///run/netexporters/log"
            raise argparse.ArgumentTypeError(f"{text!r} has no absolute path; expected {example}")
        return Endpoint(transport, Path(address))
    try:
        return Endpoint(transport, parse_listen_address(address))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _mode(text: str) -> int:
    if not _MODE.match(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no mode; expected one such as 0660")
    return int(text, 8)
