"""How many files and sockets this process may have open (RLIMIT_NOFILE), and how they are shared.

The soft limit is what old programs that use select(2) can bear; those that do not, as this one,
are meant to raise it to the hard limit, as Go's do by themselves.

A process that has none left cannot accept a connection, ask a device or read a file, and each of
these fails in its own way. So what comes from outside is bounded below the limit: half is for
connections that are accepted, half for sockets towards devices, after a reserve for all the rest.

Source: setrlimit(2); systemd.exec(5), LimitNOFILE.
"""

from __future__ import annotations

import contextlib
import resource
from typing import Final

RESERVE: Final = 96
"""For listening sockets, the log, configuration, name look-ups, links between workers."""
_MOST: Final = 100_000
"""Of each kind, where there is no limit."""


def raise_limit() -> None:
    """Raise the soft limit to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # macOS refuses an infinite one
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def half() -> int:
    """How many connections may be accepted, and how many sockets towards devices opened."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return share_of(_MOST * 2 + RESERVE if soft == resource.RLIM_INFINITY else soft)


def share_of(limit: int) -> int:
    """Half of what *limit* leaves beside the reserve, and never nothing."""
    return max(8, min(_MOST, (limit - RESERVE) // 2))
