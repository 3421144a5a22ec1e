"""A network of pretend devices with all of the suite around it, in a network namespace.

Devices have addresses of the loopback interface. Their agents are in this process and can be made
to tell something else; pings are answered by the kernel, and nftables loses packets. The five
exporters, Prometheus and Alertmanager are processes, with the configuration that ships but for
addresses, and for times of what is polled (``hurried_scrapes``, ``hurried_rules``). Notifications
come to a server of the test's.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml
from aiohttp import web

from exporters.demo.agent import SimulatedAgent
from exporters.demo.faults import NO_FAULTS, Delivery
from exporters.demo.listeners import AgentCounts, listen_udp
from exporters.demo.snmprec import load_recording

from .agents import SYSTEM_ROWS, Row, write_recording
from .exporter import Exporter, start_exporter
from .processes import ENVIRONMENT, Programs, free_port

ALERT_RULES: Final = Path(__file__).resolve().parents[2] / "alert_rules"
PORTS: Final = 12
_SNMP_PORT: Final = 16100
_TRAP_PORT: Final = 16200
_SYSLOG_PORT: Final = 16300
_IF_ENTRY: Final = "1.3.6.1.2.1.2.2.1"
_IF_X_ENTRY: Final = "1.3.6.1.2.1.31.1.1.1"
_ALARM_ENTRY: Final = "1.3.6.1.2.1.16.3.1.1"
_EVENT_ENTRY: Final = "1.3.6.1.2.1.16.9.1.1"
ALARM_VARIABLE: Final = f"{_IF_ENTRY}.10.1"
RISING, FALLING = 5000, 1000
_OWN_PORTS: Final = {"snmp": 9116, "rmon": 9171, "icmp": 9374, "trap": 9162, "syslog": 9514}


@dataclass(slots=True)
class Device:
    """A device and what its agent tells."""

    name: str
    address: str
    labels: dict[str, str]
    down_ports: set[int] = field(default_factory=set)
    alarm_value: int = 0
    agent: SimulatedAgent | None = None

    def tell(self, folder: Path) -> None:
        """Have the agent tell what is so now."""
        path = folder / f"{self.name}.snmprec"
        write_recording(path, SYSTEM_ROWS, tuple(self._interfaces()), tuple(self._alarm()))
        self.agent = SimulatedAgent(load_recording(path))

    def answer(self, data: bytes) -> bytes | None:
        """Answer as the agent."""
        return self.agent.handle(data) if self.agent else None

    def _interfaces(self) -> Iterator[Row]:
        yield "1.3.6.1.2.1.2.1.0", 2, str(PORTS)
        for port in range(1, PORTS + 1):
            status = 2 if port in self.down_ports else 1
            for column, tag, value in (
                *((1, 2, port), (2, 4, long_name(port)), (3, 2, 6), (5, 66, 1_000_000_000)),
                *((7, 2, 1), (8, 2, status), (9, 67, 100), (10, 65, 5), (16, 65, 5)),
            ):
                yield f"{_IF_ENTRY}.{column}.{port}", tag, str(value)
            for column, tag, value in (
                *((1, 4, short_name(port)), (6, 70, 5), (10, 70, 5), (14, 2, 1)),
                *((15, 66, 1000), (18, 4, f"link {port}")),
            ):
                yield f"{_IF_X_ENTRY}.{column}.{port}", tag, str(value)

    def _alarm(self) -> Iterator[Row]:
        alarm = {
            1: 1,
            2: 30,
            4: 2,
            5: self.alarm_value,
            6: 1,
            7: RISING,
            8: FALLING,
            9: 1,
            10: 1,
            12: 1,
        }
        for column, number in alarm.items():
            yield f"{_ALARM_ENTRY}.{column}.1", 2, str(number)
        yield f"{_ALARM_ENTRY}.3.1", 6, ALARM_VARIABLE
        yield f"{_ALARM_ENTRY}.11.1", 4, "monitor"
        for column, tag, value in ((1, 2, 1), (2, 4, "load"), (3, 2, 4), (4, 4, ""), (7, 2, 1)):
            yield f"{_EVENT_ENTRY}.{column}.1", tag, str(value)


def short_name(port: int) -> str:
    """The name of an interface: ifName."""
    return f"Gi0/{port}"


def long_name(port: int) -> str:
    """The name that messages have: ifDescr."""
    return f"GigabitEthernet0/{port}"


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert in a notification."""

    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    at: float
    """When it came, by the monotonic clock."""

    def is_of(self, labels: Mapping[str, str]) -> bool:
        return labels.items() <= self.labels.items()


class Inbox:
    """What Alertmanager has told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self._came = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        """Take a notification, as Alertmanager posts it."""
        now = time.monotonic()
        for alert in (await request.json())["alerts"]:
            receiver = request.path.strip("/")
            labels, notes = alert["labels"], alert["annotations"]
            self.notices.append(Notice(receiver, alert["status"], labels, notes, now))
        async with self._came:
            self._came.notify_all()
        return web.Response()

    def all_of(self, status: str, labels: Mapping[str, str], since: float = 0) -> list[Notice]:
        """What has come of an alert since a time, in order."""
        return [
            notice
            for notice in self.notices
            if notice.status == status and notice.is_of(labels) and notice.at >= since
        ]

    async def wait_for(
        self, status: str, labels: Mapping[str, str], since: float = 0, seconds: float = 120
    ) -> Notice:
        """Wait for the first notice of an alert since a time."""
        try:
            async with asyncio.timeout(seconds), self._came:
                await self._came.wait_for(lambda: self.all_of(status, labels, since))
        except TimeoutError:
            raise TimeoutError(f"not within {seconds:g} s: {status} {labels}") from None
        return self.all_of(status, labels, since)[0]


class Fleet:
    """What runs, and what a test can do to it."""

    def __init__(self, programs: Programs, devices: list[Device]) -> None:
        self.programs = programs
        self.folder = programs.folder
        self.devices = {device.name: device for device in devices}
        self.inbox = Inbox()
        self.exporters: dict[str, Exporter] = {}
        self.prometheus = ""
        self.alertmanager = ""

    def tell(self, name: str) -> None:
        """Have an agent tell what its device is like now."""
        self.devices[name].tell(self.folder)

    def lose(self, name: str, *, percent: int) -> None:
        """Lose packets to a device: pings of it, or all there is (100)."""
        address = self.devices[name].address
        what = f"icmp type echo-request numgen random mod 100 < {percent}" if percent < 100 else ""
        self.run("nft", f"add table ip {name}")
        self.run("nft", f"add chain ip {name} input {{ type filter hook input priority 0 ; }}")
        self.run("nft", f"add rule ip {name} input ip daddr {address} {what} drop")

    def heal(self, name: str) -> None:
        """Let all packets to a device pass again."""
        self.run("nft", f"delete table ip {name}")

    def send_trap(self, name: str, *words: str, oid: str) -> None:
        """Send a trap of version 2c with net-snmp, from the address of its device."""
        device = self.devices[name]
        uptime = str(int(time.monotonic() * 100) % 2**31)
        command = ["snmptrap", "-v", "2c", "-c", "public", f"--clientaddr={device.address}"]
        command += [f"127.0.0.1:{_TRAP_PORT}", uptime, oid, *words]
        folder = self.folder / "net-snmp"
        self.run(*command, MIBS="", HOME="/nonexistent", SNMP_PERSISTENT_DIR=str(folder))

    def send_link_trap(self, name: str, port: int, *, up: bool) -> None:
        """Send the linkDown or linkUp of the standard, which tells the ifIndex alone."""
        self.send_trap(
            name,
            *(f"{_IF_ENTRY}.1.{port}", "i", str(port)),
            *(f"{_IF_ENTRY}.7.{port}", "i", "1"),
            *(f"{_IF_ENTRY}.8.{port}", "i", "1" if up else "2"),
            oid=f"1.3.6.1.6.3.1.1.5.{4 if up else 3}",
        )

    def send_alarm_trap(self, name: str, *, rising: bool) -> None:
        """Send the risingAlarm or fallingAlarm of RMON."""
        value, threshold = (RISING + 1, RISING) if rising else (FALLING - 1, FALLING)
        self.send_trap(
            name,
            *(f"{_ALARM_ENTRY}.1.1", "i", "1"),
            *(f"{_ALARM_ENTRY}.3.1", "o", ALARM_VARIABLE),
            *(f"{_ALARM_ENTRY}.4.1", "i", "2"),
            *(f"{_ALARM_ENTRY}.5.1", "i", str(value)),
            *(f"{_ALARM_ENTRY}.{7 if rising else 8}.1", "i", str(threshold)),
            oid=f"1.3.6.1.2.1.16.0.{1 if rising else 2}",
        )

    def send_link_message(self, name: str, port: int, *, up: bool) -> None:
        """Send a syslog message as Cisco IOS has it, from the address of its device."""
        state = "up" if up else "down"
        text = f"<187>42: %LINK-3-UPDOWN: Interface {long_name(port)}, changed state to {state}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind((self.devices[name].address, 0))
            line.sendto(text.encode(), ("127.0.0.1", _SYSLOG_PORT))

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask Prometheus."""
        url = f"http://{self.prometheus}/api/v1/query?query={quote(expression)}"
        result: list[dict[str, Any]] = (await _get(url))["data"]["result"]
        return result

    async def wait_for(self, expression: str, seconds: float = 90) -> list[dict[str, Any]]:
        """Wait until an expression has a result, and give it."""
        try:
            async with asyncio.timeout(seconds):
                while not (result := await self.query(expression)):  # noqa: ASYNC110 - a program's
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise TimeoutError(f"not within {seconds:g} s: {expression}") from None
        return result

    async def wait_until_suppressed(self, labels: Mapping[str, str], seconds: float = 30) -> None:
        """Wait until Alertmanager has an alert, and keeps it quiet because of another one."""
        try:
            async with asyncio.timeout(seconds):
                while not await self._is_suppressed(labels):  # noqa: ASYNC110 - a program's
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise TimeoutError(f"not within {seconds:g} s: {labels} is suppressed") from None

    async def _is_suppressed(self, labels: Mapping[str, str]) -> bool:
        alerts: Any = await _get(f"http://{self.alertmanager}/api/v2/alerts")
        return any(
            alert["status"]["inhibitedBy"]
            for alert in alerts
            if labels.items() <= alert["labels"].items()
        )

    def run(self, *words: str, **variables: str) -> None:
        """Run a command to its end."""
        environment = {**ENVIRONMENT, **variables}
        subprocess.run(words, check=True, capture_output=True, env=environment, timeout=30)


async def _get(url: str) -> Any:
    def read() -> Any:
        with urllib.request.urlopen(url, timeout=30) as response:
            return json.loads(response.read())

    return await asyncio.to_thread(read)


@asynccontextmanager
async def running_fleet(programs: Programs, devices: list[Device]) -> AsyncIterator[Fleet]:
    """Run all of it; call it in a network namespace."""
    fleet = Fleet(programs, devices)
    async with AsyncExitStack() as stack:
        for device in devices:
            device.tell(fleet.folder)
            delivery = Delivery(NO_FAULTS)
            await stack.enter_async_context(
                listen_udp(device.address, _SNMP_PORT, device.answer, delivery, AgentCounts())
            )
        inbox = await _serve_inbox(fleet.inbox, stack)
        await asyncio.to_thread(_start_exporters, fleet)
        await asyncio.to_thread(_start_alertmanager, fleet, inbox)
        await asyncio.to_thread(_start_prometheus, fleet)
        yield fleet


async def _serve_inbox(inbox: Inbox, stack: AsyncExitStack) -> str:
    app = web.Application()
    app.router.add_post("/{receiver}", inbox.take)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"


def _start_exporters(fleet: Fleet) -> None:
    folder = fleet.folder
    known = {"auth": "public_v2", "modules": ["if_mib", "system"]}
    devices = [
        {
            "name": device.name,
            "addresses": [device.address],
            "snmp_target": f"{device.address}:{_SNMP_PORT}",
            "labels": device.labels,
            **known,
        }
        for device in fleet.devices.values()
    ]
    inventory = folder / "devices.yml"
    inventory.write_text(yaml.safe_dump({"devices": devices}))
    group = {"devices": "all", "interval": "200ms", "timeout": "1s"}
    (folder / "icmp.yml").write_text(yaml.safe_dump({"groups": {"devices": group}}))
    flags = {
        "snmp": (),
        "rmon": (),
        "icmp": (f"--config.file={folder}/icmp.yml",),
        "trap": (
            f"--trap.listen-address=127.0.0.1:{_TRAP_PORT}",
            f"--events.state-file={folder}/trap.state",
        ),
        "syslog": (
            f"--syslog.listen-address=udp://127.0.0.1:{_SYSLOG_PORT}",
            f"--events.state-file={folder}/syslog.state",
        ),
    }
    for name, own in flags.items():
        fleet.exporters[name] = start_exporter(
            fleet.programs, f"--devices.file={inventory}", *own, name=name
        )


def _start_alertmanager(fleet: Fleet, inbox: str) -> None:
    text = (ALERT_RULES / "alertmanager.yml").read_text().replace("localhost:9999", inbox)
    path = fleet.folder / "alertmanager.yml"
    path.write_text(text)
    fleet.alertmanager = f"127.0.0.1:{free_port()}"
    fleet.programs.start(
        "prometheus-alertmanager",
        f"--config.file={path}",
        f"--storage.path={fleet.folder}/alertmanager",
        f"--web.listen-address={fleet.alertmanager}",
        "--cluster.listen-address=",
        "--log.level=warn",
    )


def _start_prometheus(fleet: Fleet) -> None:
    text = (ALERT_RULES / "prometheus.yml").read_text()
    text = text.replace("localhost:9093", fleet.alertmanager)
    for name, port in _OWN_PORTS.items():
        text = text.replace(f"localhost:{port}", f"127.0.0.1:{fleet.exporters[name].port}")
    folder = fleet.folder / "rules"
    folder.mkdir()
    (folder / "prometheus.yml").write_text(hurried_scrapes(text))
    for path in ALERT_RULES.glob("*.rules.yml"):
        (folder / path.name).write_text(hurried_rules(path.name, path.read_text()))
    fleet.prometheus = f"127.0.0.1:{free_port()}"
    program = fleet.programs.start(
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={fleet.folder}/tsdb",
        f"--web.listen-address={fleet.prometheus}",
        "--log.level=warn",
    )
    ready = Exporter(program, int(fleet.prometheus.rpartition(":")[2]))
    program.until(lambda: _answers(ready), "Prometheus is ready")


def _answers(http: Exporter) -> bool:
    try:
        return http.request("/-/ready").status == 200
    except ConnectionError:
        return False


def hurried_scrapes(text: str) -> str:
    """The configuration of Prometheus with what is polled polled every 5 seconds, pings every 2.

    What waits for traps and messages stays as it ships.
    """
    configuration = yaml.safe_load(text)
    configuration["global"]["evaluation_interval"] = "5s"
    intervals = {"netexporters": "2s", "snmp": "5s", "rmon": "5s"}
    for job in configuration["scrape_configs"]:
        if job["job_name"] in intervals:
            job["scrape_interval"] = intervals[job["job_name"]]
            job["scrape_timeout"] = "2s"
        for discovery in job.get("http_sd_configs", ()):
            discovery["refresh_interval"] = "2s"
    return str(yaml.safe_dump(configuration))


def hurried_rules(name: str, text: str) -> str:
    """The rules with all groups as quick as those of events, and loss soon seen and forgotten."""
    text = re.sub(r"^    interval: (?:15|30)s$", "    interval: 5s", text, flags=re.MULTILINE)
    if name == "icmp.rules.yml":
        text = text.replace("[5m]", "[30s]").replace("for: 2m", "for: 90s")
    return text.replace("keep_firing_for: 2m", "keep_firing_for: 30s")
