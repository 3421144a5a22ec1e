"""The ``--web.*`` flags, which all exporters share, and what they mean.

Source: the flags of Prometheus' exporter-toolkit; those without a counterpart there are
``--web.telemetry-path``, which each exporter defines, ``--web.shutdown-timeout`` and ``--workers``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exporters.config.go_duration import parse_duration
from exporters.web.cores import usable_cores
from exporters.web.listeners import ListenAddress, parse_listen_address

_MOST_WORKERS = 512


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where and how HTTP is served."""

    listen_addresses: Sequence[ListenAddress]
    systemd_socket: bool = False
    config_file: Path | None = None
    telemetry_path: str = "/metrics"
    shutdown_timeout_seconds: float = 10.0
    workers: int = 1


def add_web_arguments(parser: argparse.ArgumentParser, default_port: int) -> None:
    """Add the ``--web.*`` flags of an exporter whose own port is *default_port*."""
    group = parser.add_argument_group("HTTP")
    group.add_argument(
        "--web.listen-address",
        dest="web_listen_addresses",
        metavar="ADDRESS",
        action="append",
        help="address to serve HTTP on, [HOST]:PORT; repeatable; without a host every address of "
        f"this machine, IPv6 and IPv4 (default: :{default_port})",
    )
    parser.set_defaults(web_default_listen_address=f":{default_port}")
    group.add_argument(
        "--web.systemd-socket",
        dest="web_systemd_socket",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="serve on the sockets that systemd passes, instead of --web.listen-address",
    )
    group.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="FILE",
        default="",
        help="YAML file with TLS, client certificates and users, in the format of Prometheus' "
        "exporter-toolkit; holds for every address (default: plain HTTP, nobody is asked)",
    )
    group.add_argument(
        "--web.telemetry-path",
        dest="web_telemetry_path",
        metavar="PATH",
        default="/metrics",
        help="path of the exporter's own metrics (default: %(default)s)",
    )
    group.add_argument(
        "--web.shutdown-timeout",
        dest="web_shutdown_timeout",
        metavar="DURATION",
        type=_timeout,
        default=10.0,
        help="how long running scrapes may take to finish after SIGTERM; a second signal ends at "
        "once (default: 10s)",
    )
    group.add_argument(
        "--workers",
        dest="workers",
        metavar="N",
        type=_workers,
        default=1,
        help="processes that share the work, or auto: as many as there are cores "
        "(default: %(default)s)",
    )


def read_web_settings(arguments: argparse.Namespace) -> WebSettings:
    """Read the flags that ``add_web_arguments`` added.

    Raises:
        ConfigError: an address is not one.
    """
    addresses = arguments.web_listen_addresses or [arguments.web_default_listen_address]
    return WebSettings(
        listen_addresses=[parse_listen_address(address) for address in addresses],
        systemd_socket=arguments.web_systemd_socket,
        config_file=Path(arguments.web_config_file) if arguments.web_config_file else None,
        telemetry_path=arguments.web_telemetry_path,
        shutdown_timeout_seconds=arguments.web_shutdown_timeout,
        workers=arguments.workers,
    )


def _timeout(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; write one such as 10s or 500ms") from error
    if seconds < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is negative")
    return seconds


def _workers(text: str) -> int:
    if text == "auto":
        return min(usable_cores(), _MOST_WORKERS)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_WORKERS):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from 1 to {_MOST_WORKERS}; write one such as 4, or auto"
        )
    return int(text)
