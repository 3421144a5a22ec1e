"""When a worker that ended is started again, and when there is no use in it."""

from __future__ import annotations

import pytest

from exporters.web.workers.restarts import Restarts


def after_end(
    restarts: Restarts,
    number: int = 0,
    *,
    served: float | None = 1.0,
    others: float | None = 100.0,
    on_request: bool = False,
) -> float | None:
    return restarts.after_end(
        number, on_request=on_request, served_seconds=served, others_served_seconds=others
    )


def test_delay_doubles_while_a_worker_ends_soon():
    restarts = Restarts(2)
    delays = [after_end(restarts) for _ in range(8)]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_delay_is_that_of_one_worker():
    restarts = Restarts(2)
    after_end(restarts, 0)
    assert after_end(restarts, 1) == 0.5
    assert after_end(restarts, 0) == 1


def test_worker_that_served_for_long_is_started_soon():
    restarts = Restarts(2)
    for _ in range(4):
        after_end(restarts)
    assert after_end(restarts, served=60.0) == 0.5


@pytest.mark.parametrize("served", [None, 0.1, 60.0])
def test_worker_that_was_asked_to_end_is_started_soon_and_held_against_nobody(served):
    restarts = Restarts(1)
    for _ in range(20):
        assert after_end(restarts, served=served, others=None, on_request=True) == 0.5
    assert after_end(restarts, served=1.0, others=None) == 0.5


def test_worker_that_never_served_ends_all_if_no_other_serves():
    assert after_end(Restarts(2), served=None, others=None) is None


def test_worker_that_never_served_is_started_again_beside_others():
    restarts = Restarts(2)
    assert after_end(restarts, served=None, others=100.0) == 0.5
    assert after_end(restarts, served=None, others=100.0) == 1


def test_patience_ends_where_all_end_soon_again_and_again():
    restarts = Restarts(2)
    delays = [after_end(restarts, number % 2, others=0.5) for number in range(7)]
    assert delays == [0.5, 0.5, 1, 1, 2, 2, None]


def test_patience_is_restored_by_one_that_serves_for_long():
    restarts = Restarts(2)
    for number in range(6):
        after_end(restarts, number % 2, others=None)
    assert after_end(restarts, served=11.0, others=None) is not None
    assert after_end(restarts, others=None) is not None
