"""Which of several processes a device of the inventory belongs to: the one that its messages reach.

Sockets choose by the address that a message comes from (``exporters.wire.source_shares``). All that
is kept of a device is in one process, its owner: the one that hears its first address. What comes
from another address of it, or through a relay, is handed over to the owner. A sender that is not in
the inventory has no owner: what is counted of it is counted wherever it arrives, and adds up.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import Final, TypeVar

from exporters.config.devices import Device, Inventory
from exporters.config.event_settings import EventSettings, RateLimit
from exporters.config.host_address import normalize_ip
from exporters.wire.source_shares import share_of

_PARENT: Final = -1

Settings = TypeVar("Settings", EventSettings, RateLimit)


@dataclass(frozen=True, slots=True)
class Share:
    """The part that one process has of all that *count* have, by its number.

    Numbers are from 0; their parent's is -1, and no device is its own.
    """

    number: int = 0
    count: int = 1

    @classmethod
    def before_fork(cls, workers: int) -> Share:
        """Give that of the process that is the only one, or will be the parent of several."""
        return cls(0 if workers == 1 else _PARENT, workers)

    def owner(self, device: Device) -> int:
        """Give the number of the process that a device belongs to."""
        address = next(filter(normalize_ip, device.addresses), None)
        if address is None:  # only ever heard through a relay
            return self.home(device.name.encode())
        return share_of(address, self.count)

    def home(self, key: bytes) -> int:
        """Give the number of the process that anything else belongs to, which has this key."""
        return zlib.crc32(key) % self.count

    def owns(self, device: Device) -> bool:
        """Whether a device belongs to this process."""
        return self.count == 1 or self.owner(device) == self.number

    def own_names(self, devices: Iterable[Device]) -> list[str]:
        """Give the names of those devices that belong to this process."""
        return [device.name for device in devices if self.owns(device)]

    def owner_of_state(self, key: str, inventory: Inventory | None) -> int | None:
        """Give the process that has what is kept under a key, of which the second word is a device.

        None for what is of no device of the inventory, which any process may have.
        """
        _, device, *_ = (*key.split("\t"), "")
        known = None if inventory is None else inventory.by_name(device)
        return None if known is None else self.owner(known)

    def of_settings(self, settings: EventSettings) -> EventSettings:
        """Give this process' part of what may be kept, so that all of them keep no more."""
        return _changed(
            settings,
            series_limit=self.part(settings.series_limit),
            states_limit=self.part(settings.states_limit),
            recent_events=self.part(settings.recent_events),
            recent_bytes=self.part(settings.recent_bytes),
        )

    def of_rate_limit(self, limit: RateLimit) -> RateLimit:
        """Give its part of the accounts; a sender has one account, as it is in one process."""
        return _changed(limit, senders=self.part(limit.senders))

    def part(self, limit: int) -> int:
        """Give its part of a limit that all of them have together."""
        return -(-limit // self.count)


WHOLE: Final = Share()
"""Of a process that has everything."""


def _changed(settings: Settings, **limits: int) -> Settings:
    """Give settings with other limits; ``replace`` would read all of them as text once more."""
    changed = copy(settings)
    for name, limit in limits.items():
        object.__setattr__(changed, name, limit)
    return changed
