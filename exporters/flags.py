"""Flags as Prometheus' users write them, on top of argparse.

Dotted names, ``--flag=value`` or ``--flag value``, ``--no-flag`` for booleans, no abbreviations: a
flag that a later version adds must not change what an existing command line means. A wrong flag
is answered with the nearest right one and exit code 2.

This knows the flags that all exporters share beside ``--web.*``, which ``exporters.web`` has.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from exporters.logs import FORMATS, LEVELS


class FlagParser(argparse.ArgumentParser):
    """An argparse parser that refuses what it does not know, and says what would be right."""

    def __init__(self, program: str, description: str) -> None:
        super().__init__(
            prog=program,
            description=description,
            allow_abbrev=False,
            formatter_class=_HelpFormatter,
        )

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse *argv*; a wrong flag ends the process with exit code 2, ``--help`` with 0."""
        # argparse cannot mix flags and arguments where a command has commands of its own.
        parse = self.parse_known_args if self._subparsers else self.parse_known_intermixed_args
        arguments, unknown = parse(argv)
        if unknown:
            flag = next((word for word in unknown if word.startswith("-")), None)
            if flag is None:
                self.error(f"unexpected argument {unknown[0]!r}")
            name = flag.partition("=")[0]
            self.error(f"unknown flag {name}{did_you_mean(name, self._option_string_actions)}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong in one line, without the usage, and exit with code 2."""
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(2)


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)


class _ActionParser(FlagParser):
    def __init__(self, prog: str, description: str = "", **_: Any) -> None:
        super().__init__(prog, description)


def add_actions(parser: argparse.ArgumentParser) -> Callable[[str, str], argparse.ArgumentParser]:
    """Let a command have actions; give what adds one, by its name and what it does.

    The action that is chosen is in ``action`` of the parsed arguments.
    """
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", parser_class=_ActionParser
    )

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        description = f"{summary[0].upper()}{summary[1:]}."
        return actions.add_parser(name, help=summary, description=description)

    return add


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean X?`` for the nearest of the words *known*, or nothing."""
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {nearest[0]}?" if nearest else ""


def add_exporter_arguments(parser: argparse.ArgumentParser, name: str, version: str) -> None:
    """Add the flags that all exporters have for their configuration, their log and themselves."""
    config = parser.add_argument_group("configuration")
    config.add_argument(
        "--config.file",
        dest="config_files",
        metavar="FILE",
        action="append",
        default=[],
        help="configuration file, or a pattern of several; repeatable (default: "
        f"{name}.yml where there is one, else what ships with the exporter)",
    )
    config.add_argument(
        "--config.check",
        "--dry-run",
        dest="config_check",
        action="store_true",
        help="load everything, say what was loaded or what is wrong, and exit with 0 or 1",
    )
    log = parser.add_argument_group("log")
    log.add_argument(
        "--log.level",
        dest="log_level",
        choices=LEVELS,
        default="info",
        help="least level that is logged: %(choices)s (default: %(default)s)",
        metavar="LEVEL",
    )
    log.add_argument(
        "--log.format",
        dest="log_format",
        choices=FORMATS,
        default="logfmt",
        help="form of a log line: %(choices)s (default: %(default)s)",
        metavar="FORMAT",
    )
    parser.add_argument("--version", action="version", version=version, help="print the version")
