r"""Our own SNMPv3 engine: who receives informs, how often it has started, for how long it runs.

Senders of informs remember all three, and refuse what goes back. So the id stays, and the number
of starts only grows (RFC 3414 s2.2). They stand in a file of their own, one line of text::

    80007ed90474726170 0000000012\n

On a full disk there is no room for a new file, but the old one can be written over, as its length
stays. A file that is damaged is an error, and nothing is made up in its place: a smaller number
would have every sender refuse us.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exporters.errors import ConfigError, Problem
from exporters.wire.usm import MAX_BOOTS

_LINE: Final = re.compile(r"([0-9a-f]{10,64}) ([0-9]{1,10})\n")
_FORMAT: Final = b"\x80\x00\xff\xff\x05"
"""RFC 3411 s5: an enterprise number, here one that is nobody's, and octets of one's own choice."""
_RANDOM_BYTES: Final = 8
_DISK_IS_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_MAX_TIME: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class OwnEngine:
    """Our engine, as it has started.

    Attributes:
        id: Its id.
        boots: How often it has started.
        started_at: When, on the monotonic clock.
        heard_from: The first second of its time whose messages are believed: who takes the place of
            a process that ended does not know what that one has taken already.
    """

    id: bytes
    boots: int
    started_at: float
    heard_from: int = 0

    def time(self, now: float) -> int:
        """Give the seconds since the start, as the protocol has them."""
        return min(_MAX_TIME, int(now - self.started_at))


def start_engine(path: Path | None, engine_id: bytes, now: float) -> OwnEngine:
    """Count a start, in the file at *path*, and give the engine.

    Args:
        path: The file; None: nothing is kept, and the engine is another one each time.
        engine_id: As it is configured; empty: the one of the file, or a new one.
        now: Of the monotonic clock.

    Raises:
        ConfigError: The file is damaged, or cannot be read or written.
    """
    known_id, boots = (b"", 0) if path is None else _read(path)
    if not engine_id or engine_id == known_id:
        engine_id = known_id or _FORMAT + secrets.token_bytes(_RANDOM_BYTES)
    boots = min(boots + 1, MAX_BOOTS)
    if path is not None:
        _write(path, engine_id, boots)
    return OwnEngine(engine_id, boots, now)


def _read(path: Path) -> tuple[bytes, int]:
    try:
        text = path.read_text("ascii", "replace")
    except FileNotFoundError:
        return b"", 0
    except OSError as error:
        raise ConfigError([_problem(path, f"cannot be read: {_why(error)}", "")]) from error
    match = _LINE.fullmatch(text)
    if match is None or len(match[1]) % 2 or int(match[2]) > MAX_BOOTS:
        hint = (
            "restore it, or remove it and set another engine_id: senders of informs refuse an "
            "engine whose boots go back"
        )
        raise ConfigError([_problem(path, "is damaged: expected an engine id and its boots", hint)])
    return bytes.fromhex(match[1]), int(match[2])


def _write(path: Path, engine_id: bytes, boots: int) -> None:
    """Write it whole beside the old one, and rename; over the old one where there is no room."""
    beside = path.with_name(f"{path.name}.new")
    line = f"{engine_id.hex()} {boots:010}\n"
    try:
        try:
            _write_line(beside, "w", line)
            beside.rename(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            if error.errno not in _DISK_IS_FULL or not path.exists():
                raise
            _write_line(path, "r+", line)
    except OSError as error:
        raise ConfigError([_problem(path, f"cannot be written: {_why(error)}", "")]) from error


def _write_line(path: Path, mode: str, line: str) -> None:
    with path.open(mode) as file:
        file.write(line)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _problem(path: Path, problem: str, hint: str) -> Problem:
    return Problem(problem, hint, str(path))
