"""A subtree in the agent's own order, as it arrives: what ``walk`` prints and ``record`` writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from exporters.errors import FailureReason, TargetError
from exporters.polling.cursor import is_after
from exporters.sockets.snmp_session import SnmpSession
from exporters.wire.ber import Oid, encode_oid, format_oid
from exporters.wire.snmp_message import ErrorStatus, VarBind, Version, error_status_name
from exporters.wire.tags import EXCEPTIONS

WHOLE_TREE: Final[Oid] = b""
_FIRST: Final = encode_oid("1.0")


async def walk_subtree(session: SnmpSession, root: Oid, repetitions: int) -> AsyncIterator[VarBind]:
    """Give every instance below *root*; ``WHOLE_TREE`` for all that the agent has.

    Raises:
        TargetError: The agent does not answer, reports an error, or goes in a circle.
    """
    position = root or _FIRST
    while True:
        if session.version == Version.V1:
            pdu, _ = await session.get_next([position])
        else:
            pdu, _ = await session.get_bulk([position], repetitions)
        if pdu.error_status == ErrorStatus.noSuchName and session.version == Version.V1:
            return
        if pdu.error_status == ErrorStatus.tooBig and repetitions > 1:
            repetitions //= 2
            continue
        if pdu.error_status:
            status = error_status_name(pdu.error_status)
            raise TargetError(
                FailureReason.AGENT_ERROR, f"the agent says {status} at {format_oid(position)}"
            )
        if not pdu.varbinds:
            return
        for varbind in pdu.varbinds:
            oid, tag, _ = varbind
            if not oid.startswith(root) or tag in EXCEPTIONS:
                return
            if not is_after(oid, position):
                raise TargetError(
                    FailureReason.LOOP,
                    f"OID not increasing: {format_oid(position)} >= {format_oid(oid)}",
                )
            yield varbind
            position = oid
