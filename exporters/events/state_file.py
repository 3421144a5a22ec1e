r"""A small store of keys and values in one file, that neither ``kill -9`` nor a full disk ruins.

The file is text, one record to a line, each with a checksum of its own::

    netexporters-state 1\n
    8f1c2a90 ["link\tcore-1", [1, 0.5]]\n       a key and its value
    01d2e3f4 ["link\tcore-1"]\n                  a key that is gone

Changes are appended. When the file has become more than twice as long as what it holds, it is
written anew beside itself, synced, and renamed onto itself: whoever opens it finds the one or the
other, whole. A last line that was cut off is what a machine that lost power leaves, and is dropped.
Whatever else is not as it should be, is damage: the file is set aside under another name, the
records that are right are kept, and ``damaged`` tells of it.

``flush`` hands what has changed to the operating system, which survives the end of this process
however it ends; ``sync`` waits for the disk, which survives loss of power. A write that fails (a
full disk) is undone to the last whole record and tried again with the next flush; until then
``failing`` is true. One process has the file open; one thread may flush while another changes
values.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import stat
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from exporters.errors import ConfigError, Problem
from exporters.logs import fields

logger = logging.getLogger(__name__)

_HEADER: Final = b"netexporters-state 1\n"
_MAX_BYTES: Final = 64 * 1024 * 1024
_COMPACT_ABOVE_BYTES: Final = 256 * 1024
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class StateFile:
    """The store; values are what JSON can carry. Use ``open``."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.damaged: Path | None = None
        """Where the file was set aside to, if it was damaged when it was opened."""
        self.failures = 0
        """How many times it could not be written."""
        self.failing = False
        """Whether what has changed is not in the file."""
        self.size_bytes = 0
        self._descriptor = descriptor
        self._values: dict[str, Any] = {}
        self._changed: set[str] = set()
        self._changing = threading.Lock()
        self._writing = threading.Lock()
        self._whole_bytes = 0

    @classmethod
    def open(cls, path: Path, *, now: Callable[[], float] = time.time) -> StateFile:
        """Open a file, or make it.

        Raises:
            ConfigError: It cannot be read or written, another process has it, or it is of another
                version of the format.
        """
        try:
            descriptor = _open_locked(path)
        except OSError as error:
            raise ConfigError([_why_not(path, error)]) from error
        try:
            file = cls(path, descriptor)
            file._load(now)
        except OSError as error:
            os.close(descriptor)
            raise ConfigError([_why_not(path, error)]) from error
        except ConfigError:
            os.close(descriptor)
            raise
        return file

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str, default: Any = None) -> Any:
        """Give the value of a key."""
        return self._values.get(key, default)

    def items(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Give keys that begin with *prefix*, and their values."""
        return iter([item for item in self._values.items() if item[0].startswith(prefix)])

    @property
    def changed(self) -> bool:
        """Whether there is something to flush."""
        return bool(self._changed) or self.failing

    def put(self, key: str, value: Any) -> None:
        """Set a value, in memory until the next flush; the value must not change any more."""
        with self._changing:
            self._values[key] = value
            self._changed.add(key)

    def update(self, changes: Iterable[tuple[str, Any]]) -> None:
        """Set many values, or remove those keys whose value is None, as ``put`` and ``delete``."""
        with self._changing:
            for key, value in changes:
                if value is not None:
                    self._values[key] = value
                elif key in self._values:
                    del self._values[key]
                else:
                    continue
                self._changed.add(key)

    def delete(self, key: str) -> None:
        """Remove a key, in memory until the next flush."""
        with self._changing:
            if key in self._values:
                del self._values[key]
                self._changed.add(key)

    def flush(self) -> bool:
        """Write what has changed; whether all that was so far is in the file now."""
        with self._writing:
            return self._flush()

    def sync(self) -> bool:
        """Flush, and wait until the disk has it; whether it has."""
        with self._writing:
            if not self._flush():
                return False
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._failed(error)
                return False
            return True

    def close(self) -> None:
        """Sync and let go of the file."""
        self.sync()
        os.close(self._descriptor)

    def _load(self, now: Callable[[], float]) -> None:
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            # To write it anew would put a file in its place: /dev/full would be one for everybody.
            raise ConfigError([Problem("is no regular file", "name another", str(self.path))])
        size = status.st_size
        if size > _MAX_BYTES:
            problem = f"has {size} bytes, more than {_MAX_BYTES}"
            raise ConfigError([Problem(problem, "it is no state file", str(self.path))])
        content = _read_all(self._descriptor, size)
        if not content:
            self._try_to(self._rewrite)
            return
        if not content.startswith(_HEADER) and content.startswith(b"netexporters-state "):
            problem = f"is of another format, {content.splitlines()[0].decode(errors='replace')!r}"
            hint = "it was written by another version: move it away to start without it"
            raise ConfigError([Problem(problem, hint, str(self.path))])
        self._values, wrong, whole_bytes = _read_records(content)
        if wrong:
            self.damaged = self._set_aside(now)
            logger.error(
                "state file damaged, set aside",
                extra=fields(
                    file=self.path, moved_to=self.damaged, kept=len(self._values), lost=wrong
                ),
            )
            self._try_to(self._rewrite)
            return
        if whole_bytes < size:
            logger.warning(
                "last record of the state file was cut off",
                extra=fields(file=self.path, bytes=size - whole_bytes),
            )
            os.ftruncate(self._descriptor, whole_bytes)
        self.size_bytes = self._whole_bytes = whole_bytes

    def _set_aside(self, now: Callable[[], float]) -> Path:
        """Keep what was found for whoever wants to look at it."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now()))
        path = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        self.path.rename(path)
        return path

    def _flush(self) -> bool:
        with self._changing:
            changed, self._changed = self._changed, set()
            values = self._values
            entries = [[key, values[key]] if key in values else [key] for key in changed]
        if not changed and not self.failing:
            return True
        is_written = False
        if self.size_bytes > max(_COMPACT_ABOVE_BYTES, 2 * self._whole_bytes):
            is_written = self._try_to(self._rewrite)
        if not is_written:
            write = partial(self._append, entries) if self.size_bytes else self._rewrite
            is_written = self._try_to(write)
        if not is_written:
            with self._changing:
                self._changed |= changed
        return is_written

    def _try_to(self, write: Callable[[], None]) -> bool:
        """Write, and note whether it worked."""
        try:
            write()
        except OSError as error:
            self._failed(error)
            return False
        if self.failing:
            logger.info("state file is written again", extra=fields(file=self.path))
        self.failing = False
        return True

    def _append(self, entries: list[list[Any]]) -> None:
        records = b"".join(map(_encode_record, entries))
        try:
            written = os.pwrite(self._descriptor, records, self.size_bytes)
        except OSError:
            os.ftruncate(self._descriptor, self.size_bytes)
            raise
        if written != len(records):
            os.ftruncate(self._descriptor, self.size_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size_bytes += written

    def _rewrite(self) -> None:
        """Write the file anew, with what it holds now and no more."""
        with self._changing:
            values = dict(self._values)
        content = _HEADER + b"".join(_encode_record([*item]) for item in values.items())
        beside = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(descriptor, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
            beside.rename(self.path)
        except OSError:
            os.close(descriptor)
            beside.unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor = descriptor
        self.size_bytes = self._whole_bytes = len(content)
        _sync_directory(self.path.parent)

    def _failed(self, error: OSError) -> None:
        self.failures += 1
        if not self.failing:
            # Once: until it works again, the counter tells of it.
            logger.error(
                "state file cannot be written",
                extra=fields(file=self.path, err=error.strerror or error),
            )
        self.failing = True


def _open_locked(path: Path) -> int:
    """Open and lock a file; the lock goes with the file, so a renamed one is tried again."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _why_not(path: Path, error: OSError) -> Problem:
    if isinstance(error, BlockingIOError):
        hint = "each exporter needs a state file of its own"
        return Problem("is in use by another process", hint, str(path))
    reason = (error.strerror or str(error)).lower()
    return Problem(f"cannot be opened for writing: {reason}", file=str(path))


def _read_all(descriptor: int, size: int) -> bytes:
    parts = []
    position = 0
    while position < size and (part := os.pread(descriptor, size - position, position)):
        parts.append(part)
        position += len(part)
    return b"".join(parts)


def _encode_record(entry: list[Any]) -> bytes:
    text = _ENCODER.encode(entry).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _read_records(content: bytes) -> tuple[dict[str, Any], int, int]:
    """Give the values, how many lines are wrong, and how many bytes are of whole lines."""
    whole_bytes = content.rfind(b"\n") + 1
    lines = content[:whole_bytes].split(b"\n")[:-1]
    wrong = int(not lines or lines[0] + b"\n" != _HEADER)
    values: dict[str, Any] = {}
    for line in lines[1:]:
        entry = _decode_record(line)
        if entry is None:
            wrong += 1
        elif len(entry) == 2:
            values[entry[0]] = entry[1]
        else:
            values.pop(entry[0], None)
    return values, wrong, whole_bytes


def _decode_record(line: bytes) -> list[Any] | None:
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        entry = json.loads(text)
    except ValueError:
        return None
    if not isinstance(entry, list) or len(entry) not in (1, 2) or not isinstance(entry[0], str):
        return None
    return entry


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
