"""What sysUpTime says of two messages."""

from __future__ import annotations

import pytest

from exporters.events.boot import is_overtaken, is_same_boot

WRAP = 2**32
DAY = 86400.0


@pytest.mark.parametrize(
    ("before", "before_at", "after", "after_at", "same"),
    [
        pytest.param(1000, 0, 1100, 1, True, id="a second later"),
        pytest.param(1000, 0, 990, 0.01, True, id="overtaken"),
        pytest.param(100 * 100, 0, 5 * 100, 60, False, id="restarted"),
        pytest.param(WRAP - 100, 0, 100, 2, True, id="wrapped after 497 days"),
        pytest.param(1000, 0, 1000 + 100 * 86400, DAY, True, id="a day later"),
        pytest.param(1000, 0, 1000 + 100 * 86350, DAY, True, id="a slow clock"),
        pytest.param(1000, 0, 1000, DAY, False, id="up again for as long as then"),
        pytest.param(0, 0, (300 * 86400 * 100) % WRAP, 300 * DAY, True, id="300 days later"),
    ],
)
def test_life_of_a_device_is_told_from_another(before, before_at, after, after_at, same):
    assert is_same_boot(before, before_at, after, after_at) is same


@pytest.mark.parametrize(
    ("before", "after", "elapsed", "overtaken"),
    [
        pytest.param(1010, 1000, 0.001, True, id="sent 100 ms before"),
        pytest.param(1000, 1000, 0.001, False, id="sent at the same time"),
        pytest.param(1000, 1010, 0.001, False, id="in order"),
        pytest.param(5, WRAP - 5, 0.001, True, id="sent before the wrap"),
        pytest.param(WRAP - 5, 5, 0.001, False, id="sent after the wrap"),
        pytest.param(90_000, 200, 30, False, id="restarted in between"),
        pytest.param(1010, 1000, 61, False, id="too late to have been overtaken"),
    ],
)
def test_message_is_overtaken_only_within_one_life(before, after, elapsed, overtaken):
    assert is_overtaken(before, 0.0, after, elapsed) is overtaken
