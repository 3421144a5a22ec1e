"""The targets of a soak: live ones, silent ones, and addresses where nobody listens.

    python -m benchmarks.soak_targets --live=160

serves the devices of the pretend network, again and again, each at an address of its own in
127.0.0.0/8; prints the addresses, then ``ready``, and answers until SIGTERM. What is dead needs no
process: ``DeadTargets`` are sockets that nobody reads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from benchmarks.processes import Program
from exporters.demo.agent import SimulatedAgent
from exporters.demo.pretend_network import PRETEND_NETWORK

_LIVE_NETWORK: Final = "127.1"
_SILENT_NETWORK: Final = "127.2"
_CLOSED_NETWORK: Final = "127.3"
_PORT_OF_NOBODY: Final = 161
"""On addresses that nothing on this machine is bound to."""


def start_live_targets(stack: ExitStack, folder: Path, count: int) -> tuple[Program, list[str]]:
    """Start that many live targets in a process; they end with *stack*."""
    command = [sys.executable, "-m", "benchmarks.soak_targets", f"--live={count}"]
    program = Program(stack, folder, "targets", command)
    program.until(lambda: program.output.endswith("ready\n") or None, "the targets listen")
    return program, program.output.split()[:-1]


class DeadTargets:
    """Targets that do not answer: half of them hear and say nothing, the others are not there."""

    def __init__(self, stack: ExitStack, count: int) -> None:
        self._silent: list[socket.socket] = []
        for host in _hosts(_SILENT_NETWORK, count - count // 2):
            silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            silent.setblocking(False)
            silent.bind((host, 0))
            self._silent.append(silent)
        self.silent = ["{}:{}".format(*found.getsockname()) for found in self._silent]
        self.closed = [f"{host}:{_PORT_OF_NOBODY}" for host in _hosts(_CLOSED_NETWORK, count // 2)]

    def packets_heard(self) -> int:
        """How many packets the silent ones have got since this was asked last."""
        heard = 0
        for silent in self._silent:
            with contextlib.suppress(BlockingIOError):
                while silent.recv(65535):
                    heard += 1
        return heard


def _hosts(network: str, count: int) -> Iterator[str]:
    return (f"{network}.{number // 250}.{number % 250 + 1}" for number in range(count))


async def _serve(count: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    agents = [SimulatedAgent(device.recording()) for device in PRETEND_NETWORK]
    async with contextlib.AsyncExitStack() as stack:
        for host, agent in zip(
            _hosts(_LIVE_NETWORK, count), islice(cycle(agents), count), strict=True
        ):
            _, port = await stack.enter_async_context(agent.serve(host))
            print(f"{host}:{port}", flush=True)
        print("ready", flush=True)
        await stopped.wait()


def main() -> None:
    """Answer until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--live", type=int, required=True, help="how many targets")
    asyncio.run(_serve(parser.parse_args().live))


if __name__ == "__main__":
    main()
