"""The devices of the demo: a small network made up for the purpose, and nobody's.

Three devices with system, ifTable and ifXTable, enough to see labels, states and rates. Their
counters move when the agent is told to let them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporters.demo.recording import Recording
from exporters.wire.ber import Oid, encode_integer_content, encode_oid, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
)

_SYSTEM: Final = encode_oid("1.3.6.1.2.1.1")
_IF_NUMBER: Final = encode_oid("1.3.6.1.2.1.2.1.0")
_IF_ENTRY: Final = encode_oid("1.3.6.1.2.1.2.2.1")
_IFX_ENTRY: Final = encode_oid("1.3.6.1.2.1.31.1.1.1")

_ETHERNET, _LOOPBACK, _AGGREGATE = 6, 24, 161
_UP, _DOWN = 1, 2
_MOST_32_BITS: Final = 2**32 - 1
_DAY_TICKS: Final = 8_640_000

_COUNTERS_32: Final = (10, 11, 13, 14, 15, 16, 17, 19, 20)
"""Columns of ifTable that count: octets, packets, discards, errors, unknown protocols."""
_COUNTERS_IFX_32: Final = (2, 3, 4, 5)
_COUNTERS_IFX_64: Final = (6, 7, 8, 9, 10, 11, 12, 13)


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of a pretend device; *megabits* is its speed."""

    index: int
    name: str
    alias: str
    kind: int = _ETHERNET
    megabits: int = 1000
    up: bool = True


@dataclass(frozen=True, slots=True)
class PretendDevice:
    """A device that never was."""

    name: str
    description: str
    location: str
    role: str
    uptime_days: int
    ports: tuple[Port, ...]

    def recording(self) -> Recording:
        """All that its agent answers."""
        return Recording.from_varbinds([*self._system(), *self._interfaces()])

    def _system(self) -> Iterator[VarBind]:
        texts = {1: self.description, 4: "noc@example.net", 5: self.name, 6: self.location}
        for arc, text in texts.items():
            yield _SYSTEM + bytes((arc, 0)), OCTET_STRING, text.encode()
        # An OID below the enterprise number that is reserved for documentation (RFC 5612).
        yield _SYSTEM + b"\x02\x00", OBJECT_IDENTIFIER, encode_oid("1.3.6.1.4.1.32473.1")
        uptime = encode_integer_content(self.uptime_days * _DAY_TICKS)
        yield _SYSTEM + b"\x03\x00", TIME_TICKS, uptime
        yield _SYSTEM + b"\x07\x00", INTEGER, b"\x06"

    def _interfaces(self) -> Iterator[VarBind]:
        yield _IF_NUMBER, INTEGER, encode_integer_content(len(self.ports))
        for port in self.ports:
            yield from _if_row(port)
            yield from _ifx_row(port)


def _if_row(port: Port) -> Iterator[VarBind]:
    instance = encode_subids([port.index])
    status = _UP if port.up else _DOWN
    bits = min(port.megabits * 1_000_000, _MOST_32_BITS)
    mac = (
        b"" if port.kind == _LOOPBACK else bytes.fromhex("00005e0053") + bytes((port.index % 256,))
    )
    row: dict[int, tuple[int, bytes]] = {
        1: (INTEGER, encode_integer_content(port.index)),
        2: (OCTET_STRING, port.name.encode()),
        3: (INTEGER, encode_integer_content(port.kind)),
        4: (INTEGER, encode_integer_content(1500)),
        5: (GAUGE32, encode_integer_content(bits)),
        6: (OCTET_STRING, mac),
        7: (INTEGER, b"\x01"),
        8: (INTEGER, bytes((status,))),
        9: (TIME_TICKS, encode_integer_content(4200 + port.index)),
    }
    row |= {
        column: (COUNTER32, _count(port, column) if port.up else b"\0") for column in _COUNTERS_32
    }
    yield from _varbinds(_IF_ENTRY, instance, row)


def _ifx_row(port: Port) -> Iterator[VarBind]:
    instance = encode_subids([port.index])
    row: dict[int, tuple[int, bytes]] = {
        1: (OCTET_STRING, port.name.encode()),
        14: (INTEGER, b"\x01"),
        15: (GAUGE32, encode_integer_content(port.megabits)),
        16: (INTEGER, b"\x02"),
        17: (INTEGER, b"\x02" if port.kind == _LOOPBACK else b"\x01"),
        18: (OCTET_STRING, port.alias.encode()),
        19: (TIME_TICKS, b"\0"),
    }
    for column in _COUNTERS_IFX_32:
        row[column] = (COUNTER32, _count(port, column) if port.up else b"\0")
    for column in _COUNTERS_IFX_64:
        value = _count(port, column, 1 << 40) if port.up else b"\0"
        row[column] = (COUNTER64, value)
    yield from _varbinds(_IFX_ENTRY, instance, row)


def _varbinds(entry: Oid, instance: bytes, row: dict[int, tuple[int, bytes]]) -> Iterator[VarBind]:
    for column, (tag, content) in row.items():
        yield entry + bytes((column,)) + instance, tag, content


def _count(port: Port, column: int, modulus: int = 1 << 32) -> bytes:
    """A count that looks counted: the same for the same port and column on every start."""
    return encode_integer_content((port.index * 2_654_435_761 + column * 40_503) ** 2 % modulus)


def _switch_ports(count: int, megabits: int, uplinks: tuple[str, ...]) -> tuple[Port, ...]:
    ports = [
        Port(
            number,
            f"Ethernet{number}",
            "" if number % 3 else f"server-{number:02}",
            megabits=megabits,
            up=number % 7 != 0,
        )
        for number in range(1, count + 1)
    ]
    ports += [
        Port(count + number, f"Uplink{number}", f"to {peer}", megabits=100_000)
        for number, peer in enumerate(uplinks, 1)
    ]
    ports.append(Port(1000, "Port-Channel1", "both uplinks", _AGGREGATE, 200_000))
    return tuple(ports)


PRETEND_NETWORK: Final = (
    PretendDevice(
        "core-sw-01",
        "Pretend switch, 48 ports",
        "rack 1",
        "core",
        312,
        _switch_ports(48, 10_000, ("edge-rtr-01", "access-sw-02")),
    ),
    PretendDevice(
        "access-sw-02",
        "Pretend switch, 24 ports",
        "rack 7",
        "access",
        41,
        _switch_ports(24, 1000, ("core-sw-01", "core-sw-01")),
    ),
    PretendDevice(
        "edge-rtr-01",
        "Pretend router",
        "rack 1",
        "edge",
        96,
        (
            Port(1, "lo0", "router id", _LOOPBACK, 0),
            Port(2, "xe-0/0/0", "transit A", megabits=10_000),
            Port(3, "xe-0/0/1", "transit B", megabits=10_000, up=False),
            Port(4, "et-0/1/0", "to core-sw-01", megabits=100_000),
        ),
    ),
)
