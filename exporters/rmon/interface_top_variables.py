"""What interfaceTopNObjectVariable stands for, by number from 0 (RFC 3144)."""

from __future__ import annotations

from typing import Final


def _names(prefix: str, rest: str) -> tuple[str, ...]:
    return tuple(prefix + word for word in rest.split())


VARIABLES: Final = (
    *_names("if", "InOctets InUcastPkts InNUcastPkts InDiscards InErrors InUnknownProtos"),
    *_names("if", "OutOctets OutUcastPkts OutNUcastPkts OutDiscards OutErrors"),
    *_names("if", "InMulticastPkts InBroadcastPkts OutMulticastPkts OutBroadcastPkts"),
    *_names("ifHCIn", "Octets UcastPkts MulticastPkts BroadcastPkts"),
    *_names("ifHCOut", "Octets UcastPkts MulticastPkts BroadcastPkts"),
    *_names("dot3Stats", "AlignmentErrors FCSErrors SingleCollisionFrames"),
    *_names("dot3Stats", "MultipleCollisionFrames SQETestErrors DeferredTransmissions"),
    *_names("dot3Stats", "LateCollisions ExcessiveCollisions InternalMacTxErrors"),
    *_names("dot3Stats", "CarrierSenseErrors FrameTooLongs InternalMacRxErrors SymbolErrors"),
    *_names("dot3", "InPauseFrames OutPauseFrames"),
    *_names("dot5Stats", "LineErrors BurstErrors ACErrors AbortTransErrors InternalErrors"),
    *_names("dot5Stats", "LostFrameErrors ReceiveCongestions FrameCopiedErrors TokenErrors"),
    *_names("dot5Stats", "SoftErrors HardErrors SignalLoss TransmitBeacons Recoverys LobeWires"),
    *_names("dot5Stats", "Removes Singles FreqErrors"),
    *_names("etherStats", "DropEvents Octets Pkts BroadcastPkts MulticastPkts CRCAlignErrors"),
    *_names("etherStats", "UndersizePkts OversizePkts Fragments Jabbers Collisions Pkts64Octets"),
    *_names("etherStats", "Pkts65to127Octets Pkts128to255Octets Pkts256to511Octets"),
    *_names("etherStats", "Pkts512to1023Octets Pkts1024to1518Octets"),
    *_names("dot1dTpPort", "InFrames OutFrames InDiscards"),
)


def variable_name(number: int | None) -> str:
    """Name a variable; ``unknown(99)`` and the like for what the RFC does not have."""
    if number is None:
        return ""
    return VARIABLES[number] if 0 <= number < len(VARIABLES) else f"unknown({number})"
