from __future__ import annotations

from exporters.polling.circuit import CircuitBreaker


def silent(breaker: CircuitBreaker, target: str, scrapes: int) -> None:
    for _ in range(scrapes):
        breaker.note(target, silent=True)


def test_circuit_opens_after_as_many_silent_scrapes_as_it_is_told() -> None:
    breaker = CircuitBreaker(3)
    silent(breaker, "a", 2)
    assert not breaker.is_open("a")
    silent(breaker, "a", 1)
    assert breaker.is_open("a")
    assert not breaker.is_open("b")
    assert breaker.open_count() == 1


def test_answer_closes_it_and_the_count_begins_anew() -> None:
    breaker = CircuitBreaker(3)
    silent(breaker, "a", 5)
    breaker.note("a", silent=False)
    assert not breaker.is_open("a")
    silent(breaker, "a", 2)
    assert not breaker.is_open("a")
    assert breaker.open_count() == 0


def test_threshold_of_0_never_opens_it() -> None:
    breaker = CircuitBreaker(0)
    silent(breaker, "a", 100)
    assert not breaker.is_open("a")
    assert breaker.open_count() == 0
    breaker.note("a", silent=False)
    breaker.note("b", silent=False)
    assert breaker.open_count() == 0


def test_memory_is_bounded() -> None:
    breaker = CircuitBreaker(1, most=10)
    for number in range(100):
        breaker.note(number, silent=True)
    assert breaker.open_count() == 10
    assert breaker.is_open(99)
    assert not breaker.is_open(0)


def test_one_dead_target_is_probed_at_once_and_many_within_a_second() -> None:
    breaker = CircuitBreaker(1)
    breaker.note("a", silent=True)
    assert breaker.delay_seconds(1.0) == 0.001
    for number in range(499):
        breaker.note(number, silent=True)
    assert breaker.delay_seconds(0.5) == 0.25
    for number in range(5000):
        breaker.note(number, silent=True)
    assert breaker.delay_seconds(0.5) == 0.5
    assert breaker.delay_seconds(0.0) == 0


def test_count_of_open_circuits_follows_what_is_forgotten() -> None:
    breaker = CircuitBreaker(2, most=3)
    for target, scrapes in (("a", 2), ("b", 5), ("c", 1)):
        silent(breaker, target, scrapes)
    assert breaker.open_count() == 2
    breaker.note("d", silent=True)  # "a" makes room
    assert breaker.open_count() == 1
    breaker.note("c", silent=True)
    assert breaker.open_count() == 2
    breaker.note("b", silent=False)
    breaker.note("b", silent=False)
    assert breaker.open_count() == 1
