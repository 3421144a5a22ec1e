"""One destination that is pinged all the time: where, how, under which labels, and its account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from exporters.icmp.accounting import Account
from exporters.icmp.origin import Origin, OriginKey
from exporters.icmp.outages import Outages
from exporters.metrics.text import label_text
from exporters.sockets.icmp_values import SocketAddress
from exporters.wire.echo_payload import EchoPayload
from exporters.wire.icmp import IpVersion

Labels = tuple[tuple[str, str], ...]

DEFAULT_BOUNDS: Final = tuple(round(0.00005 * 2**power, 5) for power in range(20))
"""From 50 us to 26 s, those of smokeping_prober."""

_LEAST_HISTORY: Final = 300
_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """How one host of a group is pinged.

    Attributes:
        device: the device of the inventory that the host is, or else the host as it was written.
        group: the name of its group.
        host: an IP address or a name.
        labels: the group's own.
        version: 4 or 6; None for whichever its name has.
        all_addresses: whether each address of a name is a destination, or one of them.
        resolve_seconds: how long an answer of the resolver is good; 0: until the next start.
        traffic_class: the octet with the DSCP in its upper six bits.
        source_v4: the address to send IPv4 from; "" for whichever the route has.
        bounds: of the histogram of round-trip times, in seconds.
        window: how many pings minimum, maximum and deviation are of.
        path: whether the routers on the way are looked for.
        pmtu: whether the path MTU is.
    """

    device: str
    group: str
    host: str
    labels: Labels = ()
    version: IpVersion | None = None
    all_addresses: bool = False
    resolve_seconds: float = 60.0
    interval_seconds: float = 1.0
    timeout_seconds: float = 2.0
    size_bytes: int = 56
    traffic_class: int = 0
    hop_limit: int = 64
    source_v4: str = ""
    source_v6: str = ""
    interface: str = ""
    bounds: tuple[float, ...] = DEFAULT_BOUNDS
    window: int = 60
    path: bool = False
    pmtu: bool = False

    @property
    def name(self) -> str:
        """What tells it from others, whatever its addresses are."""
        return "\0".join((self.group, self.device, self.host, *map("=".join, self.labels)))


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a host, as text and as sockets take it."""

    version: IpVersion
    ip: str
    socket_address: SocketAddress


class Target:
    """A destination.

    Attributes:
        settings: a reload may replace them where key, bounds and window stay.
        address: None while its name has none.
        key: the labels of its series, in the order in which they are written.
        label_text: the same as text, without braces.
        payload: what its pings carry; the nonce in it is this target's, of this process.
        origin: what its pings leave from; the engine sets it.
        identifier_index: which of the origin's identifiers it uses.
        rotated_ns: since when, by the monotonic clock.
        outages: the latest.
    """

    __slots__ = (
        "_nonce",
        "account",
        "address",
        "identifier_index",
        "interval_ns",
        "interval_seconds",
        "key",
        "label_text",
        "origin",
        "outages",
        "payload",
        "rotated_ns",
        "settings",
        "timeout_ns",
    )

    def __init__(self, settings: TargetSettings, address: Address | None) -> None:
        self.address = address
        self.key: Labels = (
            ("device", settings.device),
            ("group", settings.group),
            ("host", settings.host),
            ("ip", address.ip if address else ""),
            *settings.labels,
        )
        self.label_text = label_text(self.key)[1:-1]
        self.account = Account(settings.bounds, max(settings.window, _LEAST_HISTORY))
        self.outages = Outages()
        self.origin: Origin | None = None
        self.identifier_index = 0
        self.rotated_ns = 0
        self._nonce = secrets.randbits(64)
        self.adopt(settings)

    def adopt(self, settings: TargetSettings) -> None:
        """Be pinged as *settings* say from now on."""
        self.settings = settings
        self.payload = EchoPayload(self._nonce, settings.size_bytes)
        self.interval_seconds = settings.interval_seconds
        self.interval_ns = round(settings.interval_seconds * _NS)
        self.timeout_ns = round(settings.timeout_seconds * _NS)

    def can_adopt(self, settings: TargetSettings) -> bool:
        """Whether the account may go on under these settings."""
        own = self.settings
        return (settings.bounds, settings.window) == (own.bounds, own.window)

    @property
    def origin_key(self) -> OriginKey | None:
        """What its pings leave from; None while it has no address."""
        if self.address is None:
            return None
        own = self.settings
        source = own.source_v4 if self.address.version == 4 else own.source_v6
        return OriginKey(self.address.version, source, own.interface)
