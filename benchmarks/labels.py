"""What ``lookup_cache`` saves: this exporter with labels from memory beside the same without.

    python -m benchmarks.labels [CASE...]              one or two minutes

The cases are those of ``benchmarks.cases``; docs/benchmarks.md has the results.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import yaml

from benchmarks.cases import choose_cases
from benchmarks.race import Effort, Result, run_case
from benchmarks.snmp_agents import Agents
from benchmarks.snmp_exporters import MODULE, our_exporter
from benchmarks.table import aligned
from exporters.bundled import modules_directory

_CASES = ("arista/loopback/v2c/c1", "arista/50ms/v2c/c1", "juniper/loopback/v2c/c1")
_EFFORT = Effort(seconds=1.5, rounds=12, case_seconds=60.0, encoding="gzip")
_HEADER = ("case", "packets", "CPU ms", "ratio", "p50 ms", "ratio", "answers equal")


def main() -> int:
    """Measure the cases that the command line names; give the exit status."""
    cases = choose_cases(sys.argv[1:] or list(_CASES), quick=False)
    with tempfile.TemporaryDirectory(prefix="bench-labels-") as name, ExitStack() as stack:
        folder = Path(name)
        document = yaml.safe_load((modules_directory("snmp") / f"{MODULE}.yml").read_text())
        document["modules"][MODULE]["lookup_cache"] = "1h"
        remembering = folder / "remembering.yml"
        remembering.write_text(yaml.safe_dump(document))
        runners = (
            replace(our_exporter(folder, remembering), name="from memory"),
            replace(our_exporter(folder), name="read"),
        )
        agents = Agents(stack, folder, cases)
        rows = [_row(run_case(case, agents, runners, _EFFORT)) for case in cases]
    print(aligned(_HEADER, rows))
    return 0


def _row(result: Result) -> list[str]:
    kept, read = result.ours, result.peers
    return [
        result.case.name,
        f"{kept.packets:g} / {read.packets:g}",
        f"{kept.cpu * 1e3:.2f} / {read.cpu * 1e3:.2f}",
        f"{kept.cpu / read.cpu:.2f}",
        f"{kept.p50 * 1e3:.3g} / {read.p50 * 1e3:.3g}",
        f"{kept.p50 / read.p50:.2f}",
        "no: " + result.differences[0] if result.differences else "yes",
    ]


if __name__ == "__main__":
    sys.exit(main())
