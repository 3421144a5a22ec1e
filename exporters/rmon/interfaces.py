"""From a data source to the interface that it stands for, by IF-MIB, in the same scrape.

The index of an RMON row is no ifIndex, though it equals one on most devices. It is taken for one
only where a device has no data source column at all.

Sources: RFC 2819 (DataSource), RFC 2613 (VLANs as data sources), RFC 2863 (ifName, ifHighSpeed).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from exporters.errors import WireError
from exporters.rmon.reader import Index, Reader, Row
from exporters.rmon.tables import IF, IFX, RMON, Table
from exporters.wire.ber import Oid, decode_subids, encode_oid, encode_subids, format_oid

_IF_INDEX: Final = encode_oid("1.3.6.1.2.1.2.2.1.1")
_VLAN: Final = RMON + encode_subids((22, 1, 4, 1))
_ENTITY: Final = encode_oid("1.3.6.1.2.1.47.1.1.1")
_MOST_32_BITS: Final = 0xFFFFFFFF
_EXTENDED: Final = ("name", "alias", "high_speed")
_DIRECTION_COLUMNS: Final = (
    *("in_ucast", "in_multicast", "in_broadcast"),
    *("out_ucast", "out_multicast", "out_broadcast"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a data source stands for: ``interface``, ``vlan``, ``entity``, ``other`` or ``none``."""

    kind: str
    number: int = 0
    oid: Oid = b""

    @property
    def text(self) -> str:
        """The OID in dotted decimal; "" where the row names none."""
        return format_oid(self.oid) if self.oid else ""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as IF-MIB has it; speed 0 is unknown."""

    index: int
    name: str = ""
    alias: str = ""
    bits_per_second: int = 0
    packets_in: int | None = None
    packets_out: int | None = None


def parse_source(oid: Oid) -> Source:
    """Tell what a data source stands for."""
    if not oid:
        return Source("none")
    for kind, prefix in (("interface", _IF_INDEX), ("vlan", _VLAN), ("entity", _ENTITY)):
        if oid.startswith(prefix):
            try:
                numbers = decode_subids(oid[len(prefix) :])
            except WireError:
                break
            if len(numbers) == 1 or (kind == "entity" and len(numbers) == 2):
                return Source(kind, numbers[-1], oid)
    return Source("other", 0, oid)


def row_source(row: Row) -> Source:
    """Give the data source of a row; its index as an interface where it has no such column."""
    if "data_source" not in row:
        return Source("interface", row.index[0]) if row.index else Source("none")
    return parse_source(row.oid("data_source"))


class Interfaces:
    """The interfaces that the rows of one scrape are about."""

    def __init__(self) -> None:
        self._known: dict[int, Interface] = {}

    async def load(
        self, reader: Reader, wanted: Iterable[int], counted: Collection[int] = ()
    ) -> None:
        """GET what is known of the *wanted* ones; of the *counted* also what came in and went out.

        ifDescr is asked for where there is no ifName.
        """
        indexes = sorted({index for index in wanted if 0 < index <= _MOST_32_BITS})
        with_packets = (*_EXTENDED, *_DIRECTION_COLUMNS)
        asked: list[tuple[Table, Index, Iterable[str]]] = []
        for index in indexes:
            asked.append((IFX, (index,), with_packets if index in counted else _EXTENDED))
            asked.append((IF, (index,), ("speed",)))
        rows = await reader.rows(asked)
        nameless = [
            index for index, row in zip(indexes, rows[::2], strict=True) if not row.text("name")
        ]
        described = await reader.rows([(IF, (index,), ("descr",)) for index in nameless])
        descriptions = {row.index[0]: row.text("descr") for row in described}
        for index, extra, plain in zip(indexes, rows[::2], rows[1::2], strict=True):
            self._known[index] = Interface(
                index,
                extra.text("name") or descriptions.get(index, ""),
                extra.text("alias"),
                _speed(plain.number("speed"), extra.number("high_speed")),
                _sum(extra, _DIRECTION_COLUMNS[:3]),
                _sum(extra, _DIRECTION_COLUMNS[3:]),
            )

    def get(self, index: int) -> Interface:
        """Give an interface; one without a name if the device has none."""
        return self._known.get(index) or Interface(index)

    def of(self, source: Source) -> Interface | None:
        """Give the interface of a data source, if it is one."""
        return self.get(source.number) if source.kind == "interface" else None

    def labels(self, source: Source) -> dict[str, str]:
        """Give the labels of the interface of a data source; empty ones where it is none."""
        interface = self.of(source)
        if interface is None:
            return {"if_index": "", "if_name": ""}
        return {"if_index": str(interface.index), "if_name": interface.name}


def _speed(speed: int | None, megabits: int | None) -> int:
    """ifSpeed, but ifHighSpeed where that says nothing (RFC 2863 s3.1.6.1)."""
    if speed and 0 < speed < _MOST_32_BITS:
        return speed
    return max(0, megabits or 0) * 1_000_000


def _sum(row: Row, names: Iterable[str]) -> int | None:
    counts = [row.counter(name) for name in names]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
