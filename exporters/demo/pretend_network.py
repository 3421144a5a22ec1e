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
_DAY_SECONDS: Final = 86_400
_DAY_TICKS: Final = 100 * _DAY_SECONDS

_MODULUS_32: Final = 1 << 32
_MODULUS_64: Final = 1 << 64
_PACKETS: Final = 1 / 700
"""Packets of these devices have 700 octets on average."""
_UNICAST, _MULTICAST, _BROADCAST = 0.98 * _PACKETS, 0.015 * _PACKETS, 0.005 * _PACKETS
_COUNTERS_32: Final = {10: 1.0, 11: _UNICAST, 15: 0.0, 16: 1.0, 17: _UNICAST}
"""Columns of ifTable that count, and how much of each comes with an octet."""
_FAULTS: Final = {13: 1e-7, 14: 2e-8, 19: 3e-7, 20: 1e-8}
"""The same of discards and errors, which only some ports have."""
_COUNTERS_IFX_32: Final = {2: _MULTICAST, 3: _BROADCAST, 4: _MULTICAST, 5: _BROADCAST}
_COUNTERS_IFX_64: Final = {6: 1.0, 7: _UNICAST, 8: _MULTICAST, 9: _BROADCAST} | {
    10: 1.0, 11: _UNICAST, 12: _MULTICAST, 13: _BROADCAST
}  # fmt: skip
_FAULTY_EVERY: Final = 9
_IDLE_OCTETS: Final = 1000.0
"""A second, of an interface without a speed."""


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of a pretend device; *megabits* is its speed."""

    index: int
    name: str
    alias: str
    kind: int = _ETHERNET
    megabits: int = 1000
    up: bool = True

    @property
    def octets_a_second(self) -> float:
        """What goes by on average: from next to nothing to 55 % of the speed."""
        share = (self.index * 2_654_435_761 % _MODULUS_32) / _MODULUS_32
        return self.megabits * 125_000 * 0.55 * share or _IDLE_OCTETS


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
            seconds = self.uptime_days * _DAY_SECONDS
            octets = port.octets_a_second * seconds if port.up else 0.0
            yield from _if_row(port, octets)
            yield from _ifx_row(port, octets)


def _if_row(port: Port, octets: float) -> Iterator[VarBind]:
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
    for column, share in _COUNTERS_32.items():
        row[column] = (COUNTER32, _count(octets * share, _MODULUS_32))
    for column, share in _FAULTS.items():
        faults = octets * share if port.index % _FAULTY_EVERY == 0 else 0.0
        row[column] = (COUNTER32, _count(faults, _MODULUS_32))
    yield from _varbinds(_IF_ENTRY, instance, row)


def _ifx_row(port: Port, octets: float) -> Iterator[VarBind]:
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
    for column, share in _COUNTERS_IFX_32.items():
        row[column] = (COUNTER32, _count(octets * share, _MODULUS_32))
    for column, share in _COUNTERS_IFX_64.items():
        row[column] = (COUNTER64, _count(octets * share, _MODULUS_64))
    yield from _varbinds(_IFX_ENTRY, instance, row)


def _varbinds(entry: Oid, instance: bytes, row: dict[int, tuple[int, bytes]]) -> Iterator[VarBind]:
    for column, (tag, content) in row.items():
        yield entry + bytes((column,)) + instance, tag, content


def _count(total: float, modulus: int) -> bytes:
    return encode_integer_content(int(total) % modulus)


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
