"""fork(2) of a process with an event loop, a log and signal handlers, so that both can go on.

A fork copies the thread that calls it and no other: a lock that another held stays locked in the
child for ever. So there is no other: the log's thread is stopped, and the caller sees to the rest.
A child has the parent's signal handlers, and the socket on which they wake the parent's event loop:
a signal to the child would act in the parent. So no signal is delivered until the child has let go
of both. The heap is frozen, so that garbage collection, which writes to what it looks at, leaves
the pages that both share alone.

Sources: fork(2), signal-safety(7); the documentation of Python's gc.freeze and os.fork.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from exporters import logs

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def fork() -> int:
    """Fork; return 0 in the child, and its process id in the parent.

    To be called from a callback of the event loop and not from a task, which the child would find
    itself in. In the child signals have their default actions, SIGHUP none.

    Raises:
        OSError: the system allows no more processes.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # or both would write what is in its buffer
    gc.collect()
    gc.freeze()
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    try:
        with logs.writer_stopped():
            pid = os.fork()
            if pid == 0:
                _forget_handlers()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
    return pid


def _forget_handlers() -> None:
    signal.set_wakeup_fd(-1)
    for number in _HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
