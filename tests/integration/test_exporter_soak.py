"""Over a thousand scrapes of 125 targets, of which a fifth is dead: nothing is left over, and the
dead cost next to nothing. ``make soak-snmp`` is the long version.
"""

from __future__ import annotations

from statistics import median

import pytest

from benchmarks.soak import Plan, soak
from benchmarks.soak_report import Soaked, checks

PLAN = Plan(
    scrapes=750,
    targets=125,
    dead=25,
    per_second=60.0,
    alone=100,
    dead_alone=24,
    rounds=2,
    warm_ups=4,
    warm_up_timeout_seconds=2.0,
)
SCRAPES_OF_EACH = 6


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Soaked:
    return soak(PLAN, tmp_path_factory.mktemp("soak"))


def test_every_scrape_ended_as_it_should(soaked: Soaked) -> None:
    assert soaked.wrong == []
    assert len(soaked.together_seconds) == 100 * SCRAPES_OF_EACH
    assert len(soaked.silent_seconds) == 13 * SCRAPES_OF_EACH
    assert len(soaked.closed_seconds) == 12 * SCRAPES_OF_EACH


@pytest.mark.parametrize(
    "what",
    [
        "growth of RSS, MB",
        "growth of Python's objects",
        "growth of Python's blocks of memory",
        "descriptors left over",
        "tasks left over",
        "timers left over",
        "CPU of a dead target's scrape / a live one's",
        "packets of a dead target's scrape",
    ],
)
def test_soak_shows_what_it_must(soaked: Soaked, what: str) -> None:
    (check,) = (check for check in checks(soaked) if check.what == what)
    assert check.met, check


def test_dead_targets_do_not_keep_live_ones_waiting(soaked: Soaked) -> None:
    """Loosely: a silent target is waited for a hundred times as long as a live one takes."""
    assert median(soaked.together_seconds) < 3 * median(soaked.alone_seconds) + 0.01
    assert median(soaked.silent_seconds) > 0.5
