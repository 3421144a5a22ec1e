"""The metric names of smokeping_prober and of ping_exporter, for who asked for them.

They are projections of the accounts that our own metrics are of. Differences that cannot be helped
are told in docs/compatibility.md.

Text comes in pieces, one family's header or one target's samples at a time, or nothing, so that
whoever joins them may let others go ahead in between.

Sources: the collectors of smokeping_prober 0.11 and of ping_exporter 1.2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from exporters.icmp.accounting import LossReason
from exporters.icmp.history import NOTHING, UNTIMED
from exporters.icmp.target import Target
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import FamilyType, family_header, format_value, label_text

SMOKEPING_LABELS: Final = ("host", "ip", "source", "tos")
PING_EXPORTER_LABELS: Final = ("ip", "ip_version", "target")

SMOKEPING_HELP: Final = {
    "smokeping_requests_total": "Pings that were sent.",
    "smokeping_response_duration_seconds": "Round-trip times of the replies.",
    "smokeping_response_ttl": "TTL or hop limit of the last reply; 0 before the first.",
    "smokeping_response_duplicates_total": "Replies that came twice.",
    "smokeping_send_errors_total": "Pings that could not be sent.",
    "smokeping_receive_errors_total": "Messages that came and could not be read.",
    "smokeping_prober_errors_total": "Targets that are pinged no more because of an error.",
    "smokeping_prober_config_last_reload_successful": "Whether the last reload was successful.",
    "smokeping_prober_config_last_reload_success_timestamp_seconds": "Unix time of the last "
    "successful load of the configuration.",
    "smokeping_prober_build_info": "Build of the exporter.",
}
PING_EXPORTER_HELP: Final = {
    "ping_up": "Version of the exporter.",
    "ping_loss_ratio": "Share of the last pings that was lost, 0 to 1.",
    "ping_rtt_best_seconds": "Shortest round-trip time of the last pings.",
    "ping_rtt_worst_seconds": "Longest round-trip time of the last pings.",
    "ping_rtt_mean_seconds": "Mean round-trip time of the last pings.",
    "ping_rtt_std_deviation_seconds": "Standard deviation of the round-trip times.",
}

_CODE_POINTS: Final = frozenset(("dscp", "tos"))
"""Labels of ours that tell code points apart; smokeping_prober has its own for it."""

Labels = tuple[tuple[str, str], ...]


class _Row(NamedTuple):
    """What smokeping_prober tells of a target."""

    labels: str
    requests: int
    duplicates: int
    send_errors: int
    ttl: int
    bounds: tuple[float, ...]
    cumulated: list[int]
    rtt_sum: float


_SMOKEPING_VALUES: Final[Mapping[str, tuple[FamilyType, Callable[[_Row], int]]]] = {
    "smokeping_requests_total": (FamilyType.COUNTER, lambda row: row.requests),
    "smokeping_response_duplicates_total": (FamilyType.COUNTER, lambda row: row.duplicates),
    "smokeping_send_errors_total": (FamilyType.COUNTER, lambda row: row.send_errors),
    "smokeping_response_ttl": (FamilyType.GAUGE, lambda row: row.ttl),
}


@dataclass(frozen=True, slots=True)
class ExporterState:
    """What these names say of the exporter itself.

    Attributes:
        receive_errors: messages that did not decode.
        reload_successful: whether the last reload was.
        loaded_at: Unix time of the last load that was.
        build: version, revision and so on.
    """

    receive_errors: int
    reload_successful: bool
    loaded_at: float
    build: Mapping[str, str]


def smokeping_text(
    targets: Iterable[Target], state: ExporterState, text_format: TextFormat
) -> Iterator[str]:
    """Write the metrics of smokeping_prober; each target is read at one moment."""
    rows = []
    for target, labels in _rows(targets, _smokeping_labels):
        rows.append(_read(target, labels))
        yield ""
    for name, (family_type, value) in _SMOKEPING_VALUES.items():
        yield _header(name, family_type, text_format)
        for row in rows:
            yield f"{name}{row.labels} {value(row)}\n"
    name = "smokeping_response_duration_seconds"
    yield _header(name, FamilyType.HISTOGRAM, text_format)
    for row in rows:
        yield _histogram(name, row, text_format)
    yield from _smokeping_state(state, text_format)


def ping_exporter_text(
    targets: Iterable[Target], version: str, text_format: TextFormat
) -> Iterator[str]:
    """Write the metrics of ping_exporter.

    A target has a loss ratio from its first finished ping on, and round-trip times while one of
    its last pings was answered.
    """
    name = "ping_up"
    yield _header(name, FamilyType.GAUGE, text_format)
    yield f"{name}{label_text([('version', version)])} 1\n"
    samples = []
    for target, labels in _rows(targets, _ping_exporter_labels):
        samples.append((labels, _ping_exporter_values(target)))
        yield ""
    for name in PING_EXPORTER_HELP:
        if name == "ping_up":
            continue
        yield _header(name, FamilyType.GAUGE, text_format)
        for labels, values in samples:
            if name in values:
                yield f"{name}{labels} {format_value(values[name])}\n"


def _rows(
    targets: Iterable[Target], own_labels: Callable[[Target], Labels]
) -> list[tuple[Target, str]]:
    """Give each target that has an address, with the text of its labels.

    Labels that others have and it has not are empty; a device's label that is the peer's own is
    named as Prometheus would. Of targets whose labels are the same, which two groups of ours may
    have, the first one counts.
    """
    known = [target for target in targets if target.address is not None]
    custom = sorted({name for target in known for name, _ in target.settings.labels} - _CODE_POINTS)
    rows: dict[Labels, Target] = {}
    for target in known:
        own = own_labels(target)
        taken = {name for name, _ in own}
        values = dict(target.settings.labels)
        labels = (
            *own,
            *(
                (f"exported_{name}" if name in taken else name, values.get(name, ""))
                for name in custom
            ),
        )
        rows.setdefault(labels, target)
    return [(target, label_text(labels)) for labels, target in rows.items()]


def _smokeping_labels(target: Target) -> Labels:
    settings = target.settings
    key = target.origin_key
    return (
        ("host", settings.host),
        ("ip", _ip(target)),
        ("source", key.source if key else ""),
        ("tos", str(settings.traffic_class)),
    )


def _ping_exporter_labels(target: Target) -> Labels:
    version = target.address.version if target.address else 0
    return (("ip", _ip(target)), ("ip_version", str(version)), ("target", target.settings.host))


def _ip(target: Target) -> str:
    return target.address.ip if target.address else ""


def _read(target: Target, labels: str) -> _Row:
    """Read a target: of its pings those that went out, for the peer does not count what failed."""
    account = target.account
    send_errors = account.lost[LossReason.SEND_ERROR]
    ttl = account.hop_limit
    if ttl is None:
        ttl = -1 if account.replies else 0
    return _Row(
        labels=labels,
        requests=account.sent - send_errors - account.lost[LossReason.DNS],
        duplicates=account.duplicates,
        send_errors=send_errors,
        ttl=ttl,
        bounds=account.bounds,
        cumulated=list(itertools.accumulate(account.bucket_counts)),
        rtt_sum=account.rtt_sum_seconds,
    )


def _histogram(name: str, row: _Row, text_format: TextFormat) -> str:
    bounds = [*(_bound(bound, text_format) for bound in row.bounds), "+Inf"]
    start = row.labels.removesuffix("}")
    lines = [
        f'{name}_bucket{start},le="{bound}"}} {count}\n'
        for bound, count in zip(bounds, row.cumulated, strict=True)
    ]
    lines.append(f"{name}_sum{start}}} {format_value(row.rtt_sum)}\n")
    lines.append(f"{name}_count{start}}} {row.cumulated[-1]}\n")
    return "".join(lines)


def _bound(bound: float, text_format: TextFormat) -> str:
    """Write an upper bound: OpenMetrics wants a float to look like one."""
    return repr(float(bound)) if text_format is TextFormat.OPENMETRICS else format_value(bound)


def _smokeping_state(state: ExporterState, text_format: TextFormat) -> Iterator[str]:
    prober = "smokeping_prober_config_last_reload"
    samples = {
        "smokeping_receive_errors_total": (FamilyType.COUNTER, state.receive_errors),
        # A pinger of the peer's ends at its first error; none of ours ever does.
        "smokeping_prober_errors_total": (FamilyType.COUNTER, 0),
        f"{prober}_successful": (FamilyType.GAUGE, int(state.reload_successful)),
        f"{prober}_success_timestamp_seconds": (FamilyType.GAUGE, state.loaded_at),
    }
    for name, (family_type, value) in samples.items():
        yield _header(name, family_type, text_format)
        yield f"{name} {format_value(value)}\n"
    name = "smokeping_prober_build_info"
    yield _header(name, FamilyType.GAUGE, text_format)
    yield f"{name}{label_text(sorted(state.build.items()))} 1\n"


def _ping_exporter_values(target: Target) -> dict[str, float]:
    account = target.account
    window = target.settings.window
    outcomes = account.history.last(window + account.in_flight)
    finished = [outcome for outcome in outcomes if outcome != NOTHING][-window:]
    if not finished:
        return {}
    times = [outcome for outcome in finished if outcome >= 0]
    answered = len(times) + finished.count(UNTIMED)
    values = {"ping_loss_ratio": 1 - answered / len(finished)}
    if times:
        mean = math.fsum(times) / len(times)
        values["ping_rtt_best_seconds"] = min(times)
        values["ping_rtt_worst_seconds"] = max(times)
        values["ping_rtt_mean_seconds"] = mean
        values["ping_rtt_std_deviation_seconds"] = math.dist(
            times, (mean,) * len(times)
        ) / math.sqrt(len(times))
    return values


def _header(name: str, family_type: FamilyType, text_format: TextFormat) -> str:
    help_text = SMOKEPING_HELP.get(name) or PING_EXPORTER_HELP[name]
    return family_header(name, family_type, help_text, text_format)
