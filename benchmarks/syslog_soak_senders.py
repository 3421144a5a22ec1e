"""Senders of syslog for a soak: honest ones, whose messages are counted, and all kinds of others.

Honest ones have addresses of devices. The others have addresses of their own, so that what they
bring about can be told apart, and do what broken and hostile senders do: octets by chance, half of
a handshake, connections that are opened and forgotten, reset, or fed an octet at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

HONEST: Final = {"udp": "127.1.0.1", "tcp": "127.1.0.2", "tls": "127.1.0.3"}
"""Addresses of devices, by transport."""
_TICK_SECONDS: Final = 0.02
_RECONNECT_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 20.0
_FORMS: Final = (
    "<187>%d: *Mar  1 18:46:11: %%LINK-3-UPDOWN: Interface Gi0/7, changed state to down",
    "<165>1 2026-10-11T22:14:15.003Z h app %d ID47 [ex@32473 n=\"1\"] a text",
    "<28>Nov 20 16:58:04 re0 rpd[%d]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 192.0.2.1 changed",
    "<166>Oct 18 14:39:03 fw1 : %%ASA-6-302015: Built outbound UDP connection %d",
    "<13>Oct 11 22:14:15 host daemon: line %d",
)  # fmt: skip
_CLIENT_HELLO: Final = b"\x16\x03\x01\x00\xff\x01\x00\x00\xfb\x03\x03"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the exporter listens, and how its certificate is checked."""

    ports: dict[str, int]
    trust: ssl.SSLContext


@dataclass(slots=True)
class Tally:
    """What was sent: honest messages by transport, attacks by kind."""

    messages: Counter[str] = field(default_factory=Counter)
    attacks: Counter[str] = field(default_factory=Counter)


def message(number: int) -> bytes:
    """Give an honest message."""
    return (_FORMS[number % len(_FORMS)] % number).encode()


def frames(count: int, begin: int) -> bytes:
    """Give honest messages as a stream, in both framings by turns of some."""
    framed = []
    for number in range(begin, begin + count):
        content = message(number)
        is_counted = number // 7 % 2
        framed.append(b"%d %s" % (len(content), content) if is_counted else content + b"\n")
    return b"".join(framed)


async def send_datagrams(target: Target, tally: Tally, per_second: float, seconds: float) -> None:
    """Send honest messages over UDP."""
    loop = asyncio.get_running_loop()
    where = ("127.0.0.1", target.ports["udp"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((HONEST["udp"], 0))
        began_at = loop.time()
        while (passed := loop.time() - began_at) < seconds:
            for number in range(tally.messages["udp"], int(passed * per_second)):
                sender.sendto(message(number), where)
                tally.messages["udp"] += 1
            await asyncio.sleep(_TICK_SECONDS)


async def send_made_up(target: Target, begin: int, end: int) -> None:
    """Send messages over TCP, each of a shape of its own, as a fuzzer would."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", target.ports["tcp"], local_addr=("127.66.9.9", 0)
    )
    for number in range(begin, end):
        writer.write(b"<%d>app%d: made up\n" % (number % 192, number))
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def send_stream(
    target: Target, tally: Tally, transport: str, per_second: float, seconds: float
) -> None:
    """Send honest messages over connections of TCP or TLS, each of which is closed in order."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    while (left := ends_at - loop.time()) > 0:
        writer = await _connect(target, transport, HONEST[transport])
        began_at, sent = loop.time(), 0
        while (passed := loop.time() - began_at) < min(left, _RECONNECT_SECONDS):
            due = int(passed * per_second) - sent
            writer.write(frames(due, tally.messages[transport]))
            await writer.drain()
            sent += due
            tally.messages[transport] += due
            await asyncio.sleep(_TICK_SECONDS)
        writer.close()
        await writer.wait_closed()


async def _connect(target: Target, transport: str, address: str) -> asyncio.StreamWriter:
    """Connect, again and again if it is refused: there may be a storm."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1",
                    target.ports[transport],
                    ssl=target.trust if transport == "tls" else None,
                    server_hostname="" if transport == "tls" else None,
                    local_addr=(address, 0),
                )
            except (OSError, ssl.SSLError):
                await asyncio.sleep(_TICK_SECONDS)
            else:
                return writer


class Attacker:
    """Does what others than honest senders do, for as long as it is told to."""

    def __init__(self, target: Target, tally: Tally, seed: int) -> None:
        self._target = target
        self._tally = tally
        self._random = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "random octets over UDP": self._random_datagrams,
            "random octets over TCP": lambda: self._random_octets("tcp"),
            "random octets to TLS": lambda: self._random_octets("tls"),
            "frames that are nearly right": self._wrong_frames,
            "TLS that goes wrong": self._broken_handshake,
            "half-open connections": lambda: self._half_open("tcp"),
            "half-open handshakes": lambda: self._half_open("tls"),
            "an octet at a time": self._trickle,
            "storms of connections": self._storm,
            "an honest handshake, then garbage": self._garbage_in_tls,
        }

    async def run(self, kind: str, seconds: float) -> None:
        """Do one kind of it, again and again."""
        ends_at = self._loop.time() + seconds
        while self._loop.time() < ends_at:
            with contextlib.suppress(OSError, TimeoutError):
                # The exporter may close whatever it likes here.
                async with asyncio.timeout(ends_at - self._loop.time() + _TICK_SECONDS):
                    await self.kinds[kind]()
            self._tally.attacks[kind] += 1
            await asyncio.sleep(self._random.uniform(0, 0.2))

    def _octets(self, most: int = 5000) -> bytes:
        return self._random.randbytes(self._random.randrange(1, most))

    def _address(self) -> tuple[str, int]:
        return f"127.66.{self._random.randrange(4)}.{self._random.randrange(1, 9)}", 0

    async def _open(self, transport: str) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            opened.bind(self._address())
            await self._loop.sock_connect(opened, ("127.0.0.1", self._target.ports[transport]))
        except BaseException:
            opened.close()
            raise
        return opened

    async def _random_datagrams(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(self._address())
            for _ in range(20):
                sender.sendto(self._octets(), ("127.0.0.1", self._target.ports["udp"]))

    async def _random_octets(self, transport: str) -> None:
        with await self._open(transport) as sender:
            await self._loop.sock_sendall(sender, self._octets(50_000))

    async def _wrong_frames(self) -> None:
        stream = bytearray(frames(200, self._random.randrange(1000)))
        for _ in range(20):
            stream[self._random.randrange(len(stream))] = self._random.randrange(256)
        with await self._open("tcp") as sender:
            await self._loop.sock_sendall(sender, bytes(stream))

    async def _broken_handshake(self) -> None:
        with await self._open("tls") as sender:
            await self._loop.sock_sendall(sender, _CLIENT_HELLO + self._octets(600))
            await asyncio.sleep(self._random.uniform(0, 0.5))

    async def _half_open(self, transport: str) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(10):
                opened = stack.enter_context(await self._open(transport))
                begin = b"<13>an endless line" if transport == "tcp" else _CLIENT_HELLO[:7]
                await self._loop.sock_sendall(opened, begin * self._random.randrange(2))
            await asyncio.sleep(self._random.uniform(1, 8))

    async def _trickle(self) -> None:
        with await self._open("tcp") as sender:
            for _ in range(400):
                await self._loop.sock_sendall(sender, b"9")
                await asyncio.sleep(_TICK_SECONDS)

    async def _storm(self) -> None:
        with contextlib.ExitStack() as stack:
            for number in range(100):
                opened = stack.enter_context(await self._open(("tcp", "tls")[number % 2]))
                if number % 3 == 0:  # reset when it is closed
                    linger = struct.pack("ii", 1, 0)
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def _garbage_in_tls(self) -> None:
        address, _ = self._address()
        writer = await _connect(self._target, "tls", address)
        try:
            writer.write(self._octets(20_000))
            await writer.drain()
        finally:
            writer.transport.abort()
