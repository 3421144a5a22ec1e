"""From a host's name to all of its addresses, without one dead name server stopping the others.

``exporters.sockets.resolution`` gives the one address that a scrape uses. Here are all of them, in
the order in which the system would try them (RFC 6724), for many hosts at the same time. The
system's resolver blocks, for many seconds where a name server is silent; so each lookup has a
thread of its own, up to a limit, and a process that ends does not wait for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from exporters.errors import FailureReason, TargetError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str], tuple[IpAddress, ...]]

MOST_THREADS: Final = 64


def parse_address(text: str) -> IpAddress | None:
    """Give the address that *text* is, IPv4 where it is IPv4 in IPv6; ``None``: it is a name."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def look_up(host: str) -> tuple[IpAddress, ...]:
    """Ask the system for the addresses of a name, and wait for it.

    Raises:
        OSError: It does not know any, or says why it cannot tell.
        ValueError: *host* cannot be a name.
    """
    last_label = host.removesuffix(".").rpartition(".")[2].lower()
    if last_label.isdigit() or last_label.startswith("0x"):
        # The C library would take "127.1" for an address, and "10.1.1.010" for another one.
        raise socket.gaierror(socket.EAI_NONAME, "neither a name nor an address")
    found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return tuple(dict.fromkeys(_address(item[4]) for item in found))


class HostResolver:
    """Looks names up side by side; for one event loop."""

    def __init__(self, lookup: Lookup = look_up, most_threads: int = MOST_THREADS) -> None:
        self._lookup = lookup
        self._most_threads = most_threads
        self._threads = 0
        self._waiting: deque[str] = deque()
        self._under_way: dict[str, asyncio.Future[tuple[IpAddress, ...] | Exception]] = {}

    async def addresses(self, host: str, deadline_at: float) -> tuple[IpAddress, ...]:
        """Give the addresses of *host* before *deadline_at* (on the running loop's clock).

        Who asks for a name that is being looked up shares the answer.

        Raises:
            TargetError: There is none, or not in time.
        """
        if (ip := parse_address(host)) is not None:
            return (ip,)
        answer = self._under_way.get(host)
        if answer is None:
            answer = self._under_way[host] = asyncio.get_running_loop().create_future()
            self._waiting.append(host)
            self._start_threads()
        try:
            async with asyncio.timeout_at(deadline_at):
                found = await asyncio.shield(answer)
        except TimeoutError as error:
            detail = f"{host} was not resolved before the deadline"
            raise TargetError(FailureReason.DNS, detail) from error
        if isinstance(found, Exception):
            detail = getattr(found, "strerror", None) or str(found)
            raise TargetError(FailureReason.DNS, f"{host}: {detail}") from found
        return found

    def _start_threads(self) -> None:
        while self._waiting and self._threads < self._most_threads:
            host = self._waiting.popleft()
            loop = asyncio.get_running_loop()
            # A daemon: the interpreter would wait for others at its end.
            thread = threading.Thread(target=self._look_up, args=(loop, host), daemon=True)
            self._threads += 1
            try:
                thread.start()
            except RuntimeError as error:
                self._finish(host, error)

    def _look_up(self, loop: asyncio.AbstractEventLoop, host: str) -> None:
        found: tuple[IpAddress, ...] | Exception
        try:
            found = self._lookup(host)
        except (OSError, ValueError) as error:
            found = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._finish, host, found)

    def _finish(self, host: str, found: tuple[IpAddress, ...] | Exception) -> None:
        self._threads -= 1
        self._under_way.pop(host).set_result(found)
        self._start_threads()


def _address(where: tuple[object, ...]) -> IpAddress:
    text = str(where[0]).partition("%")[0]
    zone = where[3] if len(where) == 4 else 0
    ip = parse_address(f"{text}%{zone}" if zone else text)
    if ip is None:
        raise ValueError(f"the system's resolver gave {text!r}")
    return ip


def socket_address(ip: IpAddress) -> tuple[object, ...]:
    """Give what Python's sockets take for an address of a host, without a port.

    Raises:
        TargetError: Its zone is no interface of this machine.
    """
    if isinstance(ip, ipaddress.IPv4Address):
        return (str(ip), 0)
    zone = ip.scope_id
    text = str(ipaddress.IPv6Address(int(ip)))
    if zone is None:
        return (text, 0, 0, 0)
    try:
        number = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
    except OSError as error:
        raise TargetError(FailureReason.DNS, f"{ip}: there is no interface {zone}") from error
    return (text, 0, 0, number)
