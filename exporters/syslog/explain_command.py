"""``netexporters explain syslog``: what would become of a message, before it or a rule comes.

netexporters explain syslog '<187>1: %LINK-3-UPDOWN: ...'      a message
netexporters explain syslog messages.log                       the lines of a file, or - for stdin
netexporters explain syslog junos-link-down                    a message that ships as an example
netexporters explain syslog juniper                            which examples there are
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import Final

from exporters.errors import ConfigError, Problem
from exporters.events.explaining import file_named
from exporters.syslog.arguments import Settings, load
from exporters.syslog.cases import Case, cases_named, shipped_cases
from exporters.syslog.explaining import explain

_STDIN: Final = "-"
_NAME: Final = re.compile(r"[a-z\d]+(?:-[a-z\d]+)*\Z")
"""Of a case or a group of them; what looks like one is no message."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "message",
        metavar="MESSAGE",
        help="a message, a file with one on each line, - to read them from standard input, or the "
        "name of an example that ships; cisco or juniper lists those of a group",
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
        ConfigError: The configuration is wrong, the source is no address, or the example unknown.
    """
    text: str = arguments.message
    examples = _examples(text)
    if any(case.group == text for case in examples):
        for case in examples:
            sys.stdout.write(f"{_about(case)}\n")
        return 0
    loaded = load(Settings(tuple(arguments.config_files), arguments.devices_file))
    for number, content in enumerate([case.message for case in examples] or _messages(text)):
        if number:
            sys.stdout.write("\n")
        if examples:
            sys.stdout.write(f"{content.decode()}\n\n")
        try:
            for line in explain(loaded, content, arguments.source):
                sys.stdout.write(f"{line}\n")
        except ValueError as error:
            raise ConfigError([Problem(str(error), "write --source=192.0.2.1")]) from error
    return 0


def _examples(text: str) -> list[Case]:
    """Give the examples that a name stands for; none where the text is no name."""
    if not _NAME.match(text) or file_named(text):
        return []
    found = cases_named(text)
    if not found:
        groups = ", ".join(dict.fromkeys(case.group for case in shipped_cases()))
        hint = f"a message has blanks; groups of examples that ship are {groups}"
        raise ConfigError([Problem(f"there is no example {text!r}, and no such file", hint)])
    return found


def _about(case: Case) -> str:
    change = f", {case.change.replace(' ', 's ', 1)}" if case.change else ""
    return f"{case.name:40} {case.event}, {case.severity}{change}"


def _messages(text: str) -> Iterator[bytes]:
    if text == _STDIN:
        yield from sys.stdin.buffer.read().splitlines()
    elif file := file_named(text):
        yield from file.read_bytes().splitlines()
    else:
        yield text.encode(errors="surrogateescape")
