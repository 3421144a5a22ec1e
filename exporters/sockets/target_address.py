"""The address of an agent as users write it: ``[transport://]host[:port]``.

Not name resolution: that waits, and lives in ``exporters.sockets.resolution``. The forms are
those of snmp_exporter's ``target`` parameter, so that every existing Prometheus configuration
keeps its meaning; what that one accepts and can never reach (``tcp://udp://host``) is refused.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

DEFAULT_PORT: Final = 161
_TRANSPORTS: Final = ("udp", "udp4", "udp6", "tcp", "tcp4", "tcp6")
_MAX_NAME_CHARACTERS: Final = 253
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_.:@-]{1,15}", re.ASCII)
"""An interface's name or number; Linux has 15 characters for the name."""


@dataclass(frozen=True, slots=True)
class TargetAddress:
    """Where an agent listens: *transport* is one of udp, udp4, udp6, tcp, tcp4, tcp6."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        """The canonical form, with the transport only where it is not plain UDP."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        prefix = "" if self.transport == "udp" else f"{self.transport}://"
        return f"{prefix}{host}:{self.port}"


def parse_target(text: str) -> TargetAddress:
    """Parse a target.

    Raises:
        ValueError: It names no host, an unknown transport, or a port outside 0 to 65535.

    Examples: ``192.0.2.1``, ``switch:1161``, ``tcp://switch``, ``::1``, ``[2001:db8::1]:161``.
    """
    transport, separator, rest = text.partition("://")
    if not separator:
        transport, rest = "udp", text
    if transport not in _TRANSPORTS:
        raise ValueError(f"unknown transport {transport!r}; expected {', '.join(_TRANSPORTS)}")
    if "://" in rest:
        raise ValueError(f"{text!r} names two transports; expected [transport://]host[:port]")
    host, port = _split_port(rest)
    if not host:
        raise ValueError(f"{text!r} names no host; expected [transport://]host[:port]")
    if not (_is_ipv6(host) or _is_name(host)):
        raise ValueError(f"{host!r} is neither a host name nor an address")
    return TargetAddress(transport, host, port)


def _split_port(text: str) -> tuple[str, int]:
    if _is_ipv6(text):
        return text, DEFAULT_PORT
    if text.startswith("["):
        host, bracket, after = text[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise ValueError(f"{text!r} has brackets that do not hold an address")
        return host, _parse_port(after[1:]) if after else DEFAULT_PORT
    host, colon, port = text.partition(":")
    return host, _parse_port(port) if colon else DEFAULT_PORT


def _parse_port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 0xFFFF:
        return int(text)
    raise ValueError(f"{text!r} is not a port; expected a number from 0 to 65535")


def _is_name(text: str) -> bool:
    """Whether it can be a host name or an IPv4 address; the resolver knows the rest."""
    return len(text) <= _MAX_NAME_CHARACTERS and _NAME.fullmatch(text) is not None


def _is_ipv6(text: str) -> bool:
    address, percent, zone = text.partition("%")
    if percent and _ZONE.fullmatch(zone) is None:
        return False
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True
