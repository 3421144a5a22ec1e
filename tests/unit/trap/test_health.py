"""What is told of the exporter's own state."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from exporters.sockets.receive_buffer import QueueState
from exporters.trap.health import Health

from .conftest import Clock, Station, message_v3


class Listener:
    def __init__(self, asked: int = 10, granted: int = 10) -> None:
        self.asked_bytes, self.granted_bytes, self.drops = asked, granted, 0

    def state(self) -> QueueState:
        return QueueState(0, self.drops)


def health(station: Station, *listeners: Any) -> Health:
    clock: Clock = station.clock
    return Health(lambda: listeners, station.engines, station.intake, lambda: clock.monotonic)


def reasons(of: Health) -> set[str]:
    return {reason for reason, holds in of.reasons().items() if holds}


def test_nothing_is_wrong_at_first(station: Station) -> None:
    assert reasons(health(station, Listener())) == set()


def test_buffer_that_is_smaller_than_asked_for_is_told(station: Station) -> None:
    assert reasons(health(station, Listener(), Listener(granted=9))) == {"receive_buffer"}


def test_drops_are_told_for_five_minutes(station: Station) -> None:
    listener = Listener()
    looking = health(station, listener)
    listener.drops = 3
    assert reasons(looking) == {"datagrams_dropped"}
    station.clock.pass_seconds(299)
    assert reasons(looking) == {"datagrams_dropped"}
    station.clock.pass_seconds(2)
    assert reasons(looking) == set()


@pytest.mark.parametrize(("failing", "damaged"), [(True, None), (False, "somewhere")])
def test_state_file_at_fault_is_told(station: Station, failing: bool, damaged: str | None) -> None:
    station.intake.state_file = SimpleNamespace(failing=failing, damaged=damaged)  # type: ignore[assignment]
    assert reasons(health(station)) == {"state_file"}


def test_full_table_and_conflicts_of_engines_are_told(station: Station) -> None:
    station.engines.limit = 1
    station.take(message_v3(boots=9))
    station.take(message_v3(boots=2), peer="198.51.100.7")
    assert reasons(health(station)) == {"engines_full", "engine_conflict"}
