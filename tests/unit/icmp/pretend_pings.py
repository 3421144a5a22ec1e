"""A network that exists in a test only: sockets, destinations and a clock that stands still.

world = World()
world.hosts["192.0.2.1"] = Host(delay_ns=5 * MS)
target = world.add("192.0.2.1")
world.run(seconds=10)
"""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from exporters.errors import FailureReason, TargetError
from exporters.icmp.engine import Engine
from exporters.icmp.origin import OriginKey
from exporters.icmp.target import Address, Target, TargetSettings
from exporters.sockets.icmp_open import SocketMode
from exporters.sockets.icmp_values import ErrorReport, Reply, SendError, SocketAddress, Stamp

MS = 1_000_000
SECOND = 1000 * MS


@dataclass
class Host:
    """How a destination answers.

    Attributes:
        delay_ns: until a reply or an error arrives; None: never.
        answers_from: the source of its replies, if not its own address.
        error: ICMP type and code instead of a reply.
        quoted_bytes: how much of the payload an error quotes.
        alter: what it does to payloads.
        times: how many replies it sends to one request.
        send_error: what the kernel says to a request for it.
        identifiers: those that get through; None: all.
    """

    delay_ns: int | None = 5 * MS
    answers_from: str = ""
    error: tuple[int, int] | None = None
    quoted_bytes: int = 56
    alter: Callable[[bytes], bytes] = bytes
    times: int = 1
    send_error: int | None = None
    identifiers: frozenset[int] | None = None


@dataclass
class PretendSocket:
    """What an origin opens."""

    world: World
    identifier: int
    key: OriginKey
    on_reply: Callable[[Reply], None]
    on_error: Callable[[ErrorReport], None]
    mode: SocketMode = "datagram"
    buffer_granted_bytes: int = 0
    garbage: int = 0
    kernel_stamps: bool = True
    closed: bool = False
    unread: list[tuple[int, int, Callable[[Stamp], Reply | ErrorReport]]] = field(
        default_factory=list
    )

    def send(
        self,
        destination: SocketAddress,
        sequence: int,
        payload: bytes,
        *,
        hop_limit: int | None = None,
        traffic_class: int | None = None,
    ) -> Stamp:
        assert not self.closed
        return self.world.carry(self, destination, sequence & 0xFFFF, payload)

    def receive(self, limit: int) -> int:
        most = min(limit, self.world.read_limit)
        count = 0
        while count < most and self.unread and self.unread[0][0] <= self.world.now_ns:
            at_ns, _, arrive = heapq.heappop(self.unread)
            message = arrive(Stamp(at_ns + self.world.unix_offset_ns, at_ns))
            count += 1
            if isinstance(message, Reply):
                self.on_reply(message)
            else:
                self.on_error(message)
        return limit if count == most else count  # there may be more

    def grow_receive_buffer(self, wanted_bytes: int) -> None:
        self.buffer_granted_bytes = wanted_bytes

    def interface_lost(self) -> bool:
        return self.key.interface in self.world.lost_interfaces

    def drops(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True


class World:
    """Hosts by address, a clock, and an engine that pings them."""

    def __init__(self, **options: Any) -> None:
        self.now_ns = 50_000 * SECOND
        self.unix_offset_ns = 1_700_000_000 * SECOND
        self.hosts: dict[str, Host] = {}
        self.sockets: list[PretendSocket] = []
        self.sends: list[tuple[int, str, int]] = []
        self.refused_origins: set[OriginKey] = set()
        self.lost_interfaces: set[str] = set()
        self.read_limit = 10**9
        self._numbers = 0
        self.engine = Engine(self.open, clock=self.stamp, **options)

    def stamp(self) -> Stamp:
        return Stamp(self.now_ns + self.unix_offset_ns, self.now_ns)

    def open(
        self,
        key: OriginKey,
        receive_buffer_bytes: int,
        on_reply: Callable[[Reply], None],
        on_error: Callable[[ErrorReport], None],
    ) -> PretendSocket:
        if key in self.refused_origins:
            raise TargetError(FailureReason.LOCAL, "there is no such interface")
        opened = PretendSocket(self, len(self.sockets) + 1, key, on_reply, on_error)
        opened.buffer_granted_bytes = receive_buffer_bytes
        self.sockets.append(opened)
        return opened

    def add(self, ip: str, **settings: Any) -> Target:
        """Ping an address; without a host of its own it answers well."""
        self.hosts.setdefault(ip, Host())
        group = f"group {len(self.engine.targets)}"
        own = TargetSettings(device=ip, group=group, host=ip, **settings)
        target = Target(own, Address(6 if ":" in ip else 4, ip, (ip, 0)))
        self.engine.add(target)
        return target

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until_ns = self.now_ns + round(seconds * SECOND)
        while self.now_ns < until_ns:
            self.now_ns = min(self.now_ns + max(self.engine.tick(), 1), until_ns)

    def stall(self, seconds: float) -> None:
        """Let time pass while the process stands still."""
        self.now_ns += round(seconds * SECOND)

    def carry(
        self, socket: PretendSocket, destination: SocketAddress, sequence: int, payload: bytes
    ) -> Stamp:
        ip = destination[0]
        host = self.hosts[ip]
        self.sends.append((self.now_ns, ip, socket.identifier))
        if host.send_error is not None:
            raise SendError(host.send_error, destination, 0)
        passes = host.identifiers is None or socket.identifier in host.identifiers
        if host.delay_ns is not None and passes:
            for _ in range(host.times):
                self._numbers += 1
                arrival = (self.now_ns + host.delay_ns, self._numbers)
                heapq.heappush(socket.unread, (*arrival, answer(host, ip, sequence, payload)))
        return self.stamp()


def answer(
    host: Host, ip: str, sequence: int, payload: bytes
) -> Callable[[Stamp], Reply | ErrorReport]:
    """What comes back, once it is known when."""
    if host.error is not None:
        kind, code = host.error
        quoted = payload[: host.quoted_bytes]
        return lambda stamp: ErrorReport(
            ip, "10.0.0.9", False, kind, code, 0, sequence, quoted, stamp
        )
    source, altered = host.answers_from or ip, host.alter(payload)
    return lambda stamp: Reply(source, sequence, altered, stamp, 60, 0)


def closes(target: Target) -> bool:
    """Whether the account of *target* closes."""
    account = target.account
    return account.sent == account.replies + sum(account.lost) + account.in_flight


CONGESTED = errno.ENOBUFS
