"""Which limits hold for a device, and the queues in which all that is sent to it waits.

A device is one of the inventory, whichever of its addresses is asked, else an address and port. Its
limits are its own, or else those of the flags, and hold for all that is sent to it. A module's
limits hold beside them, for all that walks of that module send to it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from exporters.config.devices import Device, Inventory
from exporters.config.host_address import normalize_ip
from exporters.config.snmp_config import Module
from exporters.polling.agent_memory import BoundedCache
from exporters.sockets.device_queue import DeviceQueue, SendLimiter
from exporters.sockets.pacing import Limits
from exporters.sockets.resolution import Endpoint
from exporters.sockets.target_address import TargetAddress, parse_target

Queues = BoundedCache[Hashable, DeviceQueue]


@dataclass(frozen=True, slots=True)
class LimitedDevice:
    """A device as one scrape has it."""

    endpoint: Endpoint
    key: Hashable
    limits: Limits
    queues: Queues

    def limiter(self, module_name: str = "", module: Module | None = None) -> SendLimiter | None:
        """What paces a session, here one that reads a module; None if nothing limits it."""
        queues: list[DeviceQueue] = []
        if module is not None and (module.concurrency or module.packets_per_second):
            limits = Limits(module.concurrency, module.packets_per_second)
            queues.append(self._queue((self.key, module_name), limits))
        if self.limits:
            queues.append(self._queue(self.key, self.limits))
        return SendLimiter(queues, self.endpoint) if queues else None

    def _queue(self, key: Hashable, limits: Limits) -> DeviceQueue:
        queue = self.queues.get(key)
        queue.change_limits(limits)
        return queue


class DeviceLimits:
    """The limits of all devices of one inventory; *queues* outlive it at a reload."""

    def __init__(self, inventory: Inventory | None, default: Limits, queues: Queues) -> None:
        self._inventory = inventory
        self._default = default
        self._queues = queues
        self._by_snmp_target = dict(_snmp_targets(inventory)) if inventory is not None else {}

    def device(self, target: TargetAddress, endpoint: Endpoint) -> LimitedDevice:
        """Give the device that *target*, resolved to *endpoint*, belongs to."""
        device = self._find(target, endpoint)
        if device is None:
            where = (normalize_ip(str(endpoint.ip)), endpoint.socket_address[1])
            return LimitedDevice(endpoint, where, self._default, self._queues)
        limits = Limits(
            device.snmp_concurrency or self._default.concurrency,
            device.snmp_packets_per_second or self._default.packets_per_second,
        )
        return LimitedDevice(endpoint, device.name, limits, self._queues)

    def _find(self, target: TargetAddress, endpoint: Endpoint) -> Device | None:
        if self._inventory is None:
            return None
        return (
            self._by_snmp_target.get(_where(target))
            or self._inventory.by_host(target.host)
            or self._inventory.by_address(str(endpoint.ip))
        )


def _snmp_targets(inventory: Inventory) -> list[tuple[tuple[str, int], Device]]:
    found = []
    for device in inventory.devices:
        if device.snmp_target:
            try:
                target = parse_target(device.snmp_target)
            except ValueError:
                continue  # no request for it can come: its query would be refused
            found.append((_where(target), device))
    return found


def _where(target: TargetAddress) -> tuple[str, int]:
    return normalize_ip(target.host) or target.host.lower().removesuffix("."), target.port
