"""What the OID dictionary costs: to start with, to keep, to look something up in, to compile.

    python -m benchmarks.mibs                     the modules that ship
    python -m benchmarks.mibs --mibs DIRECTORY    and compiling the MIB files of a directory

Times are CPU times, so that other work of the machine matters little. Each number of the start is
the median over processes that do nothing else.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.table import markdown
from exporters.mibs.compiling import compile_sources
from exporters.mibs.opening import open_with_directories
from exporters.mibs.sources import SourceReader, find_sources
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import Kind, MibObject
from exporters.wire.ber import encode_subids

_T = TypeVar("_T")

PROCESSES = 9
SAMPLE = 20_000
SEARCHES = ("if", "ifHCIn", "octets", "table", "IF-MIB::if", "1.3.6.1.2.1.2")

# An exporter imports what it always does; what the dictionary adds is measured after that.
START = """
import json, resource, time
import exporters.snmp.exporter
from exporters.mibs.on_demand import DictionaryOnDemand

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

told = {}
before, started = resident(), time.process_time()
dictionary = DictionaryOnDemand((), None)
told["not used, ms"] = (time.process_time() - started) * 1e3
told["not used, MB"] = resident() - before
assert dictionary.get().find("IF-MIB::ifDescr") is not None
told["first look-up, ms"] = (time.process_time() - started) * 1e3
told["first look-up, MB"] = resident() - before
for module in dictionary.get().modules:
    dictionary.get().stores[0].text(module).types
told["every module touched, MB"] = resident() - before
dictionary.get().search("table")
told["and a search, MB"] = resident() - before
print(json.dumps(told))
"""


def main() -> int:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description="What the OID dictionary costs.")
    parser.add_argument("--mibs", type=Path, help="compile the MIB files of this directory too")
    arguments = parser.parse_args()
    dictionary = open_with_directories((), None).dictionary
    objects = [item for name in dictionary.modules for item in _objects(dictionary, name)]
    print(f"{len(dictionary.modules)} modules, {len(objects)} objects\n")
    gc.collect()
    gc.freeze()  # the collector would go through all these objects, which no exporter holds
    _print("start", start())
    _print("look-up", look_ups(dictionary, objects))
    _print("search", searches(dictionary))
    if arguments.mibs is not None:
        _print("compile", compiling(arguments.mibs))
    return 0


def _objects(dictionary: Dictionary, module: str) -> Sequence[MibObject]:
    linked = dictionary.module(module)
    return () if linked is None else linked.objects


def _print(what: str, rows: Iterator[tuple[str, str]]) -> None:
    print(markdown((what, ""), list(rows)), end="\n\n")


def start() -> Iterator[tuple[str, str]]:
    """What an exporter needs for the dictionary, used and not used."""
    command = [sys.executable, "-c", START]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(PROCESSES)
    ]
    for key in runs[0]:
        what, _, unit = key.rpartition(", ")
        yield what, f"{statistics.median(run[key] for run in runs):.1f} {unit}"


def look_ups(dictionary: Dictionary, objects: Sequence[MibObject]) -> Iterator[tuple[str, str]]:
    """Look-ups of any objects in any order: most of them read a module's file."""
    sample = random.Random(1).sample(objects, SAMPLE)  # the same one each time
    leaves = [item for item in objects if item.kind in (Kind.COLUMN, Kind.SCALAR)]
    instances = [item.oid + encode_subids((7,)) for item in random.Random(2).sample(leaves, SAMPLE)]
    one_module = [item.oid for item in _objects(dictionary, "IF-MIB")] * 300
    yield "by name", _times(dictionary.by_name, [item.name for item in sample])
    yield "by MIB::name", _times(dictionary.by_qualified, [item.qualified_name for item in sample])
    yield "by OID, with an instance", _times(dictionary.by_oid, instances)
    yield "by OID, of one module", _times(dictionary.by_oid, one_module)
    yield "an OID to a name with its instance", _times(dictionary.format_oid_named, instances)


def _times(look_up: Callable[[_T], object], asked: Sequence[_T]) -> str:
    microseconds = []
    for what in asked:
        started = time.thread_time_ns()
        look_up(what)
        microseconds.append((time.thread_time_ns() - started) / 1000)
    cuts = statistics.quantiles(microseconds, n=100)
    return f"p50 {cuts[49]:.0f} us, p99 {cuts[98]:.0f} us, most {max(microseconds):.0f} us"


def searches(dictionary: Dictionary) -> Iterator[tuple[str, str]]:
    """Searches, each of which may read every module."""
    for text in SEARCHES:
        milliseconds = []
        for _ in range(5):
            started = time.thread_time()
            dictionary.search(text, limit=51)
            milliseconds.append((time.thread_time() - started) * 1e3)
        yield text, f"{statistics.median(milliseconds):.0f} ms"


def compiling(directory: Path) -> Iterator[tuple[str, str]]:
    """Compile a directory, first from nothing, then with what was read in a cache."""
    with tempfile.TemporaryDirectory() as cache:
        for when in ("for the first time", "with what was read before"):
            started = time.process_time()
            compilation = compile_sources(
                find_sources([directory]), SourceReader(Path(cache)), Dictionary()
            )
            yield f"all modules, {when}", f"{time.process_time() - started:.1f} s"
    count = len(compilation.modules)
    whole = sum(not module.lost for module in compilation.modules)
    yield "modules whose objects all have an OID", f"{whole} of {count}, {whole / count:.1%}"
    complete = sum(module.complete for module in compilation.modules)
    yield "modules without any gap", f"{complete} of {count}, {complete / count:.1%}"


if __name__ == "__main__":
    sys.exit(main())
