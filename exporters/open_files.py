"""How many files and sockets this process may have open (RLIMIT_NOFILE), and how they are shared.

The soft limit is what old programs that use select(2) can bear; those that do not, as this one,
are meant to raise it to the hard limit, as Go's do by themselves.

A process that has none left cannot accept a connection, ask a device or read a file, and each of
these fails in its own way. So what comes from outside is bounded below the limit: after a reserve
for all the rest, three fifths are for connections that are accepted, two fifths for sockets towards
devices. Each scrape needs one of both, and the connections beyond are for those that wait, which
can so be told why they fail, and for whoever asks how the exporter is.

Source: setrlimit(2); systemd.exec(5), LimitNOFILE.
"""

from __future__ import annotations

import contextlib
import resource
from typing import Final

RESERVE: Final = 96
"""For listening sockets, the log, configuration, name look-ups, links between workers."""
_MOST: Final = 200_000
"""Where there is no limit."""
_LEAST: Final = 10


def raise_limit() -> None:
    """Raise the soft limit to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # macOS refuses an infinite one
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections() -> int:
    """How many connections may be accepted at a time."""
    return _beside_reserve() * 3 // 5


def device_sockets() -> int:
    """How many sockets towards devices may be open at a time."""
    return _beside_reserve() * 2 // 5


def _beside_reserve() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft > _MOST:
        return _MOST
    return max(_LEAST, soft - RESERVE)
