"""Sockets that are read a little later, with a loop whose time is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from exporters.sockets.datagrams import Datagrams
from exporters.sockets.draining import draining
from exporters.sockets.recvmmsg import BATCH

PAUSE_SECONDS = 0.005


class Loop:
    """What an event loop is asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.on_readable: Callable[[], None] | None = None
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def add_reader(self, _: int, call: Callable[[], None]) -> None:
        self.on_readable = call

    def remove_reader(self, _: int) -> None:
        self.on_readable = None

    def call_later(self, seconds: float, call: Callable[[], None]) -> Loop:
        self.calls.append((self.now + seconds, call))
        return self

    def call_soon(self, call: Callable[[], None]) -> Loop:
        return self.call_later(0.0, call)

    def cancel(self) -> None:
        self.calls.clear()

    def turn(self, seconds: float = 0.0) -> None:
        """Do once what is due."""
        self.now += seconds
        due = [call for at, call in self.calls if at <= self.now]
        self.calls = [(at, call) for at, call in self.calls if at > self.now]
        for call in due:
            call()


class Listener:
    """A socket with datagrams in it."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting

    def fileno(self) -> int:
        return 7

    def receive(self) -> Datagrams:
        count = min(self.waiting, BATCH)
        self.waiting -= count
        return Datagrams([b"x"] * count, [b"host"] * count)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    yield loop
    assert (loop.on_readable, loop.calls) == (None, []), "nothing goes on after the end"


def test_what_comes_shortly_after_the_first_is_taken_with_it(loop: Loop) -> None:
    listener, taken = Listener(1), []
    with draining(listener, taken.append):
        assert loop.on_readable is not None
        loop.on_readable()
        assert loop.on_readable is None, "the loop does not look again meanwhile"
        loop.turn(PAUSE_SECONDS / 2)
        listener.waiting = 10
        loop.turn(PAUSE_SECONDS)
        assert [len(datagrams.contents) for datagrams in taken] == [10]
        assert loop.on_readable is not None


def test_much_is_taken_in_turns(loop: Loop) -> None:
    listener, taken = Listener(6 * BATCH + 1), []
    with draining(listener, taken.append):
        assert loop.on_readable is not None
        loop.on_readable()
        loop.turn(PAUSE_SECONDS)
        assert len(taken) == 4
        assert loop.on_readable is None
        loop.turn()
        assert [len(datagrams.contents) for datagrams in taken] == [BATCH] * 6 + [1]
        assert loop.on_readable is not None


def test_what_could_not_be_taken_does_not_stop_the_rest(loop: Loop) -> None:
    listener, taken = Listener(BATCH + 1), []

    def take(datagrams: Datagrams) -> None:
        if len(datagrams.contents) == BATCH:
            raise RuntimeError("broken")
        taken.append(datagrams)

    with draining(listener, take):
        assert loop.on_readable is not None
        loop.on_readable()
        with pytest.raises(RuntimeError, match="broken"):
            loop.turn(PAUSE_SECONDS)
        loop.turn()
        assert len(taken) == 1
        assert loop.on_readable is not None


def test_end_during_a_pause_takes_nothing_more(loop: Loop) -> None:
    listener, taken = Listener(1), []
    with draining(listener, taken.append):
        assert loop.on_readable is not None
        loop.on_readable()
    assert taken == []
