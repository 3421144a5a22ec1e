"""What ``auto`` chooses of the modules that snmp_exporter ships, on recordings of real devices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from exporters.config.snmp_config import load_snmp_config
from exporters.demo.mib_view import MibView
from exporters.demo.responder import Responder
from exporters.demo.snmprec import load_recording
from exporters.snmp.plan import compile_module
from exporters.snmp.survey import Candidates
from exporters.wire.snmp_message import Version

from ..sockets.pretend_time import in_pretend_time
from .test_module_choice import Target

HOST_RESOURCES = ("hrDevice", "hrStorage", "hrSystem")
SERVER = (*HOST_RESOURCES, "hrSWRun", "hrSWRunPerf", "if_mib", "system")
NET_SNMP = ("ucd_la_table", "ucd_memory", "ucd_system_stats")
CHOSEN = {
    "UPS/apc-8932.snmprec": ("apcups", "if_mib", "ip_mib", "system"),
    "UPS/eaton-93e-80.snmprec.bz2": ("if_mib", "ip_mib", "system", "ups_mib"),
    "cloud/arista-dcs-7150s-52-cl.snmprec.bz2": (
        *("arista_sw", "if_mib", "system", "ucd_la_table"),
        *HOST_RESOURCES,
    ),
    "network/firewall/paloalto-pa-5000.snmprec.bz2": (
        *("if_mib", "paloalto_fw", "system"),
        *HOST_RESOURCES,
    ),
    "network/router/cisco-unmarked-0.snmprec.bz2": ("cisco_device", "if_mib", "system"),
    "network/switch/dlink-des3038.snmprec.bz2": ("dlink", "if_mib", "system"),
    "network/wifi/ubiquiti-m5.snmprec.bz2": (
        *("if_mib", "system", "ubiquiti_airmax", "ubiquiti_airos"),
    ),
    "os/linux/slackware.snmprec.bz2": (*SERVER, *NET_SNMP),
    "os/windows/server-2003-5-2.snmprec.bz2": (*SERVER, "hrSWInstalled"),
}


@pytest.fixture(scope="module")
def upstream(shared_dir: Path) -> Candidates:
    path = shared_dir / "peers" / "snmp_exporter-snmp.yml"
    modules = load_snmp_config([path], environment={}).modules
    return Candidates({name: compile_module(name, module) for name, module in modules.items()})


@pytest.mark.parametrize(
    ("version", "most_packets"),
    [pytest.param(Version.V1, 20, id="v1"), pytest.param(Version.V2C, 5, id="v2c")],
)
@pytest.mark.parametrize(("recording", "modules"), CHOSEN.items(), ids=CHOSEN)
@in_pretend_time
async def test_a_real_device_gets_its_modules_in_few_packets(
    upstream: Candidates,
    recordings_dir: Path,
    recording: str,
    modules: Sequence[str],
    version: int,
    most_packets: int,
) -> None:
    agent = Responder(MibView(load_recording(recordings_dir / recording)))
    target = Target([], agent=agent, version=version)

    wanted = await target.scrape(upstream)

    assert sorted(wanted.names) == sorted(modules)
    assert target.packets <= most_packets
