"""RMON side by side: netexporters by cursor, snmp_exporter by walks of the same groups.

    make bench-rmon                                 about one minute
    make bench-rmon ARGS="--devices dlink-des3200"

The agents answer in this process, which counts packets and varbinds where they arrive.
snmp_exporter gets a module of walks without metrics, so that it does less than it would have to.
docs/benchmarks.md has the results.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import yaml

from benchmarks.cases import Device
from benchmarks.processes import Program
from benchmarks.snmp_agents import recording_path
from benchmarks.snmp_exporters import Server, wait_until_listening
from benchmarks.table import markdown
from exporters.bundled import modules_directory
from exporters.demo.agent import SimulatedAgent
from exporters.demo.children import free_port
from exporters.demo.snmprec import load_recording
from exporters.wire.snmp_message import decode_community_message

_RECORDINGS: Final = (
    "network/switch/dlink-des3200",
    "network/switch/hpe-procurve-516733-b21",
    "network/switch/dcs-3726c",
    "network/switch/brocade-icx6430-24",
    "network/switch/cts-media-converter",
    "network/appliance/cisco-controller",
    "network/appliance/cisco-unknown-01",
    "cloud/arista-dcs-7150s-52-cl",
    "network/router/juniper-mx960-12-3r6-6",
)
_WALKS: Final = (
    *(f"1.3.6.1.2.1.16.{group}" for group in (1, 2, 3, 9, 22)),
    *(f"1.3.6.1.2.1.31.1.1.1.{column}" for column in (1, 15, 18)),
)
"""Statistics, history, alarm, event and SMON; names, speeds and aliases of interfaces."""
_ROUNDS: Final = 21
_PEER: Final = "prometheus-snmp-exporter"


@dataclass(slots=True)
class _Counts:
    packets: int = 0
    varbinds: int = 0


@dataclass(frozen=True, slots=True)
class _Result:
    """What one exporter took for one recording: the first scrape, and the median of later ones."""

    packets: Sequence[int]
    varbinds: Sequence[int]
    seconds: Sequence[float]

    def cells(self) -> list[str]:
        later = slice(1, None)
        return [
            f"{self.varbinds[0]:,}",
            f"{statistics.median(self.varbinds[later]):,.0f}",
            f"{statistics.median(self.packets[later]):,.0f}",
            f"{statistics.median(self.seconds[later]) * 1000:,.0f} ms",
        ]


class _CountingAgent(SimulatedAgent):
    """A simulated agent that knows what it was asked and has answered."""

    def __init__(self, path: Path) -> None:
        super().__init__(load_recording(path))
        self.tally = _Counts()

    def handle(self, data: bytes) -> bytes | None:
        answer = super().handle(data)
        self.tally.packets += 1
        if answer is not None:
            self.tally.varbinds += len(decode_community_message(answer).pdu.varbinds)
        return answer


def main() -> int:
    """Run what the command line asks for; give the exit status."""
    parser = argparse.ArgumentParser(prog="bench-rmon", description="RMON side by side.")
    parser.add_argument(
        "--devices", nargs="+", default=[], help="names of recordings (default: all)"
    )
    arguments = parser.parse_args()
    chosen = [
        item
        for item in _RECORDINGS
        if not arguments.devices or Path(item).name in arguments.devices
    ]
    try:
        if not chosen:
            raise RuntimeError(f"choose from {', '.join(Path(item).name for item in _RECORDINGS)}")
        with tempfile.TemporaryDirectory(prefix="bench-rmon-") as folder:
            sys.stdout.write(asyncio.run(_compare(Path(folder), chosen)) + "\n")
    except RuntimeError as error:
        sys.stderr.write(f"bench-rmon: {error}\n")
        return 1
    return 0


async def _compare(folder: Path, recordings: Sequence[str]) -> str:
    with ExitStack() as stack:
        ours, peer = _start_ours(stack, folder), _start_peer(stack, folder)
        rows = []
        async with aiohttp.ClientSession() as session:
            for recording in recordings:
                path = recording_path(Device(Path(recording).name, recording))
                results = [
                    await _measure(session, path, f"{_url(ours)}/rmon?auth=public_v2&target="),
                    await _measure(session, path, f"{_url(peer)}/snmp?module=rmon&target="),
                ]
                cells = [cell for result in results for cell in result.cells()]
                rows.append([Path(recording).name, *cells[:4], *cells[5:]])
    heads = ["recording", "first varbinds", "varbinds", "packets", "time"]
    return markdown([*heads, "peer: varbinds", "packets", "time"], rows)


async def _measure(session: aiohttp.ClientSession, path: Path, url: str) -> _Result:
    agent = _CountingAgent(path)
    packets, varbinds, seconds = [], [], []
    async with AsyncExitStack() as stack:
        host, port = await stack.enter_async_context(agent.serve("127.0.0.1", 0))
        for _ in range(_ROUNDS):
            agent.tally = _Counts()
            started_at = time.perf_counter()
            async with session.get(f"{url}{host}:{port}") as response:
                text = await response.text()
                if response.status != 200:
                    raise RuntimeError(f"{url}: HTTP {response.status}: {text}")
            seconds.append(time.perf_counter() - started_at)
            packets.append(agent.tally.packets)
            varbinds.append(agent.tally.varbinds)
    return _Result(packets, varbinds, seconds)


def _start_ours(stack: ExitStack, folder: Path) -> Server:
    command = [
        str(Path(sys.executable).with_name("netexporters")),
        "rmon",
        "--web.listen-address=127.0.0.1:0",
        f"--config.file={modules_directory('snmp')}/auths.yml",
    ]
    return wait_until_listening(Program(stack, folder, "netexporters", command))


def _start_peer(stack: ExitStack, folder: Path) -> Server:
    program = shutil.which(_PEER)
    if program is None:
        raise RuntimeError(f"snmp_exporter is missing: install Debian's {_PEER}")
    module = {"walk": list(_WALKS), "version": 2, "auth": {"community": "public"}}
    module |= {"timeout": "10s", "max_repetitions": 25}
    config = folder / "peer.yml"
    config.write_text(yaml.safe_dump({"rmon": module}))
    address = f"127.0.0.1:{free_port(0)}"
    command = [program, f"--config.file={config}", f"--web.listen-address={address}"]
    started = Program(stack, folder, "snmp_exporter", command)
    started.until(lambda: "Listening on" in started.errors or None, "it listens")
    return Server(started, int(address.rpartition(":")[2]))


def _url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


if __name__ == "__main__":
    sys.exit(main())
