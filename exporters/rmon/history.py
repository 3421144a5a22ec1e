"""historyControlTable and etherHistoryTable: the newest bucket of each row, and all added up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exporters.rmon.buckets import IRREGULAR, Bucket
from exporters.rmon.history_reader import HistoryReader
from exporters.rmon.history_totals import ControlHistory
from exporters.rmon.interfaces import Interface, Source, row_source
from exporters.rmon.reader import Row
from exporters.rmon.row_status import entry_status, live_entries
from exporters.rmon.scrape import Scrape
from exporters.rmon.tables import HISTORY_CONTROL, HISTORY_CONTROL_2

_LONGEST_INTERVAL: Final = 3600
_IDENTITY: Final = tuple(
    HISTORY_CONTROL.column(name) for name in ("data_source", "interval", "status")
)
_COUNTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "packets": "packets",
        "broadcast": "broadcast_packets",
        "multicast": "multicast_packets",
        "collisions": "collisions",
        "drop_events": "drop_events",
    }
)
_REPORTED_TOO_FAR: Final = 0.02


async def write_history(scrape: Scrape) -> None:
    """Read what is new, add it up, and write both."""
    if any(column in scrape.reader.total.incomplete for column in _IDENTITY):
        return  # rows that only seem to have gone, or to be others, would lose their totals
    rows = {row.index[0]: row for row in live_entries(scrape.rows(HISTORY_CONTROL)) if row.index}
    intervals = {
        control: interval
        for control, row in rows.items()
        if (interval := row.counter("interval")) is not None and 0 < interval <= _LONGEST_INTERVAL
    }
    scrape.findings["history_interval_impossible"] += len(rows) - len(intervals)
    states = _states(scrape, rows, intervals)
    granted = {control: rows[control].counter("granted") or 0 for control in states}
    reader = HistoryReader(scrape.reader, states, granted)
    memory = scrape.memory
    wanted = await reader.new_samples(restarted=scrape.restarted)
    buckets = await reader.fetch(wanted, ask_64_bit=memory.history_is_64_bit is not False)
    if buckets:
        memory.history_is_64_bit = memory.history_is_64_bit or reader.has_64_bit
    scrape.findings["history_bucket_torn"] += reader.torn
    for control, state in states.items():
        source = row_source(rows[control])
        interface = scrape.interfaces.of(source) or Interface(0)
        for bucket in _in_order(state, buckets.get(control, [])):
            _add(scrape, state, bucket, intervals[control], interface)
        _write(scrape, rows[control], state, source, interface)


def _states(
    scrape: Scrape, rows: Mapping[int, Row], intervals: Mapping[int, int]
) -> dict[int, ControlHistory]:
    """Give what is known of each row; one that has been made anew is another one."""
    known = scrape.memory.history
    for control in known.keys() - rows.keys():
        del known[control]
    states = {}
    for control, interval in intervals.items():
        identity = (rows[control].oid("data_source"), interval)
        state = known.get(control)
        if state is None or state.identity != identity:
            state = known[control] = ControlHistory(identity)
        states[control] = state
    return states


def _in_order(state: ControlHistory, buckets: list[Bucket]) -> list[Bucket]:
    """At first contact the newest bucket alone counts; the time before is nobody's."""
    if state.last is None and not state.restarts:
        return buckets[-1:]
    return buckets


def _add(
    scrape: Scrape, state: ControlHistory, bucket: Bucket, interval: int, interface: Interface
) -> None:
    ways = 2 if scrape.counts_both_ways() else 1
    trusted = not bucket.may_have_wrapped(interval, interface.bits_per_second, ways)
    first = state.last is None and not state.restarts
    seconds = _seconds(state.last, bucket, interval)
    if first:
        state.last = bucket
        state.octets_trusted = trusted
    else:
        state.add(bucket, trusted=trusted)
    ratio = bucket.utilization(seconds, interface.bits_per_second) if trusted else None
    ended = scrape.memory.boot.timestamp(bucket.start_ticks, interval)
    if ratio is not None and ended is not None:
        state.recent.append((ended, ratio))


def _seconds(before: Bucket | None, bucket: Bucket, interval: int) -> float:
    """How long a bucket was: as long as the one before, by their starts, if that is plausible.

    Intervals drift: one of 1800 seconds was seen to take 1907. The end of the newest is not known.
    """
    if before is None or bucket.sample != before.sample + 1:
        return float(interval)
    spacing = (bucket.start_ticks - before.start_ticks) % 2**32 / 100
    return spacing if interval <= spacing <= 1.1 * interval else float(interval)


def _write(
    scrape: Scrape, row: Row, state: ControlHistory, source: Source, interface: Interface
) -> None:
    add = scrape.samples.add
    interval = state.identity[1]
    labels = {**scrape.interface_labels(row, source), "interval": str(interval)}
    info = {
        "owner": row.text("owner"),
        "data_source": source.text,
        "status": entry_status(row),
        "if_alias": interface.alias,
    }
    scrape.findings["status_unknown"] += info["status"].startswith("unknown")
    add("rmon_history_info", {**labels, **info}, 1)
    add("rmon_history_interval_seconds", labels, interval)
    add("rmon_history_buckets_granted", labels, row.counter("granted"))
    dropped = scrape.row(HISTORY_CONTROL_2, row.index).counter("dropped_frames")
    add("rmon_history_dropped_frames_total", labels, dropped)
    if state.last is None:
        scrape.findings["history_without_buckets"] += 1
    else:
        _write_newest(scrape, state.last, interval, labels, interface)
    if state.last is not None or state.restarts:
        _write_totals(scrape, state, labels)


def _write_newest(
    scrape: Scrape,
    bucket: Bucket,
    interval: int,
    labels: Mapping[str, str],
    interface: Interface,
) -> None:
    add = scrape.samples.add
    add("rmon_history_sample_index", labels, bucket.sample)
    ended = scrape.memory.boot.timestamp(bucket.start_ticks, interval)
    add("rmon_history_bucket_end_timestamp_seconds", labels, ended)
    for name, suffix in _COUNTS.items():
        add(f"rmon_history_bucket_{suffix}", labels, bucket.counts[name])
    for kind in IRREGULAR:
        kinds = {**labels, "kind": kind}
        add("rmon_history_bucket_irregular_packets", kinds, bucket.counts[kind])
    ways = 2 if scrape.counts_both_ways() else 1
    suspect = bucket.may_have_wrapped(interval, interface.bits_per_second, ways)
    add("rmon_history_overflow_suspect", labels, int(suspect))
    scrape.findings["history_octets_wrapped"] += suspect
    if suspect:
        return  # what the device reports is computed from the same octets
    reported = bucket.reported_ratio
    add("rmon_history_utilization_ratio", {**labels, "source": "device"}, reported)
    add("rmon_history_bucket_bytes", labels, bucket.octets)
    computed = bucket.utilization(float(interval), interface.bits_per_second)
    add("rmon_history_utilization_ratio", {**labels, "source": "computed"}, computed)
    if computed is not None and reported is not None:
        apart = abs(computed - reported) > _REPORTED_TOO_FAR
        scrape.findings["utilization_reported_wrong"] += apart


def _write_totals(scrape: Scrape, state: ControlHistory, labels: Mapping[str, str]) -> None:
    add = scrape.samples.add
    for name, suffix in _COUNTS.items():
        add(f"rmon_history_{suffix}_total", labels, state.totals[name])
    for kind in IRREGULAR:
        kinds = {**labels, "kind": kind}
        add("rmon_history_irregular_packets_total", kinds, state.totals[kind])
    if state.octets_trusted:
        add("rmon_history_bytes_total", labels, state.octets)
    add("rmon_history_buckets_total", labels, state.buckets)
    add("rmon_history_buckets_missed_total", labels, state.missed)
    add("rmon_history_restarts_total", labels, state.restarts)
    peak = state.peak(scrape.now - scrape.bounds.peak_seconds)
    add("rmon_history_utilization_peak_ratio", labels, peak)
