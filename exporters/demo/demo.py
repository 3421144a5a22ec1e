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
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from exporters.bundled import bundled_directory, modules_directory
from exporters.demo import pinged_devices, trapping_devices
from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.children import Child, free_port, start_child
from exporters.demo.pretend_network import PRETEND_NETWORK
from exporters.demo.rmon_probe import Rmon
from exporters.demo.trapping_devices import TrapExporter, TrapSender, start_trap_exporter
from exporters.errors import NetexportersError
from exporters.wire.usm import AuthProtocol, PrivProtocol, UsmUser

_READY_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_SCRAPE_INTERVAL: Final = "5s"
_SCRAPED_WITHIN_SECONDS: Final = 15.0
_SNMP_PORT: Final = 9116
_ICMP_PORT: Final = 9374
_RMON_PORT: Final = 9171
_PROBED_PORTS: Final = 4
"""Interfaces of each device that its RMON tables are about."""
_TRAP_PORT: Final = 9162
_PROMETHEUS_PORT: Final = 9090

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


@dataclass(frozen=True, slots=True)
class _Demo:
    """What runs, and where."""

    exporter: str
    rmon: str
    trap: TrapExporter
    icmp: str | None
    no_icmp: str
    """Why there is no ICMP exporter, where there is none."""
    prometheus: str | None
    targets: dict[str, str]
    """Address of each device's agent by the device's name."""
    auths: dict[str, str]
    session: aiohttp.ClientSession
    children: list[Child]


async def _demo(duration: float | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        demo = await _start(stack)
        await _tell(demo)
        if await _stopped_within(duration, demo, stop):
            return 0
        return await _check(demo)


async def _start(stack: AsyncExitStack) -> _Demo:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netexporters-demo-")))
    targets: dict[str, str] = {}
    auths: dict[str, str] = {}
    for number, device in enumerate(PRETEND_NETWORK):
        probed = [port.index for port in device.ports if port.up][:_PROBED_PORTS]
        settings = AgentSettings(users=(_USER,), moving=True, rmon=Rmon(tuple(probed)))
        agent = SimulatedAgent(device.recording(), settings)
        host, port = await stack.enter_async_context(agent.serve("127.0.0.1", 0))
        targets[device.name] = f"{host}:{port}"
        auths[device.name] = "demo_v3" if number == 0 else "public_v2"
    _write_configuration(folder, targets, auths)
    session = await stack.enter_async_context(
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
    )
    exporter = f"127.0.0.1:{free_port(_SNMP_PORT)}"
    rmon = f"127.0.0.1:{free_port(_RMON_PORT)}"
    modules = f"--config.file={modules_directory('snmp')}"
    children = [
        await _start_poller(stack, folder, "snmp", exporter, f"{modules}/*.yml"),
        await _start_poller(stack, folder, "rmon", rmon, f"{modules}/auths.yml"),
    ]
    for address, child in zip((exporter, rmon), children, strict=True):
        await _wait_ready(session, f"http://{address}/-/ready", child)
    trap = await start_trap_exporter(stack, folder, folder / "devices.yml", _SCRAPE_INTERVAL)
    children.append(trap.child)
    await _wait_ready(session, f"http://{trap.web}/-/ready", trap.child)
    addresses = [pinged_devices.address(number) for number in range(1, len(PRETEND_NETWORK) + 1)]
    await stack.enter_async_context(TrapSender(PRETEND_NETWORK, addresses).sending(trap.port))
    icmp = None
    no_icmp = await pinged_devices.why_not()
    if not no_icmp:
        icmp, child = await pinged_devices.start_icmp_exporter(
            stack, folder, folder / "devices.yml"
        )
        children.append(child)
        await _wait_ready(session, f"http://{icmp}/-/ready", child)
    prometheus = None
    program = shutil.which("prometheus")
    if program is not None:
        prometheus = f"127.0.0.1:{free_port(_PROMETHEUS_PORT)}"
        configuration = _write_prometheus_configuration(folder, exporter, rmon, icmp, trap.web)
        children.append(
            await start_child(
                stack,
                "Prometheus",
                [
                    program,
                    f"--config.file={configuration}",
                    f"--storage.tsdb.path={folder}/tsdb",
                    f"--web.listen-address={prometheus}",
                    "--log.level=error",
                ],
            )
        )
        await _wait_ready(session, f"http://{prometheus}/-/ready", children[-1])
    return _Demo(exporter, rmon, trap, icmp, no_icmp, prometheus, targets, auths, session, children)


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
    devices = [
        {
            "name": device.name,
            # The agents are elsewhere; pings are answered here, in a namespace of the demo's.
            "addresses": [pinged_devices.address(number)],
            "snmp_target": targets[device.name],
            "auth": auths[device.name],
            "modules": ["if_mib", "system"],
            "labels": {"site": "demo", "role": device.role},
        }
        for number, device in enumerate(PRETEND_NETWORK, 1)
    ]
    (folder / "devices.yml").write_text(yaml.safe_dump({"devices": devices}))


def _write_prometheus_configuration(
    folder: Path, exporter: str, rmon: str, icmp: str | None, trap: str
) -> Path:
    """Write the shipped configuration with this demo's addresses and patience."""
    rules = bundled_directory("alert_rules")
    text = (rules / "prometheus.yml").read_text()
    text = text.replace(f"localhost:{_SNMP_PORT}", exporter)
    text = text.replace(f"localhost:{_RMON_PORT}", rmon)
    text = text.replace(f"localhost:{_TRAP_PORT}", trap)
    configuration = yaml.safe_load(text.replace(f"localhost:{_ICMP_PORT}", icmp or ""))
    for job in configuration["scrape_configs"]:
        if "static_configs" in job:
            job["static_configs"] = [
                group for group in job["static_configs"] if group["targets"] != [""]
            ]
    configuration["global"] = {
        "scrape_interval": _SCRAPE_INTERVAL,
        "scrape_timeout": "4s",
        "evaluation_interval": _SCRAPE_INTERVAL,
    }
    configuration["rule_files"] = [f"{rules}/*.rules.yml"]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    return path


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


async def _tell(demo: _Demo) -> None:
    """Print every URL, and a sample of what is collected."""
    lines = [
        "A pretend network of three devices, and the exporters that poll, ping and hear them.",
        "",
        f"  SNMP exporter        http://{demo.exporter}/",
        f"    its own metrics    http://{demo.exporter}/metrics",
        f"    its configuration  http://{demo.exporter}/config",
        f"    its devices        http://{demo.exporter}/sd",
    ]
    lines += [f"    {name:18} {_scrape_url(demo, name)}" for name in demo.targets]
    lines += _tell_of_rmon(demo)
    lines += _tell_of_pings(demo)
    lines += _tell_of_traps(demo)
    if demo.prometheus is None:
        lines += ["", "  Prometheus is not installed; install it to see it scrape the exporters."]
    else:
        pages = f"http://{demo.prometheus}"
        if (await _fetch(demo, f"{pages}/targets"))[0] == 404:
            pages += "/classic"  # Debian builds Prometheus without its new pages
        query = "rate(ifHCInOctets%5B1m%5D)*8"
        lines += [
            "",
            f"  Prometheus           {pages}/targets",
            f"    traffic            {pages}/graph?g0.expr={query}&g0.tab=0",
            f"    alerts             {pages}/alerts",
        ]
    first = next(iter(demo.targets))
    status, text = await _fetch(demo, _scrape_url(demo, first))
    samples = [line for line in text.splitlines() if line and not line.startswith("#")]
    lines += ["", f"{first} answers with {len(samples)} samples (HTTP {status}), such as", ""]
    wanted = ("sysUpTime", "ifHCInOctets{", "ifOperStatus{", "snmp_scrape_duration_seconds{")
    for name in wanted:
        lines += [f"  {line}" for line in [s for s in samples if s.startswith(name)][:1]]
    lines += ["", "Ctrl-C ends the demo.", ""]
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()


def _tell_of_rmon(demo: _Demo) -> list[str]:
    return [
        "",
        f"  RMON exporter        http://{demo.rmon}/",
        *(f"    {name:18} {_rmon_url(demo, name)}" for name in demo.targets),
        f"    all of one device  {_rmon_url(demo, next(iter(demo.targets)))}&groups=all",
    ]


def _tell_of_pings(demo: _Demo) -> list[str]:
    if demo.icmp is None:
        return ["", f"  There is no ICMP exporter: {demo.no_icmp}"]
    return [
        "",
        f"  ICMP exporter        http://{demo.icmp}/",
        f"    what it measures   http://{demo.icmp}/metrics",
        f"    a probe            http://{demo.icmp}/probe?target=192.0.2.1&debug=true",
        "    192.0.2.2 loses every fourth ping, 192.0.2.3 is unreachable",
    ]


def _tell_of_traps(demo: _Demo) -> list[str]:
    web = demo.trap.web
    return [
        "",
        f"  Trap exporter        http://{web}/",
        f"    what devices tell  http://{web}/events",
        f"    what it measures   http://{web}/metrics",
        f"    try a trap         http://{web}/explain",
        "    a link of edge-rtr-01 is down, one of access-sw-02 goes down and comes up;",
        "    it takes yours too:",
        f"    snmptrap -v 2c -c public 127.0.0.1:{demo.trap.port} '' 1.3.6.1.6.3.1.1.5.1",
    ]


async def _stopped_within(duration: float | None, demo: _Demo, stop: asyncio.Event) -> bool:
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


async def _check(demo: _Demo) -> int:
    """Whether every device answers, and Prometheus sees every target up."""
    failures: list[str] = []
    for name in demo.targets:
        status, text = await _fetch(demo, _scrape_url(demo, name))
        if status != 200 or "snmp_up 1" not in text or 'success{module="if_mib"} 1' not in text:
            failures.append(f"{name}: HTTP {status}")
        status, text = await _fetch(demo, _rmon_url(demo, name))
        if status != 200 or "rmon_scrape_success 1" not in text:
            failures.append(f"{name}: RMON, HTTP {status}")
    if demo.icmp is not None:
        failures += await _not_pinged(demo)
    failures += await _not_told(demo)
    if demo.prometheus is not None:
        missing = await _not_up(demo)
        failures += [f"{name}: Prometheus does not see it up" for name in missing]
    if failures:
        sys.stderr.write("the demo failed:\n" + "\n".join(failures) + "\n")
        return 1
    seen = "scraped" if demo.prometheus is None else "scraped, and are up in Prometheus"
    sys.stdout.write(f"All {len(demo.targets)} devices were {seen}.\n")
    return 0


async def _not_pinged(demo: _Demo) -> list[str]:
    """What the pings do not show; they get the time for some of them."""
    missing = await _missing(
        demo,
        f"http://{demo.icmp}/metrics",
        lambda text: pinged_devices.missing(text, list(demo.targets)),
    )
    return [f"pings do not show that {what}" for what in missing]


async def _not_told(demo: _Demo) -> list[str]:
    """What the traps do not show; they get the time for a link to go down and come up."""
    missing = await _missing(
        demo,
        f"http://{demo.trap.web}/metrics",
        lambda text: trapping_devices.missing(text, PRETEND_NETWORK),
    )
    return [f"traps do not show that {what}" for what in missing]


async def _missing(demo: _Demo, url: str, look: Callable[[str], list[str]]) -> list[str]:
    """Give what *look* misses in a page, once that is nothing or the time is up."""
    give_up_at = asyncio.get_running_loop().time() + _SCRAPED_WITHIN_SECONDS
    while True:
        _, text = await _fetch(demo, url)
        missing = look(text)
        if not missing or asyncio.get_running_loop().time() > give_up_at:
            return missing
        await asyncio.sleep(_POLL_SECONDS)


async def _not_up(demo: _Demo) -> list[str]:
    """What Prometheus does not see up; it gets the time for some scrapes after its start."""
    url = f"http://{demo.prometheus}/api/v1/query?query=up"
    give_up_at = asyncio.get_running_loop().time() + _SCRAPED_WITHIN_SECONDS
    while True:
        async with demo.session.get(url) as response:
            result = (await response.json())["data"]["result"]
        up: dict[str, str] = {}
        for series in result:
            labels = series["metric"]
            name = labels.get("device") or f"{labels['exporter']} exporter"
            up[name] = min(series["value"][1], up.get(name, "1"))  # polled by several exporters
        exporters = ["snmp exporter", "rmon exporter", "trap exporter"]
        exporters += [] if demo.icmp is None else ["icmp exporter"]
        missing = [name for name in (*demo.targets, *exporters) if up.get(name) != "1"]
        if not missing or asyncio.get_running_loop().time() > give_up_at:
            return missing
        await asyncio.sleep(_POLL_SECONDS)


def _scrape_url(demo: _Demo, name: str) -> str:
    query = f"target={demo.targets[name]}&module=if_mib,system&auth={demo.auths[name]}"
    return f"http://{demo.exporter}/snmp?{query}"


def _rmon_url(demo: _Demo, name: str) -> str:
    return f"http://{demo.rmon}/rmon?target={demo.targets[name]}&auth={demo.auths[name]}"


async def _fetch(demo: _Demo, url: str) -> tuple[int, str]:
    async with demo.session.get(url) as response:
        return response.status, await response.text()
