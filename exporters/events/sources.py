"""Who sent a message: the device of the inventory, whether it may send at all, and how much.

The address that a datagram came from decides. What a message says of itself (agent-addr,
snmpTrapAddress.0, HOSTNAME) is believed from trusted relays alone, and only if it leads to a device
of the inventory; else anybody could write any device's metrics.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from exporters.config.devices import Device, Inventory
from exporters.config.event_settings import AccessSettings, RateLimit
from exporters.config.event_taxonomy import UNKNOWN
from exporters.config.fields import IPNetwork
from exporters.config.host_address import normalize_ip
from exporters.events.shares import WHOLE, Share

_MOST_REMEMBERED: Final = 50_000


class Source(NamedTuple):
    """A sender, by its address."""

    address: str
    """In its one spelling: IPv4 where it is IPv4 in IPv6."""
    device: str
    is_allowed: bool
    is_relay: bool
    owner: int | None = None
    """The process that has what is known of the device; None: this one."""


class Sources:
    """All senders, as the inventory and the settings see them."""

    def __init__(
        self, inventory: Inventory | None, access: AccessSettings, share: Share = WHOLE
    ) -> None:
        self._inventory = inventory or Inventory(devices=())
        self._access = access
        self._share = share
        self._known: dict[str, Source] = {}
        self._origins: dict[tuple[str, str], Source] = {}

    @property
    def devices(self) -> Sequence[str]:
        """The names of all devices of the inventory."""
        return [device.name for device in self._inventory.devices]

    @property
    def has_relays(self) -> bool:
        """Whether anybody is believed whose a message is."""
        return bool(self._access.trusted_relays)

    @property
    def zones(self) -> Mapping[str, tzinfo]:
        """The time zones of devices that have one, by their names."""
        return self._inventory.zones

    def source(self, peer: str) -> Source:
        """Give who sends from the address *peer*, which need not be one (a Unix socket)."""
        found = self._known.get(peer)
        if found is None:
            found = self._look_up(peer)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()  # forged addresses; what is wanted is soon there again
            self._known[peer] = found
        return found

    def device_of(self, source: Source, claimed: str) -> str:
        """Give the device of a message that says it is about *claimed*, an address or a name."""
        if claimed and source.is_relay:
            device = self._inventory.by_hostname(claimed)
            if device is not None:
                return device.name
        return source.device

    def origin(self, source: Source, claimed: str) -> Source:
        """Give the sender as one that speaks for no other, of a message about *claimed*."""
        if not source.is_relay:
            return source
        found = self._origins.get((source.address, claimed))
        if found is not None:
            return found
        device = self._inventory.by_hostname(claimed) if claimed else None
        if device is None:  # a made up name, which may be as long as a message
            return source._replace(is_relay=False)
        found = source._replace(device=device.name, is_relay=False, owner=self._owner(device))
        if len(self._origins) >= _MOST_REMEMBERED:
            self._origins.clear()  # a name may be written in many ways
        self._origins[source.address, claimed] = found
        return found

    def _look_up(self, peer: str) -> Source:
        address = normalize_ip(peer)
        if address is None:
            return Source(
                peer, UNKNOWN, is_allowed=not self._access.allowed_networks, is_relay=False
            )
        device = self._inventory.by_address(address)
        return Source(
            address,
            UNKNOWN if device is None else device.name,
            is_allowed=not self._access.allowed_networks
            or _is_in(address, self._access.allowed_networks),
            is_relay=_is_in(address, self._access.trusted_relays),
            owner=None if device is None else self._owner(device),
        )

    def _owner(self, device: Device) -> int | None:
        return None if self._share.owns(device) else self._share.owner(device)


def _is_in(address: str, networks: Sequence[IPNetwork]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in network for network in networks)


class SourceLimiter:
    """A token bucket for each sender, and one for all those that found no bucket."""

    def __init__(self, limit: RateLimit) -> None:
        self._per_second = limit.per_second
        self._burst = float(limit.burst)
        self._most = limit.senders
        self._buckets: dict[str, tuple[float, float]] = {}
        self._looked_at = 0.0

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def is_open(self) -> bool:
        """Whether everybody may send any number."""
        return not self._per_second

    def take(self, address: str, now: float, wanted: int = 1) -> int:
        """Take tokens of the sender's bucket at *now* (monotonic); how many of them there were."""
        if not self._per_second:
            return wanted
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= self._most and address != UNKNOWN and not self._tidy(now):
                return self.take(UNKNOWN, now, wanted)
            bucket = (self._burst, now)
        tokens, filled_at = bucket
        tokens = min(self._burst, tokens + (now - filled_at) * self._per_second)
        taken = min(wanted, int(tokens))
        self._buckets[address] = (tokens - taken, now)
        return taken

    def _tidy(self, now: float) -> bool:
        """Drop full buckets, which are as good as new ones, at most once a second."""
        if now - self._looked_at >= 1.0:
            self._looked_at = now
            full_after = self._burst / self._per_second
            self._buckets = {
                address: (tokens, filled_at)
                for address, (tokens, filled_at) in self._buckets.items()
                if now - filled_at < full_after
            }
        return len(self._buckets) < self._most
