"""Programs that a benchmark starts, watches through /proc, and ends by their pids. Linux only."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_PER_PROCESS_CLOCK: Final = 2
"""``CPUCLOCK_SCHED`` of the kernel's include/linux/posix-timers.h."""

Found = TypeVar("Found")


class Program:
    """A program that runs in the background, with its output in files."""

    def __init__(self, stack: ExitStack, folder: Path, name: str, command: Sequence[str]) -> None:
        """Start it; it ends with *stack*.

        A session of its own keeps Ctrl-C from it, so that programs end in order.
        """
        self.name = name
        number = len(list(folder.glob(f"{name}-*.out")))
        self._out = folder / f"{name}-{number}.out"
        self._errors = folder / f"{name}-{number}.err"
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
        stack.callback(self.end)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has written to stdout."""
        return self._out.read_text(errors="replace")

    @property
    def errors(self) -> str:
        """What it has written to stderr."""
        return self._errors.read_text(errors="replace")

    def until(self, condition: Callable[[], Found | None], what: str) -> Found:
        """Wait until *condition* gives something.

        Raises:
            RuntimeError: The program has ended, or it takes too long.
        """
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while (found := condition()) is None:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} has ended:\n{self.output}\n{self.errors}")
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"{self.name}: not in {PATIENCE_SECONDS:g} s: {what}")
            time.sleep(_POLL_SECONDS)
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def wait(self) -> None:
        """Wait until it has ended by itself.

        Raises:
            subprocess.TimeoutExpired: It takes too long.
        """
        self._process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Ask it to end, and insist if it does not."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pids(self) -> list[int]:
        """Its own, and those of its workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def cpu_seconds(self) -> float:
        """User and system time of all its threads and workers so far.

        utime and stime of /proc/PID/stat, but in nanoseconds instead of ticks of 10 ms: from the
        clock that clock_getcpuclockid(3) names.
        """
        return sum(time.clock_gettime((~pid << 3) | _PER_PROCESS_CLOCK) for pid in self.pids)

    def resident_bytes(self) -> int:
        """The memory that it has resident, what its workers share with it once (Pss)."""
        rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids)
        found = (re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE) for rollup in rollups)
        return sum(int(match[1]) * 1024 for match in found if match)

    def peak_rss_bytes(self) -> int:
        """The most memory that it has ever had resident (VmHWM)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"the kernel tells no VmHWM of {self.name}")
