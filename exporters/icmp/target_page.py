"""The page of one target: its chart, its numbers, its path, its outages and its last error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from exporters.icmp.accounting import LossReason
from exporters.icmp.outages import Outage
from exporters.icmp.path import Path, PathTracker
from exporters.icmp.path_prober import PathSnapshot, PathState
from exporters.icmp.pmtu_prober import PmtuState
from exporters.icmp.target import Target
from exporters.icmp.target_list import (
    Row,
    chart,
    headings,
    milliseconds,
    percent,
    read_row,
)
from exporters.web.markup import Html, element, join
from exporters.wire.icmp_errors import error_name

_CHART_COLUMNS: Final = 150


def render_target(
    target: Target, path: PathState | None, pmtu: PmtuState | None, *, to_unix_ns: int
) -> Html:
    """Draw the page of *target*.

    Args:
        target: Whose page it is.
        path: What is known of the path to it; None where nobody looks.
        pmtu: The same of its path MTU.
        to_unix_ns: What makes Unix time of the monotonic clock, by adding.
    """
    row = read_row(target)
    labels = dict(target.key)
    return join(
        element("h1", labels["device"]),
        element("p", element("strong", row.state.text, class_=row.state.style), _place(labels)),
        _chart(row),
        element("h2", "Pings"),
        _facts(_ping_facts(row)),
        _last_error(target, to_unix_ns),
        *(_path(path) if path is not None else ()),
        *(_pmtu(pmtu) if pmtu is not None else ()),
        element("h2", "Outages"),
        _outages(tuple(target.outages)),
    )


def _place(labels: dict[str, str]) -> str:
    others = (f"{name} {value}" for name, value in labels.items() if name != "device" and value)
    return f"; {', '.join(others)}"


def _chart(row: Row) -> Html:
    target = row.target
    seconds = target.interval_seconds * len(target.account.history.last(300))
    return element(
        "figure",
        chart(target, width=900, height=160, columns=_CHART_COLUMNS),
        element(
            "figcaption",
            f"The last {_duration(seconds)}: the range of times, their middle half and their "
            f"median from 0 up to the largest; losses from the top.",
            class_="hint",
        ),
        class_="wide",
    )


def _ping_facts(row: Row) -> Iterator[tuple[str, str]]:
    account, window = row.target.account, row.window
    yield "Interval", _duration(row.target.interval_seconds)
    yield f"Loss of the last {window.pings}", percent(row.loss)
    yield "Last time", milliseconds(window.last)
    yield (
        "Shortest, mean, longest",
        ", ".join(map(milliseconds, (window.minimum, window.mean, window.maximum))),
    )
    yield "Deviation", milliseconds(window.deviation)
    yield "Jitter", milliseconds(account.jitter_seconds)
    yield "Sent, replies, in flight", f"{account.sent}, {account.replies}, {account.in_flight}"
    lost = [
        f"{account.lost[reason]} {reason.label}" for reason in LossReason if account.lost[reason]
    ]
    yield "Lost", ", ".join(lost) or "0"
    odd = {
        "duplicates": account.duplicates,
        "late": account.late,
        "reordered": account.reordered,
        "corrupt": account.corrupt,
        "from elsewhere": account.wrong_source,
    }
    yield "Odd replies", ", ".join(f"{count} {name}" for name, count in odd.items() if count) or "0"
    if account.hop_limit is not None:
        yield "TTL of replies", f"{account.hop_limit}, changes: {account.hop_limit_changes}"
    if account.traffic_class is not None:
        asked, came = row.target.settings.traffic_class >> 2, account.traffic_class >> 2
        yield "DSCP sent and returned", f"{asked} and {came}"


def _last_error(target: Target, to_unix_ns: int) -> Html:
    error = target.account.last_error
    if error is None or target.address is None:
        return join()
    name = error_name(target.address.version, error.type, error.code)
    when = _instant((error.received.monotonic_ns + to_unix_ns) / 1e9)
    return element(
        "p",
        f"Last ICMP error: {name} (type {error.type}, code {error.code}), reported by ",
        element("code", error.reporter),
        ", ",
        when,
        ".",
    )


def _path(state: PathState) -> Iterator[Html]:
    yield element("h2", "Path")
    tracker = state.tracker
    if state.failure:
        yield element("p", f"The latest look at the path failed: {state.failure}.", class_="bad")
    if not tracker.path.hops:
        yield element("p", "Nothing is known of it yet.")
    else:
        latest = (", the latest ", _instant(tracker.changed_at)) if tracker.changed_at else ()
        yield element("p", f"Changes: {tracker.changes}", *latest, ".")
        yield _hops(tracker)
    for snapshot in reversed(state.snapshots):
        yield _snapshot(snapshot)


def _hops(tracker: PathTracker) -> Html:
    heading = headings("Hop", "Address", "Loss|", "Time|", "")
    rows = []
    for limit, (address, hop) in enumerate(zip(tracker.path.hops, tracker.hops, strict=False), 1):
        silent = not hop.answers
        note = (
            "limits its errors: its loss is not the path's" if tracker.rate_limited(limit) else ""
        )
        rows.append(
            element(
                "tr",
                element("td", str(limit)),
                element("td", element("code", address or "*")),
                element("td", "–" if silent else percent(hop.loss), class_="number"),
                element("td", milliseconds(None if silent else hop.rtt_seconds), class_="number"),
                element("td", element("span", "silent" if silent else note, class_="hint")),
            )
        )
    table = element("table", element("thead", heading), element("tbody", *rows))
    return element("div", table, class_="table")


def _snapshot(snapshot: PathSnapshot) -> Html:
    seen = Path(tuple(answer and answer.address for answer in snapshot.answers[: _reach(snapshot)]))
    return element(
        "details",
        element("summary", "The path when losses began, ", _instant(snapshot.taken_at)),
        element("p", "Before: ", element("code", snapshot.before.text())),
        element("p", "Then: ", element("code", seen.text() if seen.hops else "nothing answered")),
    )


def _reach(snapshot: PathSnapshot) -> int:
    """How far answers came from."""
    return max((place for place, answer in enumerate(snapshot.answers, 1) if answer), default=0)


def _pmtu(state: PmtuState) -> Iterator[Html]:
    yield element("h2", "Path MTU")
    found = state.found
    if found is None:
        yield element("p", f"Unknown: {state.failure or 'nobody has looked yet'}.")
        return
    told = f", as {found.reporter} says" if found.reporter else ""
    yield element("p", f"{found.mtu_bytes} bytes{told}, ", _instant(state.searched_at), ".")
    if found.black_hole:
        hole = element("strong", "Black hole", class_="bad")
        yield element("p", hole, ": larger packets vanish without a word.")
    if state.failure:
        yield element("p", f"The latest search failed: {state.failure}.", class_="hint")


def _outages(outages: Sequence[Outage]) -> Html:
    if not outages:
        return element("p", "None since the exporter started.")
    heading = headings("Began", "Lasted|", "Pings lost in a row|", "Reason")
    rows = [
        element(
            "tr",
            element("td", _instant(outage.began_at)),
            element(
                "td",
                "still lasts"
                if outage.ended_at is None
                else _duration(outage.ended_at - outage.began_at),
                class_="number",
            ),
            element("td", "–" if outage.ended_at is None else str(outage.losses), class_="number"),
            element("td", outage.reason.label),
        )
        for outage in outages
    ]
    table = element("table", element("thead", heading), element("tbody", *rows))
    return element("div", table, class_="table")


def _facts(facts: Iterator[tuple[str, str]]) -> Html:
    rows = (
        element("tr", element("th", name, scope="row"), element("td", value))
        for name, value in facts
    )
    return element("div", element("table", element("tbody", *rows)), class_="table")


def _instant(unix_seconds: float) -> Html:
    when = datetime.fromtimestamp(unix_seconds, UTC)
    return element(
        "time", f"{when:%Y-%m-%d %H:%M:%S} UTC", datetime=when.isoformat(timespec="seconds")
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = seconds / 60
    return f"{minutes:.3g} min" if minutes < 120 else f"{minutes / 60:.3g} h"
