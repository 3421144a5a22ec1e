"""Sends traps at a rate, from a thousand addresses of 127.0.0.0/8; run by ``benchmarks.trap``.

    python -m benchmarks.trap_sender KIND PORT RATE SECONDS

KIND is ``v2c`` (linkDown of six varbinds), ``links`` (the same of thirteen links of each device,
one after the other), ``v3`` (authPriv, SHA and AES), or ``storm`` (traps that nobody knows, from
addresses that nobody knows). Prints how many were sent and in how many seconds.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from typing import Final

from exporters.wire.ber import encode_oid, encode_subids
from exporters.wire.snmp_message import (
    VarBind,
    Version,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import SNMP_TRAP_OID, SYS_UP_TIME
from exporters.wire.tags import INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, TIME_TICKS, TRAP_V2
from exporters.wire.usm import (
    AuthProtocol,
    PrivProtocol,
    UsmUser,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
)

DEVICES: Final = 1000
LINKS: Final = 13
"""Of each device, in ``links``."""
USER: Final = UsmUser("bench", AuthProtocol.SHA, "authentic1", PrivProtocol.AES, "private123")
ENGINE: Final = bytes.fromhex("8000000005626e6368")
_V3_MESSAGES: Final = 20_000
_PAUSE_SECONDS: Final = 0.001


def device_address(number: int) -> str:
    """Give the address of a device."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def _stranger_address(number: int) -> str:
    return f"127.9.{number // 250}.{number % 250 + 1}"


def varbinds(
    number: int, trap_oid: bytes | None = None, name: bytes = b"GigabitEthernet0/1"
) -> list[VarBind]:
    """Give those of a linkDown as Cisco sends it: six, with sysUpTime and the trap's OID."""
    row = encode_oid("1.3.6.1.2.1.2.2.1")
    index = encode_subids((number % 48 + 1,))
    return [
        (SYS_UP_TIME, TIME_TICKS, (12345 + number).to_bytes(4, "big")),
        (SNMP_TRAP_OID, OBJECT_IDENTIFIER, trap_oid or encode_oid("1.3.6.1.6.3.1.1.5.3")),
        (row + b"\x01" + index, INTEGER, index),
        (row + b"\x02" + index, OCTET_STRING, name),
        (row + b"\x03" + index, INTEGER, b"\x06"),
        (row + b"\x08" + index, INTEGER, b"\x02"),
    ]


def _packets(kind: str) -> list[bytes]:
    if kind == "v3":
        return list(_v3_packets())
    if kind == "storm":
        oids = [encode_oid(f"1.3.6.1.4.1.99999.{n}.0.{n * 7}") for n in range(5000)]
        return [_v2c(varbinds(number, oid)) for number, oid in enumerate(oids)]
    if kind == "links":
        links = [_v2c(varbinds(n, name=b"TenGigabitEthernet1/0/%d" % n)) for n in range(LINKS)]
        return [link for link in links for _ in range(DEVICES)]
    return [_v2c(varbinds(number)) for number in range(5000)]


def _v2c(objects: list[VarBind]) -> bytes:
    pdu = encode_pdu(TRAP_V2, 123456789, 0, 0, encode_varbinds(objects))
    return encode_community_message(Version.V2C, b"public", pdu)


def _v3_packets() -> Iterator[bytes]:
    keys = localize(USER, ENGINE)
    for number in range(_V3_MESSAGES):
        pdu = encode_pdu(TRAP_V2, number, 0, 0, encode_varbinds(varbinds(number)))
        yield encode_v3_message(
            encode_scoped_pdu(ENGINE, b"", pdu),
            keys,
            msg_id=number,
            boots=int(time.time()) % 2**30,
            time=number // 1000,
            reportable=False,
            salt=number,
        )


def _sockets(kind: str, port: int) -> list[socket.socket]:
    address_of = _stranger_address if kind == "storm" else device_address
    opened = []
    for number in range(DEVICES):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((address_of(number), 0))
        one.connect(("127.0.0.1", port))
        opened.append(one)
    return opened


def _send(kind: str, port: int, rate: float, seconds: float) -> tuple[int, float]:
    """Send, a millisecond's worth at a time, and give how many in how many seconds."""
    packets, senders = _packets(kind), [one.send for one in _sockets(kind, port)]
    total = min(int(rate * seconds), len(packets)) if kind == "v3" else int(rate * seconds)
    sent = 0
    started_at = time.perf_counter()
    while sent < total:
        due = min(total, int((time.perf_counter() - started_at) * rate) + 1)
        while sent < due:
            senders[sent % DEVICES](packets[sent % len(packets)])
            sent += 1
        time.sleep(_PAUSE_SECONDS)
    return sent, time.perf_counter() - started_at


if __name__ == "__main__":
    _kind, _port, _rate, _seconds = sys.argv[1:]
    print(*_send(_kind, int(_port), float(_rate), float(_seconds)))
