"""snmp_exporter beside ours, with the same modules and the same devices: the same samples.

The devices are recordings of real ones, with what real devices have: strings that are no UTF-8,
values of the wrong type, tables with holes.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from .agents import start_simulation
from .exporter import Exporter, start_exporter
from .exposition import Exposition, Series
from .processes import Programs
from .snmp_exporter import start_snmp_exporter

pytestmark = pytest.mark.peer("prometheus-snmp-exporter", "prometheus-snmp-exporter")

MODULES = ("system", "if_mib")
RECORDINGS = [
    "UPS/apc-7902b.snmprec",
    "network/switch/cisco-c3560.snmprec.bz2",
    "network/switch/dcrs-5980-28t-dc.snmprec.bz2",
    "network/switch/metel-poe-box.snmprec.bz2",
]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs) -> Exporter:
    return start_exporter(module_programs)


@pytest.fixture(scope="module")
def peer(module_programs: Programs, repository: Path) -> Exporter:
    return start_snmp_exporter(module_programs, repository, *MODULES)


@pytest.mark.parametrize("name", RECORDINGS)
def test_samples_are_those_of_snmp_exporter(
    exporter: Exporter, peer: Exporter, programs: Programs, name: str
) -> None:
    found = find_spec("snmpsim_data")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the Python package snmpsim-data is not installed")
    recording = Path(found.submodule_search_locations[0]) / "data" / name
    _, agent = start_simulation(programs, recording)
    for module in MODULES:
        ours = exporter.scrape(agent, module).exposition
        theirs = peer.scrape(agent, module).exposition
        assert of_the_device(ours) == of_the_device(theirs)
        metrics = {metric for metric, _ in of_the_device(ours)}
        assert len(metrics) > 5
        for metric in metrics:
            assert ours.types[metric] == theirs.types[metric]
            assert ours.helps[metric] == theirs.helps[metric]
        # What a scrape says of itself has the peer's names, too.
        assert {metric for metric, _ in theirs.samples} <= {metric for metric, _ in ours.samples}


def of_the_device(exposition: Exposition) -> dict[Series, float]:
    return {key: v for key, v in exposition.samples.items() if not key[0].startswith("snmp_")}
