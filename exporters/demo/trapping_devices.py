"""The part of the demo that sends traps, when links change and when a community is wrong.

Traps come from the loopback interface and say whose they are, as those of a relay do.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from time import monotonic
from typing import Final

from exporters.demo.event_exporters import Line
from exporters.demo.link import Link
from exporters.demo.pretend_network import PretendDevice
from exporters.wire.ber import encode_integer_content, encode_oid, encode_subids
from exporters.wire.snmp_message import (
    VarBind,
    Version,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import SNMP_TRAP_OID, SYS_UP_TIME
from exporters.wire.tags import (
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    TRAP_V2,
)

_TICKS_A_DAY: Final = 8_640_000

_TRAPS: Final = encode_oid("1.3.6.1.6.3.1.1.5")
_LINK_DOWN: Final = _TRAPS + b"\x03"
_LINK_UP: Final = _TRAPS + b"\x04"
_AUTHENTICATION_FAILURE: Final = _TRAPS + b"\x05"
_TRAP_ADDRESS: Final = encode_oid("1.3.6.1.6.3.18.1.3.0")
_IF_ENTRY: Final = encode_oid("1.3.6.1.2.1.2.2.1")
_UP, _DOWN = b"\x01", b"\x02"


class TrapSender:
    """The devices, as far as they send traps; *addresses* are theirs, by name."""

    def __init__(self, addresses: Mapping[str, str], line: Line) -> None:
        self._addresses = addresses
        self._line = line
        self._started_at = monotonic()

    def link_changed(self, link: Link) -> None:
        """Send linkDown or linkUp, as net-snmp does: with the row of ifTable."""
        instance = encode_subids((link.port.index,))
        self._send(
            link.device,
            _LINK_UP if link.up else _LINK_DOWN,
            (_IF_ENTRY + b"\x01" + instance, INTEGER, encode_integer_content(link.port.index)),
            (_IF_ENTRY + b"\x07" + instance, INTEGER, _UP),
            (_IF_ENTRY + b"\x08" + instance, INTEGER, _UP if link.up else _DOWN),
            (_IF_ENTRY + b"\x02" + instance, OCTET_STRING, link.port.name.encode()),
        )

    def intruder_refused(self, device: PretendDevice) -> None:
        """Send authenticationFailure."""
        self._send(device, _AUTHENTICATION_FAILURE)

    def _send(self, device: PretendDevice, oid: bytes, *objects: VarBind) -> None:
        self._line.send(self._trap(device, oid, *objects))

    def _trap(self, device: PretendDevice, oid: bytes, *objects: VarBind) -> bytes:
        """Make a trap of version 2c, which tells the address of its device."""
        ticks = device.uptime_days * _TICKS_A_DAY + int((monotonic() - self._started_at) * 100)
        address = socket.inet_aton(self._addresses[device.name])
        varbinds = encode_varbinds(
            (
                (SYS_UP_TIME, TIME_TICKS, encode_integer_content(ticks)),
                (SNMP_TRAP_OID, OBJECT_IDENTIFIER, oid),
                *objects,
                (_TRAP_ADDRESS, IP_ADDRESS, address),
            )
        )
        pdu = encode_pdu(TRAP_V2, ticks % 2**31, 0, 0, varbinds)
        return encode_community_message(Version.V2C, b"public", pdu)


def missing(text: str, core: PretendDevice) -> list[str]:
    """Say what ``/metrics`` does not show: that a device was asked with a wrong community."""
    seen = "snmp_trap_last_seen_timestamp_seconds"
    failure = f'{seen}{{device="{core.name}",trap="authenticationFailure"}} '
    return [] if failure in text else [f"{core.name} was asked with a wrong community"]
