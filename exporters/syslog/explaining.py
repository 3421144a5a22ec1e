"""What would become of a message: how it is read, which rules match, which series it touches.

It goes the way of every message, through a receiver and an intake of its own, which keep nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from exporters.config.event_settings import EventSettings
from exporters.events.event import Event
from exporters.events.explaining import event_lines, sample_lines
from exporters.events.intake import Intake
from exporters.syslog.arguments import NAME, Loaded
from exporters.syslog.outcomes import OUTCOMES, REFUSED
from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.series import SyslogSeries
from exporters.syslog.watch import Watch
from exporters.wire.syslog_classes import MessageFormat

_PREFIX: Final = "syslog_"


def explain(loaded: Loaded, content: bytes, source: str) -> Iterator[str]:
    """Give the lines that tell of one message from the address *source*.

    Raises:
        ValueError: *source* is no IP address.
    """
    ipaddress.ip_address(source.partition("%")[0])
    settings = EventSettings()
    intake = Intake(NAME, loaded.rules, settings, devices=loaded.device_names)
    series = SyslogSeries(settings)
    watch = Watch(settings, series.faults, loaded.zones)
    for family in (*series.families, *watch.counters):
        intake.add_family(family)
    policy = loaded.policy()
    receiver = SyslogReceiver(intake, series, policy, observer=watch)
    before = sample_lines(intake.families(), _PREFIX)
    receiver.take_frames([content], policy.sources.source(source), "udp")
    receiver.settle()
    watch.settle()
    (outcome,) = (name for name, count in receiver.outcomes.items() if count)
    yield f"outcome: {outcome}: {OUTCOMES[outcome]}"
    if outcome in REFUSED or outcome == MessageFormat.EMPTY.value:
        return
    message = receiver.read(content, policy.sources.source(source))
    yield from event_lines(Event(1, message, loaded.rules.judge(message)), loaded.rules)
    yield "series:"
    after = sample_lines([*intake.families(), *watch.gauges()], _PREFIX)
    yield from (f"  {line}" for line in after if line not in before)
