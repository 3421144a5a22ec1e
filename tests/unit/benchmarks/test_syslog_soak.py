"""What a soak of the syslog exporter sends, and what it is judged by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.census import Census
from benchmarks.syslog_soak_report import Soaked, checks, write_soak_report
from benchmarks.syslog_soak_senders import frames, message
from benchmarks.table import markdown
from exporters.wire.syslog_framing import FramingCounts, StreamFramer

WARM = Census(
    rss_bytes=60_000_000, objects=50_000, blocks=400_000, descriptors=9, tasks=2, timers=0
)
FLAT = Soaked(
    seconds=60.0,
    sent={"udp": 30, "tcp": 20},
    attacks={"storms": 7},
    samples={
        'syslog_messages_total{device="udp",facility="user",severity="info"}': 10,
        'syslog_messages_total{device="udp",facility="user",severity="error"}': 20,
        'syslog_messages_total{device="tcp",facility="user",severity="error"}': 20,
        'syslog_messages_total{device="unknown",facility="user",severity="error"}': 5,
        'syslog_received_total{transport="udp"}': 55,
        'syslog_outcomes_total{outcome="rfc3164"}': 55,
        'syslog_outcomes_total{outcome="internal_error"}': 0,
        'syslog_exporter_connections_closed_total{reason="sender"}': 3,
        "syslog_exporter_connections": 0,
        "syslog_exporter_connections_limit": 300,
        "syslog_exporter_buffer_bytes": 0,
    },
    warm=WARM,
    after=WARM,
    rss_bytes=[60_000_000] * 50,
    scrape_seconds=[0.01] * 10,
    cpu_seconds=30.0,
    log_lines=20,
    has_traceback=False,
)


def missed(soaked: Soaked) -> list[str]:
    return [check.what for check in checks(soaked) if not check.met]


def test_soak_that_lost_and_left_nothing_is_met() -> None:
    assert missed(FLAT) == []
    report = write_soak_report(FLAT, markdown)
    assert "| messages over udp, counted" in report
    assert "| sender" in report


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"sent": {"udp": 31, "tcp": 20}}, "messages over udp, counted"),
        ({"sent": {"udp": 30, "tcp": 19}}, "messages over tcp, counted"),
        ({"after": replace(WARM, descriptors=10)}, "descriptors left over"),
        ({"after": replace(WARM, tasks=3)}, "tasks left over"),
        ({"after": replace(WARM, timers=1)}, "timers left over"),
        ({"after": replace(WARM, objects=51_000)}, "growth of Python's objects"),
        ({"after": replace(WARM, rss_bytes=69_000_000)}, "growth of RSS when idle, MB"),
        ({"has_traceback": True}, "stack traces in the log"),
        ({"log_lines": 100}, "lines of the log a minute"),
        (
            {"samples": {**FLAT.samples, "syslog_exporter_connections": 1}},
            "connections left over",
        ),
        (
            {"samples": {**FLAT.samples, 'syslog_received_total{transport="tcp"}': 1}},
            "messages without an outcome",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_soak_that_lost_or_left_something_says_what(change: dict[str, object], what: str) -> None:
    assert missed(replace(FLAT, **change)) == [what]  # type: ignore[arg-type]


def test_frames_of_honest_senders_are_their_messages() -> None:
    counts = FramingCounts()
    framer = StreamFramer(counts)
    assert framer.feed(frames(100, 40)) == [message(number) for number in range(40, 140)]
    assert sum(counts.faults.values()) == 0
