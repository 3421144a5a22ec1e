"""The ICMP exporter's flags, and the configuration that they lead to.

Flags that smokeping_prober and blackbox_exporter have keep their names and defaults.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exporters.bundled import modules_directory
from exporters.config import flag_values
from exporters.config.devices import Inventory, load_inventory
from exporters.config.go_duration import parse_duration
from exporters.config.icmp_config import (
    LEGACY_NAMES,
    IcmpConfig,
    command_line_group,
    load_icmp_config,
    merge,
)
from exporters.config.icmp_fields import DEFAULT_BUCKETS, check_buckets
from exporters.config.rejection import Rejected, format_key_path
from exporters.errors import ConfigError, Problem
from exporters.icmp.legacy_names import PING_EXPORTER_LABELS, SMOKEPING_LABELS
from exporters.sockets.target_guard import Network

DEFAULT_CONFIG_FILE: Final = "icmp.yml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; it does not change while the exporter runs."""

    config_files: tuple[str, ...]
    devices_file: str
    hosts: tuple[str, ...]
    interval: str
    timeout: str
    size: int
    tos: int
    buckets: tuple[float, ...]
    legacy_names: tuple[str, ...]
    timeout_offset_seconds: float
    probe_concurrency: int
    max_pings_per_second: float
    allowed: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """One configuration, with the devices that its groups choose from."""

    config: IcmpConfig
    inventory: Inventory | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the ICMP exporter."""
    parser.usage = f"{parser.prog} [FLAGS] [HOST...]"
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="host to ping all the time")
    group = parser.add_argument_group("ICMP")
    group.add_argument(
        "--devices.file",
        dest="devices_file",
        metavar="FILE",
        default="",
        help="inventory of devices, for groups to choose from; served at /sd",
    )
    group.add_argument(
        "--probe.concurrency",
        dest="probe_concurrency",
        metavar="N",
        type=flag_values.positive,
        default=1000,
        help="requests of /probe that may be under way at the same time (default: %(default)s)",
    )
    group.add_argument(
        "--pings.max-per-second",
        dest="max_pings_per_second",
        metavar="N",
        type=flag_values.count,
        default=0,
        help="pings that may go out in a second, all targets together; 0: twice what their "
        "intervals come to, for after a stall (default: %(default)s)",
    )
    group.add_argument(
        "--timeout-offset",
        dest="timeout_offset",
        metavar="SECONDS",
        type=flag_values.seconds,
        default=0.5,
        help="what a probe leaves of Prometheus' scrape timeout (default: %(default)s)",
    )
    group.add_argument(
        "--targets.allow",
        dest="allowed",
        metavar="CIDR",
        type=flag_values.network,
        action="append",
        default=[],
        help="network that targets of /probe may be in; repeatable (default: every host)",
    )
    group.add_argument(
        "--legacy-names",
        dest="legacy_names",
        choices=LEGACY_NAMES,
        metavar="PEER",
        action="append",
        default=[],
        help="serve the metric names of a peer too, %(choices)s; repeatable",
    )
    _add_host_arguments(parser)


def _add_host_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how the hosts of the command line are pinged")
    group.add_argument(
        "-i",
        "--ping.interval",
        dest="ping_interval",
        metavar="DURATION",
        type=_duration,
        default="1s",
        help="time between two pings (default: %(default)s)",
    )
    group.add_argument(
        "--ping.timeout",
        dest="ping_timeout",
        metavar="DURATION",
        type=_duration,
        default="2s",
        help="time after which an unanswered ping is lost (default: %(default)s)",
    )
    group.add_argument(
        "-s",
        "--ping.size",
        dest="ping_size",
        metavar="BYTES",
        type=flag_values.count,
        default=56,
        help="bytes of payload (default: %(default)s)",
    )
    group.add_argument(
        "-O",
        "--ping.tos",
        dest="ping_tos",
        metavar="N",
        type=_tos,
        default=0,
        help="TOS or traffic class, 0 to 255; 0x and 0b may lead (default: %(default)s)",
    )
    group.add_argument(
        "--buckets",
        dest="buckets",
        metavar="SECONDS,...",
        type=_buckets,
        default=DEFAULT_BUCKETS,
        help="upper bounds of their histograms, and of those of a file of smokeping_prober "
        "(default: 50us to 26s, each twice the one before)",
    )


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Read the parsed flags."""
    return Settings(
        config_files=tuple(arguments.config_files),
        devices_file=arguments.devices_file,
        hosts=tuple(arguments.hosts),
        interval=arguments.ping_interval,
        timeout=arguments.ping_timeout,
        size=arguments.ping_size,
        tos=arguments.ping_tos,
        buckets=tuple(arguments.buckets),
        legacy_names=tuple(dict.fromkeys(arguments.legacy_names)),
        timeout_offset_seconds=arguments.timeout_offset,
        probe_concurrency=arguments.probe_concurrency,
        max_pings_per_second=arguments.max_pings_per_second,
        allowed=tuple(arguments.allowed),
    )


def load(settings: Settings) -> Loaded:
    """Load the configuration files and the inventory, and add what the command line says.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    config = load_icmp_config(
        settings.config_files or _default_files(settings),
        environment=os.environ,
        buckets=settings.buckets,
    )
    parts = [config, IcmpConfig(legacy_names=settings.legacy_names)]
    if settings.hosts:
        parts.append(command_line_group(_host_settings(settings)))
    config = merge(parts)
    inventory = load_inventory(Path(settings.devices_file)) if settings.devices_file else None
    if problems := [*_missing_inventory(config, inventory), *_clashing_labels(config)]:
        raise ConfigError(problems)
    return Loaded(config, inventory)


def _default_files(settings: Settings) -> Sequence[str | Path]:
    """``icmp.yml`` where there is one, else what ships; devices only where there are any."""
    here = Path(DEFAULT_CONFIG_FILE)
    if here.exists():
        return [here]
    shipped = modules_directory("icmp")
    names = ["probe.yml", "devices.yml"] if settings.devices_file else ["probe.yml"]
    return [shipped / name for name in names]


def _host_settings(settings: Settings) -> dict[str, object]:
    return {
        "hosts": list(settings.hosts),
        "interval": settings.interval,
        "timeout": settings.timeout,
        "size": settings.size,
        "tos": settings.tos,
        "buckets": list(settings.buckets),
    }


def _missing_inventory(config: IcmpConfig, inventory: Inventory | None) -> Iterator[Problem]:
    """Groups that choose from devices that there are none of."""
    for name, group in config.groups.items():
        if group.devices is not None and inventory is None:
            yield Problem(
                "there are no devices to choose from",
                "name an inventory with --devices.file",
                key_path=format_key_path(("groups", name, "devices")),
            )


def _clashing_labels(config: IcmpConfig) -> Iterator[Problem]:
    """Labels that a peer gives itself to each of its series, where its names are asked for."""
    own = {"smokeping": SMOKEPING_LABELS, "ping_exporter": PING_EXPORTER_LABELS}
    for peer in config.legacy_names:
        for name, group in config.groups.items():
            labels = {*group.labels, *(label for host in group.hosts for label in host.labels)}
            for label in sorted(labels & set(own[peer])):
                yield Problem(
                    f"the label {label} is one of those that {peer} gives itself",
                    f"choose another name, or drop {peer} from legacy_names",
                    key_path=format_key_path(("groups", name, "labels", label)),
                )


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; write one such as 1s or 500ms") from error
    return text


def _tos(text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 255")
    return number


def _buckets(text: str) -> tuple[float, ...]:
    try:
        bounds = [float(part) for part in text.split(",")]
        if not all(map(math.isfinite, bounds)):
            raise ValueError(text)
        return check_buckets(bounds)
    except Rejected as error:
        raise argparse.ArgumentTypeError(f"{text!r} are no buckets: {error}") from error
    except ValueError as error:
        hint = "expected rising seconds, such as 0.001,0.01,0.1"
        raise argparse.ArgumentTypeError(f"{text!r} are no buckets; {hint}") from error
