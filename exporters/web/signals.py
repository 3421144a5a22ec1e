"""SIGHUP reloads, SIGTERM and SIGINT end: signals as events of the event loop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Signals:
    """What the process was told by signal; a signal sets an event, a task acts on it."""

    end: asyncio.Event = field(default_factory=asyncio.Event)
    hangup: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def handled_signals() -> Iterator[Signals]:
    """Turn SIGHUP, SIGTERM and SIGINT into events; the second that ends ends the process at once.

    Must run in the main thread, as signals do.
    """
    signals = Signals()
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in (*_ENDING, signal.SIGHUP)}

    def end() -> None:
        # From now on at once: not by the loop, which a fault may have stopped, and not by the
        # default action, which the kernel denies to process 1 of a container.
        for number in _ENDING:
            loop.remove_signal_handler(number)
            signal.signal(number, lambda number, _: os._exit(128 + number))
        signals.end.set()

    for number in _ENDING:
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, signals.hangup.set)
    try:
        yield signals
    finally:
        for number, handler in former.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler or signal.SIG_DFL)
