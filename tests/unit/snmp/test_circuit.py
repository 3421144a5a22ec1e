from __future__ import annotations

from exporters.snmp.circuit import CircuitBreaker


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


def test_memory_is_bounded() -> None:
    breaker = CircuitBreaker(1, most=10)
    for number in range(100):
        breaker.note(number, silent=True)
    assert breaker.open_count() == 10
    assert breaker.is_open(99)
    assert not breaker.is_open(0)
