"""Whether files have changed, without reading them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FileFingerprint = tuple[tuple[int, int, int] | None, ...]
"""What changes when a file is written or replaced; None stands for one that is not there."""


def fingerprint_files(files: Iterable[Path]) -> FileFingerprint:
    """Look at files; to be compared with a later look."""
    return tuple(map(_look_at, files))


def _look_at(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
