"""The command ``netexporters``: the one table of exporters, the one table of other commands.

    netexporters snmp --config.file=snmp.yml        an exporter, until SIGTERM
    netexporters check snmp.yml                     a command, until it is done

A module is imported when its command is chosen, so that starting one exporter does not load four
others. Exit codes: 0 done, 1 what was asked for failed or a configuration is wrong, 2 the command
line is wrong, 130 interrupted. What a user can cause is told in words, never by a stack trace.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Protocol, cast

from exporters import __version__, logs, open_files
from exporters.build import this_build
from exporters.errors import ConfigError, NetexportersError
from exporters.flags import FlagParser, add_exporter_arguments, did_you_mean

if TYPE_CHECKING:
    from exporters.web.service import Exporter

logger = logging.getLogger(__name__)

PROGRAM = "netexporters"


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the command line: the module behind it, and the line that help says of it."""

    module: str
    summary: str
    port: int = 0
    """Of an exporter: the port that it serves HTTP on by default."""


EXPORTERS: Mapping[str, Entry] = {
    "snmp": Entry("exporters.snmp.exporter", "poll devices over SNMP when scraped", 9116),
    "icmp": Entry("exporters.icmp.exporter", "ping hosts, all the time and when scraped", 9374),
    "trap": Entry("exporters.trap.exporter", "listen for SNMP traps and informs", 9162),
    "syslog": Entry("exporters.syslog.exporter", "listen for syslog messages", 9514),
    "rmon": Entry("exporters.rmon.exporter", "read RMON tables when scraped", 9171),
}

COMMANDS: Mapping[str, Entry] = {
    "check": Entry("exporters.check", "check configuration files"),
    "get": Entry("exporters.snmp.commands.get", "read OIDs of a device"),
    "walk": Entry("exporters.snmp.commands.walk", "read whole subtrees of a device"),
    "snmp module": Entry("exporters.authoring.command", "show, check and propose SNMP modules"),
    "mib": Entry("exporters.mibs.command", "search MIBs by name and OID, compile MIB files"),
    "record": Entry("exporters.demo.record", "record a device, to simulate it later"),
    "simulate": Entry("exporters.demo.simulate", "answer SNMP as recorded devices did"),
    "explain trap": Entry("exporters.trap.explain_command", "tell what would become of a trap"),
    "explain syslog": Entry(
        "exporters.syslog.explain_command", "tell what would become of a message"
    ),
    "healthcheck": Entry("exporters.healthcheck", "ask whether an exporter is alive here"),
    "demo": Entry("exporters.demo.demo", "run the exporters against a pretend network"),
}


class Command(Protocol):
    """The contract of a command's module."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    @staticmethod
    def run(arguments: argparse.Namespace) -> int:
        """Do it and return the exit code; a NetexportersError is told to the user."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (default: the process') and return the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What devices say may have characters that this terminal does not know.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(sys.argv[1:] if argv is None else list(argv))
    except ConfigError as error:
        # As they are, "file:line: ...", so that editors find the place.
        return _complain(str(error))
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (NetexportersError, OSError) as error:
        return _complain(f"{PROGRAM}: {error}")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _complain(text: str) -> int:
    logging.shutdown()  # the log's lines come first, and not in between
    print(text, file=sys.stderr)
    return 1


def _run(argv: list[str]) -> int:
    word, *rest = argv or [""]
    if rest and f"{word} {rest[0]}" in COMMANDS:
        return _run_command(f"{word} {rest[0]}", rest[1:])
    if word in EXPORTERS:
        return _run_exporter(word, rest)
    if word in COMMANDS:
        return _run_command(word, rest)
    if word in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if word == "--version":
        print(_version())
        return 0
    if not word:
        print(_overview(), file=sys.stderr)
    elif word.startswith("-"):
        print(f"{PROGRAM}: the command comes before its flags, as in", file=sys.stderr)
        print(f"    {PROGRAM} {next(iter(EXPORTERS))} {word}", file=sys.stderr)
    else:
        hint = did_you_mean(word, (*EXPORTERS, *COMMANDS))
        print(f"{PROGRAM}: unknown command {word!r}{hint}; see {PROGRAM} --help", file=sys.stderr)
    return 2


def _run_exporter(name: str, argv: list[str]) -> int:
    # Here and not above: other commands start without the weight of HTTP.
    from exporters.web import serving
    from exporters.web.settings import add_web_arguments, read_web_settings

    exporter = cast("Exporter", import_module(EXPORTERS[name].module))
    parser = FlagParser(f"{PROGRAM} {name}", f"{exporter.TITLE}: {EXPORTERS[name].summary}.")
    parser.usage = f"{parser.prog} [FLAGS]"
    exporter.add_arguments(parser)
    add_exporter_arguments(parser, name, _version())
    add_web_arguments(parser, EXPORTERS[name].port)
    arguments = parser.parse(argv)
    logs.set_up(arguments.log_level, arguments.log_format)
    open_files.raise_limit()
    try:
        settings = read_web_settings(arguments)
        if arguments.config_check:
            service = exporter.build(arguments)
            serving.check(service, settings)
            print(f"{exporter.TITLE}: the configuration is right: {service.summary()}")
            return 0
        logger.info("starting", extra=logs.fields(exporter=name, version=__version__))
        service = exporter.build(arguments)
        logger.info("configuration loaded", extra=logs.fields(loaded=service.summary()))
        serving.run(service, settings)
    except (NetexportersError, OSError):
        raise
    except Exception:
        logger.exception("ended by a fault of this program")
        return 1
    return 0


def _run_command(name: str, argv: list[str]) -> int:
    command = cast("Command", import_module(COMMANDS[name].module))
    summary = COMMANDS[name].summary
    parser = FlagParser(f"{PROGRAM} {name}", f"{summary[0].upper()}{summary[1:]}.")
    command.add_arguments(parser)
    arguments = parser.parse(argv)
    logs.set_up("info", "logfmt")
    if sys.__stdout__ is None:
        raise OSError(errno.EBADF, "standard output is closed")
    return command.run(arguments)


def _version() -> str:
    build = this_build()
    return (
        f"{PROGRAM}, version {build.version}"
        f" (branch: {build.branch or 'unknown'}, revision: {build.revision or 'unknown'})\n"
        f"  python:   {build.pythonversion}\n"
        f"  platform: {build.os}/{build.arch}"
    )


def _overview() -> str:
    width = max(map(len, (*EXPORTERS, *COMMANDS)))

    def lines(table: Mapping[str, Entry]) -> str:
        return "\n".join(
            f"  {word:{width}}  {entry.summary}" + (f" (:{entry.port})" if entry.port else "")
            for word, entry in table.items()
        )

    return (
        f"usage: {PROGRAM} COMMAND [FLAGS]\n\n"
        f"exporters, which serve HTTP until SIGTERM:\n{lines(EXPORTERS)}\n\n"
        f"other commands:\n{lines(COMMANDS)}\n\n"
        f"{PROGRAM} COMMAND --help tells the flags of one, {PROGRAM} --version the version."
    )
