"""The flags of every exporter that polls agents: how it reaches them, and how hard it may try.

Flags that snmp_exporter has keep their names and defaults.
"""

from __future__ import annotations

import argparse
import ipaddress
import math
from dataclasses import dataclass

from exporters.config import flag_values
from exporters.sockets.pacing import Limits
from exporters.sockets.target_guard import Network


@dataclass(frozen=True, slots=True)
class PollingSettings:
    """What the command line says of polling."""

    devices_file: str
    concurrency: int
    most_scrapes: int
    device_limits: Limits
    silent_scrapes: int
    source: tuple[str, int] | None
    timeout_offset_seconds: float
    longest_scrape_seconds: float
    allowed: tuple[Network, ...]


def add_polling_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    group = parser.add_argument_group("polling")
    group.add_argument(
        "--devices.file",
        dest="devices_file",
        metavar="FILE",
        default="",
        help="inventory of devices, served at /sd for Prometheus to discover",
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
        "--snmp.silent-scrapes",
        dest="silent_scrapes",
        metavar="N",
        type=flag_values.count,
        default=3,
        help="after this many scrapes without any answer, ask a target one thing for a second "
        "before its next scrape; 0 for never (default: %(default)s)",
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
        type=flag_values.some_seconds,
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


def read_polling_settings(arguments: argparse.Namespace, sockets: int) -> PollingSettings:
    """Read the parsed flags; *sockets* is how many scrapes the open files of a process allow."""
    return PollingSettings(
        devices_file=arguments.devices_file,
        concurrency=arguments.concurrency,
        most_scrapes=arguments.most_scrapes or sockets,
        device_limits=Limits(arguments.device_concurrency, arguments.packets_per_second),
        silent_scrapes=arguments.silent_scrapes,
        source=arguments.source,
        timeout_offset_seconds=arguments.timeout_offset,
        longest_scrape_seconds=arguments.longest_scrape,
        allowed=tuple(arguments.allowed),
    )


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
