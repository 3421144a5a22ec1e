"""The kinds of values that a group of ``icmp.yml`` holds, with their bounds and their wording.

Sources: RFC 2474, RFC 8622 and the registry of code points (names of DSCP values).
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.dataclasses import dataclass

from exporters.config.devices import Device
from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_MAPPING,
    Duration,
    Integer,
    IpAddress,
    LabelName,
    Number,
    Text,
)
from exporters.config.go_duration import format_duration
from exporters.config.host_address import HostAddress
from exporters.config.rejection import Fault, Rejected, describe, quote, suggest
from exporters.config.scalars import text_of

SHORTEST_INTERVAL_SECONDS: Final = 0.05
LONGEST_TIMEOUT_SECONDS: Final = 60.0
SMALLEST_PAYLOAD_BYTES: Final = 24
"""What makes a ping recognisable needs this much."""
LARGEST_PAYLOAD_BYTES: Final = 65_507
"""An IPv4 packet of 65,535 bytes, without the headers of IP and ICMP."""

DEFAULT_BUCKETS: Final = tuple(round(0.00005 * 2**power, 5) for power in range(20))
"""From 50 us to 26 s, those of smokeping_prober."""

OWN_LABELS: Final = (
    *("device", "group", "host", "ip", "dscp", "tos"),
    *("le", "reason", "reporter", "type", "code", "error"),
)
"""Labels that the exporter gives to the series of a target itself."""

_DSCP_NAMES: Final = {
    "le": 1,
    "ef": 46,
    "va": 44,
    **{f"cs{number}": number * 8 for number in range(8)},
    **{f"af{row}{drop}": row * 8 + drop * 2 for row in range(1, 5) for drop in range(1, 4)},
}
_CONFIG = ConfigDict(extra="forbid")
_INTERFACE_CHARACTERS: Final = 15  # Linux' IFNAMSIZ, less its final zero
_MOST_BUCKETS: Final = 100


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


def _own_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    faults = [
        Fault(f"the label {name} is the exporter's own", "choose another name", at=(name,))
        for name in labels
        if name in OWN_LABELS
    ]
    if faults:
        raise Rejected(faults)
    return labels


Labels = Annotated[
    Mapping[LabelName, Text], AfterValidator(_own_labels), FROZEN, NULL_IS_EMPTY_MAPPING
]


def _unicast(address: str) -> str:
    """Refuse addresses of many hosts, or of none: an answer would not be the target's."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    kinds = {
        "a multicast address": ip.is_multicast,
        "the broadcast address": str(ip) == "255.255.255.255",
        "no address of a host": ip.is_unspecified,
    }
    for kind, found in kinds.items():
        if found:
            raise Rejected(f"{address} is {kind}", "name the hosts one by one")
    return address


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Host:
    """A host, and labels that only it has."""

    host: Annotated[
        HostAddress,
        AfterValidator(_unicast),
        Field(description="IP address or host name."),
    ]
    labels: Annotated[Labels, Field(description="Labels of this host alone.")] = field(
        default_factory=_empty_mapping, hash=False
    )


def _host(value: object) -> object:
    """Let plain text stand for a host without labels of its own."""
    if isinstance(value, dict | Host):
        return value
    text = text_of(value)
    if not text:
        hint = "write it as 192.0.2.1, or as {host: 192.0.2.1, labels: {}}"
        raise Rejected(f"expected a host, found {describe(value)}", hint)
    return {"host": text}


def _distinct(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    places: dict[str, int] = {}
    faults = [
        Fault(f"{quote(entry.host)} is in this group already", "name it once", at=(place,))
        for place, entry in enumerate(hosts)
        if places.setdefault(entry.host, place) != place
    ]
    if faults:
        raise Rejected(faults)
    return hosts


OneHost = Annotated[
    Host, BeforeValidator(_host, json_schema_input_type=Host | Annotated[str, Field(min_length=1)])
]
"""A host: text, or a mapping of host and labels."""

Hosts = Annotated[tuple[OneHost, ...], AfterValidator(_distinct), NULL_IS_EMPTY_LIST]


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """Which devices: those that have one of the values of every label; without labels, all."""

    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def has(self, device: Device) -> bool:
        """Tell whether *device* is chosen; its name is the label ``device``."""
        own = {**device.labels, "device": device.name}
        return all(own.get(label) in values for label, values in self.labels)


def _device_choice(value: object) -> DeviceChoice | None:
    if value is None or isinstance(value, DeviceChoice):
        return value
    if value == "all":
        return DeviceChoice()
    if not isinstance(value, dict) or not value:
        hint = "write all, or labels to choose by: {role: core} or {device: [sw-1, sw-2]}"
        raise Rejected(f"expected a choice of devices, found {quote(value)}", hint)
    labels = []
    faults = []
    for label, wanted in value.items():
        values = [text_of(item) for item in (wanted if isinstance(wanted, list) else [wanted])]
        texts = tuple(text for text in values if text is not None)
        if not texts or len(texts) < len(values):
            faults.append(Fault("expected text, or a list of texts", at=(str(label),)))
        labels.append((str(label), texts))
    if faults:
        raise Rejected(faults)
    return DeviceChoice(tuple(labels))


_CHOICE_SCHEMA = {
    "anyOf": [
        {"const": "all"},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
            },
        },
    ]
}


def _dscp(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 63:
        return int(value)
    if isinstance(value, str):
        if value.lower() in _DSCP_NAMES:
            return _DSCP_NAMES[value.lower()]
        hint = suggest(value, list(_DSCP_NAMES), "") or "write 0 to 63, or a name such as ef or cs6"
        raise Rejected(f"{quote(value)} is not a DSCP", hint)
    hint = "write 0 to 63, or a name such as ef; a whole octet is tos"
    raise Rejected(f"{quote(value)} is not a DSCP", hint)


def _listed(value: object) -> object:
    """Let a single value stand for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list | tuple) else [value]


def _no_repetition(values: tuple[Any, ...]) -> tuple[Any, ...]:
    faults = [
        Fault(f"{value} is in the list already", "write it once", at=(place,))
        for place, value in enumerate(values)
        if value in values[:place]
    ]
    if faults:
        raise Rejected(faults)
    return values


def _one_or_more(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "array", "items": schema}]})


def _sources(addresses: tuple[Any, ...]) -> tuple[Any, ...]:
    versions = [address.version for address in addresses]
    if len(set(versions)) < len(versions):
        raise Rejected("has several addresses of one family", "name one IPv4 and one IPv6 address")
    return addresses


def _interface(name: str) -> str:
    if len(name.encode()) > _INTERFACE_CHARACTERS or "/" in name or not name.isprintable():
        raise Rejected(f"{quote(name)} is not the name of an interface")
    return name


def within(least: int, most: int) -> AfterValidator:
    """Make a validator for whole numbers from *least* to *most*."""

    def check(number: int) -> int:
        if not least <= number <= most:
            raise Rejected(f"must be from {least} to {most}, found {number}")
        return number

    return AfterValidator(check)


def _seconds(least: float, most: float, *, or_zero: bool = False) -> AfterValidator:
    def check(seconds: float) -> float:
        if not least <= seconds <= most and not (or_zero and seconds == 0):
            shown = f"from {format_duration(least)} to {format_duration(most)}"
            raise Rejected(f"must be {shown}, found {format_duration(seconds)}")
        return seconds

    return AfterValidator(check)


def check_buckets(buckets: Sequence[float]) -> tuple[float, ...]:
    """Give the upper bounds of a histogram.

    Raises:
        Rejected: They do not rise, or there are none or too many.
    """
    if not 1 <= len(buckets) <= _MOST_BUCKETS:
        raise Rejected(f"must have from 1 to {_MOST_BUCKETS} entries, found {len(buckets)}")
    if buckets[0] <= 0:
        raise Rejected([Fault(f"must be more than 0, found {buckets[0]}", at=(0,))])
    for place, (bound, next_bound) in enumerate(itertools.pairwise(buckets), 1):
        if next_bound <= bound:
            problem = f"{next_bound} does not exceed {bound} before it"
            raise Rejected([Fault(problem, "write rising bounds, in seconds", at=(place,))])
    return tuple(buckets)


ChosenDevices = Annotated[
    DeviceChoice | None, PlainValidator(_device_choice), WithJsonSchema(_CHOICE_SCHEMA)
]
"""``all``, or labels with the values that choose a device."""

Interval = Annotated[Duration, _seconds(SHORTEST_INTERVAL_SECONDS, 86_400)]
Timeout = Annotated[Duration, _seconds(0.001, LONGEST_TIMEOUT_SECONDS)]
ResolveInterval = Annotated[Duration, _seconds(1, 7 * 86_400, or_zero=True)]
PayloadSize = Annotated[Integer, within(SMALLEST_PAYLOAD_BYTES, LARGEST_PAYLOAD_BYTES)]
TimeToLive = Annotated[Integer, within(1, 255)]
Window = Annotated[Integer, within(1, 3_600)]
Buckets = Annotated[tuple[Number, ...], AfterValidator(check_buckets)]
Interface = Annotated[Text, AfterValidator(_interface)]

CodePoints = Annotated[
    tuple[Annotated[int, BeforeValidator(_dscp)], ...],
    AfterValidator(_no_repetition),
    BeforeValidator(_listed),
    _one_or_more({"anyOf": [{"type": "integer"}, {"enum": sorted(_DSCP_NAMES)}]}),
]
"""DSCP values, by number or name: one, or a list."""

Octets = Annotated[
    tuple[Annotated[Integer, within(0, 255)], ...],
    AfterValidator(_no_repetition),
    BeforeValidator(_listed),
    _one_or_more({"type": "integer", "minimum": 0, "maximum": 255}),
]
"""Whole octets of TOS or traffic class: one, or a list."""

SourceAddresses = Annotated[
    tuple[IpAddress, ...],
    AfterValidator(_sources),
    BeforeValidator(_listed),
    _one_or_more({"type": "string"}),
]
"""Local addresses, at most one of each family."""
