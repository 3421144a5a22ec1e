"""What would become of a datagram: how it decodes, which rules match, which series it touches.

It goes the way of every datagram, through a receiver and an intake of its own, which keep nothing.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

from exporters.config.event_settings import EventSettings
from exporters.events.explaining import event_lines, sample_lines
from exporters.events.intake import Intake
from exporters.events.recent import Query
from exporters.sockets.datagrams import DatagramAnswers, Datagrams
from exporters.trap.arguments import NAME, Loaded
from exporters.trap.engines import Engines
from exporters.trap.example import Example
from exporters.trap.outcomes import OUTCOMES
from exporters.trap.own_engine import start_engine
from exporters.trap.policy import device_names, make_policy
from exporters.trap.receiver import Policy, TrapReceiver
from exporters.trap.seen import Seen
from exporters.trap.series import TrapSeries

_PREFIX: Final = "snmp_trap_"
_HOST_BYTES: Final = {socket.AF_INET: 4, socket.AF_INET6: 20}


class _Silence:
    """What stands for a socket, and sends nothing."""

    def answer(self, content: bytes, place: int) -> None:
        """Send nothing."""


def explain(loaded: Loaded, example: Example, source: str) -> Iterator[str]:
    """Give the lines that tell of one datagram from the address *source*.

    Raises:
        ValueError: *source* is no IP address.
    """
    host = _host(source)
    config = replace(loaded.config, users=(*loaded.config.users, *example.users))
    loaded = replace(loaded, config=config)
    settings = EventSettings()
    intake = Intake(NAME, loaded.rules, settings, devices=device_names(loaded))
    series = TrapSeries(settings)
    for family in series.families():
        intake.add_family(family)
    receiver = TrapReceiver(intake, series, _policy(loaded))
    before = sample_lines(intake.families(), _PREFIX)
    answers: DatagramAnswers = _Silence()
    receiver.take(Datagrams([example.content], [host]), answers)
    (outcome,) = (name for name, count in receiver.outcomes.items() if count)
    yield f"outcome: {outcome}: {OUTCOMES[outcome]}"
    if receiver.informs_acked:
        yield "answered: yes, an inform is"
    events = intake.recent.search(Query(), limit=1)
    if not events:
        return
    yield from event_lines(events[0], loaded.rules)
    yield "series:"
    after = sample_lines(intake.families(), _PREFIX)
    yield from (f"  {line}" for line in after if line not in before)


def _policy(loaded: Loaded) -> Policy:
    """Make a policy that has never met an engine."""
    engines = Engines(loaded.config.engines_limit, clock=time.time, monotonic=time.monotonic)
    own = start_engine(None, bytes.fromhex(loaded.config.engine_id), time.monotonic())
    return make_policy(loaded, engines, own, Seen(), count(secrets.randbits(63)))


def _host(source: str) -> bytes:
    """Give the bytes of a host."""
    for family, size in _HOST_BYTES.items():
        try:
            return socket.inet_pton(family, source).ljust(size, b"\0")
        except OSError:
            continue
    raise ValueError(f"{source!r} is no IP address")
