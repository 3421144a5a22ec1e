"""What requests see of a recording: its rows, some of them with values that move.

``MibView`` answers the two questions that every request comes down to: the row of an OID and the
rows behind an OID. Values that the recording computes (``numeric``) and, with ``moving``, counters
and uptimes are made when they are asked for; all other rows go out as they were loaded.

A moving counter starts at its recorded value and grows at the average rate that the device had:
the value over the recorded sysUpTime, times 0.5 to 1.5 by a checksum of the OID, so that ports
differ and every run is the same. A counter recorded at 0 stays there, as error counters should.

Source: RFC 2578 section 7.1 (Counter32 and Counter64 wrap at their type's end).
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple
from zlib import crc32

from exporters.demo.numeric import Computed, Moment
from exporters.demo.recording import Recording, decode_varbind, encode_varbind
from exporters.wire.ber import Oid, encode_integer_content, encode_oid
from exporters.wire.tags import COUNTER32, COUNTER64, TIME_TICKS

_SYS_UP_TIME: Final = encode_oid("1.3.6.1.2.1.1.3.0")
_UPTIMES: Final = frozenset({_SYS_UP_TIME, encode_oid("1.3.6.1.2.1.25.1.1.0")})
_SHORTEST_UPTIME_SECONDS: Final = 3600.0
"""A device recorded right after its start, or without a sysUpTime, counts as this old."""

Clock = Callable[[], float]


class MibView:
    """A recording as an agent serves it at this moment."""

    def __init__(
        self,
        recording: Recording,
        *,
        moving: bool = False,
        seed: int = 0,
        clock: Clock = time.monotonic,
        epoch_clock: Clock = time.time,
    ) -> None:
        self.recording = recording
        self._rows = recording.rows
        self._clock = clock
        self._epoch_clock = epoch_clock
        self._started_at = clock()
        self._random = Random(seed)
        self._last: dict[int, tuple[float, Moment]] = {}
        self._counters: dict[int, _Counter] = {}  # taken apart when first asked for
        self._uptime_seconds = _recorded_uptime(recording) if moving else 0.0
        computed = set(recording.numeric)
        if moving:
            computed.update(n for n, row in enumerate(self._rows) if _is_moving(row))
        self._computed = sorted(computed)
        self._computed_set = frozenset(computed)

    def row(self, oid: Oid) -> bytes | None:
        """Give the encoded varbind of an OID; None where there is none."""
        position = self.recording.position(oid)
        if position is None:
            return None
        if position in self._computed_set:
            return self._compute(position, self._now())
        return self._rows[position]

    def rows_after(self, oid: Oid, count: int) -> list[bytes]:
        """Give the encoded varbinds behind an OID: *count* of them, fewer at the end."""
        start = self.recording.position_after(oid)
        rows = list(self._rows[start : start + count])
        computed = self._computed
        if computed:
            moment = self._now()
            first = bisect_left(computed, start)
            for position in computed[first : bisect_left(computed, start + count, first)]:
                rows[position - start] = self._compute(position, moment)
        return rows

    def _now(self) -> Moment:
        return Moment(self._clock() - self._started_at, self._epoch_clock())

    def _compute(self, position: int, moment: Moment) -> bytes:
        """Compute the varbind of a row whose value moves."""
        counter = self._counters.get(position)
        if counter is None:
            numeric = self.recording.numeric.get(position)
            if numeric is not None:
                return self._compute_numeric(position, numeric, moment)
            counter = self._counters[position] = self._counter(position)
        value = (counter.start + int(counter.rate * moment.elapsed)) % counter.modulus
        return encode_varbind(counter.oid, counter.tag, encode_integer_content(value))

    def _compute_numeric(self, position: int, numeric: Computed, moment: Moment) -> bytes:
        oid, tag, _ = decode_varbind(self._rows[position])
        number = numeric.value(moment, self._last.get(position), self._random)
        self._last[position] = (number, moment)
        return encode_varbind(oid, tag, encode_integer_content(int(number)))

    def _counter(self, position: int) -> _Counter:
        oid, tag, content = decode_varbind(self._rows[position])
        start = int.from_bytes(content, "big")
        if tag == TIME_TICKS:
            return _Counter(oid, tag, start, 100.0, 2**32)
        factor = 0.5 + (crc32(oid) & 0xFFFF) / 0x10000
        modulus = 2**64 if tag == COUNTER64 else 2**32
        return _Counter(oid, tag, start, factor * start / self._uptime_seconds, modulus)


class _Counter(NamedTuple):
    """A row that grows: its value at the start, and by how much a second."""

    oid: Oid
    tag: int
    start: int
    rate: float
    modulus: int


def _is_moving(row: bytes) -> bool:
    oid, tag, _ = decode_varbind(row)
    return tag in (COUNTER32, COUNTER64) or (tag == TIME_TICKS and oid in _UPTIMES)


def _recorded_uptime(recording: Recording) -> float:
    position = recording.position(_SYS_UP_TIME)
    ticks = 0
    if position is not None:
        _, tag, content = decode_varbind(recording.rows[position])
        ticks = int.from_bytes(content, "big") if tag == TIME_TICKS else 0
    return max(ticks / 100.0, _SHORTEST_UPTIME_SECONDS)
