"""The exporters of the demo that listen: for traps, and for syslog messages.

What they receive comes from the loopback interface and says whose it is, as what relays pass on.
"""

from __future__ import annotations

import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from exporters.demo.children import Child, free_port, start_child

HOST: Final = "127.0.0.1"
_BUFFER_BYTES: Final = 65_536
_DEVICES: Final = "192.0.2.0/24"
"""Nothing comes from there but what somebody tries at ``/explain``, as though a device sent it."""


@dataclass(frozen=True, slots=True)
class EventExporter:
    """Where an exporter is: its pages, and the port that it receives on."""

    name: str
    web: str
    port: int
    child: Child


class Line:
    """Sends datagrams to a port of the loopback interface, whether somebody listens or not."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send a datagram."""
        # Not connected: a listener that is gone would be an error of the sender's.
        self._socket.sendto(data, (HOST, self._port))


async def start_trap_exporter(
    stack: AsyncExitStack, folder: Path, scrape_interval: str
) -> EventExporter:
    """Start the trap exporter on the loopback interface; *folder* has ``devices.yml``."""
    port = free_port(1162, socket.SOCK_DGRAM)
    listen = [f"--trap.listen-address={HOST}:{port}"]
    return await _start(stack, folder, scrape_interval, "trap", 9162, port, listen)


async def start_syslog_exporter(
    stack: AsyncExitStack, folder: Path, scrape_interval: str
) -> EventExporter:
    """Start the syslog exporter on the loopback interface; *folder* has ``devices.yml``."""
    port = free_port(1514, socket.SOCK_DGRAM)
    listen = [f"--syslog.listen-address=udp://{HOST}:{port}"]
    return await _start(stack, folder, scrape_interval, "syslog", 9514, port, listen)


async def _start(
    stack: AsyncExitStack,
    folder: Path,
    scrape_interval: str,
    name: str,
    web_port: int,
    port: int,
    listen: list[str],
) -> EventExporter:
    web = f"{HOST}:{free_port(web_port)}"
    allowed = [f"{HOST}/32", _DEVICES]
    access = {"allowed_networks": allowed, "trusted_relays": [f"{HOST}/32"]}
    config = folder / f"{name}.yml"
    events = {"scrape_interval": scrape_interval}
    config.write_text(yaml.safe_dump({"access": access, "events": events}))
    command = [sys.executable, "-m", "exporters", name, f"--web.listen-address={web}", *listen]
    command += [f"--{name}.receive-buffer={_BUFFER_BYTES}", f"--config.file={config}"]
    command += [f"--devices.file={folder}/devices.yml"]
    command += [f"--events.state-file={folder}/{name}.state", "--log.level=warn"]
    return EventExporter(name, web, port, await start_child(stack, f"{name} exporter", command))
