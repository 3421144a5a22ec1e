"""``devices.yml``: every device once, by name, with the addresses it is asked at and sends from.

All exporters read it and none requires it: pollers serve it to Prometheus as targets, receivers
map a sender's address to ``device``.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import tzinfo
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Count,
    LabelName,
    Name,
    Rate,
    Text,
)
from exporters.config.host_address import HostAddress, normalize_ip
from exporters.config.rejection import Fault, Rejected, quote, suggest
from exporters.config.validation import load_model

_CONFIG = ConfigDict(extra="forbid")
_SNMP_TARGET = re.compile(r"(?:(?:udp|tcp)[46]?://)?[^\s/?#&]+")


def _addresses(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if not addresses:
        raise Rejected("is empty", "a device has at least one address")
    return addresses


def _snmp_target(text: str) -> str:
    """Check the form alone; the transport and the host are the SNMP exporter's to judge."""
    if text and not _SNMP_TARGET.fullmatch(text):
        hint = "write it as 192.0.2.1:1161, tcp://switch.example or [2001:db8::1]:1161"
        raise Rejected(f"{quote(text)} is not an SNMP target", hint)
    return text


def _timezone(text: str) -> str:
    try:
        if text:
            zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = zoneinfo.available_timezones()
        hint = "this machine has no time zone database: install tzdata"
        if known:
            hint = suggest(text, sorted(known), "") or "it is a name such as Asia/Seoul or UTC"
        raise Rejected(f"{quote(text)} is not a time zone", hint) from error
    return text


def _own_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    if "device" in labels:
        fault = Fault("the label device is the device's name", "drop it", at=("device",))
        raise Rejected([fault])
    return labels


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Device:
    """One device, as the label device names it everywhere."""

    name: Annotated[Name, Field(description="Value of the label device.")]
    addresses: Annotated[
        tuple[HostAddress, ...],
        AfterValidator(_addresses),
        Field(description="IP addresses or host names; the first is polled."),
    ]
    snmp_target: Annotated[
        Annotated[Text, AfterValidator(_snmp_target)],
        Field(description="Where SNMP answers, if not at the first address, UDP port 161."),
    ] = ""
    auth: Annotated[Text, Field(description="Name of an auth of the SNMP configuration.")] = ""
    modules: Annotated[
        tuple[Name, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Names of SNMP modules, or auto for those that it answers."),
    ] = ()
    snmp_concurrency: Annotated[
        Count, Field(description="SNMP requests that it is sent at a time; 0: the exporter's flag.")
    ] = 0
    snmp_packets_per_second: Annotated[
        Rate, Field(description="SNMP packets that it is sent a second; 0: the exporter's flag.")
    ] = 0.0
    timezone: Annotated[
        Text,
        AfterValidator(_timezone),
        Field(description="IANA zone of syslog time stamps that have none, such as Asia/Seoul."),
    ] = ""
    labels: Annotated[
        Mapping[LabelName, Text],
        AfterValidator(_own_labels),
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Further labels for Prometheus."),
    ] = field(default_factory=_empty_mapping, hash=False)


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Inventory:
    """The devices of one file; names and addresses are unique."""

    devices: Annotated[tuple[Device, ...], NULL_IS_EMPTY_LIST, Field(description="All devices.")]

    def by_name(self, name: str) -> Device | None:
        """Give the device of that name."""
        return self._by_name.get(name)

    def by_host(self, host: str) -> Device | None:
        """Give the device that a host name, in any case, or an IP address belongs to."""
        named = self._by_host_name.get(host.lower().removesuffix("."))
        return self.by_address(host) if named is None else named

    def by_hostname(self, hostname: str) -> Device | None:
        """Give the device that calls itself so, by its name or an address, in any case."""
        named = self.by_name(hostname) or self._by_lower_name.get(hostname.lower())
        return self.by_host(hostname) if named is None else named

    def by_address(self, address: str) -> Device | None:
        """Give the device that an IP address belongs to.

        Any spelling will do: an IPv4-mapped IPv6 address is the IPv4 address, and the zone of a
        link-local one counts only where the inventory has it.
        """
        found = self._by_ip.get(address)
        if found is None and (ip := _cached_normalize_ip(address)) is not None:
            found = self._by_ip.get(ip) or self._by_ip.get(ip.partition("%")[0])
        return found

    @cached_property
    def zones(self) -> Mapping[str, tzinfo]:
        """The time zones of those devices that have one, by their names."""
        return {
            device.name: zoneinfo.ZoneInfo(device.timezone)
            for device in self.devices
            if device.timezone
        }

    @cached_property
    def _by_name(self) -> dict[str, Device]:
        return {device.name: device for device in self.devices}

    @cached_property
    def _by_lower_name(self) -> dict[str, Device]:
        # Of names that differ in nothing else, the first has those that are neither's.
        return {device.name.lower(): device for device in reversed(self.devices)}

    @cached_property
    def _by_ip(self) -> dict[str, Device]:
        return {
            address: device
            for device in self.devices
            for address in device.addresses
            if normalize_ip(address)
        }

    @cached_property
    def _by_host_name(self) -> dict[str, Device]:
        return {
            address.removesuffix("."): device
            for device in self.devices
            for address in device.addresses
            if not normalize_ip(address)
        }

    @model_validator(mode="after")
    def _check_unique(self) -> Inventory:
        if faults := list(_clashes(self.devices)):
            raise Rejected(faults)
        return self


def load_inventory(path: Path) -> Inventory:
    """Load a file of devices.

    Raises:
        ConfigError: Something is wrong in it.
    """
    return load_model(Inventory, path, environment={})


_cached_normalize_ip = lru_cache(maxsize=4096)(normalize_ip)


def _clashes(devices: tuple[Device, ...]) -> Iterator[Fault]:
    names: dict[str, int] = {}
    addresses: dict[str, tuple[int, int]] = {}
    for place, device in enumerate(devices):
        first = names.setdefault(device.name, place)
        if first != place:
            yield Fault(
                f"{quote(device.name)} is the name of another device",
                "give each device a name of its own",
                at=("devices", place, "name"),
                clashes_with=("devices", first, "name"),
            )
        for position, address in enumerate(device.addresses):
            owner, owner_position = addresses.setdefault(address, (place, position))
            if (owner, owner_position) != (place, position):
                yield Fault(
                    f"{address} is an address of {quote(devices[owner].name)} already",
                    "an address belongs to one device",
                    at=("devices", place, "addresses", position),
                    clashes_with=("devices", owner, "addresses", owner_position),
                )
