"""``netexporters explain syslog``: what would become of a message, before it or a rule comes.

netexporters explain syslog '<187>1: %LINK-3-UPDOWN: ...'      a message
netexporters explain syslog messages.log                       the lines of a file, or - for stdin
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exporters.errors import ConfigError, Problem
from exporters.syslog.arguments import Settings, load
from exporters.syslog.explaining import explain

_STDIN: Final = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "message",
        metavar="MESSAGE",
        help="a message, a file with one on each line, or - to read them from standard input",
    )
    parser.add_argument(
        "--source",
        default="192.0.2.1",
        metavar="ADDRESS",
        help="address that it comes from (default: %(default)s)",
    )
    parser.add_argument(
        "--config.file",
        dest="config_files",
        metavar="FILE",
        action="append",
        default=[],
        help="configuration of the syslog exporter; repeatable",
    )
    parser.add_argument(
        "--devices.file", dest="devices_file", metavar="FILE", default="", help="the inventory"
    )


def run(arguments: argparse.Namespace) -> int:
    """Tell of each message what would become of it.

    Raises:
        ConfigError: The configuration is wrong, or the source is no address.
    """
    loaded = load(Settings(tuple(arguments.config_files), arguments.devices_file))
    for number, content in enumerate(_messages(arguments.message)):
        if number:
            sys.stdout.write("\n")
        try:
            for line in explain(loaded, content, arguments.source):
                sys.stdout.write(f"{line}\n")
        except ValueError as error:
            raise ConfigError([Problem(str(error), "write --source=192.0.2.1")]) from error
    return 0


def _messages(text: str) -> Iterator[bytes]:
    if text == _STDIN:
        yield from sys.stdin.buffer.read().splitlines()
    elif "<" not in text and Path(text).is_file():
        yield from Path(text).read_bytes().splitlines()
    else:
        yield text.encode(errors="surrogateescape")
