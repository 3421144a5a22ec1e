"""What a soak of the syslog exporter has found, and whether that is as it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.census import Census
from benchmarks.percentile import p99
from benchmarks.soak_report import MOST_HELD_GROWTH, Check, by_quarters
from benchmarks.table import Table

MOST_RSS_GROWTH_BYTES: Final = 8 << 20
"""From the most that was held when idle, before, to what is held when idle, after.

While it is under attack, RSS says more of how the C library places random sizes than of what is
held. Memories of shapes of messages fill, are emptied and fill again meanwhile.
"""
MOST_LOG_LINES_A_MINUTE: Final = 30
"""Each kind of fault may be told once a minute."""
_DEVICE: Final = re.compile(r'syslog_messages_total\{device="(\w+)"')


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was measured."""

    seconds: float
    sent: Mapping[str, int]
    """Honest messages by transport, which is also the name of their device."""
    attacks: Mapping[str, int]
    samples: Mapping[str, float]
    """The exporter's, by their series, in the end."""
    warm: Census
    after: Census
    rss_bytes: Sequence[int]
    scrape_seconds: Sequence[float]
    cpu_seconds: float
    log_lines: int
    has_traceback: bool

    def counted(self, device: str) -> int:
        """Messages that the exporter has counted of a device."""
        return int(
            sum(
                value
                for series, value in self.samples.items()
                if (match := _DEVICE.match(series)) and match[1] == device
            )
        )

    def total(self, metric: str) -> float:
        """The sum of all series of a metric."""
        return sum(
            value
            for series, value in self.samples.items()
            if series == metric or series.startswith(f"{metric}{{")
        )

    def by(self, metric: str) -> dict[str, int]:
        """The values of a metric with one label, but for zeros."""
        return {
            series.partition('"')[2].rstrip('"}'): int(value)
            for series, value in self.samples.items()
            if series.startswith(f"{metric}{{") and value
        }


def checks(soaked: Soaked) -> list[Check]:
    """All that it must show."""
    warm, after = soaked.warm, soaked.after
    growth = after.rss_bytes - warm.rss_bytes
    unaccounted = soaked.total("syslog_received_total") - soaked.total("syslog_outcomes_total")
    lines_a_minute = soaked.log_lines / (soaked.seconds / 60 + 1)
    return [
        *(
            Check(
                f"messages over {transport}, counted",
                f"{soaked.counted(transport)}",
                f"{sent}",
                soaked.counted(transport) == sent,
            )
            for transport, sent in soaked.sent.items()
        ),
        _none(
            "datagrams that the kernel dropped", soaked.total("syslog_exporter_socket_drops_total")
        ),
        _none("messages without an outcome", unaccounted),
        _none(
            "messages that could not be handled",
            soaked.samples['syslog_outcomes_total{outcome="internal_error"}'],
        ),
        Check(
            "growth of RSS when idle, MB",
            f"{growth / 1e6:.2f}",
            f"<= {MOST_RSS_GROWTH_BYTES / 1e6:.2f}",
            growth <= MOST_RSS_GROWTH_BYTES,
        ),
        *(
            Check(
                f"growth of Python's {what}",
                f"{grown:.2%}",
                f"<= {MOST_HELD_GROWTH:.0%}",
                grown <= MOST_HELD_GROWTH,
            )
            for what, grown in (
                ("objects", after.objects / warm.objects - 1),
                ("blocks of memory", after.blocks / warm.blocks - 1),
            )
        ),
        *(
            _none(f"{what} left over", getattr(after, what) - getattr(warm, what))
            for what in ("descriptors", "tasks", "timers")
        ),
        _none("connections left over", soaked.total("syslog_exporter_connections")),
        _none("octets held", soaked.total("syslog_exporter_buffer_bytes")),
        _none("stack traces in the log", int(soaked.has_traceback)),
        Check(
            "lines of the log a minute",
            f"{lines_a_minute:.1f}",
            f"<= {MOST_LOG_LINES_A_MINUTE}",
            lines_a_minute <= MOST_LOG_LINES_A_MINUTE,
        ),
    ]


def _none(what: str, found: float) -> Check:
    return Check(what, f"{found:g}", "0", found <= 0)


def write_soak_report(soaked: Soaked, table: Table) -> str:
    """Write all of it, with tables as *table* writes them."""
    censuses = (soaked.warm, soaked.after)
    held = [
        ["RSS, MB", *(f"{census.rss_bytes / 1e6:.1f}" for census in censuses)],
        ["Python objects", *(f"{census.objects}" for census in censuses)],
        ["Python blocks", *(f"{census.blocks}" for census in censuses)],
        ["descriptors", *(f"{census.descriptors}" for census in censuses)],
        ["asyncio tasks", *(f"{census.tasks}" for census in censuses)],
        ["timers", *(f"{census.timers}" for census in censuses)],
    ]
    verdict = [
        [check.what, check.found, check.wanted, "met" if check.met else "MISSED"]
        for check in checks(soaked)
    ]
    rss = ", ".join(f"{quarter / 1e6:.1f}" for quarter in by_quarters(soaked.rss_bytes))
    return "\n\n".join(
        [
            f"{soaked.seconds:.0f} s: {sum(soaked.sent.values())} honest messages, "
            f"{sum(soaked.attacks.values())} attacks; RSS by quarters {rss} MB; "
            f"{soaked.cpu_seconds / soaked.seconds:.0%} of a core; scrapes p50 "
            f"{median(soaked.scrape_seconds) * 1e3:.0f}, p99 "
            f"{p99(soaked.scrape_seconds) * 1e3:.0f} ms",
            table(["held when idle", "warm, at most", "after the soak"], held),
            table(["attack", "times"], [[kind, f"{n}"] for kind, n in soaked.attacks.items()]),
            *(
                table([what, "count"], [[name, f"{n}"] for name, n in soaked.by(metric).items()])
                for what, metric in (
                    ("connections ended", "syslog_exporter_connections_closed_total"),
                    ("failures of TLS", "syslog_exporter_tls_failures_total"),
                    ("outcomes", "syslog_outcomes_total"),
                )
            ),
            table(["", "found", "wanted", ""], verdict),
        ]
    )
