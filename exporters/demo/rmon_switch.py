"""What switches add to a pretend RMON probe.

Full-duplex statistics, SMON, interfaceTopN, a channel with its capture buffer, and a token ring.

Sources: RFC 3273 (mediaIndependentTable), RFC 2613, RFC 3144, RFC 2819, RFC 1513.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from exporters.demo.rmon_traffic import (
    IF_INDEX,
    MODULUS_32,
    OCTETS_PER_PACKET,
    Cell,
    packets_at,
    wide_count,
)
from exporters.wire.tags import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
)

_VLANS: Final = (10, 20)
_VLAN_SOURCE: Final = "1.3.6.1.2.1.16.22.1.4.1"
_PRIORITY_SHARES: Final = (0.7, 0.0, 0.0, 0.1, 0.0, 0.15, 0.05, 0.0)
_WINDOW_SECONDS: Final = 60
_HC_IN_OCTETS: Final = 15
CAPTURED: Final = "the words of somebody"


def switch_cells(interfaces: Sequence[int], uptime: float) -> Iterator[Cell]:
    """All of it at an uptime."""
    for number, index in enumerate(interfaces, 1):
        yield from _media(number, index, uptime)
        yield from _priorities(number, index, uptime)
        yield f"22.1.1.1.1.2.{IF_INDEX}.{index}", OCTET_STRING, b"\xf0"
        yield f"22.1.1.1.1.3.{IF_INDEX}.{index}", OCTET_STRING, b"\xff"
        yield f"22.1.1.1.1.4.{IF_INDEX}.{index}", INTEGER, index
    yield from _vlans(interfaces, uptime)
    yield from _mirror(interfaces, uptime)
    yield from _top_interfaces(interfaces, uptime)
    yield from _channel(interfaces[0], uptime)
    yield from _ring(interfaces[-1], uptime)
    yield "19.15.0", OCTET_STRING, b"\xe8"


def _media(number: int, index: int, uptime: float) -> Iterator[Cell]:
    count = packets_at(index, uptime)
    out = count // 3
    yield f"21.1.1.2.{number}", OBJECT_IDENTIFIER, f"{IF_INDEX}.{index}"
    counts = {5: count, 8: out, 11: count * OCTETS_PER_PACKET, 14: out * OCTETS_PER_PACKET}
    counts |= {17: count // 50, 20: out // 50}
    for column, each in counts.items():
        yield from wide_count("21.1.1", column, str(number), each)
    for column, each in {3: 0, 4: count // 100_000, 23: count // 9999, 24: 0, 28: 2}.items():
        yield f"21.1.1.{column}.{number}", COUNTER32, each
    for column in (25, 26):
        yield f"21.1.1.{column}.{number}", GAUGE32, 1_000_000
    yield f"21.1.1.27.{number}", INTEGER, 2
    yield f"21.1.1.29.{number}", TIME_TICKS, 100
    yield f"21.1.1.30.{number}", OCTET_STRING, "monitor"
    yield f"21.1.1.31.{number}", INTEGER, 1


def _priorities(number: int, index: int, uptime: float) -> Iterator[Cell]:
    yield from _smon_control("22.1.2.3.1", number, f"{IF_INDEX}.{index}")
    for priority, share in enumerate(_PRIORITY_SHARES):
        count = int(packets_at(index, uptime) * share)
        where = f"{number}.{priority}"
        yield from wide_count("22.1.2.4.1", 2, where, count)
        yield from wide_count("22.1.2.4.1", 5, where, count * OCTETS_PER_PACKET)


def _vlans(interfaces: Sequence[int], uptime: float) -> Iterator[Cell]:
    everything = sum(packets_at(index, uptime) for index in interfaces)
    for number, vlan in enumerate(_VLANS, 1):
        yield from _smon_control("22.1.2.1.1", number, f"{_VLAN_SOURCE}.{vlan}")
        yield f"22.1.1.1.1.2.{_VLAN_SOURCE}.{vlan}", OCTET_STRING, b"\x60"
        yield f"22.1.1.1.1.3.{_VLAN_SOURCE}.{vlan}", OCTET_STRING, b"\0"
        yield f"22.1.1.1.1.4.{_VLAN_SOURCE}.{vlan}", INTEGER, interfaces[0]
        count = everything // (number + 1)
        where = f"{number}.{vlan}"
        for column, each in (
            (2, count),
            (5, count * OCTETS_PER_PACKET),
            (8, count // 50),
            (11, count // 50 * OCTETS_PER_PACKET),
        ):
            yield from wide_count("22.1.2.2.1", column, where, each)
        yield f"22.1.2.2.1.14.{where}", TIME_TICKS, 0


def _smon_control(table: str, number: int, source: str) -> Iterator[Cell]:
    yield f"{table}.2.{number}", OBJECT_IDENTIFIER, source
    yield f"{table}.3.{number}", TIME_TICKS, 0
    yield f"{table}.4.{number}", OCTET_STRING, "monitor"
    yield f"{table}.5.{number}", INTEGER, 1


def _mirror(interfaces: Sequence[int], uptime: float) -> Iterator[Cell]:
    """All interfaces but the last are copied to it."""
    *sources, destination = interfaces
    for source in sources:
        where = f"{source}.{destination}"
        yield f"22.1.3.1.1.3.{where}", COUNTER32, packets_at(source, uptime) // 10_000 % MODULUS_32
        yield f"22.1.3.1.1.4.{where}", INTEGER, 3
        yield f"22.1.3.1.1.5.{where}", INTEGER, 1


def _top_interfaces(interfaces: Sequence[int], uptime: float) -> Iterator[Cell]:
    completed = uptime // _WINDOW_SECONDS * _WINDOW_SECONDS
    numbers = {2: _HC_IN_OCTETS, 3: 2, 4: 2, 5: 1, 6: 0, 7: _WINDOW_SECONDS, 8: 10}
    numbers |= {9: len(interfaces), 13: 1}
    for column, number in numbers.items():
        yield f"27.1.2.1.{column}.1", INTEGER, number
    yield "27.1.2.1.10.1", TIME_TICKS, int(max(0.0, completed - _WINDOW_SECONDS) * 100)
    yield "27.1.2.1.11.1", OCTET_STRING, "monitor"
    yield "27.1.2.1.12.1", TIME_TICKS, int(completed * 100)
    changes = {
        index: packets_at(index, completed) - packets_at(index, completed - _WINDOW_SECONDS)
        for index in interfaces
    }
    ranked = sorted(changes, key=lambda index: -changes[index])
    for rank, index in enumerate(ranked, 1):
        yield f"27.1.3.1.2.1.{rank}", INTEGER, index
        yield f"27.1.3.1.3.1.{rank}", GAUGE32, 0  # the variable has 64 bits
        yield f"27.1.3.1.4.1.{rank}", COUNTER64, changes[index] * OCTETS_PER_PACKET


def _channel(index: int, uptime: float) -> Iterator[Cell]:
    filters: dict[int, int | str] = {1: 1, 2: 1, 3: 0, 7: 0, 8: 0, 9: 0, 11: 1}
    filters |= dict.fromkeys((4, 5, 6), "") | {10: "monitor"}
    channel: dict[int, int | str] = {1: 1, 2: index, 3: 1, 4: 1, 5: 0, 6: 0, 7: 0, 8: 1, 12: 1}
    channel |= {10: "DNS", 11: "monitor"}
    buffer: dict[int, int | str] = {1: 1, 2: 1, 3: 2, 4: 1, 5: 64, 6: 64, 7: 0, 8: 2048, 9: 2048}
    buffer |= {10: 1, 12: "monitor", 13: 1}
    captured: dict[int, int | str] = {1: 1, 2: 1, 3: 1, 4: CAPTURED, 5: len(CAPTURED), 6: 0, 7: 0}
    for table, row, instance in (
        ("7.1.1", filters, "1"),
        ("7.2.1", channel, "1"),
        ("8.1.1", buffer, "1"),
        ("8.2.1", captured, "1.1"),
    ):
        for column, value in row.items():
            tag = INTEGER if isinstance(value, int) else OCTET_STRING
            yield f"{table}.{column}.{instance}", tag, value
    yield "7.2.1.9.1", COUNTER32, packets_at(index, uptime) // 10 % MODULUS_32
    yield "8.1.1.11.1", TIME_TICKS, 0


def _ring(index: int, uptime: float) -> Iterator[Cell]:
    count = packets_at(index, uptime)
    ring = dict.fromkeys(range(3, 26), 0)
    ring |= {4: count // 100 * 32, 5: count // 100, 8: 1, 11: 2, 13: 3, 14: count // 9999}
    ring |= {25: int(uptime // 7)}
    data = dict.fromkeys(range(3, 18), 0)
    data |= {4: count * OCTETS_PER_PACKET, 5: count, 6: count // 50, 7: count // 40, 12: count}
    for table, row, last in (("1.2.1", ring, 27), ("1.3.1", data, 19)):
        yield f"{table}.1.1", INTEGER, 1
        yield f"{table}.2.1", OBJECT_IDENTIFIER, f"{IF_INDEX}.{index}"
        for column, number in row.items():
            # tokenRingMLStatsBeaconTime is no count, but 1/100 s in an INTEGER.
            tag = INTEGER if (table, column) == ("1.2.1", 9) else COUNTER32
            yield f"{table}.{column}.1", tag, number % MODULUS_32
        yield f"{table}.{last - 1}.1", OCTET_STRING, "monitor"
        yield f"{table}.{last}.1", INTEGER, 1
