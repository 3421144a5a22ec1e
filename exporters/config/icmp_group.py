"""One group of ``icmp.yml``: hosts that are pinged in the same way, all the time.

A group names hosts, or chooses devices of the inventory, or both. What it becomes on the network,
one target for each address and code point, is ``exporters.icmp``'s.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import EMPTY_MAPPING, Boolean, IPAddress, one_of
from exporters.config.icmp_fields import (
    DEFAULT_BUCKETS,
    Buckets,
    ChosenDevices,
    CodePoints,
    Host,
    Hosts,
    Interface,
    Interval,
    Labels,
    Octets,
    PayloadSize,
    ResolveInterval,
    SourceAddresses,
    Timeout,
    TimeToLive,
    Window,
)
from exporters.config.rejection import Fault, Rejected

_CONFIG = ConfigDict(extra="forbid")


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Group:
    """Hosts and devices that are pinged in the same way."""

    hosts: Annotated[Hosts, Field(description="Hosts: text, or mappings of host and labels.")] = ()
    devices: Annotated[
        ChosenDevices,
        Field(description="Devices of the inventory: all, or labels and their values."),
    ] = None
    family: Annotated[
        Literal["any", "ip4", "ip6"],
        one_of(("any", "ip4", "ip6"), "family"),
        Field(description="Addresses to ping: any, ip4 or ip6."),
    ] = "any"
    addresses: Annotated[
        Literal["first", "all"],
        one_of(("first", "all"), "choice"),
        Field(description="Of a name or device with several addresses: first or all."),
    ] = "first"
    resolve_interval: Annotated[
        ResolveInterval, Field(description="How often names are resolved again; 0: once.")
    ] = 60.0
    interval: Annotated[Interval, Field(description="Time between two pings, from 50ms.")] = 1.0
    timeout: Annotated[
        Timeout, Field(description="Time after which an unanswered ping is lost.")
    ] = 2.0
    size: Annotated[PayloadSize, Field(description="Bytes of payload, from 24 to 65507.")] = 56
    dscp: Annotated[
        CodePoints,
        Field(description="DSCP, 0 to 63 or by name, or a list: each is a target of its own."),
    ] = ()
    tos: Annotated[
        Octets, Field(description="The whole octet, 0 to 255, or a list, instead of dscp.")
    ] = ()
    ttl: Annotated[TimeToLive, Field(description="TTL or hop limit, 1 to 255.")] = 64
    source: Annotated[
        SourceAddresses,
        Field(description="Local address to send from, or one of each family."),
    ] = ()
    interface: Annotated[
        Interface, Field(description="Interface to send from, whatever the routes say.")
    ] = ""
    labels: Annotated[Labels, Field(description="Labels of all hosts of the group.")] = field(
        default_factory=_empty_mapping, hash=False
    )
    buckets: Annotated[
        Buckets,
        Field(description="Upper bounds of the histogram of round-trip times, in seconds."),
    ] = DEFAULT_BUCKETS
    window: Annotated[
        Window, Field(description="Last pings that minimum, maximum and deviation are of.")
    ] = 60
    path: Annotated[Boolean, Field(description="Find the routers on the way.")] = False
    pmtu: Annotated[Boolean, Field(description="Find the path MTU.")] = False

    @property
    def traffic_classes(self) -> tuple[int, ...]:
        """The octets to send with: TOS of IPv4, traffic class of IPv6."""
        return self.tos or tuple(point << 2 for point in self.dscp) or (0,)

    def source_address(self, version: int) -> str:
        """Give the local address for IPv4 or IPv6; empty: the system's choice."""
        return next((str(ip) for ip in self.source if ip.version == version), "")

    @model_validator(mode="after")
    def _check(self) -> Group:
        if faults := list(_faults(self)):
            raise Rejected(faults)
        return self


def _faults(group: Group) -> Iterator[Fault]:
    if not group.hosts and group.devices is None:
        yield Fault("has neither hosts nor devices", "write hosts: [192.0.2.1], or devices: all")
    if group.dscp and group.tos:
        yield Fault("dscp is given too", "keep one of them", at=("tos",))
    yield from family_faults(group.family, group.source, group.hosts)


def family_faults(
    family: str, sources: Sequence[IPAddress], hosts: Sequence[Host]
) -> Iterator[Fault]:
    """Tell of the source and of hosts that are addresses of another family than *family*."""
    if family == "any":
        return
    if sources and not any(f"ip{ip.version}" == family for ip in sources):
        hint = "name one, or drop it"
        yield Fault(f"has no address of the family {family}", hint, at=("source",))
    for place, entry in enumerate(hosts):
        try:
            ip = ipaddress.ip_address(entry.host)
        except ValueError:
            continue
        if f"ip{ip.version}" != family:
            problem = f"{entry.host} is not of the family {family}"
            yield Fault(problem, "drop it", at=("hosts", place))
