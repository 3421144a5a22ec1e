"""The part of the demo that pings: the devices answer in a network namespace of the demo's own.

One of them loses packets, one is unreachable. The namespace needs Linux and either root or user
namespaces; where it cannot be had, the demo says so and goes on without.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import yaml

from exporters.demo.children import Child, start_child

_PORT: Final = 9374
_TRY_SECONDS: Final = 10.0
_NETWORK: Final = "192.0.2.254/24"
_INTERVAL: Final = "200ms"


def address(number: int) -> str:
    """Give the address of the device with that number, from 1 (RFC 5737: for documentation)."""
    return f"192.0.2.{number}"


_ROUTERS: Final = ["192.0.2.251", "192.0.2.252"]
HOSTS: Final = {
    address(1): {"hops": _ROUTERS},
    address(2): {
        "hops": _ROUTERS[:1],
        "lose_every": 4,
        "answers": {"delay_seconds": 0.02, "jitter_seconds": 0.01},
    },
    address(3): {"error": [3, 1], "reporter": "192.0.2.253"},
}
"""Who does not answer well: the second device loses packets, nobody reaches the third."""


async def why_not() -> str:
    """Give the reason why there can be no such namespace here, or nothing."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_place(), "--try", stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
    except OSError as error:
        return f"{error}"
    try:
        async with asyncio.timeout(_TRY_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"no network namespace after {_TRY_SECONDS:g} s"
    if process.returncode == 0:
        return ""
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {process.returncode}"


async def start_icmp_exporter(
    stack: AsyncExitStack, folder: Path, devices: Path
) -> tuple[str, Child]:
    """Start the exporter in the namespace; give where it serves, and the process."""
    config = folder / "icmp.yml"
    group = {"devices": "all", "interval": _INTERVAL, "timeout": "1s", "path": True, "pmtu": True}
    module = {"prober": "icmp", "timeout": "1s"}
    config.write_text(yaml.safe_dump({"groups": {"devices": group}, "modules": {"icmp": module}}))
    with _listener() as listener:
        host, port = listener.getsockname()
        command = [sys.executable, "-m", "exporters", "icmp", "--web.systemd-socket"]
        command += [f"--config.file={config}", f"--devices.file={devices}", "--log.level=warn"]
        hosts = f"--hosts={json.dumps(HOSTS)}"
        child = await start_child(
            stack,
            "ICMP exporter",
            [*_place(), hosts, f"--listener={listener.fileno()}", "--", *command],
            pass_fds=[listener.fileno()],
        )
    return f"{host}:{port}", child


def missing(text: str, devices: Sequence[str]) -> list[str]:
    """Say what ``/metrics`` does not show: one device answers, one loses, one is out of reach."""
    samples: dict[str, float] = {}
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        if series.startswith("icmp_"):
            samples[series] = float(value)

    def total(name: str, device: str, part: str = "") -> float:
        start = f'{name}{{device="{device}"'
        return sum(
            value
            for series, value in samples.items()
            if series.startswith(start) and part in series
        )

    well, loses, unreachable = devices
    shown = {
        f"{well} answers pings": total("icmp_replies_total", well) > 0,
        f"{loses} loses some": total("icmp_replies_total", loses) > 0
        and total("icmp_lost_total", loses, 'reason="timeout"') > 0,
        f"{unreachable} is unreachable": total("icmp_replies_total", unreachable) == 0
        and total("icmp_lost_total", unreachable, 'reason="unreachable"') > 0,
    }
    return [what for what, is_so in shown.items() if not is_so]


def _place() -> list[str]:
    namespaces = ["--net"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--net"]
    place = [sys.executable, "-m", "exporters.demo.ping_place", f"--network={_NETWORK}"]
    return ["unshare", *namespaces, *place]


def _listener() -> socket.socket:
    """Listen on the usual port of the loopback interface, or on another one where it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", _PORT))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener
