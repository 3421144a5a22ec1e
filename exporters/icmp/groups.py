"""From the groups of a configuration, and the devices that they choose, to what is to be pinged.

Every host of a group is pinged once for each code point of the group. A host that is an address of
the inventory is that device, wherever it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from exporters.config.devices import Device, Inventory
from exporters.config.icmp_config import IcmpConfig
from exporters.config.icmp_fields import OWN_LABELS
from exporters.config.icmp_group import Group
from exporters.icmp.target import Labels, TargetSettings
from exporters.sockets.host_resolution import parse_address
from exporters.wire.icmp import IpVersion

_VERSIONS: Final[Mapping[str, IpVersion | None]] = {"any": None, "ip4": 4, "ip6": 6}


def wanted_targets(config: IcmpConfig, inventory: Inventory | None) -> Iterator[TargetSettings]:
    """Give the settings of everything that is to be pinged all the time."""
    devices = inventory.devices if inventory else ()
    for name, group in config.groups.items():
        for device, host, labels in _hosts(group, devices):
            for traffic_class in group.traffic_classes:
                yield TargetSettings(
                    device=device,
                    group=name,
                    host=host,
                    labels=(*labels, *_code_point(group, traffic_class)),
                    version=_VERSIONS[group.family],
                    all_addresses=group.addresses == "all",
                    resolve_seconds=group.resolve_interval,
                    interval_seconds=group.interval,
                    timeout_seconds=group.timeout,
                    size_bytes=group.size,
                    traffic_class=traffic_class,
                    hop_limit=group.ttl,
                    source_v4=group.source_address(4),
                    source_v6=group.source_address(6),
                    interface=group.interface,
                    bounds=group.buckets,
                    window=group.window,
                    path=group.path,
                    pmtu=group.pmtu,
                )


def _hosts(group: Group, devices: Sequence[Device]) -> Iterator[tuple[str, str, Labels]]:
    """Give device, host and labels of each; of a host that is named twice, as it is named first."""
    by_address = {address: device for device in devices for address in device.addresses}
    seen = set()
    for entry in group.hosts:
        seen.add(entry.host)
        device = by_address.get(entry.host)
        labels = {**_device_labels(device), **group.labels, **entry.labels}
        yield device.name if device else entry.host, entry.host, tuple(sorted(labels.items()))
    for device in devices:
        if group.devices is None or not group.devices.has(device):
            continue
        labels = {**_device_labels(device), **group.labels}
        for host in _addresses(group, device):
            if host not in seen:
                seen.add(host)
                yield device.name, host, tuple(sorted(labels.items()))


def _addresses(group: Group, device: Device) -> tuple[str, ...]:
    """Give the addresses of a device that the group pings: of its family, and one or all."""
    version = _VERSIONS[group.family]
    fitting = tuple(
        address
        for address in device.addresses
        if version is None or (ip := parse_address(address)) is None or ip.version == version
    )
    return fitting if group.addresses == "all" else fitting[:1]


def _device_labels(device: Device | None) -> dict[str, str]:
    """Give the labels of a device; one that is the exporter's own is named as Prometheus would."""
    if device is None:
        return {}
    return {
        f"exported_{name}" if name in OWN_LABELS else name: value
        for name, value in device.labels.items()
    }


def _code_point(group: Group, traffic_class: int) -> Labels:
    """Give the label that tells targets apart where a group has several code points."""
    if len(group.traffic_classes) == 1:
        return ()
    if group.tos:
        return (("tos", str(traffic_class)),)
    return (("dscp", str(traffic_class >> 2)),)
