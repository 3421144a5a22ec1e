"""What the dictionary may cost; ``make bench-mibs`` tells what it does cost."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from exporters.smi.dictionary import Dictionary
from exporters.wire.ber import encode_subids

# CPU time and memory of a process that has all that an exporter has, and then the dictionary too.
START = """
import json, resource, time
import exporters.snmp.exporter
from exporters.mibs.on_demand import DictionaryOnDemand

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

before, started = resident(), time.process_time()
dictionary = DictionaryOnDemand((), None).get()
assert dictionary.find("IF-MIB::ifDescr") is not None
seconds = time.process_time() - started
for module in dictionary.modules:
    for name in ("a", "b"):
        dictionary.find(f"{module}::{name}")
dictionary.search("table")
print(json.dumps([seconds, resident() - before]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_process_that_uses_the_dictionary_pays_little() -> None:
    run = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=120
    )
    seconds, size = json.loads(run.stdout)

    assert seconds < 0.3
    assert size < 30_000_000


@pytest.fixture(scope="module")
def names(shipped: Dictionary) -> list[str]:
    """Objects from anywhere, so that most look-ups read a file."""
    modules = random.Random(1).sample(shipped.modules, 150)
    linked = filter(None, map(shipped.module, modules))
    return [item.qualified_name for module in linked for item in module.objects[::40]]


@pytest.mark.parametrize("way", ["name", "qualified name", "OID"])
def test_a_look_up_takes_less_than_a_millisecond(
    shipped: Dictionary, names: list[str], way: str
) -> None:
    look_up: Callable[[str], object]
    match way:
        case "name":
            asked, look_up = [name.partition("::")[2] for name in names], shipped.by_name
        case "qualified name":
            asked, look_up = list(names), shipped.by_qualified
        case _:
            oids = {name: shipped.find(name).oid + encode_subids((1, 2)) for name in names}
            asked, look_up = list(names), lambda name: shipped.by_oid(oids[name])
    random.Random(2).shuffle(asked)

    milliseconds = []
    for what in asked:
        started = time.thread_time()
        assert look_up(what)
        milliseconds.append((time.thread_time() - started) * 1e3)

    assert len(milliseconds) > 300
    assert statistics.quantiles(milliseconds, n=100)[98] < 1
