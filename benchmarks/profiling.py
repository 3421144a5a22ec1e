"""Where a process spends its time: py-spy's samples, added up by function.

On a machine whose cores are all busy py-spy runs when a core gets free, which is when the process
makes a system call. Then what sends, receives and waits looks costlier than it is; the race's CPU
times are not concerned.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.table import aligned

_SAMPLES_PER_SECOND: Final = 500
# Threads that wait for work, which py-spy takes for busy ones.
_WAITING: Final = ("_write_lines (", "_worker (concurrent/futures/thread.py")


class Profiler:
    """py-spy, looking at one process for some seconds."""

    def __init__(self, pid: int, seconds: float, stacks: Path) -> None:
        """Start it; it writes folded stacks to the file *stacks*.

        Raises:
            RuntimeError: py-spy is not installed.
        """
        beside = Path(sys.executable).with_name("py-spy")
        program = str(beside) if beside.exists() else shutil.which("py-spy")
        if program is None:
            raise RuntimeError("py-spy is missing: pip install py-spy")
        self._stacks = stacks
        self._seconds = seconds
        self._process = subprocess.Popen(
            [
                program,
                "record",
                f"--pid={pid}",
                f"--duration={max(1, round(seconds))}",
                f"--rate={_SAMPLES_PER_SECOND}",
                "--format=raw",
                f"--output={stacks}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> list[str]:
        """Wait for the end; give the folded stacks.

        Raises:
            RuntimeError: It could not look at the process.
        """
        _, errors = self._process.communicate(timeout=self._seconds + 60)
        if self._process.returncode != 0:
            raise RuntimeError(f"py-spy failed; it may need root: {errors.strip()}")
        return self._stacks.read_text().splitlines()


def top_functions(stacks: Iterable[str], count: int) -> str:
    """A table of the functions that take most time themselves, and with what they call."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks:
        folded, _, samples = line.rpartition(" ")
        if any(leaf in folded.rpartition(";")[2] for leaf in _WAITING):
            continue
        frames = [_function(frame) for frame in folded.split(";")]
        own[frames[-1]] += int(samples)
        for frame in set(frames):
            whole[frame] += int(samples)
    total = own.total()
    rows = [
        (name, f"{samples / total:.1%}", f"{whole[name] / total:.1%}")
        for name, samples in own.most_common(count)
    ]
    return aligned(("function", "self", "with callees"), rows)


def _function(frame: str) -> str:
    """``name (package/file.py)`` of ``name (/long/path/package/file.py:12)``."""
    name, _, where = frame.rpartition(" (")
    path, _, line = where.removesuffix(")").rpartition(":")
    place = path if line.isdigit() else where.removesuffix(")")
    return f"{name} ({'/'.join(Path(place).parts[-2:])})"
