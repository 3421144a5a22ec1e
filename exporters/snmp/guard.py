"""Which hosts may be asked at all, and which may be sent an auth's credentials.

Whoever can reach the exporter names the target; without a list, stored credentials go wherever
they point. The address that is checked is the one that is then used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from exporters.errors import Forbidden

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_target(
    ip: IpAddress, allowed: Sequence[Network], auth_name: str, auth_targets: Sequence[Network]
) -> None:
    """Let the target pass where both lists admit it; an empty list admits every host.

    Raises:
        Forbidden: One of the lists does not.
    """
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if allowed and not any(ip in network for network in allowed):
        raise Forbidden(f"target {ip} is outside of --targets.allow")
    if auth_targets and not any(ip in network for network in auth_targets):
        raise Forbidden(f"target {ip} is outside of the targets of auth {auth_name!r}")
