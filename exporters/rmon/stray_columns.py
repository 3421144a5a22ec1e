"""What lies among the RMON tables and belongs to none: asked for once, counted, and never read.

Agents have been seen with columns under entries that do not exist, and with whole tables of other
MIBs grafted below rmon.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exporters.errors import WireError
from exporters.rmon.reader import Reader
from exporters.rmon.tables import RMON
from exporters.wire.ber import Oid, decode_subids, encode_subids
from exporters.wire.tags import EXCEPTIONS

_LAST_COLUMNS: Final = {
    "1.1.1": 21, "1.2.1": 27, "1.3.1": 19, "1.4.1": 2, "1.5.1": 2, "1.6.1": 2, "1.7.1": 16,
    "2.1.1": 7, "2.2.1": 15, "2.3.1": 27, "2.4.1": 18, "2.5.1": 1, "2.6.1": 4,
    "3.1.1": 12, "9.1.1": 7, "9.2.1": 4,
}  # fmt: skip
"""The tables of the groups that every device has, and the last column of each."""


async def count_strays(reader: Reader) -> int:
    """Ask what follows each table of the common groups; count what no MIB knows."""
    entries = {_oid(text): last for text, last in _LAST_COLUMNS.items()}
    asked = [entry + encode_subids((last + 1,)) for entry, last in entries.items()]
    found: set[Oid] = set()
    for answer in await reader.following(asked):
        if answer is not None and answer[1] not in EXCEPTIONS and _is_stray(answer[0], entries):
            found.add(answer[0])
    return len(found)


def _is_stray(oid: Oid, entries: dict[Oid, int]) -> bool:
    """Whether an OID lies in one of the common groups and in no table of theirs."""
    if not any(oid.startswith(RMON + encode_subids((group,))) for group in _common_groups()):
        return False
    for entry, last in entries.items():
        if oid.startswith(entry):
            try:
                return not 1 <= decode_subids(oid[len(entry) :])[0] <= last
            except (WireError, IndexError):
                return True
    return True


def _common_groups() -> Iterable[int]:
    return sorted({int(text.partition(".")[0]) for text in _LAST_COLUMNS})


def _oid(text: str) -> Oid:
    return RMON + encode_subids(map(int, text.split(".")))
