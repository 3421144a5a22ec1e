"""What the golden scrapes say is what the exporters serve: each is made anew, and compared.

``NETEXPORTERS_WRITE_GOLDEN=1 pytest tests/integration/test_golden_scrapes.py`` writes them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from exporters.demo.pretend_network import PRETEND_NETWORK
from exporters.demo.snmprec import format_line
from tests.golden import FOLDER, Series, golden_text, read_series, shape

from .agents import start_simulation
from .exporter import Exporter, start_exporter
from .inside import inside
from .namespaces import EchoNetwork, echo_network, needs_root, network_namespace
from .processes import Programs, until
from .trap_exporter import COLD_START, LINK_DOWN, TrapExporter, link_trap, snmptrap

WRITE = os.environ.get("NETEXPORTERS_WRITE_GOLDEN") == "1"
ON_BATTERY = "1.3.6.1.2.1.33.2.1"
RISING_ALARM = "1.3.6.1.2.1.16.0.1"
ALARM = "1.3.6.1.2.1.16.3.1.1"
USER = ("-v", "3", "-e", "0x80001f8801020304", "-u", "nms", "-l", "authNoPriv", "-a", "SHA")
TRAPS = """
communities: [public]
users:
  - {username: nms, security_level: authNoPriv, auth_protocol: SHA, password: authentic1}
"""


def compare(name: str, *texts: str) -> None:
    """Hold a golden file against scrapes; every shape of its series must be in one of them."""
    path = FOLDER / f"{name}.series"
    served = [series for text in texts for series in read_series(text)]
    assert served
    if WRITE:
        path.write_text(golden_text(served))
    missing = {shape(one): one for one in read_series(path.read_text())}
    for series in served:
        missing.pop(shape(series), None)
    assert [Series.line(one) for one in missing.values()] == []


@pytest.fixture
def router(programs: Programs) -> str:
    """A router with interfaces of every state, and RMON."""
    path = programs.folder / "router.snmprec"
    path.write_text("".join(f"{format_line(*row)}\n" for row in PRETEND_NETWORK[-1].recording()))
    return start_simulation(programs, path, "--moving", "--rmon=2")[1]


def test_snmp(programs: Programs, router: str) -> None:
    exporter = start_exporter(programs)
    read = exporter.scrape(router, "if_mib", "system")
    silent = exporter.scrape("127.0.0.1:1", "if_mib", failure="metrics")
    compare("snmp_target", read.text, silent.text)
    compare("snmp", exporter.request("/metrics").text)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("snmp", ()),
        ("syslog", ("--syslog.listen-address=udp://127.0.0.1:0",)),
        ("trap", ("--trap.listen-address=127.0.0.1:0",)),
    ],
    ids=("snmp", "syslog", "trap"),
)
def test_workers(programs: Programs, name: str, addresses: Sequence[str]) -> None:
    state = f"--events.state-file={programs.folder}/state"
    flags = (*addresses, state) if addresses else ()
    exporter = start_exporter(programs, "--workers=2", *flags, name=name)
    compare(f"{name}_workers", exporter.request("/metrics").text)


def test_rmon(programs: Programs, router: str, recordings_dir: Path) -> None:
    exporter = start_exporter(programs, name="rmon")
    recording = recordings_dir / "network" / "appliance" / "cisco-unknown-01.snmprec.bz2"
    switch = start_simulation(programs, recording)[1]
    for name, target in (("rmon_target", router), ("rmon_recorded", switch)):
        answer = exporter.request(f"/rmon?target={target}&auth=public_v2")
        assert answer.status == 200
        compare(name, answer.text)
    compare("rmon", exporter.request("/metrics").text)


@pytest.fixture
def network() -> Iterator[EchoNetwork]:
    with network_namespace() as namespace:
        namespace.allow_ping_sockets(allowed=True)
        with echo_network(namespace) as network, inside(namespace):
            yield network


@needs_root
@pytest.mark.peer("ip", "iproute2")
def test_icmp(programs: Programs, network: EchoNetwork) -> None:
    network.change({"10.9.0.3": {"error": [3, 1], "reporter": "10.9.0.4"}})
    devices = {"devices": "all", "interval": "200ms", "path": True, "pmtu": True}
    (programs.folder / "icmp.yml").write_text(yaml.safe_dump({"groups": {"devices": devices}}))
    labels = {"site": "seoul", "role": "core"}
    inventory = [
        {"name": f"core-{n}", "addresses": [f"10.9.0.{n}"], "labels": labels} for n in (2, 3)
    ]
    (programs.folder / "devices.yml").write_text(yaml.safe_dump({"devices": inventory}))
    exporter = start_exporter(
        programs,
        f"--config.file={programs.folder}/icmp.yml",
        f"--devices.file={programs.folder}/devices.yml",
        name="icmp",
    )
    wanted = ("icmp_path_mtu_bytes{", "icmp_path_hop_rtt_seconds{", "icmp_error_info{")
    text = wait_for(exporter, lambda text: all(f"\n{name}" in text for name in wanted))
    compare("icmp", text)


@pytest.mark.peer("snmptrap", "snmp")
def test_trap(programs: Programs) -> None:
    exporter = TrapExporter(programs, TRAPS)
    to = exporter.target
    link_trap(to, uptime=9000)
    assert snmptrap("-v", "2c", "-c", "public", to, "100", COLD_START).returncode == 0
    assert snmptrap("-v", "2c", "-c", "wrong", to, "200", LINK_DOWN).returncode == 0
    assert snmptrap("-v", "2c", "-c", "public", to, "300", ON_BATTERY).returncode == 0
    link_trap(to, uptime=400)
    alarm = ((1, "i", "1"), (3, "o", "1.3.6.1.2.1.2.2.1.10.1"), (5, "i", "9"))
    words = [word for column, *value in alarm for word in (f"{ALARM}.{column}.1", *value)]
    assert snmptrap("-v", "2c", "-c", "public", to, "500", RISING_ALARM, *words).returncode == 0
    for boots in ("5,1000", "4,1000"):  # the second one is too old
        sent = snmptrap(*USER, "-A", "authentic1", "-Z", boots, to, "600", LINK_DOWN)
        assert sent.returncode == 0
    exporter.wait_for_outcome("time_window", 1)
    compare("trap", exporter.http.request("/metrics").text)


def test_syslog(programs: Programs) -> None:
    devices = [{"name": "core-sw-01", "addresses": ["127.0.0.1"], "timezone": "Asia/Seoul"}]
    (programs.folder / "devices.yml").write_text(yaml.safe_dump({"devices": devices}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
    exporter = start_exporter(
        programs,
        f"--syslog.listen-address=udp://127.0.0.1:{port}",
        f"--syslog.listen-address=tcp://127.0.0.1:{port}",
        f"--devices.file={programs.folder}/devices.yml",
        f"--events.state-file={programs.folder}/syslog.state",
        name="syslog",
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for text in MESSAGES:
            line.sendto(text.encode(), ("127.0.0.1", port))
    wanted = ("network_event_active{", "syslog_clock_skew_seconds{", "syslog_clock_unsynchronised{")
    text = wait_for(exporter, lambda text: all(f"\n{name}" in text for name in wanted))
    compare("syslog", text)


MESSAGES = (
    "<187>42: %LINK-3-UPDOWN: Interface GigabitEthernet0/7, changed state to down",
    "<36>Oct 11 22:14:15 core-sw-01 app: hello",
    "<36>hello",
    "<184>a message of severity emergency that no rule knows",
    "<186>one of severity critical",
    "<187>43: *Mar 15 10:05:53.044: %SW_MATM-4-MACFLAP_NOTIF: Host 0000.5e00.5301 in vlan 7 is"
    " flapping between port Gi0/1 and port Gi0/2",
)
"""The last one has a time, of a clock that was never set: it is the newest that is looked at."""


def wait_for(exporter: Exporter, condition: Callable[[str], bool]) -> str:
    """Scrape until a condition holds; give that scrape."""

    def scrape() -> str:
        text = exporter.request("/metrics").text
        return text if condition(text) else ""

    return until(scrape, "the exporter has told everything")
