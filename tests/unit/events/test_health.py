"""What is told of an exporter's own state."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from exporters.config.event_settings import EventSettings
from exporters.events.health import Health
from exporters.events.intake import Intake
from exporters.events.rules import RuleSet
from exporters.sockets.receive_buffer import QueueState


class Listener:
    address = "[::]:514"

    def __init__(self, asked: int = 10, granted: int = 10) -> None:
        self.asked_bytes, self.granted_bytes, self.drops = asked, granted, 0

    def state(self) -> QueueState:
        return QueueState(0, self.drops)


class Looking:
    """Health, and all that it looks at."""

    def __init__(self, *listeners: Listener, **others: bool) -> None:
        self.now = 0.0
        self.not_handed_over = 0
        self.intake: Any = Intake("syslog", RuleSet((), "syslog"), EventSettings())
        self.health = Health(
            lambda: listeners,
            self.intake,
            lambda: self.now,
            not_handed_over=lambda: self.not_handed_over,
            others={reason: lambda holds=holds: holds for reason, holds in others.items()},
        )

    def reasons(self) -> set[str]:
        return {reason for reason, holds in self.health.reasons().items() if holds}


def test_nothing_is_wrong_at_first() -> None:
    assert Looking(Listener()).reasons() == set()


def test_buffer_that_is_smaller_than_asked_for_is_told() -> None:
    assert Looking(Listener(), Listener(granted=9)).reasons() == {"receive_buffer"}


def test_what_another_worker_had_no_room_for_is_told_for_five_minutes() -> None:
    looking = Looking(Listener())
    looking.not_handed_over = 1
    assert looking.reasons() == {"handover"}
    looking.now = 301
    assert looking.reasons() == set()


def test_drops_are_told_for_five_minutes() -> None:
    listener = Listener()
    looking = Looking(listener)
    listener.drops = 3
    assert looking.reasons() == {"datagrams_dropped"}
    looking.now = 299
    assert looking.reasons() == {"datagrams_dropped"}
    looking.now = 301
    assert looking.reasons() == set()


@pytest.mark.parametrize(("dropped", "failed"), [(1, 0), (0, 1)])
def test_events_that_were_not_logged_are_told(dropped: int, failed: int) -> None:
    looking = Looking()
    looking.intake.json_lines = SimpleNamespace(dropped=dropped, failed=failed)
    assert looking.reasons() == {"events_log"}


@pytest.mark.parametrize(("failing", "damaged"), [(True, None), (False, "somewhere")])
def test_state_file_at_fault_is_told(failing: bool, damaged: str | None) -> None:
    looking = Looking()
    looking.intake.state_file = SimpleNamespace(failing=failing, damaged=damaged)
    assert looking.reasons() == {"state_file"}


def test_reasons_of_one_exporter_stand_beside_those_of_all() -> None:
    looking = Looking(engines_full=True, engine_conflict=False)
    assert looking.reasons() == {"engines_full"}
    family = looking.health.family()
    assert family.name == "syslog_exporter_degraded"
    assert {sample.labels["reason"]: sample.value for sample in family.samples} == {
        "receive_buffer": 0,
        "datagrams_dropped": 0,
        "state_file": 0,
        "events_log": 0,
        "handover": 0,
        "engines_full": 1,
        "engine_conflict": 0,
    }
