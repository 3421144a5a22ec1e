"""A receiver without sockets, and the rules that ship."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from exporters.config.devices import Device, Inventory
from exporters.config.event_rules import load_event_rules
from exporters.config.event_settings import AccessSettings, EventSettings
from exporters.events.event import Event
from exporters.events.exposition import Family
from exporters.events.intake import Intake
from exporters.events.recent import Query
from exporters.events.rule_files import shipped_rule_files
from exporters.events.rules import RuleSet
from exporters.events.shares import WHOLE, Share
from exporters.events.sources import SourceLimiter, Sources
from exporters.sockets.datagrams import Datagrams
from exporters.syslog.observing import Observer
from exporters.syslog.receiver import Policy, SyslogReceiver
from exporters.syslog.series import SyslogSeries
from exporters.syslog.watch import Watch

DEVICE = "192.0.2.1"
SEOUL_DEVICE = "192.0.2.77"
RELAY = "192.0.2.9"
STRANGER = "198.51.100.7"


@cache
def shipped_rules() -> RuleSet:
    return RuleSet(load_event_rules([], shipped_rule_files("syslog"), environment={}), "syslog")


@dataclass
class Clock:
    """Both clocks; the monotonic one began at 0."""

    wall: float = 1_000_000.0
    monotonic: float = 0.0


@dataclass
class Station:
    """A receiver with everything behind it."""

    rules: RuleSet = field(default_factory=shipped_rules)
    access: AccessSettings = AccessSettings()  # noqa: RUF009 - frozen
    max_message_bytes: int = 65_536
    clock: Clock = field(default_factory=Clock)
    observer: Observer | None = None
    addresses: tuple[str, ...] = (DEVICE,)
    """Of core-1."""
    share: Share = WHOLE
    """What it has, if there are several."""
    is_watching: bool = False
    """Whether a ``Watch`` is its observer, as in the exporter."""

    def __post_init__(self) -> None:
        inventory = Inventory(
            devices=(
                Device(name="core-1", addresses=self.addresses),
                Device(name="edge-1", addresses=(SEOUL_DEVICE,), timezone="Asia/Seoul"),
            )
        )
        settings = EventSettings()
        names = self.share.own_names(inventory.devices)
        self.intake = Intake(
            "syslog", self.rules, settings, devices=names, clock=lambda: self.clock.wall
        )
        series = SyslogSeries(settings)
        for family in series.families:
            self.intake.add_family(family)
        self.watch = Watch(settings, series.faults, inventory.zones, clock=lambda: self.clock.wall)
        for counter in self.watch.counters:
            self.intake.add_family(counter)
        limit = self.access.rate_limit
        policy = Policy(
            Sources(inventory, self.access, self.share),
            SourceLimiter(limit),
            self.max_message_bytes,
        )
        self.series = series
        self.receiver = SyslogReceiver(
            self.intake,
            series,
            policy,
            observer=self.watch if self.is_watching else self.observer,
            clock=lambda: self.clock.wall,
            monotonic=lambda: self.clock.monotonic,
        )

    def take(self, *messages: bytes, peer: str = DEVICE) -> list[str]:
        """Give the outcomes of *messages*, which come in one batch, sorted."""
        receiver = self.receiver
        before = dict(receiver.outcomes)
        self.hand_over(*messages, peer=peer)
        assert sum(receiver.outcomes.values()) == sum(receiver.received.values())
        return [
            name
            for name, count in sorted(receiver.outcomes.items())
            for _ in range(count - before[name])
        ]

    def hand_over(self, *messages: bytes, peer: str = DEVICE) -> None:
        """Let *messages* come in one batch, as datagrams."""
        hosts = [socket.inet_aton(peer)] * len(messages)
        self.receiver.take_datagrams(Datagrams(list(messages), hosts))

    @property
    def last(self) -> dict[str, Any]:
        """The latest event, as it is shown."""
        return self.intake.recent.search(Query(), limit=1)[0].as_json()

    def events(self) -> list[Event]:
        """All events, the newest first."""
        return self.intake.recent.search(Query(), limit=10_000)

    def samples(self) -> list[str]:
        """All sample lines, as if it were long after the first scrape."""
        self.receiver.settle()
        self.watch.settle()
        return list(_samples([*self.intake.families(), *self.watch.gauges()]))


def _samples(families: Sequence[Family]) -> Iterator[str]:
    lines: list[str] = []
    for moment in (0.0, 3600.0):
        lines = []
        for family in families:
            family.scraped(moment)
            lines.extend(line.strip() for line in family.lines())
    yield from lines


@pytest.fixture
def station() -> Station:
    return Station()
