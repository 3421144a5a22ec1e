"""The rows of one device, in OID order and already encoded as an agent sends them.

It knows nothing of files (``exporters.demo.snmprec`` reads them) or of requests
(``exporters.demo.responder`` answers them). Two parallel lists hold everything: what a row sorts by
and its encoded varbind. So a GETBULK answer is a slice of the second list, joined.

Sources: RFC 3416 sections 2.2 and 4.2 (the order of names), X.690 section 8.19.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exporters.demo.numeric import Computed
from exporters.errors import Problem
from exporters.wire.ber import Oid, encode_tlv, read_header
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import OBJECT_IDENTIFIER, SEQUENCE

_LONG_SUBID = re.compile(rb"[\x80-\xff]{2,}[\x00-\x7f]")


def sort_key(oid: Oid) -> bytes:
    r"""Give bytes that compare as the sub-identifiers of *oid* do.

    Sub-identifiers of one and two bytes (below 16,384) already compare as numbers: ``7f`` stands
    before ``81 00``, ``ff 7f`` after all of them. Longer ones get ``ff`` and ``80 + length`` in
    front, so that they follow every shorter one. Nearly every OID is its own key.

    Example: ``sort_key(b"\x2b\x81\x80\x00") == b"\x2b\xff\x83\x81\x80\x00"``
    """
    if oid.isascii():
        return oid
    return _LONG_SUBID.sub(_mark_length, oid)


def _mark_length(match: re.Match[bytes]) -> bytes:
    subid = match[0]
    return bytes((0xFF, 0x80 | min(len(subid), 0x7F))) + subid


def encode_varbind(oid: Oid, tag: int, content: bytes) -> bytes:
    """Encode one varbind: the SEQUENCE of a name and a value."""
    oid_length = len(oid)
    length = len(content)
    total = oid_length + length + 4
    if total < 0x80:
        head = bytes((SEQUENCE, total, OBJECT_IDENTIFIER, oid_length))
        return head + oid + bytes((tag, length)) + content
    return encode_tlv(SEQUENCE, encode_tlv(OBJECT_IDENTIFIER, oid) + encode_tlv(tag, content))


def decode_varbind(row: bytes) -> VarBind:
    """Take an encoded varbind apart; the inverse of ``encode_varbind``.

    Raises:
        WireError: It is cut off.
    """
    end = len(row)
    _, start, _ = read_header(row, 0, end)
    _, oid_start, oid_stop = read_header(row, start, end)
    tag, value_start, value_stop = read_header(row, oid_stop, end)
    return row[oid_start:oid_stop], tag, row[value_start:value_stop]


@dataclass(frozen=True, slots=True)
class Recording:
    """What one device answered, sorted by OID, each OID once.

    ``keys[n]`` is the sort key of row *n* and ``rows[n]`` its encoded varbind. ``numeric`` names
    the rows whose value is computed when it is asked for; ``rows`` holds their first value.
    ``problems`` are the lines that could not be used as they stand, the first of them at least;
    ``problem_count`` counts them all.
    """

    keys: Sequence[bytes]
    rows: Sequence[bytes]
    numeric: Mapping[int, Computed] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0

    @classmethod
    def from_varbinds(cls, varbinds: Iterable[VarBind]) -> Recording:
        """Make a recording of varbinds in any order; of two with one OID the later stays."""
        by_key = {sort_key(oid): encode_varbind(oid, tag, raw) for oid, tag, raw in varbinds}
        keys = sorted(by_key)
        return cls(keys, [by_key[key] for key in keys])

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[VarBind]:
        """Every row as ``(oid, tag, content)``, in OID order."""
        return map(decode_varbind, self.rows)

    def position(self, oid: Oid) -> int | None:
        """Where the row of *oid* stands; None when there is none."""
        key = sort_key(oid)
        position = bisect_left(self.keys, key)
        if position < len(self.keys) and self.keys[position] == key:
            return position
        return None

    def position_after(self, oid: Oid) -> int:
        """Where the first row behind *oid* stands: the length of the recording at its end."""
        return bisect_right(self.keys, sort_key(oid))
