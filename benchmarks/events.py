"""What an event costs between decoding and the scrape: rules, counters, states, the text.

    python -m benchmarks.events

Nothing here has a peer; figures are microseconds of this machine, medians of several runs. What
matters is that a thousand rules cost what a hundred do, and that a scrape stops nobody for long.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from exporters.config.context import LoadContext
from exporters.config.event_rules import EventRules
from exporters.config.event_settings import EventSettings
from exporters.config.validation import validate
from exporters.events.counters import CounterFamily
from exporters.events.event import Change, Message, Remarks, Value
from exporters.events.exposition import write_families
from exporters.events.intake import Intake
from exporters.events.rules import RuleSet
from exporters.events.states import States
from exporters.metrics.negotiation import TextFormat
from exporters.web.service import Service
from exporters.web.shell import build_app

_RUNS = 7
_LOOPS = 20_000
_SERIES = 50_000


class _Said:
    """The details of a message that was decoded already."""

    __slots__ = ("_fields", "_text")

    def __init__(self, fields: Mapping[str, Value], text: str) -> None:
        self._fields = fields
        self._text = text

    def field(self, name: str) -> Value | None:
        return self._fields.get(name)

    def fields(self) -> Mapping[str, Value]:
        return self._fields

    def text(self) -> str:
        return self._text

    def remarks(self, received_at: float) -> Remarks:
        return Remarks()


def _message(kind: str, name: str, text: str = "", **parts: Any) -> Message:
    details = _Said({"ifIndex": 7, "ifDescr": "GigabitEthernet0/7"}, text)
    return Message(kind, 1e9, "192.0.2.1", "core-1", name, details, 150, **parts)  # type: ignore[arg-type]


def _rules(count: int, kind: str) -> RuleSet:
    """A tenth of them raise states; for syslog a third tell messages by a pattern alone."""
    rules: list[dict[str, Any]] = []
    for number in range(count):
        rule: dict[str, Any] = {"name": f"r{number}", "event": "link", "severity": "error"}
        if kind == "trap":
            rule["match"] = {"trap": [f"trap{number}"]}
        elif number % 3:
            rule["match"] = {"vendor_event": [f"MOD-3-EVENT{number}"]}
        else:
            rule["match"] = {"message": f"unit [0-9]+ word{number} has (failed|recovered)"}
        if number % 10 == 5:
            rule["raise"] = {"key": "ifIndex", "instance": ["ifDescr", "ifIndex"]}
        rules.append(rule)
    content = yaml.safe_load(yaml.safe_dump({"rules": rules}))
    parsed = validate(EventRules, content, path=Path("rules.yml"), context=LoadContext())
    return RuleSet(parsed.rules, kind)  # type: ignore[arg-type]


def _microseconds(action: Callable[[], object], loops: int = _LOOPS) -> float:
    times = []
    for _ in range(_RUNS):
        began = time.process_time()
        for _ in range(loops):
            action()
        times.append((time.process_time() - began) / loops * 1e6)
    return statistics.median(times)


def _measure_rules() -> None:
    sys.stdout.write("us to judge an event                              100 rules   1,000 rules\n")
    text = "unit 4 word99 has failed in slot 3 of chassis core-1, code 17"
    cases = {
        "trap that one rule knows": ("trap", _message("trap", "trap99")),
        "trap that raises a state": ("trap", _message("trap", "trap95")),
        "trap that no rule knows": ("trap", _message("trap", "none", oid=b"\x2b\x06\x01")),
        "syslog, vendor's event": ("syslog", _message("syslog", "MOD-3-EVENT98", text)),
        "syslog, pattern alone": ("syslog", _message("syslog", "", text)),
        "syslog, no pattern matches": ("syslog", _message("syslog", "", "nothing of the kind")),
    }
    sets = {(kind, n): _rules(n, kind) for kind in ("trap", "syslog") for n in (100, 1000)}
    for title, (kind, message) in cases.items():
        costs = []
        for count in (100, 1000):
            rules = sets[kind, count]
            costs.append(_microseconds(lambda r=rules, m=message: r.judge(m)))  # type: ignore[misc]
        sys.stdout.write(f"  {title:<45}{costs[0]:>11.2f}{costs[1]:>14.2f}\n")


def _measure_parts() -> None:
    counters = CounterFamily(
        "c_total", "C.", ("device", "trap"), limit=1000, scrape_interval_seconds=15.0
    )
    key = ("core-1", "linkDown")
    states = States(limit=100, device_limit=100, cleared_for_seconds=900.0)
    change = Change(True, "link", "7", "eth7", 3600.0)
    trap, raising = _message("trap", "trap99"), _message("trap", "trap95")
    intake = Intake("trap", _rules(1000, "trap"), EventSettings(), devices=["core-1"])
    for title, cost in {
        "count": _microseconds(lambda: counters.inc(key)),
        "confirm a state": _microseconds(lambda: states.apply("core-1", change, 1e9, 5)),
        "make a message": _microseconds(lambda: _message("trap", "trap99")),
        "take in an event": _microseconds(lambda: intake.take(trap)),
        "take in an event that raises a state": _microseconds(lambda: intake.take(raising)),
    }.items():
        sys.stdout.write(f"us to {title:<41}{cost:>11.2f}\n")


def _service(family: CounterFamily) -> Service:
    async def reload() -> None:
        """There is nothing to read again."""

    return Service(
        name="trap",
        title="Trap",
        registry=CollectorRegistry(),
        running_config=str,
        reload=reload,
        samples=lambda text_format: write_families([family], text_format),
    )


async def _measure_scrape() -> None:
    family = CounterFamily(
        "snmp_trap_received_total",
        "Traps.",
        ("device", "trap", "severity"),
        limit=_SERIES,
        scrape_interval_seconds=15.0,
    )
    for number in range(_SERIES):
        family.inc((f"device-{number % 1000:04}", f"trapName{number // 1000}", "warning"))
    began = time.perf_counter()
    size = sum(map(len, write_families([family], TextFormat.PROMETHEUS)))
    alone = time.perf_counter() - began
    app: web.Application = build_app(_service(family))
    async with TestClient(TestServer(app)) as client:
        for encoding in ("identity", "gzip"):
            longest, total = await _scrape(client, encoding)
            sys.stdout.write(
                f"scrape of {_SERIES:,} series, {encoding:<9} {total * 1000:6.0f} ms, "
                f"longest stop of the loop {longest * 1000:5.1f} ms\n"
            )
    sys.stdout.write(f"text alone {alone * 1000:.0f} ms for {size / 1e6:.1f} MB\n")


async def _scrape(client: TestClient[Any, Any], encoding: str) -> tuple[float, float]:
    """Scrape several times, and give the medians of the longest stop and of the time taken."""
    stops, totals = [], []
    for _ in range(_RUNS):
        asking = asyncio.create_task(_get(client, encoding))
        began = last = time.perf_counter()
        longest = 0.0
        while not asking.done():
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        totals.append(time.perf_counter() - began)
        stops.append(longest)
    return statistics.median(stops), statistics.median(totals)


async def _get(client: TestClient[Any, Any], encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    async with client.get("/metrics", headers=headers) as response:
        async for _ in response.content.iter_chunked(1 << 16):
            pass


def main() -> None:
    """Measure, and print."""
    _measure_rules()
    _measure_parts()
    asyncio.run(_measure_scrape())


if __name__ == "__main__":
    main()
