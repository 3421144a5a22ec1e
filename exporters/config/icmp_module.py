"""One module of ``/probe``: blackbox_exporter's, with its options and defaults for ICMP.

A file of blackbox_exporter holds modules of other probers too. They load, with whatever options
they have, and answer that they are not ours when they are asked for.

Source: blackbox_exporter's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Duration,
    Integer,
    IPAddress,
    Text,
    ip_address,
    one_of,
)
from exporters.config.go_duration import format_duration
from exporters.config.icmp_fields import LARGEST_PAYLOAD_BYTES, within
from exporters.config.rejection import Rejected, describe

PROBER: Final = "icmp"
OTHER_PROBERS: Final = ("http", "tcp", "dns", "grpc", "unix")
DEFAULT_PAYLOAD_BYTES: Final = 28
"""What blackbox_exporter sends where payload_size is not given."""

_CONFIG = ConfigDict(extra="forbid")


def _source(value: object) -> IPAddress | None:
    return None if value is None or value == "" else ip_address(value)


def _timeout(seconds: float) -> float:
    if seconds < 0:
        raise Rejected(f"must be at least 0, found {format_duration(seconds)}")
    return seconds


def _unread(value: object) -> Mapping[str, Any]:
    """Take the options of another prober as they are."""
    if value is not None and not isinstance(value, dict):
        raise Rejected(f"expected a mapping, found {describe(value)}")
    return EMPTY_MAPPING


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


_UnreadOptions = Annotated[
    Mapping[str, Any], PlainValidator(_unread), WithJsonSchema({"type": "object"})
]


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class IcmpOptions:
    """How a probe pings."""

    preferred_ip_protocol: Annotated[
        Literal["ip4", "ip6"],
        one_of(("ip4", "ip6"), "protocol", empty="ip6"),
        Field(description="Addresses to prefer, ip4 or ip6."),
    ] = "ip6"
    ip_protocol_fallback: Annotated[
        Boolean, Field(description="Take the other protocol where the preferred one is missing.")
    ] = True
    source_ip_address: Annotated[
        IPAddress | None,
        PlainValidator(_source),
        Field(description="Local address to send from."),
        WithJsonSchema({"type": "string"}),
    ] = None
    dont_fragment: Annotated[Boolean, Field(description="Set DF; IPv4 only.")] = False
    payload_size: Annotated[
        Integer,
        within(0, LARGEST_PAYLOAD_BYTES),
        Field(description="Bytes of payload; 0: 28."),
    ] = 0
    ttl: Annotated[
        Integer,
        within(0, 255),
        Field(description="TTL or hop limit, 0 to 255; 0: the system's."),
    ] = 64


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ProbeModule:
    """A way to probe, by the name that the parameter module has."""

    prober: Annotated[
        Text,
        one_of((PROBER, *OTHER_PROBERS), "prober"),
        Field(description="icmp; modules of other probers load and are not served."),
    ]
    timeout: Annotated[
        Duration,
        AfterValidator(_timeout),
        Field(description="Longest time of a probe; 0: as long as Prometheus waits."),
    ] = 0.0
    icmp: Annotated[
        IcmpOptions, NULL_IS_EMPTY_MAPPING, Field(description="Options of the prober icmp.")
    ] = IcmpOptions()
    http: Annotated[_UnreadOptions, Field(description="Accepted, and without effect.")] = field(
        default_factory=_empty_mapping, hash=False
    )
    tcp: Annotated[_UnreadOptions, Field(description="Accepted, and without effect.")] = field(
        default_factory=_empty_mapping, hash=False
    )
    dns: Annotated[_UnreadOptions, Field(description="Accepted, and without effect.")] = field(
        default_factory=_empty_mapping, hash=False
    )
    grpc: Annotated[_UnreadOptions, Field(description="Accepted, and without effect.")] = field(
        default_factory=_empty_mapping, hash=False
    )
    unix: Annotated[_UnreadOptions, Field(description="Accepted, and without effect.")] = field(
        default_factory=_empty_mapping, hash=False
    )

    @property
    def is_ours(self) -> bool:
        """Whether the prober is the one that is served here."""
        return self.prober == PROBER


def has_probers(content: Mapping[str, Any]) -> bool:
    """Tell a file with these modules from one of snmp_exporter's, where no module has a prober."""
    modules = content.get("modules")
    return isinstance(modules, dict) and any(
        isinstance(module, dict) and "prober" in module for module in modules.values()
    )
