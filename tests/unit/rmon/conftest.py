from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .reading import Samples, Target, recorded_target


@pytest.fixture(scope="session")
def first_scrape(recordings_dir: Path) -> Callable[[str], Samples]:
    """The first scrape of a recording, made once for all tests."""
    made: dict[str, Samples] = {}

    def scrape(name: str) -> Samples:
        if name not in made:
            made[name] = recorded_target(recordings_dir, name).scrape()
        return made[name]

    return scrape


@pytest.fixture
def device(recordings_dir: Path) -> Callable[[str], Target]:
    return lambda name: recorded_target(recordings_dir, name)
