"""snmp_exporter beside ours, with the same modules and the same devices: the same samples.

The devices are recordings of real ones, with what real devices have: strings that are no UTF-8,
values of the wrong type, tables with holes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .agents import start_simulation
from .exporter import Exporter, start_exporter
from .exposition import of_the_device
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
    exporter: Exporter, peer: Exporter, programs: Programs, recordings_dir: Path, name: str
) -> None:
    _, agent = start_simulation(programs, recordings_dir / name)
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
