"""``/metrics`` of all targets: hundreds of thousands of samples, written in small turns.

What is told of one target is read at one moment, so that its account closes in every scrape. The
text comes in pieces of at most a few milliseconds' work; whoever drives the generator lets pings go
out and come in between two of them.

A histogram has classic buckets. Native ones exist in Prometheus' protobuf format alone; Prometheus
itself can make native ones of these (``convert_classic_histograms_to_nhcb``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, islice
from typing import Final, NamedTuple

from exporters.icmp.accounting import LastError, LossReason
from exporters.icmp.history import RttWindow
from exporters.icmp.target import Target
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType, escape_label_value, family_header
from exporters.wire.icmp_errors import error_name

_TARGETS_A_TURN: Final = 100
_LINES_A_TURN: Final = 2000
_NS: Final = 1_000_000_000

_NETWORK_REASONS: Final = tuple(reason for reason in LossReason if reason is not LossReason.DNS)


class _Row(NamedTuple):
    """One target at one moment."""

    labels: str
    version: int
    sent: int
    replies: int
    lost: tuple[int, ...]
    in_flight: int
    bounds: tuple[float, ...]
    cumulated: tuple[int, ...]
    rtt_sum: float
    window: RttWindow
    jitter: float | None
    duplicates: int
    late: int
    reordered: int
    corrupt: int
    wrong_source: int
    hop_limit: int | None
    hop_limit_changes: int
    traffic_class: int | None
    consecutive_losses: int
    outage_seconds: float
    last_error: LastError | None


class _Family(NamedTuple):
    """A family with at most one sample for each target; None is no sample."""

    name: str
    kind: FamilyType
    help: str
    value: Callable[[_Row], int | str | None]


def _seconds(value: float | None) -> str | None:
    """Write a time; its ring has seven digits."""
    return None if value is None else f"{value:.6g}"


def _unix_time(error: LastError | None) -> str | None:
    return None if error is None else f"{error.received.realtime_ns / _NS:.3f}"


_BEFORE_HISTOGRAM: Final = (
    _Family(
        "icmp_sent_total",
        FamilyType.COUNTER,
        "Pings that were due, those that could not be sent among them.",
        lambda row: row.sent,
    ),
    _Family(
        "icmp_replies_total",
        FamilyType.COUNTER,
        "Pings that were answered in time, by their host and with their payload.",
        lambda row: row.replies,
    ),
    _Family(
        "icmp_in_flight",
        FamilyType.GAUGE,
        "Pings that may still be answered: sent less replies less lost.",
        lambda row: row.in_flight,
    ),
)
_AFTER_HISTOGRAM: Final = (
    _Family(
        "icmp_rtt_last_seconds",
        FamilyType.GAUGE,
        "Round-trip time of the last reply in the window.",
        lambda row: _seconds(row.window.last),
    ),
    _Family(
        "icmp_rtt_min_seconds",
        FamilyType.GAUGE,
        "Shortest round-trip time of the window.",
        lambda row: _seconds(row.window.minimum),
    ),
    _Family(
        "icmp_rtt_max_seconds",
        FamilyType.GAUGE,
        "Longest round-trip time of the window.",
        lambda row: _seconds(row.window.maximum),
    ),
    _Family(
        "icmp_rtt_stddev_seconds",
        FamilyType.GAUGE,
        "Standard deviation of the round-trip times of the window.",
        lambda row: _seconds(row.window.deviation),
    ),
    _Family(
        "icmp_jitter_seconds",
        FamilyType.GAUGE,
        "Smoothed difference of the round-trip times of replies in a row (RFC 3550).",
        lambda row: _seconds(row.jitter),
    ),
    _Family(
        "icmp_replies_duplicate_total",
        FamilyType.COUNTER,
        "Further replies to pings that were answered.",
        lambda row: row.duplicates,
    ),
    _Family(
        "icmp_replies_late_total",
        FamilyType.COUNTER,
        "Replies to pings that were lost already.",
        lambda row: row.late,
    ),
    _Family(
        "icmp_replies_reordered_total",
        FamilyType.COUNTER,
        "Replies in time that came after the reply to a later ping.",
        lambda row: row.reordered,
    ),
    _Family(
        "icmp_replies_corrupt_total",
        FamilyType.COUNTER,
        "Replies whose payload is not that of the ping.",
        lambda row: row.corrupt,
    ),
    _Family(
        "icmp_replies_wrong_source_total",
        FamilyType.COUNTER,
        "Replies to pings of the target that another address sent.",
        lambda row: row.wrong_source,
    ),
    _Family(
        "icmp_reply_hop_limit",
        FamilyType.GAUGE,
        "TTL or hop limit of the last reply.",
        lambda row: row.hop_limit,
    ),
    _Family(
        "icmp_reply_hop_limit_changes_total",
        FamilyType.COUNTER,
        "Replies with another TTL or hop limit than the one before.",
        lambda row: row.hop_limit_changes,
    ),
    _Family(
        "icmp_reply_dscp",
        FamilyType.GAUGE,
        "DSCP that the last reply came back with, 0 to 63.",
        lambda row: None if row.traffic_class is None else row.traffic_class >> 2,
    ),
    _Family(
        "icmp_consecutive_losses",
        FamilyType.GAUGE,
        "Pings lost since the last reply.",
        lambda row: row.consecutive_losses,
    ),
    _Family(
        "icmp_outage_seconds_total",
        FamilyType.COUNTER,
        "Lost pings, each as long as the interval.",
        lambda row: f"{row.outage_seconds:.10g}",
    ),
    _Family(
        "icmp_error_timestamp_seconds",
        FamilyType.GAUGE,
        "When the last ICMP error about a ping of the target arrived.",
        lambda row: _unix_time(row.last_error),
    ),
)


def write(targets: Iterable[Target], text_format: TextFormat) -> Iterator[str]:
    """Write all families of *targets*, piece by piece; pieces may be empty."""
    rows: list[_Row] = []
    for target in targets:
        rows.append(_read(target))
        if len(rows) % _TARGETS_A_TURN == 0:
            yield ""
    reached = [row for row in rows if row.version]
    for family in _BEFORE_HISTOGRAM:
        yield from _write_family(family, rows, text_format)
    yield from _write_lost(rows, text_format)
    yield from _write_histogram(reached, text_format)
    for family in _AFTER_HISTOGRAM:
        yield from _write_family(family, reached, text_format)
    yield from _write_errors(reached, text_format)


def _read(target: Target) -> _Row:
    account = target.account
    return _Row(
        labels=target.label_text,
        version=target.address.version if target.address else 0,
        sent=account.sent,
        replies=account.replies,
        lost=tuple(account.lost),
        in_flight=account.in_flight,
        bounds=account.bounds,
        cumulated=tuple(accumulate(account.bucket_counts)),
        rtt_sum=account.rtt_sum_seconds,
        window=account.history.window(target.settings.window, account.in_flight),
        jitter=account.jitter_seconds,
        duplicates=account.duplicates,
        late=account.late,
        reordered=account.reordered,
        corrupt=account.corrupt,
        wrong_source=account.wrong_source,
        hop_limit=account.hop_limit,
        hop_limit_changes=account.hop_limit_changes,
        traffic_class=account.traffic_class,
        consecutive_losses=account.consecutive_losses,
        outage_seconds=account.outage_seconds,
        last_error=account.last_error,
    )


def _write_family(family: _Family, rows: Sequence[_Row], text_format: TextFormat) -> Iterator[str]:
    name, value_of = family.name, family.value
    yield from _write_lines(
        family_header(name, family.kind, family.help, text_format),
        (
            f"{name}{{{row.labels}}} {value}\n"
            for row in rows
            if (value := value_of(row)) is not None
        ),
        _LINES_A_TURN,
    )


def _write_lost(rows: Sequence[_Row], text_format: TextFormat) -> Iterator[str]:
    """Write losses by reason: a target has those of the network, a name without address has dns."""
    yield from _write_lines(
        family_header(
            "icmp_lost_total",
            FamilyType.COUNTER,
            "Pings that ended without a reply in time, by reason.",
            text_format,
        ),
        (
            f'icmp_lost_total{{{row.labels},reason="{reason.label}"}} {row.lost[reason]}\n'
            for row in rows
            for reason in (_NETWORK_REASONS if row.version else (LossReason.DNS,))
        ),
        _LINES_A_TURN,
    )


def _write_histogram(rows: Sequence[_Row], text_format: TextFormat) -> Iterator[str]:
    yield from _write_lines(
        family_header(
            "icmp_rtt_seconds",
            FamilyType.HISTOGRAM,
            "Round-trip times of replies, by the kernel's stamps.",
            text_format,
        ),
        map(_histogram_lines, rows),
        _LINES_A_TURN // 20,
    )


def _histogram_lines(row: _Row) -> str:
    """Write one histogram: its buckets, its sum, its count."""
    labels = row.labels
    lines = [
        f"icmp_rtt_seconds_bucket{{{labels}{bound}{count}\n"
        for bound, count in zip(_bound_texts(row.bounds), row.cumulated, strict=True)
    ]
    lines.append(f"icmp_rtt_seconds_sum{{{labels}}} {row.rtt_sum:.10g}\n")
    lines.append(f"icmp_rtt_seconds_count{{{labels}}} {row.cumulated[-1]}\n")
    return "".join(lines)


@lru_cache(maxsize=256)
def _bound_texts(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """What stands between a bucket's other labels and its count.

    ``1.0``, not ``1``: OpenMetrics demands it, and Prometheus 3 makes it so.
    """
    return tuple(f',le="{bound}"}} ' for bound in (*map(float, bounds), "+Inf"))


def _write_errors(rows: Sequence[_Row], text_format: TextFormat) -> Iterator[str]:
    yield from _write_lines(
        family_header(
            "icmp_error_info",
            FamilyType.GAUGE,
            "The last ICMP error about a ping of the target: who reported it, and what.",
            text_format,
        ),
        (_error_line(row, error) for row in rows if (error := row.last_error) is not None),
        _LINES_A_TURN,
    )


def _error_line(row: _Row, error: LastError) -> str:
    name = error_name(6 if row.version == 6 else 4, error.type, error.code)
    return (
        f'icmp_error_info{{{row.labels},reporter="{error.reporter}",type="{error.type}",'
        f'code="{error.code}",error="{escape_label_value(name)}"}} 1\n'
    )


def _write_lines(header: str, lines: Iterator[str], lines_a_turn: int) -> Iterator[str]:
    """Write a family in turns; nothing where it has no samples."""
    first = True
    while turn := "".join(islice(lines, lines_a_turn)):
        yield header + turn if first else turn
        first = False
