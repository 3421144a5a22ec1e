from __future__ import annotations

import pytest

from exporters.rmon.boot_clock import WRAP_TICKS, BootClock


def clock_at(ticks: int, wall: float = 1000.0) -> BootClock:
    clock = BootClock()
    clock.note(ticks, wall)
    return clock


def test_start_is_kept_while_the_clocks_agree() -> None:
    clock = clock_at(500_00, 1000.0)
    assert clock.boot_timestamp == 500.0
    assert not clock.note(560_00, 1061.2)
    assert clock.boot_timestamp == 500.0
    assert not clock.note(620_00, 1125.0)
    assert clock.boot_timestamp == 505.0


def test_wrap_of_sys_up_time_is_no_restart() -> None:
    clock = clock_at(WRAP_TICKS - 3000)
    assert not clock.note(3000, 1060.0)
    assert clock.uptime_seconds == pytest.approx((WRAP_TICKS + 3000) / 100)
    assert clock.restarts == 0


@pytest.mark.parametrize("ticks", [100, 5_000])
def test_sys_up_time_that_goes_back_is_a_restart(ticks: int) -> None:
    clock = clock_at(100_000_00)
    assert clock.note(ticks, 1060.0)
    assert clock.boot_timestamp == pytest.approx(1060 - ticks / 100)


def test_restart_long_ago_shows_though_sys_up_time_is_ahead() -> None:
    clock = clock_at(100_00)
    assert clock.note(3000_00, 1000.0 + 9000)


def test_clock_that_stands_still_or_jumps_ahead_is_no_restart() -> None:
    clock = clock_at(100_00)
    assert not clock.note(100_00, 5000.0)
    assert not clock.note(100_000_00, 5001.0)


def test_instant_before_the_wrap_has_its_age() -> None:
    clock = clock_at(1000)
    assert clock.age_ticks(WRAP_TICKS - 1000) == 2000
    assert clock.timestamp(WRAP_TICKS - 1000) == pytest.approx(1000 - 20)


def test_instant_a_little_ahead_is_no_497_days_ago() -> None:
    clock = clock_at(1000)
    assert clock.age_ticks(1500) == 0
    assert clock.timestamp(1500) == pytest.approx(1005)
