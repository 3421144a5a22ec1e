"""usrHistory: the newest bucket of a user's own history, which has an end time and validity flags.

Like etherHistory it is never walked: the oldest bucket and the number of buckets granted tell where
the newest is.

Sources: RFC 4502 (usrHistoryTable), RFC 3273 (its 64-bit values).
"""

from __future__ import annotations

from typing import Final

from exporters.errors import WireError
from exporters.polling.cursor import Range
from exporters.rmon.alarms import alarm_source
from exporters.rmon.reader import Index, Row, combine
from exporters.rmon.row_status import live_rows
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import (
    USER_HISTORY,
    USER_HISTORY_CONTROL,
    USER_HISTORY_HC,
    USER_HISTORY_OBJECT,
)
from exporters.wire.ber import decode_subids, encode_subids, format_oid

_MARGIN: Final = 3
_POSITIVE: Final = 2
_NEGATIVE: Final = 3


async def write_user_history(scrape: Scrape) -> None:
    """Write the newest bucket of each control row."""
    controls = {row.index[0]: row for row in live_rows(scrape.rows(USER_HISTORY_CONTROL))}
    newest = await _newest(scrape, controls)
    objects = scrape.rows(USER_HISTORY_OBJECT)
    wanted: list[Index] = [
        (control, sample, index[1])
        for control, sample in newest.items()
        for index in objects
        if len(index) == 2 and index[0] == control
    ]
    names = tuple(USER_HISTORY.columns)
    rows = await scrape.reader.rows([(USER_HISTORY, index, names) for index in wanted])
    wide = await scrape.reader.rows([(USER_HISTORY_HC, index, ("value",)) for index in wanted])
    for row, high in zip(rows, wide, strict=True):
        watched = objects[row.index[0], row.index[2]]
        _write(scrape, controls[row.index[0]], row, high, watched)


def _write(scrape: Scrape, control: Row, row: Row, high: Row, watched: Row) -> None:
    variable = watched.oid("variable")
    name, source = alarm_source(scrape, variable)
    interval = control.counter("interval")
    labels = {
        "rmon_index": str(control.index[0]),
        "object": str(row.index[2]),
        "variable": format_oid(variable) if variable else "",
        "variable_name": name,
        "interval": "" if interval is None else str(interval),
        **scrape.interfaces.labels(source),
    }
    add = scrape.samples.add
    add("rmon_user_history_interval_seconds", labels, interval)
    sign = {_POSITIVE: 1, _NEGATIVE: -1}.get(row.number("value_status") or 0)
    value = combine(row.counter("value"), None, high.counter("value"))
    if sign is None or value is None:
        scrape.findings["user_history_not_available"] += 1
        return
    add("rmon_user_history_value", labels, sign * value)
    end = row.counter("end")
    if end is not None:
        ended = scrape.memory.boot.timestamp(end)
        add("rmon_user_history_end_timestamp_seconds", labels, ended)


async def _newest(scrape: Scrape, controls: dict[int, Row]) -> dict[int, int]:
    """Tell the newest sample of each control row."""
    column = USER_HISTORY.column("end")
    roots = {control: column + encode_subids((control,)) for control in controls}
    answers = await scrape.reader.following(list(roots.values()))
    ranges = {}
    for (control, root), answer in zip(roots.items(), answers, strict=True):
        if answer is None or not answer[0].startswith(root):
            continue
        try:
            oldest = decode_subids(answer[0][len(root) :])[0]
        except (WireError, IndexError):
            continue
        granted = controls[control].counter("granted") or 0
        near = oldest + max(0, granted - _MARGIN) - 1
        # Samples stand before objects in the index, so that "behind" is a sample without one.
        after = encode_subids((max(0, near), 2**32 - 1))
        ranges[control] = USER_HISTORY.part("end", encode_subids((control,)), after)
    found = await _last(scrape, ranges)
    # A row that is not full yet has its newest bucket nearer to the oldest.
    young = {
        control: USER_HISTORY.part("end", encode_subids((control,)))
        for control in ranges.keys() - found.keys()
    }
    return found | await _last(scrape, young)


async def _last(scrape: Scrape, ranges: dict[int, Range]) -> dict[int, int]:
    cells = await scrape.reader.parts(list(ranges.values()), expected=_MARGIN)
    found: dict[int, int] = {}
    for control, item in ranges.items():
        samples = [index[0] for index in cells[item.root] if len(index) == 2]
        if samples:
            found[control] = max(samples)
    return found
