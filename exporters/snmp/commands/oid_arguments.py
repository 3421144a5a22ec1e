"""OIDs on the command line, in numbers or by name, and how the lines that answer write them.

A name needs the dictionary, which may need the flags that say where MIB files are; so an argument
stays as it was written until all flags are known. Numbers are checked at once.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from exporters.errors import ConfigError, Problem, TargetError
from exporters.mibs.flags import add_mib_arguments
from exporters.mibs.opening import open_dictionary
from exporters.smi.dictionary import Dictionary, UnknownNameError
from exporters.smi.oid_names import name_oids
from exporters.snmp.commands.named_line import NamedLines
from exporters.snmp.commands.subtree import WHOLE_TREE
from exporters.snmp.commands.value_line import format_varbind
from exporters.sockets.snmp_session import oid_text
from exporters.wire.ber import Oid, encode_oid
from exporters.wire.snmp_message import VarBind

_NUMBERS = re.compile(r"\.?[0-9]+(?:\.|$)")


def add_naming_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what lines look like, and where names come from."""
    parser.add_argument(
        "--numbers",
        action="store_true",
        help="write numbers alone: no names of OIDs, no labels, no units, no display hints",
    )
    add_mib_arguments(parser)


def oid_argument(text: str) -> Oid | str:
    """Read an OID; a name, such as ``IF-MIB::ifDescr.1``, stays one until ``resolve``."""
    if not _NUMBERS.match(text):
        return text
    try:
        return encode_oid(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def subtree_argument(text: str) -> Oid | str:
    """Read the root of a subtree; ``1`` or ``iso``, which no packet can hold, is the whole tree."""
    return WHOLE_TREE if text.removeprefix(".") in ("1", "iso") else oid_argument(text)


def resolve(written: Sequence[Oid | str], arguments: argparse.Namespace) -> list[Oid]:
    """Give the OIDs that arguments mean; the dictionary is opened if one of them is a name.

    Raises:
        ConfigError: A name is not known, or a directory of MIB files is not there.
    """
    if all(isinstance(oid, bytes) for oid in written):
        return [oid for oid in written if isinstance(oid, bytes)]
    return _resolve(written, open_dictionary(arguments).dictionary)


def _resolve(written: Sequence[Oid | str], dictionary: Dictionary) -> list[Oid]:
    try:
        return [oid if isinstance(oid, bytes) else dictionary.parse_oid(oid) for oid in written]
    except UnknownNameError as error:
        raise ConfigError((Problem(str(error), "netexporters mib search finds names"),)) from error


@dataclass(frozen=True, slots=True)
class Lines:
    """How a command writes what a device answers, with names or in numbers."""

    dictionary: Dictionary | None
    format_varbind: Callable[[VarBind], str]
    format_oid: Callable[[Oid], str]

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Write names beside the OIDs in what a device did wrong."""
        try:
            yield
        except TargetError as error:
            if self.dictionary is None:
                raise
            detail = name_oids(self.dictionary, error.detail)
            raise TargetError(error.reason, detail, error.oid) from error


def open_lines(arguments: argparse.Namespace) -> tuple[Lines, list[Oid]]:
    """Give the lines that the flags ask for, and the OIDs that the arguments mean.

    Raises:
        ConfigError: As ``resolve``.
    """
    if arguments.numbers:
        return Lines(None, format_varbind, oid_text), resolve(arguments.oids, arguments)
    dictionary = open_dictionary(arguments).dictionary
    named = NamedLines(dictionary)
    lines = Lines(dictionary, named.format_varbind, named.format_oid)
    return lines, _resolve(arguments.oids, dictionary)
