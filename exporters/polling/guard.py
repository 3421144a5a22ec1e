"""Which hosts may be asked at all, and which may be sent an auth's credentials.

Without a list, stored credentials go wherever whoever reaches the exporter points.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporters.errors import Forbidden
from exporters.sockets import target_guard
from exporters.sockets.target_guard import IpAddress, Network


def check_target(
    ip: IpAddress, allowed: Sequence[Network], auth_name: str, auth_targets: Sequence[Network]
) -> None:
    """Let the target pass where both lists admit it; an empty list admits every host.

    Raises:
        Forbidden: One of the lists does not.
    """
    target_guard.check_target(ip, allowed)
    ip = target_guard.unmapped(ip)
    if auth_targets and not any(ip in network for network in auth_targets):
        raise Forbidden(f"target {ip} is outside of the targets of auth {auth_name!r}")
