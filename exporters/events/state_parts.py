"""A state file in parts, one for each of several processes, and whole again.

    syslog.state              whole: of one process; of several, empty and locked by their parent
    syslog.state.worker-0     the part of the first
    syslog.state.worker-1

Parts are made anew when what an earlier run has left is not divided as it is to be now: in another
number of parts, or by another inventory. All is brought together in the whole file before a part is
removed, and stays there until all new parts are on the disk. So whatever is killed at whatever
moment, the whole file and the parts together have everything, and what is in a part is never older
than what is in the whole file. Of what is in several parts the latest holds: one that had a device
before a reload gave it to another has its states still, as they were cleared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from exporters.errors import ConfigError, Problem
from exporters.events.state_file import StateFile
from exporters.events.states import changed_at_of

_NUMBER: Final = re.compile(r"\.worker-(0|[1-9][0-9]{0,3})\Z")

Owner = Callable[[str], int | None]
"""Gives the process that a key belongs to; None for one that any of them may have."""


def part_path(path: Path, number: int) -> Path:
    """Give the path of the part that process *number* has of the file at *path*."""
    return path.with_name(f"{path.name}.worker-{number}")


def open_whole(path: Path) -> StateFile:
    """Open the whole file, with all that was in parts, of which none is left.

    Raises:
        ConfigError: As of ``StateFile.open``, or what was in parts cannot be written.
    """
    whole = StateFile.open(path)
    try:
        with ExitStack() as stack:
            _gather(whole, _open_parts(path, stack))
    except BaseException:
        whole.close()
        raise
    return whole


def open_divided(path: Path, count: int, owner: Owner) -> StateFile:
    """Divide what an earlier run has left among *count* processes, each of which opens its part.

    Give the whole file, which holds nothing, and which nobody else can open as long as it is open.
    What was damaged was set aside; ``damaged`` tells of it.

    Raises:
        ConfigError: As of ``StateFile.open``, or the disk has no room.
    """
    whole = StateFile.open(path)
    try:
        with ExitStack() as stack:
            parts = _open_parts(path, stack)
            if not len(whole) and _are_right(parts, count, owner):
                whole.damaged = _damage(whole, parts)
                return whole
            _gather(whole, parts)
        _divide(whole, count, owner)
    except BaseException:
        whole.close()
        raise
    return whole


def open_part(path: Path, number: int, damaged: Path | None) -> StateFile:
    """Open the part of process *number*; the first tells of what dividing has found *damaged*.

    Raises:
        ConfigError: As of ``StateFile.open``.
    """
    part = StateFile.open(part_path(path, number))
    if number == 0:
        part.damaged = part.damaged or damaged
    return part


def _open_parts(path: Path, stack: ExitStack) -> dict[int, StateFile]:
    parts: dict[int, StateFile] = {}
    for number in sorted(_numbers(path)):
        parts[number] = StateFile.open(part_path(path, number))
        stack.callback(parts[number].close)
    return parts


def _numbers(path: Path) -> Iterator[int]:
    try:
        others = list(path.parent.iterdir())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError([Problem(f"cannot be read: {reason}", file=str(path.parent))]) from error
    for beside in others:
        if beside.name.startswith(path.name):
            match = _NUMBER.fullmatch(beside.name, len(path.name))
            if match is not None:
                yield int(match[1])


def _are_right(parts: dict[int, StateFile], count: int, owner: Owner) -> bool:
    """Whether each of *count* processes finds in its part what it is to have."""
    return all(
        number < count and all(owner(key) in (number, None) for key, _ in part.items())
        for number, part in parts.items()
    )


def _damage(whole: StateFile, parts: dict[int, StateFile]) -> Path | None:
    return next((file.damaged for file in (whole, *parts.values()) if file.damaged), None)


def _gather(whole: StateFile, parts: dict[int, StateFile]) -> None:
    """Put into the whole file what is in parts, and remove these."""
    if not parts:
        return
    whole.damaged = _damage(whole, parts)
    seen: set[str] = set()
    for part in parts.values():
        for key, value in part.items():
            whole.put(key, _later(whole.get(key), value) if key in seen else value)
            seen.add(key)
    _sync(whole)
    for part in parts.values():
        part.path.unlink()


def _later(one: Any, other: Any) -> Any:
    return max(one, other, key=_moment)


def _moment(value: Any) -> float:
    """Give when a state changed last, or when an event was last seen, which is all of a value."""
    moment = value if isinstance(value, int | float) else changed_at_of(value)
    return moment or 0.0


def _divide(whole: StateFile, count: int, owner: Owner) -> None:
    """Put into parts what is in the whole file, which then holds nothing."""
    items = list(whole.items())
    belongings: Sequence[list[tuple[str, Any]]] = [[] for _ in range(count)]
    for key, value in items:
        belongings[owner(key) or 0].append((key, value))
    for number, some in enumerate(belongings):
        part = StateFile.open(part_path(whole.path, number))
        try:
            for key, value in some:
                part.put(key, value)
            _sync(part)
        finally:
            part.close()
    for key, _ in items:
        whole.delete(key)
    _sync(whole)


def _sync(file: StateFile) -> None:
    if not file.sync():
        problem = "cannot be written, which dividing it among workers takes"
        raise ConfigError([Problem(problem, "make room on the disk", str(file.path))])
