"""From a target's host name to the one address that will be used.

The name is resolved once and the result is what gets checked and connected to, so that a name
cannot mean one address to the guard and another to the socket. Of several addresses the first is
taken, which the system puts there because it can be reached (RFC 6724).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any, Final

from exporters.errors import FailureReason, TargetError
from exporters.sockets.target_address import TargetAddress

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

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


async def resolve(address: TargetAddress, deadline_at: float) -> Endpoint:
    """Resolve *address* before *deadline_at* (on the running loop's clock).

    Raises:
        TargetError: The name does not resolve, not in the wanted family, or not in time.
    """
    stream = address.transport.startswith("tcp")
    family = _FAMILIES.get(address.transport[-1], socket.AF_UNSPEC)
    literal = _as_literal(address, family, stream=stream)
    if literal is not None:
        return literal
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline_at):
            found = await loop.getaddrinfo(
                address.host,
                address.port,
                family=family,
                type=socket.SOCK_STREAM if stream else socket.SOCK_DGRAM,
            )
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
