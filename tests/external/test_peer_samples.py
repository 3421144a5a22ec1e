"""Our samples against snmp_exporter's, one by one: names, types, helps, labels and values.

Both scrape the same agents over SNMP. These are recordings of real devices, and one device made up
for each module. The modules are snmp_exporter's own where they are at hand, else those of ours that
it can read. Debian's snmp_exporter is 0.21; what later ones do otherwise is in ``SINCE_0_21``, and
what we do otherwise on purpose is in ``ON_PURPOSE``. Nothing else may differ.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from exporters.config.snmp_config import Metric, Module, load_snmp_config
from exporters.demo.agent import SimulatedAgent
from exporters.demo.recording import Recording
from exporters.demo.snmprec import load_recording

from ..unit.snmp.made_up_devices import made_up_device
from .snmp_sides import Family, peer_config, read_families, serving

pytestmark = pytest.mark.peer("prometheus-snmp-exporter", "prometheus-snmp-exporter")

OUR_MODULES = ("if_mib", "system")

# Recordings of snmpsim-data, and the modules that fit the device.
DEVICES = {
    "cloud/arista-dcs-7150s-52-cl.snmprec.bz2": (
        "if_mib system hrStorage hrSystem hrDevice arista_sw ucd_la_table"
    ),
    "network/router/juniper-mx960-12-3r6-6.snmprec.bz2": (
        "if_mib system hrStorage hrSystem hrSWInstalled juniper juniper_optics"
    ),
    "network/switch/cisco-n5000.snmprec.bz2": "if_mib system ip_mib cisco_device cisco_fc_fe",
    "network/switch/hpe-procurve-516733-b21.snmprec.bz2": "if_mib system ip_mib hpe",
    "network/switch/dlink-des3200.snmprec.bz2": "if_mib system ip_mib dlink",
    "network/firewall/paloalto-pa-5000.snmprec.bz2": (
        "if_mib system hrDevice hrStorage hrSystem paloalto_fw"
    ),
    "network/wifi/ubiquiti-m5.snmprec.bz2": "if_mib system ubiquiti_airmax ubiquiti_airos",
    "UPS/apc-8932.snmprec": "if_mib system ip_mib apcups",
    "UPS/phoenixtec-power.snmprec.bz2": "if_mib system ups_mib powercom",
    "bmc/hp-onboard-administrator.snmprec.bz2": "if_mib hpe ucd_memory ucd_system_stats",
    "os/linux/unknown-006.snmprec.bz2": (
        "if_mib system ip_mib hrDevice hrStorage hrSystem hrSWRun hrSWRunPerf hrSWInstalled "
        "ucd_la_table ucd_memory ucd_system_stats"
    ),
    "os/windows/XP.snmprec.bz2": "if_mib system hrDevice hrStorage hrSWRun hrSWInstalled",
}

Change = Callable[[Metric, Family], Family]

JANUARY_1_OF_YEAR_0 = -62_167_219_200.0


def apply_scale_and_offset(metric: Metric, family: Family) -> Family:
    if not (metric.scale or metric.offset):
        return family
    scale = metric.scale or 1
    samples = {labels: v * scale + metric.offset for labels, v in family.samples.items()}
    return replace(family, samples=samples)


def name_enumerated_lookups(metric: Metric, family: Family) -> Family:
    names = {
        lookup.labelname: {str(number): text for number, text in lookup.enum_values.items()}
        for lookup in metric.lookups
        if lookup.type == "EnumAsInfo"
    }

    def named(label: str, text: str) -> tuple[str, str]:
        return label, names.get(label, {}).get(text, text)

    samples = {
        frozenset(named(*pair) for pair in labels): value
        for labels, value in family.samples.items()
    }
    return replace(family, samples=samples)


def leave_out_unknown_dates(metric: Metric, family: Family) -> Family:
    if metric.type != "DateAndTime":
        return family
    samples = {
        labels: value for labels, value in family.samples.items() if value != JANUARY_1_OF_YEAR_0
    }
    return replace(family, samples=samples)


SINCE_0_21: Mapping[str, Change] = {
    "scale and offset came with 0.22": apply_scale_and_offset,
    "enumerations have their names in lookups too": name_enumerated_lookups,
}
ON_PURPOSE: Mapping[str, Change] = {
    "1 January of the year 0 is how devices say that there was no such day (RFC 2790 s4.2), "
    "and no date to be served": leave_out_unknown_dates,
}
LEFT_OUT_FOR_0_21 = frozenset({"ParseDateAndTime"})
"""What ``peer_config`` leaves out; it came with 0.27."""

MADE_UP = "made up"

# Where snmp_exporter answers 500, and ours what can be had.
PEER_FAILS = {
    ("network/router/juniper-mx960-12-3r6-6.snmprec.bz2", "juniper"): (
        "rows without a name, whose index the module drops, become equal"
    ),
    (MADE_UP, "readynas"): "the module has metrics of one name with different help texts",
}


@dataclass(frozen=True)
class Sides:
    """The running exporters, and the modules that both have."""

    ours: str
    peer: str
    modules: Mapping[str, Module]


@pytest.fixture(scope="module")
def sides(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    upstream = repository.parent / "shared" / "peers" / "snmp_exporter-snmp.yml"
    if upstream.exists():
        files = [upstream]
    else:
        own = repository / "modules" / "snmp"
        files = [own / f"{name}.yml" for name in ("auths", *OUR_MODULES)]
    documents = [yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in files]
    modules: dict[str, Any] = {}
    for document in documents:
        modules |= document.get("modules", {})
    peer_file = tmp_path_factory.mktemp("peer") / "snmp.yml"
    peer_file.write_text(yaml.dump(peer_config(modules), Dumper=yaml.CSafeDumper))
    listen = "--web.listen-address=127.0.0.1:0"
    ours = [sys.executable, "-m", "exporters", "snmp", listen]
    ours += [f"--config.file={path}" for path in files]
    peer = ["prometheus-snmp-exporter", f"--config.file={peer_file}", listen]
    with serving(ours) as our_url, serving(peer) as peer_url:
        yield Sides(our_url, peer_url, load_snmp_config(files, environment={}).modules)


def family_name(metric: Metric) -> str:
    """The family of a metric that is no regex extract, as the parser names it."""
    if metric.type == "EnumAsInfo":
        return f"{metric.name}_info"
    return metric.name.removesuffix("_total") if metric.type == "counter" else metric.name


def as_ours(module: Module, families: dict[str, Family]) -> dict[str, Family]:
    """What the peer's families would be if it did as we do."""
    changed = dict(families)
    for metric in module.metrics:
        names = {metric.name + suffix for suffix in metric.regex_extracts} or {family_name(metric)}
        for name in names & changed.keys():
            for change in (*SINCE_0_21.values(), *ON_PURPOSE.values()):
                changed[name] = change(metric, changed[name])
    return {name: family for name, family in changed.items() if family.samples}


def differences(ours: Mapping[str, Family], peers: Mapping[str, Family]) -> list[str]:
    """Every family that is not the same, in words."""
    found: list[str] = []
    for name in sorted(ours.keys() | peers.keys()):
        left, right = ours.get(name), peers.get(name)
        if left is None or right is None:
            found.append(f"{name}: only {'the peer' if left is None else 'we'} have it")
        elif (left.kind, left.help) != (right.kind, right.help):
            found.append(f"{name}: {left.kind} {left.help!r}, peer {right.kind} {right.help!r}")
        elif left.samples != right.samples:
            only_ours = left.samples.items() - right.samples.items()
            only_peers = right.samples.items() - left.samples.items()
            found.append(f"{name}: {_some(only_ours)}, peer {_some(only_peers)}")
    return found


def _some(samples: Any) -> str:
    return ", ".join(f"{dict(labels)} {value}" for labels, value in sorted(samples, key=str)[:3])


async def scrape(
    http: aiohttp.ClientSession, url: str, module: str, address: tuple[Any, ...]
) -> tuple[int, str]:
    parameters = {"target": f"{address[0]}:{address[1]}", "module": module}
    async with http.get(f"{url}/snmp", params=parameters) as response:
        return response.status, await response.text()


async def compare(
    sides: Sides, device: str, recording: Recording, modules: list[str]
) -> dict[str, list[str]]:
    """Scrape a device from both sides; give what differs, by module."""
    agent = SimulatedAgent(recording)
    found: dict[str, list[str]] = {}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http,
        agent.serve("127.0.0.1", 0) as address,
    ):
        for name in modules:
            (our_status, our_text), (peer_status, peer_text) = await asyncio.gather(
                scrape(http, sides.ours, name, address), scrape(http, sides.peer, name, address)
            )
            assert our_status == 200, our_text
            if reason := PEER_FAILS.get((device, name)):
                assert peer_status == 500, f"{name}: {reason}"
                assert read_families(our_text)
                continue
            assert peer_status == 200, peer_text
            module = sides.modules[name]
            ours = {
                family: value
                for family, value in read_families(our_text).items()
                if family not in _left_out(module)
            }
            peers = as_ours(module, read_families(peer_text))
            if differing := differences(ours, peers):
                found[name] = differing
    return found


def _left_out(module: Module) -> set[str]:
    return {metric.name for metric in module.metrics if metric.type in LEFT_OUT_FOR_0_21}


@pytest.mark.parametrize("device", DEVICES, ids=lambda path: Path(path).name.partition(".")[0])
async def test_samples_of_a_recorded_device_are_the_peers(sides: Sides, device: str) -> None:
    package = find_spec("snmpsim_data")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the Python package snmpsim-data is not installed")
    path = Path(package.submodule_search_locations[0]) / "data" / device
    # Values that the recording computes would differ from one scrape to the next.
    recording = replace(load_recording(path), numeric={})
    modules = [name for name in DEVICES[device].split() if name in sides.modules]

    assert await compare(sides, device, recording, modules) == {}


async def test_samples_of_devices_made_up_for_each_module_are_the_peers(sides: Sides) -> None:
    found: dict[str, list[str]] = {}
    for name, module in sides.modules.items():
        recording = Recording.from_varbinds(made_up_device(module))
        found |= await compare(sides, MADE_UP, recording, [name])

    assert found == {}
