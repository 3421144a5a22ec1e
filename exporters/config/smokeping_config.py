"""``smokeping_prober.yml``: the targets of smokeping_prober, as groups of the ICMP exporter.

Each entry of ``targets`` becomes a group. What it leaves out is what the peer's default is.
``protocol`` has no effect: the system decides which kind of socket there is.

Source: smokeping_prober's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    NULL_IS_EMPTY_LIST,
    Integer,
    IPAddress,
    ip_address,
    one_of,
)
from exporters.config.go_duration import format_duration
from exporters.config.icmp_fields import Host, Hosts, Interval, Labels, OneHost, PayloadSize, within
from exporters.config.icmp_group import family_faults
from exporters.config.rejection import Fault, Rejected

TIMEOUT_SECONDS: Final = 5.0
"""The peer has none: it counts whatever comes, whenever it comes."""

_CONFIG = ConfigDict(extra="forbid")
_FAMILIES: Final[Mapping[str, Literal["any", "ip4", "ip6"]]] = {
    "ip": "any",
    "ip4": "ip4",
    "ip6": "ip6",
}


def _source(value: object) -> IPAddress | None:
    return None if value is None or value == "" else ip_address(value)


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class SmokepingTargets:
    """Hosts that are pinged in the same way."""

    hosts: Annotated[Hosts, Field(description="Hosts to ping.")] = ()
    host: Annotated[OneHost | None, Field(description="A host to ping, instead of hosts.")] = None
    interval: Annotated[Interval, Field(description="Time between two pings.")] = 1.0
    network: Annotated[
        Literal["ip", "ip4", "ip6"],
        one_of(tuple(_FAMILIES), "network", empty="ip"),
        Field(description="Addresses to ping: ip, ip4 or ip6."),
    ] = "ip"
    protocol: Annotated[
        Literal["icmp", "udp"],
        one_of(("icmp", "udp"), "protocol", empty="icmp"),
        Field(description="Accepted, and without effect."),
    ] = "icmp"
    size: Annotated[PayloadSize, Field(description="Bytes of payload.")] = 56
    source: Annotated[
        IPAddress | None,
        PlainValidator(_source),
        Field(description="Local address to send from."),
        WithJsonSchema({"type": "string"}),
    ] = None
    tos: Annotated[Integer, within(0, 255), Field(description="TOS or traffic class.")] = 0
    labels: Annotated[Labels, Field(description="Labels of all these hosts.")] = field(
        default_factory=_empty_mapping, hash=False
    )

    def group(self) -> dict[str, Any]:
        """Give the group of icmp.yml that pings in the same way."""
        return {
            "hosts": self.all_hosts,
            "family": _FAMILIES[self.network],
            "interval": format_duration(self.interval),
            "timeout": format_duration(TIMEOUT_SECONDS),
            "size": self.size,
            "tos": self.tos,
            "source": self.source,
            "labels": self.labels,
        }

    @property
    def all_hosts(self) -> tuple[Host, ...]:
        """``hosts``, or the one ``host``."""
        return self.hosts or (() if self.host is None else (self.host,))

    @model_validator(mode="after")
    def _check(self) -> SmokepingTargets:
        faults = []
        if not self.all_hosts:
            faults.append(Fault("has no hosts", "write hosts: [192.0.2.1]"))
        if self.hosts and self.host is not None:
            faults.append(Fault("hosts is given too", "keep one of them", at=("host",)))
        sources = [] if self.source is None else [self.source]
        faults += family_faults(_FAMILIES[self.network], sources, self.all_hosts)
        if faults:
            raise Rejected(faults)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class SmokepingConfig:
    """The whole of a file."""

    targets: Annotated[
        tuple[SmokepingTargets, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Hosts to ping, in groups."),
    ]

    def groups(self, name: str, buckets: Sequence[float] = ()) -> dict[str, Any]:
        """Give what ``groups`` of icmp.yml would hold: groups named *name*-1 and so on."""
        return {
            f"{name}-{number}": {
                **targets.group(),
                **({"buckets": list(buckets)} if buckets else {}),
            }
            for number, targets in enumerate(self.targets, 1)
        }


_KEYS: Final = frozenset(SmokepingTargets.__dataclass_fields__)


def looks_like_smokeping(content: Mapping[str, Any]) -> bool:
    """Tell a file of smokeping_prober from one of ping_exporter, which has ``targets`` too.

    Here they are mappings with ``hosts``, or with ``host`` and none but the keys above; there they
    are text, or mappings whose other keys are labels, and other keys stand beside ``targets``.
    """
    targets = content.get("targets")
    if set(content) != {"targets"} or not isinstance(targets, list):
        return False
    return all(
        isinstance(entry, dict)
        and ("hosts" in entry or ("host" in entry and all(key in _KEYS for key in entry)))
        for entry in targets
    )
