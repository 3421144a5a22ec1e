"""``netexporters walk TARGET [OID...]``: read subtrees of a device, like snmpbulkwalk."""

from __future__ import annotations

import argparse
import asyncio
import sys

from exporters.snmp.commands.conversation import add_conversation_arguments, open_conversation
from exporters.snmp.commands.oid_arguments import add_naming_arguments, open_lines, subtree_argument
from exporters.snmp.commands.subtree import walk_subtree
from exporters.wire.ber import encode_oid

_PATIENCE_SECONDS = 3600.0
_MIB_2 = encode_oid("1.3.6.1.2.1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_conversation_arguments(parser)
    parser.add_argument(
        "oids",
        metavar="OID",
        nargs="*",
        type=subtree_argument,
        help="subtrees, such as 1.3.6.1.2.1.2, ifTable or IF-MIB::ifDescr (default: mib-2)",
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        default=25,
        metavar="N",
        help="rows asked for in a packet (default: %(default)s)",
    )
    add_naming_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each instance, as it arrives."""
    return asyncio.run(_walk(arguments))


async def _walk(arguments: argparse.Namespace) -> int:
    lines, roots = open_lines(arguments)
    found = 0
    with lines.named_errors():
        async with open_conversation(arguments, deadline_seconds=_PATIENCE_SECONDS) as session:
            for root in roots or [_MIB_2]:
                async for varbind in walk_subtree(session, root, max(1, arguments.repetitions)):
                    sys.stdout.write(lines.format_varbind(varbind) + "\n")
                    found += 1
    if not found:
        sys.stderr.write("the agent has nothing there\n")
        return 1
    return 0
