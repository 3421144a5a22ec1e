"""An exporter that tells what it holds: ``python -m benchmarks.census snmp FLAGS...``.

It is the command ``netexporters`` as it is, except that each SIGUSR1 has it write a ``Census`` as
a line of JSON to stdout, where an exporter writes nothing. Linux only.

tracemalloc would tell bytes instead of blocks, at five times the CPU of a scrape.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from exporters import cli

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Census:
    """What a process holds at one moment, after a collection of garbage.

    Memory that the C library has free is given back before, as far as it can be (malloc_trim).
    """

    rss_bytes: int
    objects: int
    """That the garbage collector knows of: containers."""
    blocks: int
    """Of memory that Python's allocator gave out: these are strings and numbers, too."""
    descriptors: int
    """Files and sockets."""
    tasks: int
    """Of asyncio."""
    timers: int
    """Of the event loop, those that were cancelled left out."""


def resident_bytes(pid: int) -> int:
    """How much memory a process has resident now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def take_census(loop: asyncio.AbstractEventLoop) -> Census:
    """Count what this process holds."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # the loop has no public way to its timers
    timers: list[asyncio.TimerHandle] = getattr(loop, "_scheduled", [])
    return Census(
        rss_bytes=resident_bytes(os.getpid()),
        objects=len(gc.get_objects()),
        blocks=sys.getallocatedblocks(),
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
        tasks=len(asyncio.all_tasks(loop)),
        timers=sum(not timer.cancelled() for timer in timers),
    )


def _tell(_signal: int, _frame: FrameType | None) -> None:
    print(json.dumps(asdict(take_census(asyncio.get_running_loop()))), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    sys.exit(cli.main(sys.argv[1:]))
