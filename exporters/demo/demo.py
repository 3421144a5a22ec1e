"""``netexporters demo``: the exporters against a pretend network, and a Prometheus if there is one.

Starts simulated devices in this process and every exporter in a process of its own, as a user
would; prints what to open and one sample of what is collected; ends with Ctrl-C, or after
``--duration`` with a check that every device was scraped. All of it is on the loopback interface,
and nothing is left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from exporters.bundled import modules_directory
from exporters.demo import pinged_devices
from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.announcement import announcement
from exporters.demo.children import Child, free_port, start_child
from exporters.demo.demo_prometheus import SCRAPE_INTERVAL, start_prometheus
from exporters.demo.event_exporters import Line, start_syslog_exporter, start_trap_exporter
from exporters.demo.incidents import Incidents
from exporters.demo.logging_devices import LogSender
from exporters.demo.outcome import unseen
from exporters.demo.pretend_network import PRETEND_NETWORK, PretendDevice
from exporters.demo.rmon_probe import Rmon
from exporters.demo.running_demo import RunningDemo
from exporters.demo.trapping_devices import TrapSender
from exporters.errors import NetexportersError
from exporters.wire.usm import AuthProtocol, PrivProtocol, UsmUser

_READY_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_SNMP_PORT: Final = 9116
_ICMP_PORT: Final = 9374
_RMON_PORT: Final = 9171
_TRAP_PORT: Final = 9162
_SYSLOG_PORT: Final = 9514
_PROBED_PORTS: Final = 4
"""Interfaces of each device that its RMON tables are about."""

_USER: Final = UsmUser(
    "demo", AuthProtocol.SHA256, "demo-authentication", PrivProtocol.AES, "demo-privacy"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--duration",
        metavar="SECONDS",
        type=float,
        default=None,
        help="end after this time, and fail unless every device was scraped (default: Ctrl-C)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; the exit code is 0 if all went as it should."""
    return asyncio.run(_demo(arguments.duration))


async def _demo(duration: float | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        demo = await _start(stack)
        sys.stdout.write(await announcement(demo))
        sys.stdout.flush()
        if await _stopped_within(duration, demo, stop):
            return 0
        return await _check(demo)


async def _start(stack: AsyncExitStack) -> RunningDemo:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netexporters-demo-")))
    incidents = Incidents(PRETEND_NETWORK)
    targets = {
        device.name: await _start_agent(stack, device, incidents) for device in PRETEND_NETWORK
    }
    auths = dict.fromkeys(targets, "public_v2") | {incidents.core.name: "demo_v3"}
    _write_configuration(folder, targets, auths)
    session = await stack.enter_async_context(
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
    )
    children: list[Child] = []

    async def ready(address: str, child: Child) -> None:
        children.append(child)
        await _wait_ready(session, f"http://{address}/-/ready", child)

    snmp, rmon = (f"127.0.0.1:{free_port(port)}" for port in (_SNMP_PORT, _RMON_PORT))
    modules = f"--config.file={modules_directory('snmp')}"
    await ready(snmp, await _start_poller(stack, folder, "snmp", snmp, f"{modules}/*.yml"))
    await ready(rmon, await _start_poller(stack, folder, "rmon", rmon, f"{modules}/auths.yml"))
    trap = await start_trap_exporter(stack, folder, SCRAPE_INTERVAL)
    await ready(trap.web, trap.child)
    syslog = await start_syslog_exporter(stack, folder, SCRAPE_INTERVAL)
    await ready(syslog.web, syslog.child)
    where = {_SNMP_PORT: snmp, _RMON_PORT: rmon, _TRAP_PORT: trap.web, _SYSLOG_PORT: syslog.web}
    icmp = None
    no_icmp = await pinged_devices.why_not()
    if not no_icmp:
        devices = folder / "devices.yml"
        icmp, child = await pinged_devices.start_icmp_exporter(stack, folder, devices)
        await ready(icmp, child)
        where[_ICMP_PORT] = icmp
    prometheus = None
    if program := shutil.which("prometheus"):
        prometheus, child = await start_prometheus(stack, program, folder, where)
        await ready(prometheus, child)
    traps, messages = (stack.enter_context(Line(exporter.port)) for exporter in (trap, syslog))
    witnesses = (TrapSender(_addresses(), traps), LogSender(messages))
    await stack.enter_async_context(incidents.happening(witnesses))
    return RunningDemo(
        snmp=snmp,
        rmon=rmon,
        trap=trap,
        syslog=syslog,
        icmp=icmp,
        no_icmp=no_icmp,
        prometheus=prometheus,
        targets=targets,
        auths=auths,
        incidents=incidents,
        session=session,
        children=children,
    )


async def _start_agent(stack: AsyncExitStack, device: PretendDevice, incidents: Incidents) -> str:
    """Start the agent of a device; give its address."""
    probed = [port.index for port in device.ports if port.up][:_PROBED_PORTS]
    settings = AgentSettings(users=(_USER,), moving=True, rmon=Rmon(tuple(probed)))
    agent = SimulatedAgent(incidents.recording(device), settings)
    host, port = await stack.enter_async_context(agent.serve("127.0.0.1", 0))
    return f"{host}:{port}"


async def _start_poller(
    stack: AsyncExitStack, folder: Path, name: str, address: str, credentials: str
) -> Child:
    """Start an exporter that polls the devices."""
    command = [
        *(sys.executable, "-m", "exporters", name),
        f"--web.listen-address={address}",
        credentials,
        f"--config.file={folder}/auths.yml",
        f"--devices.file={folder}/devices.yml",
        "--targets.allow=127.0.0.0/8",
        "--log.level=warn",
    ]
    return await start_child(stack, f"{name} exporter", command)


def _write_configuration(folder: Path, targets: dict[str, str], auths: dict[str, str]) -> None:
    """Write the files that a user would write: credentials, and the inventory of devices."""
    auth = {
        "version": 3,
        "security_level": "authPriv",
        "username": _USER.name,
        "auth_protocol": str(_USER.auth_protocol),
        "password": _USER.auth_password,
        "priv_protocol": str(_USER.priv_protocol),
        "priv_password": _USER.priv_password,
    }
    (folder / "auths.yml").write_text(yaml.safe_dump({"auths": {"demo_v3": auth}}))
    addresses = _addresses()
    devices = [
        {
            "name": device.name,
            # The agents are elsewhere; pings are answered here, in a namespace of the demo's.
            "addresses": [addresses[device.name]],
            "snmp_target": targets[device.name],
            "auth": auths[device.name],
            "modules": ["if_mib", "system"],
            "labels": {"site": "demo", "role": device.role},
        }
        for device in PRETEND_NETWORK
    ]
    (folder / "devices.yml").write_text(yaml.safe_dump({"devices": devices}))


def _addresses() -> dict[str, str]:
    """The address of each device, by its name."""
    return {
        device.name: pinged_devices.address(number)
        for number, device in enumerate(PRETEND_NETWORK, 1)
    }


async def _wait_ready(session: aiohttp.ClientSession, url: str, child: Child) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not child.ended:
                try:
                    async with session.get(url) as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    await asyncio.sleep(_POLL_SECONDS)
                else:
                    await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise NetexportersError(f"{child.name} is not ready after {_READY_SECONDS:g} s") from None
    raise NetexportersError(f"{child.name} ended at once with exit code {child.exit_code}")


async def _stopped_within(duration: float | None, demo: RunningDemo, stop: asyncio.Event) -> bool:
    """Wait for Ctrl-C; False if the time ran out before.

    Raises:
        NetexportersError: A part of the demo ended by itself.
    """
    tasks: set[asyncio.Task[Any]] = {asyncio.create_task(stop.wait())}
    tasks |= {asyncio.create_task(child.watch()) for child in demo.children}
    done, running = await asyncio.wait(tasks, timeout=duration, return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    for task in done:
        task.result()
    return bool(done)


async def _check(demo: RunningDemo) -> int:
    """Whether every device answers and tells, and Prometheus sees every target up."""
    failures = await unseen(demo)
    if failures:
        sys.stderr.write("the demo failed:\n" + "\n".join(failures) + "\n")
        return 1
    seen = "scraped" if demo.prometheus is None else "scraped, and are up in Prometheus"
    sys.stdout.write(f"All {len(demo.targets)} devices were {seen}.\n")
    return 0
