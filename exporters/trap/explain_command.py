"""``netexporters explain trap``: what would become of a trap, before it or a rule comes.

netexporters explain trap 30820...                 a datagram in hexadecimal, or - for stdin
netexporters explain trap capture.pcap             datagrams to UDP port 162
netexporters explain trap linkDown                 a trap as its MIB has it, with made-up values
netexporters explain trap v1-link-down             a case that ships
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exporters.config import flag_values
from exporters.errors import ConfigError, Problem, WireError
from exporters.events.explaining import file_named
from exporters.mibs.flags import add_mib_arguments
from exporters.trap.arguments import Loaded, Settings, load
from exporters.trap.example import Example, read_trap, shipped_cases
from exporters.trap.explaining import explain
from exporters.wire.pcap import is_capture, read_datagrams

_STDIN: Final = "-"
_TRAP_PORT: Final = 162


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "trap",
        metavar="TRAP",
        help="a datagram in hexadecimal, - to read it from standard input, a capture (pcap), or "
        "the name of a trap or of a case that ships",
    )
    parser.add_argument(
        "--source",
        default="192.0.2.1",
        metavar="ADDRESS",
        help="address that it comes from, where no capture tells (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=flag_values.positive,
        default=_TRAP_PORT,
        metavar="PORT",
        help="of a capture: the UDP port of the receiver (default: %(default)s)",
    )
    parser.add_argument(
        "--config.file",
        dest="config_files",
        metavar="FILE",
        action="append",
        default=[],
        help="configuration of the trap exporter; repeatable",
    )
    parser.add_argument(
        "--devices.file", dest="devices_file", metavar="FILE", default="", help="the inventory"
    )
    add_mib_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell of each datagram what would become of it.

    Raises:
        ConfigError: The configuration is wrong, or what is to be explained is nothing of the kind.
    """
    loaded = load(
        Settings(
            config_files=tuple(arguments.config_files),
            devices_file=arguments.devices_file,
            addresses=(),
            receive_buffer_bytes=0,
            state_file="",
            events_log="",
            mib_directories=tuple(arguments.mib_directories),
            mib_cache_directory=arguments.mib_cache_directory,
        )
    )
    for number, (example, source) in enumerate(_datagrams(arguments, loaded)):
        if number:
            sys.stdout.write("\n")
        try:
            for line in explain(loaded, example, source):
                sys.stdout.write(f"{line}\n")
        except ValueError as error:
            raise ConfigError([Problem(str(error), "write --source=192.0.2.1")]) from error
    return 0


def _datagrams(arguments: argparse.Namespace, loaded: Loaded) -> Iterator[tuple[Example, str]]:
    """Give what is to be explained, and the address that each comes from."""
    text: str = arguments.trap
    file = file_named(text)
    if text != _STDIN and file is not None:
        data = file.read_bytes()
        if is_capture(data):
            yield from _captured(data, file, arguments.port)
            return
        text = data.decode("ascii", "replace")
    elif text == _STDIN:
        text = sys.stdin.read()
    try:
        yield read_trap(loaded.dictionary, text), arguments.source
    except ValueError as error:
        cases = ", ".join(shipped_cases())
        hint = f"a file with one will do too, or the name of a case that ships: {cases}"
        raise ConfigError([Problem(str(error), hint)]) from error


def _captured(data: bytes, path: Path, port: int) -> Iterator[tuple[Example, str]]:
    found = 0
    try:
        for datagram in read_datagrams(data):
            if datagram.destination_port == port:
                found += 1
                yield Example(datagram.content), datagram.source
    except WireError as error:
        raise ConfigError([Problem(str(error), file=str(path))]) from error
    if not found:
        problem = f"has no datagram to UDP port {port}"
        raise ConfigError([Problem(problem, "name another --port", str(path))])
