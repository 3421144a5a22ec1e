"""``netexporters get TARGET OID...``: read instances of a device, like snmpget."""

from __future__ import annotations

import argparse
import asyncio
import sys

from exporters.errors import FailureReason, TargetError
from exporters.snmp.commands.conversation import add_conversation_arguments, open_conversation
from exporters.snmp.commands.oid_arguments import add_naming_arguments, oid_argument, open_lines
from exporters.wire.snmp_message import error_status_name

_PATIENCE_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_conversation_arguments(parser)
    parser.add_argument(
        "oids",
        metavar="OID",
        nargs="+",
        type=oid_argument,
        help="instances, such as 1.3.6.1.2.1.1.5.0, sysName.0 or IF-MIB::ifDescr.1",
    )
    add_naming_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each OID."""
    return asyncio.run(_get(arguments))


async def _get(arguments: argparse.Namespace) -> int:
    lines, oids = open_lines(arguments)
    with lines.named_errors():
        async with open_conversation(arguments, deadline_seconds=_PATIENCE_SECONDS) as session:
            pdu, _ = await session.get(oids)
    if pdu.error_status:
        culprit = ""
        if 0 < pdu.error_index <= len(oids):
            culprit = f" at {lines.format_oid(oids[pdu.error_index - 1])}"
        status = error_status_name(pdu.error_status)
        raise TargetError(FailureReason.AGENT_ERROR, f"the agent says {status}{culprit}")
    for varbind in pdu.varbinds:
        sys.stdout.write(lines.format_varbind(varbind) + "\n")
    return 0
