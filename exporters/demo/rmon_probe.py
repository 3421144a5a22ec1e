"""A pretend RMON probe: tables with live counters, for groups that no recording has.

``RmonProbe`` says what a probe would count at an instant; ``exporters.demo.rmon_view`` serves it.
All counts come from one function of time, so that the buckets of a history add up to the counters
beside them.

Two faults can be switched on. *torn*: the newest bucket of each history lacks its later columns, as
in a table that turns while it is walked. *endless*: tables with a TimeFilter answer for every
TimeMark up to now, as RFC 4502 has it, so that a walk of them does not end.

Sources: RFC 2819, RFC 3273, RFC 4502, RFC 3434; what switches add is ``rmon_switch``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporters.demo.recording import Recording, decode_varbind
from exporters.demo.rmon_switch import switch_cells
from exporters.demo.rmon_traffic import (
    IF_INDEX,
    MODULUS_32,
    OCTETS_PER_PACKET,
    Cell,
    packets_at,
)
from exporters.wire.ber import encode_integer_content, encode_oid, encode_subids
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

RMON: Final = encode_oid("1.3.6.1.2.1.16")
_SYS_UP_TIME: Final = encode_oid("1.3.6.1.2.1.1.3.0")
_HOST_SHARES: Final = (0.5, 0.25, 0.15, 0.1)
DEFAULT_INTERVALS: Final = (30, 300)
_GRANTED: Final = 20
_CAPABILITIES: Final = bytes.fromhex("fff03fe0")
_PROTOCOLS: Final = ("ether2", "ether2.ip", "ether2.ip.tcp.https", "ether2.ip.udp.dns")
_PROTOCOL_SHARES: Final = (1.0, 0.9, 0.6, 0.1)
_TORN_FROM_COLUMN: Final = 9


@dataclass(frozen=True, slots=True)
class RmonProbe:
    """A probe on some interfaces, by ifIndex."""

    interfaces: tuple[int, ...]
    uptime_seconds: float
    torn: bool = False
    endless: bool = False
    intervals: tuple[int, ...] = DEFAULT_INTERVALS

    def varbinds(self, uptime: float) -> Iterator[VarBind]:
        """All rows at an uptime, but those of tables with a TimeFilter; in no order."""
        for table in (self._statistics, self._history, self._alarms, self._hosts, self._rmon2):
            for below, tag, value in table(uptime):
                yield _varbind(below, tag, value)
        for below, tag, value in switch_cells(self.interfaces, uptime):
            yield _varbind(below, tag, value)

    def time_filtered(self, uptime: float) -> dict[str, list[tuple[tuple[int, ...], int]]]:
        """The columns of tables with a TimeFilter: rows of control index, rest of the index, count.

        The rows are in order.
        """
        columns: dict[str, list[tuple[tuple[int, ...], int]]] = {}
        for number, index in enumerate(self.interfaces, 1):
            for host, share in enumerate(_HOST_SHARES, 1):
                address = (4, 192, 0, 2, host)
                packets = int(packets_at(index, uptime) * share)
                octets = packets * OCTETS_PER_PACKET
                counts = (packets, packets // 2, octets, octets // 2)
                for column, count in zip((3, 4, 5, 6), counts, strict=True):
                    columns.setdefault(f"14.2.1.{column}", []).append(
                        ((number, 2, *address), count)
                    )
                for column, count in zip((2, 3, 4, 5), counts, strict=True):
                    rows = columns.setdefault(f"16.1.1.{column}", [])
                    rows.append(((number, 2, *address, 3), count))
                pair = (*address, 4, 198, 51, 100, host)
                for column, count in ((4, packets), (5, octets)):
                    columns.setdefault(f"15.2.1.{column}", []).append(((number, 2, *pair), count))
                for column, count in ((2, packets), (3, octets)):
                    rows = columns.setdefault(f"17.1.1.{column}", [])
                    rows.append(((number, 2, *pair, 3), count))
        return columns

    def _statistics(self, uptime: float) -> Iterator[Cell]:
        for number, index in enumerate(self.interfaces, 1):
            packets = packets_at(index, uptime)
            octets = packets * OCTETS_PER_PACKET
            yield f"1.1.1.1.{number}", INTEGER, number
            yield f"1.1.1.2.{number}", OBJECT_IDENTIFIER, f"{IF_INDEX}.{index}"
            counts = {4: octets, 5: packets, 6: packets // 50, 7: packets // 40, 8: packets // 9999}
            counts |= {
                16: packets // 2,
                18: packets // 4,
                19: packets - packets // 2 - packets // 4,
            }
            for column in range(3, 20):
                yield f"1.1.1.{column}.{number}", COUNTER32, counts.get(column, 0) % MODULUS_32
            yield f"1.1.1.20.{number}", OCTET_STRING, "monitor"
            yield f"1.1.1.21.{number}", INTEGER, 1
            yield f"1.4.1.1.{number}", COUNTER32, packets // 100_000
            yield f"1.4.1.2.{number}", TIME_TICKS, 0
            for column, count in ((1, packets), (3, octets)):
                yield f"1.7.1.{column}.{number}", COUNTER32, count >> 32
                yield f"1.7.1.{column + 1}.{number}", COUNTER64, count
            for column, size in enumerate((14, 15, 16, 17, 18, 19)):
                yield f"1.7.1.{6 + 2 * column}.{number}", COUNTER64, counts.get(size, 0)

    def _history(self, uptime: float) -> Iterator[Cell]:
        controls = [(index, each) for index in self.interfaces for each in self.intervals]
        for control, (index, interval) in enumerate(controls, 1):
            row: dict[int, tuple[int, int | str]] = {
                1: (INTEGER, control),
                2: (OBJECT_IDENTIFIER, f"{IF_INDEX}.{index}"),
                3: (INTEGER, _GRANTED),
                4: (INTEGER, _GRANTED),
                5: (INTEGER, interval),
                6: (OCTET_STRING, "monitor"),
                7: (INTEGER, 1),
            }
            for column, (tag, value) in row.items():
                yield f"2.1.1.{column}.{control}", tag, value
            newest = int(uptime) // interval
            for sample in range(max(1, newest - _GRANTED + 1), newest + 1):
                yield from self._bucket(control, index, interval, sample)
            if self.torn:
                yield from (
                    cell
                    for cell in self._bucket(control, index, interval, newest + 1)
                    if int(cell[0].split(".")[3]) < _TORN_FROM_COLUMN
                )

    def _bucket(self, control: int, index: int, interval: int, sample: int) -> Iterator[Cell]:
        start, end = (sample - 1) * interval, sample * interval
        packets = packets_at(index, end) - packets_at(index, start)
        values = {5: packets * OCTETS_PER_PACKET, 6: packets, 7: packets // 50, 8: packets // 40}
        for column in range(1, 16):
            where = f"2.2.1.{column}.{control}.{sample}"
            if column in (1, 2, 15):
                yield where, INTEGER, {1: control, 2: sample}.get(column, 100)
            elif column == 3:
                yield where, TIME_TICKS, start * 100
            else:
                yield where, COUNTER32, values.get(column, 0)

    def _alarms(self, uptime: float) -> Iterator[Cell]:
        rate = packets_at(1, uptime) - packets_at(1, uptime - 30)
        row: dict[int, int | str] = {
            1: 1,
            2: 30,
            4: 2,
            5: rate,
            6: 1,
            7: 9000,
            8: 5000,
            9: 1,
            10: 1,
        }
        for column, value in row.items():
            yield f"3.1.1.{column}.1", INTEGER, value
        yield "3.1.1.3.1", OBJECT_IDENTIFIER, "1.3.6.1.2.1.16.1.1.1.5.1"
        yield "3.1.1.11.1", OCTET_STRING, "monitor"
        yield "3.1.1.12.1", INTEGER, 1
        numbers = {2: 30, 4: 2, 6: 2, 7: 1, 10: 2, 13: 2, 14: 1, 15: 1, 18: 3, 19: 1}
        for column, number in numbers.items():
            yield f"29.1.1.1.1.{column}.1", INTEGER, number
        yield "29.1.1.1.1.3.1", OBJECT_IDENTIFIER, "1.3.6.1.2.1.16.1.7.1.4.1"
        yield "29.1.1.1.1.5.1", COUNTER64, rate * OCTETS_PER_PACKET
        for column, value in ((8, 0), (9, 2), (11, 0), (12, 1)):
            yield f"29.1.1.1.1.{column}.1", GAUGE32, value
        yield "29.1.1.1.1.16.1", COUNTER32, 0
        yield "29.1.1.1.1.17.1", OCTET_STRING, "monitor"
        for event, sent in ((1, int(uptime // 600) * 60_000), (2, 0)):
            yield f"9.1.1.1.{event}", INTEGER, event
            yield f"9.1.1.2.{event}", OCTET_STRING, "utilization"
            yield f"9.1.1.3.{event}", INTEGER, 4
            yield f"9.1.1.4.{event}", OCTET_STRING, "a secret"
            yield f"9.1.1.5.{event}", TIME_TICKS, sent
            yield f"9.1.1.6.{event}", OCTET_STRING, "monitor"
            yield f"9.1.1.7.{event}", INTEGER, 1
        newest = int(uptime // 600)
        for entry in range(max(1, newest - 9), newest + 1):
            yield f"9.2.1.1.1.{entry}", INTEGER, 1
            yield f"9.2.1.2.1.{entry}", INTEGER, entry
            yield f"9.2.1.3.1.{entry}", TIME_TICKS, entry * 60_000
            yield f"9.2.1.4.1.{entry}", OCTET_STRING, "utilization above the threshold"

    def _hosts(self, uptime: float) -> Iterator[Cell]:
        for number, index in enumerate(self.interfaces, 1):
            for table in ("4.1.1", "6.1.1"):
                yield f"{table}.1.{number}", INTEGER, number
                yield f"{table}.2.{number}", OBJECT_IDENTIFIER, f"{IF_INDEX}.{index}"
                yield f"{table}.3.{number}", INTEGER, len(_HOST_SHARES)
                yield f"{table}.4.{number}", TIME_TICKS, 0
                yield f"{table}.5.{number}", OCTET_STRING, "monitor"
                yield f"{table}.6.{number}", INTEGER, 1
            for host, share in enumerate(_HOST_SHARES, 1):
                packets = int(packets_at(index, uptime) * share) % MODULUS_32
                octets = packets * OCTETS_PER_PACKET % MODULUS_32
                mac = f"6.0.0.94.0.83.{host}"
                for column, count in (
                    (4, packets),
                    (5, packets // 2),
                    (6, octets),
                    (7, octets // 2),
                ):
                    yield f"4.2.1.{column}.{number}.{mac}", COUNTER32, count
                other = f"6.0.0.94.0.83.{host + 100}"
                for column, count in ((4, packets), (5, octets), (6, 0)):
                    yield f"6.2.1.{column}.{number}.{mac}.{other}", COUNTER32, count
        window = 60
        row = {1: 1, 2: 1, 3: 3, 4: 0, 5: window, 6: 10, 7: len(_HOST_SHARES), 10: 1}
        for column, value in row.items():
            yield f"5.1.1.{column}.1", INTEGER, value
        yield "5.1.1.8.1", TIME_TICKS, int(max(0.0, uptime - window) * 100)
        yield "5.1.1.9.1", OCTET_STRING, "monitor"
        change = packets_at(1, uptime) - packets_at(1, uptime - window)
        for rank, share in enumerate(_HOST_SHARES, 1):
            yield f"5.2.1.1.1.{rank}", INTEGER, 1
            yield f"5.2.1.2.1.{rank}", INTEGER, rank
            yield f"5.2.1.3.1.{rank}", OCTET_STRING, bytes((0, 0, 94, 0, 83, rank))
            yield f"5.2.1.4.1.{rank}", INTEGER, int(change * share) * OCTETS_PER_PACKET

    def _rmon2(self, uptime: float) -> Iterator[Cell]:
        yield "11.1.0", TIME_TICKS, 500
        for local, name in enumerate(_PROTOCOLS, 1):
            identifier = f"4.0.0.0.{local}.1.0"
            yield f"11.2.1.3.{identifier}", INTEGER, local
            yield f"11.2.1.4.{identifier}", OCTET_STRING, name
            yield f"11.2.1.5.{identifier}", OCTET_STRING, b"\x40"
            for column in (6, 7, 8):  # supportedOn
                yield f"11.2.1.{column}.{identifier}", INTEGER, 3
            yield f"11.2.1.9.{identifier}", OCTET_STRING, "monitor"
            yield f"11.2.1.10.{identifier}", INTEGER, 1
        for number, index in enumerate(self.interfaces, 1):
            source = f"{IF_INDEX}.{index}"
            yield f"12.1.1.2.{number}", OBJECT_IDENTIFIER, source
            yield f"12.1.1.3.{number}", COUNTER32, 0
            yield f"12.1.1.4.{number}", TIME_TICKS, 0
            yield f"12.1.1.5.{number}", OCTET_STRING, "monitor"
            yield f"12.1.1.6.{number}", INTEGER, 1
            for local, share in enumerate(_PROTOCOL_SHARES, 1):
                packets = int(packets_at(index, uptime) * share)
                # ZeroBasedCounter32 is a Gauge32 on the wire.
                yield f"12.2.1.1.{number}.{local}", GAUGE32, packets % MODULUS_32
                octets = packets * OCTETS_PER_PACKET
                yield f"12.2.1.2.{number}.{local}", GAUGE32, octets % MODULUS_32
            for table in ("14.1.1", "15.1.1"):
                yield f"{table}.2.{number}", OBJECT_IDENTIFIER, source
                for column in (6, 10):  # as many entries as it can hold
                    yield f"{table}.{column}.{number}", INTEGER, -1
                for column, count in ((3, 0), (4, 9), (5, 5), (7, 0), (8, 6), (9, 2)):
                    yield f"{table}.{column}.{number}", COUNTER32, count
                yield f"{table}.11.{number}", OCTET_STRING, "monitor"
                yield f"{table}.12.{number}", INTEGER, 1
        yield "13.1.0", COUNTER32, 40
        yield "13.2.0", COUNTER32, 7
        yield "13.3.0", INTEGER, -1
        yield from self._matrix_reports(uptime)
        yield from self._user_history(uptime)
        yield "19.1.0", OCTET_STRING, _CAPABILITIES
        yield "19.2.0", OCTET_STRING, "1.0"
        yield "19.3.0", OCTET_STRING, "pretend"

    def _matrix_reports(self, uptime: float) -> Iterator[Cell]:
        window = 60
        reports = int(uptime // window)
        change = packets_at(1, reports * window) - packets_at(1, (reports - 1) * window)
        for control, table, rates in (("15.4.1", "15.5.1", 5), ("17.3.1", "17.4.1", 6)):
            for column, value in {2: 1, 3: 2, 4: window, 6: window, 7: 5, 8: 2, 11: 1}.items():
                yield f"{control}.{column}.1", INTEGER, value
            yield f"{control}.5.1", COUNTER32, reports
            yield f"{control}.9.1", TIME_TICKS, reports * window * 100
            yield f"{control}.10.1", OCTET_STRING, "monitor"
            for rank, share in enumerate(_HOST_SHARES[:2], 1):
                there, octets = int(change * share), int(change * share) * OCTETS_PER_PACKET
                yield f"{table}.2.1.{rank}", INTEGER, 2
                yield f"{table}.3.1.{rank}", OCTET_STRING, bytes((192, 0, 2, rank))
                yield f"{table}.4.1.{rank}", OCTET_STRING, bytes((198, 51, 100, rank))
                if table == "17.4.1":
                    yield f"{table}.5.1.{rank}", INTEGER, 3
                # What came back is a third of what went there.
                for column, count in enumerate((there, there // 3, octets, octets // 3), rates):
                    yield f"{table}.{column}.1.{rank}", GAUGE32, count

    def _user_history(self, uptime: float) -> Iterator[Cell]:
        for column, value in {2: 1, 3: _GRANTED, 4: _GRANTED, 5: 60, 7: 1}.items():
            yield f"18.1.1.{column}.1", INTEGER, value
        yield "18.1.1.6.1", OCTET_STRING, "monitor"
        yield "18.2.1.2.1.1", OBJECT_IDENTIFIER, "1.3.6.1.2.1.16.1.1.1.5.1"
        yield "18.2.1.3.1.1", INTEGER, 2
        newest = int(uptime // 60)
        for sample in range(max(1, newest - _GRANTED + 1), newest + 1):
            count = packets_at(1, sample * 60) - packets_at(1, (sample - 1) * 60)
            yield f"18.3.1.2.1.{sample}.1", TIME_TICKS, (sample - 1) * 6000
            yield f"18.3.1.3.1.{sample}.1", TIME_TICKS, sample * 6000
            yield f"18.3.1.4.1.{sample}.1", GAUGE32, count
            yield f"18.3.1.5.1.{sample}.1", INTEGER, 2
            yield f"18.4.1.1.1.{sample}.1", GAUGE32, 0
            yield f"18.4.1.2.1.{sample}.1", COUNTER64, count


@dataclass(frozen=True, slots=True)
class Rmon:
    """How probes are put before recordings: on which interfaces, with which faults.

    Each interface has a history for each of *intervals*, in seconds.
    """

    interfaces: tuple[int, ...]
    torn: bool = False
    endless: bool = False
    intervals: tuple[int, ...] = DEFAULT_INTERVALS

    def probe(self, recording: Recording) -> RmonProbe:
        """Give a probe that is as old as the device of *recording*."""
        position = recording.position(_SYS_UP_TIME)
        ticks = 0
        if position is not None:
            ticks = int.from_bytes(decode_varbind(recording.rows[position])[2], "big")
        return RmonProbe(
            self.interfaces, ticks / 100, self.torn, self.endless, intervals=self.intervals
        )


def _varbind(below: str, tag: int, value: int | str | bytes) -> VarBind:
    oid = RMON + encode_subids(map(int, below.split(".")))
    if isinstance(value, int):
        return oid, tag, encode_integer_content(value)
    if isinstance(value, bytes):
        return oid, tag, value
    return oid, tag, encode_oid(value) if tag == OBJECT_IDENTIFIER else value.encode()
