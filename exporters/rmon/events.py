"""eventTable and logTable: which events have fired, when, and how many times.

Devices use eventTable as the catalogue of all their messages: one was seen with 2,747 rows, of
which 37 had ever fired. So one column is read of all, and the others of those that have fired. What
the log says is text and belongs in a log. ``eventCommunity`` is a secret and is never asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from exporters.errors import WireError
from exporters.rmon.event_log import LogCursor
from exporters.rmon.reader import Index
from exporters.rmon.row_status import entry_status
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import EVENT, LOG
from exporters.wire.ber import decode_subids, encode_subids

_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {1: "none", 2: "log", 3: "trap", 4: "logAndTrap"}
)
_TOLD: Final = ("description", "type", "owner", "status")


async def write_events(scrape: Scrape) -> None:
    """Write the events that have fired."""
    rows = scrape.rows(EVENT)
    fired: dict[Index, int] = {
        index: sent
        for index, row in rows.items()
        if len(index) == 1 and (sent := row.counter("last_sent"))
    }
    if rows:
        scrape.samples.add("rmon_events_configured", {}, len(rows))
    described = await scrape.reader.rows([(EVENT, index, _TOLD) for index in fired])
    await _read_logs(scrape, [index[0] for index in fired])
    add = scrape.samples.add
    for row in described:
        status = row.number("status")
        if status in (2, 3, 4):
            continue
        event = row.index[0]
        labels = {"rmon_index": str(event), "description": row.text("description")}
        kind = row.number("type")
        told = {
            "type": "" if kind is None else _TYPES.get(kind, f"unknown({kind})"),
            "owner": row.text("owner"),
            "status": entry_status(row),
        }
        add("rmon_event_info", {**labels, **told}, 1)
        at = scrape.memory.boot.timestamp(fired[row.index])
        add("rmon_event_last_fired_timestamp_seconds", labels, at)
        log = scrape.memory.logs.get(event)
        if log is not None:
            add("rmon_event_log_entries_total", {"rmon_index": str(event)}, log.newest)
            add("rmon_event_log_retained", {"rmon_index": str(event)}, log.retained)


async def _read_logs(scrape: Scrape, events: Sequence[int]) -> None:
    """Bring the cursors of logs up to date: from the newest entry on, or anew."""
    logs = scrape.memory.logs
    for event in logs.keys() - set(events):
        del logs[event]
    known = {event: logs[event].newest for event in events if event in logs}
    entries = await _entries(scrape, known)
    anew = [event for event in events if event not in logs]
    for event in known:
        if logs[event].continues(entries[event]):
            logs[event].newest = max(entries[event])
        else:
            anew.append(event)
    for event, found in (await _entries(scrape, dict.fromkeys(anew))).items():
        if found:
            logs[event] = LogCursor(max(found), min(found))
        else:
            logs.pop(event, None)
    oldest = await _oldest(scrape, [event for event in events if event in logs])
    for event, entry in oldest.items():
        logs[event].oldest = entry


async def _entries(scrape: Scrape, newest: Mapping[int, int | None]) -> dict[int, set[int]]:
    """Read which entries there are of each event, from the newest that is known on."""
    ranges = {
        event: LOG.part(
            "time",
            encode_subids((event,)),
            b"" if entry is None else encode_subids((max(0, entry - 1),)),
        )
        for event, entry in newest.items()
    }
    cells = await scrape.reader.parts(list(ranges.values()))
    return {
        event: {index[0] for index in cells[item.root] if len(index) == 1}
        for event, item in ranges.items()
    }


async def _oldest(scrape: Scrape, events: Sequence[int]) -> dict[int, int]:
    roots = {event: LOG.column("time") + encode_subids((event,)) for event in events}
    answers = await scrape.reader.following(list(roots.values()))
    found: dict[int, int] = {}
    for (event, root), answer in zip(roots.items(), answers, strict=True):
        if answer is None or not answer[0].startswith(root):
            continue
        try:
            (found[event],) = decode_subids(answer[0][len(root) :])
        except (WireError, ValueError):
            continue
    return found
