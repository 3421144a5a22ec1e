"""``netexporters healthcheck``: whether an exporter of this machine is alive, for containers.

A container runs one exporter, whose port follows from which one it is: each default port is asked
in turn unless ``--address`` names another. An exporter that asks for a password, a client
certificate or TLS is alive too.
"""

from __future__ import annotations

import argparse
import http.client
import ssl
import sys

from exporters.cli import EXPORTERS

_SECONDS = 2.0
_ALIVE = frozenset({http.client.OK, http.client.UNAUTHORIZED})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--address",
        dest="addresses",
        metavar="HOST:PORT",
        type=_address,
        action="append",
        default=[],
        help="address to ask; repeatable (default: the port of each exporter on localhost)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 if one of the addresses answers as an exporter does, else 1."""
    addresses = arguments.addresses or [f"127.0.0.1:{entry.port}" for entry in EXPORTERS.values()]
    if any(_is_alive(address) for address in addresses):
        return 0
    sys.stderr.write(f"no exporter is healthy at {', '.join(addresses)}\n")
    return 1


def _is_alive(address: str) -> bool:
    # Whether the certificate is valid for localhost does not matter here: nothing is sent.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connections = (
        http.client.HTTPConnection(address, timeout=_SECONDS),
        http.client.HTTPSConnection(address, timeout=_SECONDS, context=context),
    )
    for connection in connections:
        try:
            connection.request("GET", "/-/healthy")
            if connection.getresponse().status in _ALIVE:
                return True
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
    return False


def _address(text: str) -> str:
    try:
        http.client.HTTPConnection(text)
    except http.client.InvalidURL as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT") from error
    return text
