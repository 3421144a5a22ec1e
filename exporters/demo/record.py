"""``netexporters record TARGET > x.snmprec``: everything a device answers, to simulate it later.

Recordings are in snmpsim's format (``exporters.demo.snmprec``). A device tells more than one may
want to hand on: ``--leave-out`` keeps subtrees out of the file, and the summary says what is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from exporters.demo.snmprec import format_line
from exporters.mibs.flags import add_mib_arguments
from exporters.snmp.commands.conversation import add_conversation_arguments, open_conversation
from exporters.snmp.commands.oid_arguments import oid_argument, resolve, subtree_argument
from exporters.snmp.commands.subtree import WHOLE_TREE, walk_subtree

_PATIENCE_SECONDS = 24 * 3600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_conversation_arguments(parser)
    parser.add_argument(
        "oids",
        metavar="OID",
        nargs="*",
        type=subtree_argument,
        help="subtrees to record (default: all that the device has)",
    )
    parser.add_argument(
        "--leave-out",
        dest="left_out",
        metavar="OID",
        action="append",
        default=[],
        type=oid_argument,
        help="subtree to leave out; repeatable",
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        default=25,
        metavar="N",
        help="rows asked for in a packet (default: %(default)s)",
    )
    add_mib_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the recording to standard output, and a summary to standard error."""
    return asyncio.run(_record(arguments))


async def _record(arguments: argparse.Namespace) -> int:
    roots = resolve(arguments.oids, arguments) or [WHOLE_TREE]
    left_out = tuple(resolve(arguments.left_out, arguments))
    written = 0
    async with open_conversation(arguments, deadline_seconds=_PATIENCE_SECONDS) as session:
        for root in roots:
            async for oid, tag, content in walk_subtree(
                session, root, max(1, arguments.repetitions)
            ):
                if oid.startswith(left_out):
                    continue
                sys.stdout.write(format_line(oid, tag, content) + "\n")
                written += 1
    sys.stdout.flush()
    sys.stderr.write(f"{written} rows recorded\n")
    return 0 if written else 1
