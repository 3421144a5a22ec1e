"""Recordings of real devices, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from exporters.demo.recording import Recording
from exporters.demo.snmprec import load_recording

# A machine that is busy elsewhere must not fail a property.
settings.register_profile("demo", deadline=None)
settings.load_profile("demo")


@pytest.fixture(scope="session")
def pdu_recording(recordings_dir: Path) -> Recording:
    """A power distribution unit of 2,679 rows, of many types."""
    return load_recording(recordings_dir / "UPS/apc-7902b.snmprec")


@pytest.fixture
def seconds() -> list[float]:
    """The time of the fake clock: its only element."""
    return [1000.0]


@pytest.fixture
def clock(seconds: list[float]) -> Callable[[], float]:
    return lambda: seconds[0]
