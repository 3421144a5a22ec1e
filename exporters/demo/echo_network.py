"""A pretend network that answers pings, behind an interface of its own.

    python -m exporters.demo.echo_network --network=10.9.0.1/16 --network=fd09::1/64

It makes a TUN interface with these addresses, writes ``ready`` when packets can come, and answers
for every other address of the networks until its input ends. Lines of its input are JSON: an object
of addresses says how they answer from now on (``exporters.demo.echo_hosts.EchoHost`` has the
fields), and ``"counts"`` asks for what each has seen. Each line is answered by one.

Linux only; needs CAP_NET_ADMIN in its network namespace.

Source: Documentation/networking/tuntap.rst of Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import struct
import subprocess
import sys
from contextlib import AsyncExitStack, closing
from dataclasses import asdict
from functools import partial
from typing import Final

from exporters.demo.echo_hosts import EchoHosts, read_hosts
from exporters.demo.timer_queue import TimerQueue

_TUN_DEVICE: Final = "/dev/net/tun"
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
_MTU_BYTES: Final = 65_000
"""More than any ping, so that the kernel does not cut one into fragments on its way here."""
_MOST_UNDER_WAY: Final = 100_000
_PACKETS_A_TURN: Final = 64


def open_tun(interface: str, networks: list[str]) -> int:
    """Make a TUN interface with these addresses and give its file descriptor.

    Raises:
        OSError: Not allowed, or not there.
        subprocess.CalledProcessError: ``ip`` did not take an address; its words are in ``stderr``.
    """
    descriptor = os.open(_TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", interface.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(descriptor, _TUNSETIFF, request)
    for network in networks:
        no_probing = ["nodad"] if ":" in network else []
        _ip("address", "add", network, "dev", interface, *no_probing)
    _ip("link", "set", interface, "mtu", str(_MTU_BYTES), "up")
    return descriptor


class EchoNetwork:
    """Takes packets from a TUN interface, and puts the answers of *hosts* there in their time."""

    def __init__(self, descriptor: int, hosts: EchoHosts) -> None:
        self._descriptor = descriptor
        self._hosts = hosts
        self._under_way = TimerQueue(asyncio.get_running_loop(), most=_MOST_UNDER_WAY)

    def read_packets(self) -> None:
        """Take some of the packets that wait; the loop calls again while there are more."""
        for _ in range(_PACKETS_A_TURN):
            try:
                data = os.read(self._descriptor, _MTU_BYTES)
            except BlockingIOError:
                return
            for answer in self._hosts.answers(data):
                send = partial(self._write, answer.data)
                if answer.delay_seconds:
                    self._under_way.call_later(answer.delay_seconds, send)
                else:
                    send()

    def close(self) -> None:
        """Forget what is under way."""
        self._under_way.close()

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._descriptor, data)
        except OSError as error:
            sys.stderr.write(f"an answer was not taken: {error}\n")


async def run(interface: str, networks: list[str]) -> None:
    """Answer pings until the standard input ends."""
    loop = asyncio.get_running_loop()
    hosts = EchoHosts({})
    async with AsyncExitStack() as stack:
        descriptor = open_tun(interface, networks)
        stack.callback(os.close, descriptor)
        network = stack.enter_context(closing(EchoNetwork(descriptor, hosts)))
        loop.add_reader(descriptor, network.read_packets)
        stack.callback(loop.remove_reader, descriptor)
        orders = asyncio.StreamReader(limit=2**24)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
        _say("ready")
        async for line in orders:
            _say(json.dumps(_obey(hosts, line)))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _obey(hosts: EchoHosts, line: bytes) -> object:
    order = json.loads(line)
    if order == "counts":
        return {
            address: asdict(counts) | {"traffic_classes": sorted(counts.traffic_classes)}
            for address, counts in hosts.counts.items()
        }
    hosts.change(read_hosts(order))
    return "done"


def _ip(*arguments: str) -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    subprocess.run(
        ["ip", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="echo_network", allow_abbrev=False)
    parser.add_argument("--interface", default="pretend0")
    parser.add_argument("--network", action="append", required=True, metavar="ADDRESS/LENGTH")
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments.interface, arguments.network))
    except subprocess.CalledProcessError as error:
        sys.exit(f"ip: {error.stderr.strip()}")
    except OSError as error:
        sys.exit(f"{error}; a TUN interface needs Linux and CAP_NET_ADMIN")


if __name__ == "__main__":
    main()
