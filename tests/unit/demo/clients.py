"""A UDP client of a test: it sends datagrams and waits, not long, for what comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

PATIENCE_SECONDS = 10.0


class UdpClient:
    """A socket that is connected to one address."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._udp, data)

    async def receive(self) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._loop.sock_recv(self._udp, 65535)

    async def ask(self, data: bytes) -> bytes:
        await self.send(data)
        return await self.receive()


@asynccontextmanager
async def udp_client(address: tuple[str, int]) -> AsyncIterator[UdpClient]:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.connect(address)
        yield UdpClient(udp)


@asynccontextmanager
async def open_socket(host: str = "127.0.0.1") -> AsyncIterator[socket.socket]:
    """A UDP socket that is bound and hears from everyone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.bind((host, 0))
        yield udp


async def receive_from(udp: socket.socket) -> tuple[bytes, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await asyncio.get_running_loop().sock_recvfrom(udp, 65535)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the counts of sockets have no event
            await asyncio.sleep(0)
