"""Events as JSON lines for a log system: ``--events.log=stdout`` or a file.

A thread writes, text and JSON included. What it cannot keep up with, because a pipe is slow or a
disk is full, is dropped and counted; the receiver never waits. A file that was renamed or removed
(logrotate) is opened anew.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Final

from exporters.errors import ConfigError, Problem
from exporters.events.event import Event
from exporters.logs import fields

logger = logging.getLogger(__name__)

_WAITING_EVENTS: Final = 10_000
_EVENTS_AT_ONCE: Final = 200
_CLOSE_SECONDS: Final = 2.0
_STDOUT: Final = "stdout"


class JsonLines:
    """The log of events; *target* is ``stdout`` or the path of a file."""

    def __init__(self, target: str) -> None:
        """Open the log.

        Raises:
            ConfigError: The file cannot be opened for writing.
        """
        self.dropped = 0
        """Events that found no place in the queue."""
        self.failed = 0
        """Events that could not be written."""
        self.written = 0
        self._path = None if target == _STDOUT else Path(target)
        self._descriptor = sys.stdout.fileno() if self._path is None else _open(self._path)
        self._waiting: deque[Event] = deque()
        self._arrived = threading.Event()
        self._closing = False
        self._is_failing = False
        self._is_torn = False
        self._thread = threading.Thread(target=self._run, name="events-log", daemon=True)
        self._thread.start()

    def write(self, event: Event) -> None:
        """Take an event for the thread to write."""
        if len(self._waiting) >= _WAITING_EVENTS:
            self.dropped += 1
            return
        self._waiting.append(event)
        if not self._arrived.is_set():
            self._arrived.set()

    def close(self) -> None:
        """Write what is waiting, for a moment, and stop."""
        self._closing = True
        self._arrived.set()
        self._thread.join(_CLOSE_SECONDS)
        if self._path is not None and not self._thread.is_alive():
            os.close(self._descriptor)

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                count = min(_EVENTS_AT_ONCE, len(self._waiting))
                self._write_all([self._waiting.popleft() for _ in range(count)])

    def _write_all(self, events: list[Event]) -> None:
        try:
            self._reopen_if_moved()
            for line in map(_line, events):
                self._write_line(line)
        except OSError as error:
            self.failed += len(events)  # though some of them may have been written
            if not self._is_failing:
                logger.error(  # noqa: TRY400 - the disk's fault, not ours
                    "events cannot be logged",
                    extra=fields(target=self._path or _STDOUT, err=error.strerror or error),
                )
            self._is_failing = True
            return
        self._is_failing = False
        self.written += len(events)

    def _write_line(self, line: bytes) -> None:
        if self._is_torn:
            line = b"\n" + line  # what was cut off stays alone on its line
        left = line
        while left:
            count = os.write(self._descriptor, left)
            left = left[count:]
            self._is_torn = bool(left)

    def _reopen_if_moved(self) -> None:
        if self._path is None:
            return
        try:
            is_same = os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            descriptor = os.open(self._path, _FLAGS, 0o640)
            os.close(self._descriptor)
            self._descriptor = descriptor


_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


def _open(path: Path) -> int:
    try:
        return os.open(path, _FLAGS, 0o640)
    except OSError as error:
        problem = f"--events.log={path} cannot be opened: {(error.strerror or str(error)).lower()}"
        raise ConfigError(
            [Problem(problem, "name a file that can be written, or stdout")]
        ) from error


def _line(event: Event) -> bytes:
    return (
        json.dumps(event.as_json(), ensure_ascii=False, default=str).encode(
            "utf-8", "backslashreplace"
        )
        + b"\n"
    )
