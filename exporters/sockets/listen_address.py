"""Where events are listened for: ``[HOST]:PORT``, as the flags of receivers have it.

Examples: ``:162``, every address of this machine; ``192.0.2.1:162``; ``[2001:db8::1]:162``;
``localhost:1162``, every address of a name.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

SocketAddress = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A host, empty for every address of this machine, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def resolve(self) -> list[tuple[socket.AddressFamily, SocketAddress]]:
        """Give every address that the host has.

        Raises:
            OSError: It has none.
        """
        found = socket.getaddrinfo(
            self.host or None, self.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )
        return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def parse_listen_address(text: str) -> ListenAddress:
    """Parse an address.

    Raises:
        ValueError: It is none; says what would be.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon:
        raise ValueError(f"{text!r} has no port; expected one such as {text or '192.0.2.1'}:162")
    if ":" in host and not bracketed:
        raise ValueError(f"{text!r} is ambiguous; IPv6 addresses go in brackets, [::1]:162")
    if not (port.isascii() and port.isdigit() and int(port) <= 0xFFFF):
        raise ValueError(f"{text!r} has the port {port!r}; expected a number from 0 to 65535")
    return ListenAddress(host[1:-1] if bracketed else host, int(port))
