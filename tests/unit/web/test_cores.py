"""The cores that --workers=auto counts."""

from __future__ import annotations

import os

import pytest

from exporters.web.cores import usable_cores

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("own", "quotas", "cores"),
    [
        ("0::/", {}, CORES),
        ("0::/", {"": "max 100000"}, CORES),
        ("0::/", {"": "100000 100000"}, 1),
        ("0::/", {"": "10000 100000"}, 1),
        ("0::/", {"": "6400000 100000"}, min(64, CORES)),
        ("0::/", {"": "nonsense"}, CORES),
        ("0::/", {"": "1 0"}, CORES),
        ("12:cpu:/x\n0::/system.slice/a.service", {"system.slice/a.service": "50000 100000"}, 1),
        ("0::/system.slice/a.service", {"system.slice": "100000 100000"}, 1),
        ("12:cpu:/x", {"x": "100000 100000"}, CORES),
        ("0::/../../outside", {}, CORES),
    ],
)
def test_cores_are_those_of_the_affinity_within_the_quota(tmp_path, own, quotas, cores):
    own_cgroup = tmp_path / "cgroup"
    own_cgroup.write_text(f"{own}\n")
    cgroups = tmp_path / "cgroups"
    for path, quota in quotas.items():
        (cgroups / path).mkdir(parents=True)
        (cgroups / path / "cpu.max").write_text(f"{quota}\n")
    assert usable_cores(cgroups, own_cgroup) == cores


def test_cores_without_cgroups(tmp_path):
    assert usable_cores(tmp_path / "none", tmp_path / "neither") == CORES
