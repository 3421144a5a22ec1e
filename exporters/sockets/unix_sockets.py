"""Sockets with a name in the file system: made, and removed, without harm to those of others.

A file that a program left behind when it was killed is in the way of its successor. It is removed
if it is a socket and nobody listens on it; what else may be there stays. In the end the file is
removed if it is still the one that was made here.

Source: unix(7).
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exporters.errors import ConfigError, Problem

_BACKLOG: Final = 1024
_LONGEST_PATH_BYTES: Final = 107


@contextlib.contextmanager
def unix_socket(
    path: Path, kind: socket.SocketKind, *, mode: int, flag: str
) -> Iterator[socket.socket]:
    """Give a socket that is bound to *path*, and listens if it is of streams.

    Args:
        path: Its directory is there.
        kind: SOCK_STREAM or SOCK_DGRAM.
        mode: Permissions of the file: whoever may write to it may send.
        flag: Where the path came from, for errors.

    Raises:
        ConfigError: The system refuses, something else has this path, or somebody listens there.
    """
    made: tuple[int, int] | None = None
    with socket.socket(socket.AF_UNIX, kind) as opened:
        try:
            try:
                _clear_way(path, kind)
                os.fchmod(opened.fileno(), mode)  # else others could write to it until the chmod
                opened.bind(str(path))
                made = _identity(path)
                path.chmod(mode)
                opened.setblocking(False)
                if kind == socket.SOCK_STREAM:
                    opened.listen(_BACKLOG)
            except OSError as error:
                raise _refused(path, error, flag) from error
            yield opened
        finally:
            if made is not None and _identity(path) == made:
                path.unlink()


def _clear_way(path: Path, kind: socket.SocketKind) -> None:
    """Remove what nobody listens on.

    Raises:
        OSError: Something else is there.
    """
    if len(os.fsencode(path)) > _LONGEST_PATH_BYTES:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.setblocking(False)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    path.unlink()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refused(path: Path, error: OSError, flag: str) -> ConfigError:
    hints = {
        errno.EADDRINUSE: f"stop what listens there, or choose another {flag}",
        errno.EEXIST: "it is no socket, and so is not replaced: choose another path",
        errno.ENOENT: "make its directory (systemd: RuntimeDirectory=)",
        errno.EACCES: "its directory must be writable for this user",
        errno.ENAMETOOLONG: f"a path may have {_LONGEST_PATH_BYTES} octets",
    }
    number = error.errno or 0
    problem = f"cannot listen on {path}: {(error.strerror or str(error)).lower()}"
    return ConfigError([Problem(problem, hints.get(number, f"choose another {flag}"))])
