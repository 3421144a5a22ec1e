"""How many cores this process may use: its affinity, and the CPU quota of its container.

A container sees all cores of its machine, however few of them it may keep busy.

Sources: sched_getaffinity(2); Linux' documentation of cgroup v2, cpu.max ("$QUOTA $PERIOD").
"""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores(cgroups: Path = _CGROUPS, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Return the number of cores, a part of one counted as a whole, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = [_quota(directory / "cpu.max") for directory in _directories(cgroups, own_cgroup)]
    return max(1, min([allowed or 1, *(math.ceil(quota) for quota in quotas if quota)]))


def _directories(cgroups: Path, own_cgroup: Path) -> list[Path]:
    """The group of this process and those that it lies in; a container sees only its own."""
    try:
        lines = own_cgroup.read_text().splitlines()
    except OSError:
        return [cgroups]
    path = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "/")
    own = cgroups / path.strip("/")
    return [own, *(parent for parent in own.parents if parent.is_relative_to(cgroups))]


def _quota(file: Path) -> float | None:
    try:
        quota, period = file.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # There is none, or it is "max"
