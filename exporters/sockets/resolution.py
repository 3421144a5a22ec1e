"""From a target's host name to the one address that will be used.

The name is resolved once and the result is what gets checked and connected to, so that a name
cannot mean one address to the guard and another to the socket. Of several addresses the first is
taken, which the system puts there because it can be reached (RFC 6724).

The system's look-up blocks its thread, for 20 seconds and more where a name server is silent.
asyncio would use the few threads that everything else shares; ``NameLookups`` has its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from exporters.errors import FailureReason, TargetError
from exporters.sockets.target_address import TargetAddress

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Found = list[tuple[Any, ...]]
"""What getaddrinfo(3) gives: family, kind, protocol, canonical name and socket address of each."""

FindName = Callable[[str, int, int, int], Awaitable[Found]]
"""Looks up a host and port for an address family and a kind of socket."""

MOST_LOOKUPS: Final = 32
_FAMILIES: Final = {"4": socket.AF_INET, "6": socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A resolved target: everything a socket needs."""

    family: socket.AddressFamily
    stream: bool
    socket_address: tuple[Any, ...]
    ip: IpAddress
    """The address; a link-local one with the number of its interface: two interfaces, two hosts."""

    def __str__(self) -> str:
        """``udp 192.0.2.1 port 161``, as it stands in logs and messages."""
        return f"{'tcp' if self.stream else 'udp'} {self.ip} port {self.socket_address[1]}"


class NameLookups:
    """Looks up names in threads of its own, no more than *most* at a time.

    A thread cannot be stopped: one whose answer nobody waits for any more still counts until the
    system gives up. The threads do not keep the process from ending.
    """

    def __init__(
        self, most: int = MOST_LOOKUPS, look_up: Callable[..., Found] = socket.getaddrinfo
    ) -> None:
        self._look_up = look_up
        self._free = asyncio.Semaphore(most)

    async def find(self, host: str, port: int, family: int, kind: int) -> Found:
        """Look up *host*; raises what getaddrinfo(3) raises."""
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        answer: asyncio.Future[Found] = loop.create_future()

        def settle(found: Found, error: Exception | None) -> None:
            self._free.release()
            if answer.done():
                return
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

        def look_up() -> None:
            found: Found = []
            error: Exception | None = None
            try:
                found = self._look_up(host, port, family, kind)
            except Exception as caught:  # noqa: BLE001 - the top of a thread
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, found, error)

        try:
            threading.Thread(target=look_up, name="name-lookup", daemon=True).start()
        except RuntimeError as error:
            self._free.release()
            raise OSError(f"no thread to look it up: {error}") from error
        return await answer


async def find_once(host: str, port: int, family: int, kind: int) -> Found:
    """Look up *host* as asyncio does, for a program that does so once."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, family=family, type=kind)


async def resolve(
    address: TargetAddress, deadline_at: float, find: FindName = find_once
) -> Endpoint:
    """Resolve *address* before *deadline_at* (on the running loop's clock).

    Raises:
        TargetError: The name does not resolve, not in the wanted family, or not in time.
    """
    stream = address.transport.startswith("tcp")
    family = _FAMILIES.get(address.transport[-1], socket.AF_UNSPEC)
    literal = _as_literal(address, family, stream=stream)
    if literal is not None:
        return literal
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    try:
        async with asyncio.timeout_at(deadline_at):
            found = await find(address.host, address.port, family, kind)
    except TimeoutError as error:
        raise TargetError(
            FailureReason.DNS, f"{address.host} was not resolved before the deadline"
        ) from error
    except (OSError, UnicodeError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise TargetError(FailureReason.DNS, f"{address.host}: {detail}") from error
    chosen, _, _, _, socket_address = found[0]
    return Endpoint(chosen, stream, socket_address, _ip(socket_address))


def _ip(socket_address: tuple[Any, ...]) -> IpAddress:
    text = str(socket_address[0]).partition("%")[0]
    zone = socket_address[3] if len(socket_address) == 4 else 0
    return ipaddress.ip_address(f"{text}%{zone}" if zone else text)


def _as_literal(
    address: TargetAddress, family: socket.AddressFamily, *, stream: bool
) -> Endpoint | None:
    if "%" in address.host:  # a zone: only the system knows the interface's number
        return None
    try:
        ip = ipaddress.ip_address(address.host)
    except ValueError:
        return None
    own_family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    if family not in (socket.AF_UNSPEC, own_family):
        return None
    where: tuple[Any, ...] = (str(ip), address.port)
    if ip.version == 6:
        where = (*where, 0, 0)
    return Endpoint(own_family, stream, where, ip)
