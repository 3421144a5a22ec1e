"""Which hosts may be asked at all: ``--targets.allow``.

Whoever can reach the exporter names the target. The address that is checked is the one that is
then used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from exporters.errors import Forbidden

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def unmapped(ip: IpAddress) -> IpAddress:
    """Give the IPv4 address of one that is IPv4 in IPv6; any other as it is."""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def check_target(ip: IpAddress, allowed: Sequence[Network]) -> None:
    """Let the target pass where the list admits it; an empty list admits every host.

    Raises:
        Forbidden: It does not.
    """
    ip = unmapped(ip)
    if allowed and not any(ip in network for network in allowed):
        raise Forbidden(f"target {ip} is outside of --targets.allow")
