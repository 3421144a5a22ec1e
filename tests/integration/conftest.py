"""What the tests of running programs share: starting programs, and ending every one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .alertmanager import Alerts, running_inbox
from .processes import Programs


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Start programs that end with the test."""
    programs = Programs(tmp_path_factory.mktemp("programs"))
    try:
        yield programs
    finally:
        programs.close()


@pytest.fixture(scope="module")
def module_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Start programs that end with the last test of a file."""
    programs = Programs(tmp_path_factory.mktemp("programs"))
    try:
        yield programs
    finally:
        programs.close()


@pytest.fixture
def inbox() -> Iterator[tuple[int, Alerts]]:
    """The port where Alertmanager may tell of alerts, and what it has told."""
    with running_inbox() as found:
        yield found
